"""How a page is made of its template: everything in one file, and nothing from outside taken for markup."""

import base64
import functools
import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from lib.files import replacing
from lib.video.report.words import Words
from lib.words import visible

HEAD_BYTES = 4096
"""A page says what it was made from within its first bytes."""
TEMPLATES = Path(__file__).with_name("templates")


def write_page(target: Path, template: str, words: Words, values: Mapping[str, Any], made_from: str = "") -> None:
    """Write a page atomically; one that says the same already is left as it is.

    `made_from` is an identity of all that the page was made from, for `is_made_from`.
    """
    style, script = ((TEMPLATES / name).read_text("utf-8") for name in ("report.css", "report.js"))
    shared = {
        "t": words,
        "style": Markup(style),  # noqa: S704 (our own file)
        "script": Markup(script),  # noqa: S704 (our own file)
        "policy": _policy(style, script),
        "made_from": made_from,
    }
    page = _environment().get_template(template).render({**shared, **values}).encode("utf-8")
    if target.is_file() and target.read_bytes() == page:
        return
    with replacing(target) as temporary:
        temporary.write_bytes(page)


def identity(*parts: Any, files: Iterable[Path] = ()) -> str:
    """Return one identity of values and of files as they are now (name, size, time), for `made_from`."""
    states = [(file.name, state.st_size, state.st_mtime_ns) for file in files if (state := _state(file))]
    ours = [(file.name, hashlib.sha256(file.read_bytes()).hexdigest()) for file in sorted(TEMPLATES.iterdir())]
    return hashlib.sha256(repr((parts, states, ours)).encode("utf-8", "backslashreplace")).hexdigest()


def is_made_from(target: Path, made_from: str) -> bool:
    """Whether a page is there that was made from this."""
    try:
        with target.open("rb") as page:
            return made_from.encode("ascii") in page.read(HEAD_BYTES)
    except OSError:
        return False


def _state(file: Path) -> os.stat_result | None:
    try:
        return file.stat()
    except OSError:
        return None


def _policy(style: str, script: str) -> str:
    """Return the page's content security policy: our style and script by their hashes, pictures inside the page."""
    return (
        f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {_hash(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}'"


def _shown(value: Any) -> Any:
    """Make what an expression gives fit to be shown; it is escaped afterwards."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return visible(value)
    return value


@functools.cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        finalize=_shown,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
