"""Choosing one's own password: asking for a link, and the page that it leads to. With an OIDC provider, only there."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse

from gateway.console.login import LoginForm, begin_visit, derived, keep_cookie, may_try, visit_cookie
from gateway.console.pages import render_for_nobody
from gateway.http.plumbing.deps import Deps, DepsOf
from services.kernel.errors import InvalidArgument, Refused
from services.orders.access import logins
from services.orders.masterdata import passwords

router = APIRouter()

SecretOf = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$", max_length=64)]
_TOO_OFTEN = "too many attempts: wait a minute, then try again"
_DIFFER = "the two passwords differ: enter the same one twice"


@router.get("/login/forgotten")
def forgotten_page(request: Request, deps: DepsOf) -> Response:
    """Where somebody asks for a link."""
    _check_here(deps)
    return _page(request, deps, "forgotten.html", is_sent=False)


@router.post("/login/forgotten")
def ask_for_link(request: Request, deps: DepsOf, fields: LoginForm) -> Response:
    """Mail a link; the answer is the same whether there is such a person or not."""
    name = fields.get("name", "")[:128]
    # no login has this name, so whoever asks does not use up its owner's tries to log in
    if not may_try(request, f"forgotten/{name}"):
        return _page(request, deps, "forgotten.html", 429, problem=_TOO_OFTEN, is_sent=False)
    with deps.database.transaction() as session:
        passwords.ask_for_link(session, name, deps.contacts, deps.clock())
    return _page(request, deps, "forgotten.html", is_sent=True)


@router.get("/login/password/{secret}")
def password_page(request: Request, deps: DepsOf, secret: SecretOf) -> Response:
    """Where the link in the mail leads: choose a password."""
    _check_here(deps)
    with deps.database.reading() as session:
        sub = logins.owner_of_link(session, secret, deps.clock())
    if not sub:
        raise Refused("PASSWORD_LINK_OVER", "this link was used before or is over: ask for a new one on the login page")
    return _page(request, deps, "password.html", sub=sub, secret=secret)


@router.post("/login/password/{secret}")
def choose_password(request: Request, deps: DepsOf, fields: LoginForm, secret: SecretOf) -> Response:
    """Set the password of whom the link was mailed to, and go on to the login page."""
    now, chosen = deps.clock(), fields.get("password", "")
    with deps.database.reading() as session:
        sub = logins.owner_of_link(session, secret, now)
    problem = _TOO_OFTEN if not may_try(request, "") else _DIFFER if chosen != fields.get("again", "") else ""
    try:
        argon2 = "" if problem else logins.hash_password(chosen)
    except InvalidArgument as unfit:
        argon2, problem = "", unfit.message
    if not argon2:
        return _page(request, deps, "password.html", 422, problem=problem, sub=sub, secret=secret)
    with deps.database.transaction() as session:
        passwords.choose(session, secret, argon2, now)
    return RedirectResponse("/login", 303)


def _check_here(deps: Deps) -> None:
    if deps.console.oidc_issuer:
        raise Refused(
            "PROVIDER_SIGNS_IN", "people log in at the identity provider here: use the button on the login page"
        )


def _page(request: Request, deps: Deps, template: str, status: int = 200, **values: object) -> Response:
    visit = begin_visit(request, deps)
    shown = {"problem": "", "least": logins.MIN_PASSWORD, "most": logins.MAX_PASSWORD, **values}
    answer = render_for_nobody(template, deps.console, csrf=derived(visit, "login"), **shown)
    answer.status_code = status
    keep_cookie(answer, deps, visit_cookie(deps.console), visit, 3600)
    return answer
