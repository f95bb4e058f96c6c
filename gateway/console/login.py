"""Logging in by name and password or by a token, and logging out. With an OIDC provider, only there."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import UTC, datetime
from typing import Annotated

import jwt
import structlog
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse

from gateway.console.forms import read_form
from gateway.console.pages import render_for_nobody
from gateway.console.visitor import login_of, safe_path, session_cookie
from gateway.http.plumbing.deps import ConsoleSettings, Deps, DepsOf, deps_of
from gateway.http.plumbing.problems import ApiError
from services.kernel.errors import NotPermitted, Refused
from services.orders.access import logins
from services.runtime.auth import NotAuthenticated, Principal

router = APIRouter()
log = structlog.get_logger()

_WRONG = "wrong user name or password: try again"
_GIVEN = "this password was set by somebody else: ask for a link and choose your own"
_TOO_OFTEN = "too many attempts: wait a minute, then try again"


def visit_cookie(settings: ConsoleSettings) -> str:
    """The cookie that ties a login form, or a way through the provider, to this browser before anybody is logged in."""
    return "__Host-oms_visit" if settings.is_secure else "oms_visit"


def derived(visit: str, purpose: str) -> str:
    """A secret of one purpose that only a holder of the visit cookie can know."""
    return hmac.new(visit.encode(), purpose.encode(), hashlib.sha256).hexdigest()


def begin_visit(request: Request, deps: Deps) -> str:
    """The value of the visit cookie, a new one where there is none that could be ours."""
    known = request.cookies.get(visit_cookie(deps.console), "")
    return known if len(known) == 43 and known.isascii() else secrets.token_urlsafe(32)


def keep_cookie(answer: Response, deps: Deps, name: str, value: str, seconds: int) -> None:
    """Set a cookie that scripts cannot read and other sites cannot post with."""
    answer.set_cookie(
        name, value, max_age=seconds, path="/", secure=deps.console.is_secure, httponly=True, samesite="lax"
    )


@router.get("/login")
def login_page(request: Request, deps: DepsOf, back: Annotated[str, Query(max_length=500)] = "/") -> Response:
    """The form; who is logged in already goes on."""
    target = safe_path(back)
    if login_of(request, deps) is not None:
        return RedirectResponse(target, 303)
    return _form(request, deps, target)


def _form(request: Request, deps: Deps, back: str, problem: str = "", status: int = 200, name: str = "") -> Response:
    visit = begin_visit(request, deps)
    has_provider = bool(deps.console.oidc_issuer)
    csrf = derived(visit, "login")
    answer = render_for_nobody(
        "login.html", deps.console, back=back, csrf=csrf, problem=problem, name=name, has_provider=has_provider
    )
    answer.status_code = status
    keep_cookie(answer, deps, visit_cookie(deps.console), visit, 3600)
    return answer


async def login_form(request: Request) -> dict[str, str]:
    """The posted login form. Refused where a provider signs people in; NotPermitted when it is not this browser's own form."""
    fields = await read_form(request)
    deps = deps_of(request)
    if deps.console.oidc_issuer:
        raise Refused(
            "PROVIDER_SIGNS_IN", "people log in at the identity provider here: use the button on the login page"
        )
    visit = request.cookies.get(visit_cookie(deps.console), "")
    if not visit or not hmac.compare_digest(fields.get("csrf", "").encode(), derived(visit, "login").encode()):
        raise NotPermitted("FORM_OUT_OF_DATE", "this form is out of date: go back to the login page and try again")
    return fields


LoginForm = Annotated[dict[str, str], Depends(login_form)]


@router.post("/login")
def log_in(request: Request, deps: DepsOf, fields: LoginForm) -> Response:
    """By name and password."""
    back, name = safe_path(fields.get("back", "/")), fields.get("name", "")[:128]
    if not may_try(request, name):
        return _form(request, deps, back, _TOO_OFTEN, 429, name)
    with deps.database.reading() as session:
        (argon2, is_own), principal = logins.password_hash(session, name), logins.find_person(session, name)
    if not logins.is_password_right(argon2, fields.get("password", "")) or principal is None:
        log.info("login.refused")
        return _form(request, deps, back, _WRONG, 403, name)
    if not is_own:
        log.info("login.refused")
        return _form(request, deps, back, _GIVEN, 403, name)
    return admit(request, deps, principal, back, is_by_password=True)


@router.post("/login/token")
def log_in_by_token(request: Request, deps: DepsOf, fields: LoginForm) -> Response:
    """By a token that `oms token` printed; the login ends with it."""
    back = safe_path(fields.get("back", "/"))
    if not may_try(request, ""):
        return _form(request, deps, back, _TOO_OFTEN, 429)
    token = fields.get("token", "")
    try:
        principal = deps.authenticator.verify(token)
    except NotAuthenticated as refused:
        return _form(request, deps, back, str(refused), 403)
    return admit(request, deps, principal, back, expires_at=expiry(token))


def expiry(token: str) -> datetime:
    """When a token that has been verified ends."""
    return datetime.fromtimestamp(int(jwt.decode(token, options={"verify_signature": False})["exp"]), UTC)


def may_try(request: Request, name: str) -> bool:
    """Whether one more try under this name, from this address, is allowed now; it is counted."""
    address = request.client.host if request.client else ""
    return bool(request.app.state.attempts.allow(name or address, address))


def admit(
    request: Request,
    deps: Deps,
    principal: Principal,
    back: str,
    *,
    expires_at: datetime | None = None,
    is_by_password: bool = False,
) -> Response:
    """Begin a login under a fresh cookie, and go on."""
    now = deps.clock()
    if expires_at is not None and expires_at <= now:
        raise ApiError(403, "TOKEN_REFUSED", "the token has expired: get a new one")
    earlier = request.cookies.get(session_cookie(deps.console), "")
    with deps.database.transaction() as session:
        if earlier:
            logins.close_login(session, earlier)
        opened = logins.open_login(session, principal, now, expires_at, is_by_password=is_by_password)
    log.info("login.opened", sub=principal.sub)
    answer = RedirectResponse(back, 303)
    seconds = int((opened.login.expires_at - now).total_seconds())
    keep_cookie(answer, deps, session_cookie(deps.console), opened.cookie, seconds)
    answer.delete_cookie(
        visit_cookie(deps.console), path="/", secure=deps.console.is_secure, httponly=True, samesite="lax"
    )
    return answer


@router.post("/logout")
def log_out(request: Request, deps: DepsOf, fields: Annotated[dict[str, str], Depends(read_form)]) -> Response:
    """End this login; a form of another login ends nothing."""
    login = login_of(request, deps)
    answer = RedirectResponse("/login", 303)
    if login is None:
        return answer
    if not hmac.compare_digest(fields.get("csrf", "").encode(), login.csrf.encode()):
        raise NotPermitted("FORM_OUT_OF_DATE", "this form belongs to another login: go back and reload the page")
    name = session_cookie(deps.console)
    with deps.database.transaction() as session:
        logins.close_login(session, request.cookies[name])
    answer.delete_cookie(name, path="/", secure=deps.console.is_secure, httponly=True, samesite="lax")
    return answer
