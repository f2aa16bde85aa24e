"""How a page is made of its template: in the reader's language, and nothing from outside taken for markup."""

import functools
import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jinja2
from anyio import to_thread
from fastapi import Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from lib.console.context import Console
from lib.console.views import views
from lib.console.words import LANGUAGES, PHRASES, Words, language_of, state_of
from lib.words import visible

TEMPLATES = Path(__file__).with_name("templates")
STATIC = Path(__file__).with_name("static")
LANGUAGE_COOKIE = "regie_language"
SECONDS_OF_COOKIE = 365 * 86400

SPOKEN_BY_SCRIPTS = (
    "live_on", "live_off", "live_trouble", "ended", "run_changed", "phase_changed", "calls_made",
    "tokens", "cost", "failures", "left_alone", "more_named",
    "counters", "count_failed",
    "count_skipped", "phases_done", "in_time", "any_moment", "why_ended", "why_stopping", "why_working",
    "why_completed", "some_none", "failed_request", "no_answer", "basis_median", "basis_pace", "reason_not_asked",
    "reason_needs", "reason_before", "cores_load", "used_of", "disk_free", "gpu_memory", "warnings", "warning_memory",
    "warning_disk", "warning_gpu_memory", "state_pending", "state_running", "state_stopping", "state_paused",
    "state_completed", "state_partial", "state_failed", "state_crashed", "state_cancelled", "state_skipped",
)  # fmt: skip
"""The messages that scripts say too."""

BLANK_RUN = {
    "run_id": "", "workflow": "", "subject": "", "state": "pending", "stopping": False, "progress": None,
    "started": None, "ended": None, "estimated_end": None,
}  # fmt: skip
"""A run that says nothing: what scripts make new rows of."""


async def render(
    request: Request,
    template: str,
    *,
    styles: Sequence[str] = (),
    script: str = "system.js",
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **values: Any,
) -> HTMLResponse:
    """Return the answer to a request: a template with its styles and script, given what every page needs and `values`.

    The language is the one that was chosen on a page (`?lang=fr`, then remembered in a cookie), or the browser's.
    """
    console: Console = request.app.state.console
    chosen = request.query_params.get("lang")
    words = words_of(request)
    machine = await to_thread.run_sync(console.gauge.read)
    shared = {
        "page": "",
        "pages": ["runs", *views(console), "system"],
        "styles": ["base.css", *styles],
        "script": script,
        "t": words,
        "now": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "machine": machine.model_dump(mode="json"),
        "prefect_ui": _prefect_ui(console),
        "other_language": _other_language(request, words),
        "client": _for_scripts(words),
    }
    page = _environment().get_template(template).render({**shared, **values})
    answer = HTMLResponse(page, status, headers=dict(headers or {}))
    if chosen in LANGUAGES:
        answer.set_cookie(LANGUAGE_COOKIE, chosen, max_age=SECONDS_OF_COOKIE, samesite="lax", httponly=True)
    return answer


def words_of(request: Request) -> Words:
    """Return the words of the language that a request is to be answered in."""
    for chosen in (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        for language in LANGUAGES:
            if chosen == language:
                return Words(language)
    return Words(language_of(request.headers.get("accept-language", "")))


def spark(values: Sequence[float], width: int = 96, height: int = 24) -> list[tuple[float, float]]:
    """Return the points of a small curve of the last values, in pixels; the highest value is at the top."""
    values = values[-40:]
    if len(values) == 1:
        values = [values[0], values[0]]
    top = max(values, default=0) or 1.0
    step = width / max(len(values) - 1, 1)
    return [
        (round(place * step, 1), round(height - 2 - each / top * (height - 4), 1)) for place, each in enumerate(values)
    ]


@functools.cache
def static_version() -> str:
    """Return what stands for the static files as they are: part of their addresses, so that browsers can keep them."""
    digest = hashlib.sha256()
    for path in sorted(STATIC.iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _prefect_ui(console: Console) -> str:
    """Where Prefect's own pages are, without a password that the address of its API may hold."""
    return str(console.client.api_url.copy_with(userinfo=b"")).rstrip("/").removesuffix("/api")


def _static(name: str) -> str:
    return f"/static/{static_version()}/{name}"


def _other_language(request: Request, words: Words) -> str:
    other = next(language for language in LANGUAGES if language != words.language)
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "lang"]
    return urlencode([*kept, ("lang", other)])


@functools.cache
def _for_scripts(words: Words) -> dict[str, Any]:
    place = LANGUAGES.index(words.language)
    return {
        "language": words.language,
        "words": {key: words.messages[key][place] for key in SPOKEN_BY_SCRIPTS},
        "phrases": [[pattern.replace("(?P<", "(?<"), key] for pattern, key in PHRASES],
    }


def _shown(value: Any) -> Any:
    """Make what an expression gives fit to be shown; it is escaped afterwards."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return visible(value, kept="\n\t")
    return value


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        finalize=_shown,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "separators": (",", ":")}
    environment.globals |= {"static": _static, "state_of": state_of, "blank_run": BLANK_RUN, "spark": spark}
    return environment
