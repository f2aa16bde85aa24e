"""How a page is made of its template: everything in one file, and nothing from outside taken for markup."""

import base64
import functools
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from lib.files import replacing
from lib.video.report.words import Words, visible

TEMPLATES = Path(__file__).with_name("templates")


def write_page(target: Path, template: str, words: Words, values: Mapping[str, Any]) -> None:
    """Write a page atomically; one that says the same already is left as it is."""
    style, script = ((TEMPLATES / name).read_text("utf-8") for name in ("report.css", "report.js"))
    shared = {
        "t": words,
        "style": Markup(style),  # noqa: S704 (our own file)
        "script": Markup(script),  # noqa: S704 (our own file)
        "policy": _policy(style, script),
    }
    page = _environment().get_template(template).render({**shared, **values}).encode("utf-8")
    if target.is_file() and target.read_bytes() == page:
        return
    with replacing(target) as temporary:
        temporary.write_bytes(page)


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
