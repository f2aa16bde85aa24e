"""GET and POST /login: a browser shows once that it knows the token, and has a cookie for it from then on."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from lib.console.context import Here
from lib.console.forms import fields_of
from lib.console.rendering import render
from lib.console.security import cookie_name, cookie_value, equal

router = APIRouter(include_in_schema=False)


@router.get("/login", response_class=HTMLResponse)
async def ask(request: Request, console: Here) -> Response:
    """Ask for the token; lead on where none is asked for."""
    if console.settings.console_token is None:
        return RedirectResponse("/", 303)
    return await render(request, "login.html", wrong=False)


@router.post("/login", response_class=HTMLResponse)
async def answer(request: Request, console: Here) -> Response:
    """Take the token from the form, and lead on when it is the right one."""
    if console.settings.console_token is None:
        return RedirectResponse("/", 303)
    token = console.settings.console_token.get_secret_value()
    given = (await fields_of(request)).get("token", [""])[0]
    if not equal(given.strip(), token):
        return await render(request, "login.html", status=403, wrong=True)
    response = RedirectResponse("/", 303)
    name = cookie_name(console.settings.console_port)
    # Lax: a link to a run that somebody follows from elsewhere leads to the run. What changes something is guarded by
    # where it comes from.
    response.set_cookie(name, cookie_value(token), httponly=True, samesite="lax", secure=request.url.scheme == "https")
    return response
