"""Logging in at an OIDC provider: authorization code with PKCE; the token it gives passes the API's own verification."""

from __future__ import annotations

import base64
import hashlib
import hmac
from functools import lru_cache
from typing import Annotated, Any
from urllib.parse import urlencode

import httpx
import jwt
import structlog
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from gateway.console.login import admit, begin_visit, derived, keep_cookie, visit_cookie
from gateway.console.visitor import safe_path
from gateway.http.plumbing.deps import ConsoleSettings, Deps, DepsOf
from services.kernel.errors import NotFound, NotPermitted
from services.runtime.auth import NotAuthenticated
from services.runtime.oidc import ProviderAway, ask

router = APIRouter()
log = structlog.get_logger()

_TIMEOUT_S = 5.0
_REFUSED = "the identity provider did not let you in: go back to the login page and try again"


@lru_cache(maxsize=4)
def discovery(issuer: str) -> dict[str, Any]:
    """What the provider says of itself; kept once it has answered."""
    answer = ask("GET", issuer.rstrip("/") + "/.well-known/openid-configuration", _TIMEOUT_S)
    return dict(answer.raise_for_status().json())


def _provider(settings: ConsoleSettings) -> dict[str, Any]:
    if not settings.oidc_issuer:
        raise NotFound("NO_PROVIDER", "there is no identity provider here: log in on the login page")
    try:
        return discovery(settings.oidc_issuer)
    except (httpx.HTTPError, ValueError) as away:
        raise ProviderAway("the identity provider does not answer: try again in a moment") from away


@router.get("/login/provider")
def to_provider(request: Request, deps: DepsOf, back: Annotated[str, Query(max_length=500)] = "/") -> Response:
    """Go to the provider; state, nonce and verifier derive from the visit cookie, so nothing is kept here meanwhile."""
    provider = _provider(deps.console)
    visit = begin_visit(request, deps)
    wanted = {
        "response_type": "code",
        "client_id": deps.console.oidc_client_id,
        "redirect_uri": _redirect_uri(deps.console),
        "scope": "openid profile",
        "state": _state(visit, safe_path(back)),
        "nonce": derived(visit, "nonce"),
        "code_challenge": _challenge(derived(visit, "verifier")),
        "code_challenge_method": "S256",
    }
    answer = RedirectResponse(f"{provider['authorization_endpoint']}?{urlencode(wanted)}", 303)
    keep_cookie(answer, deps, visit_cookie(deps.console), visit, 600)
    return answer


@router.get("/login/callback")
def from_provider(
    request: Request,
    deps: DepsOf,
    code: Annotated[str, Query(max_length=4000)] = "",
    state: Annotated[str, Query(max_length=1000)] = "",
) -> Response:
    """Come back from the provider; NotPermitted unless this browser was sent there, for this."""
    provider = _provider(deps.console)
    visit = request.cookies.get(visit_cookie(deps.console), "")
    back = _path_of(state)
    if not code or not visit or not hmac.compare_digest(state.encode(), _state(visit, back).encode()):
        raise NotPermitted("LOGIN_REFUSED", _REFUSED)
    tokens = _redeem(deps.console, provider, code, derived(visit, "verifier"))
    try:
        principal = deps.authenticator.verify(str(tokens["access_token"]))
        subject = _checked_id_token(deps, str(tokens["id_token"]), derived(visit, "nonce"))
    except (KeyError, NotAuthenticated, jwt.PyJWTError) as refused:
        log.info("login.refused", reason=type(refused).__name__)
        raise NotPermitted("LOGIN_REFUSED", _REFUSED) from refused
    if subject != principal.sub:
        raise NotPermitted("LOGIN_REFUSED", _REFUSED)
    return admit(request, deps, principal, safe_path(back))


def _redeem(settings: ConsoleSettings, provider: dict[str, Any], code: str, verifier: str) -> dict[str, Any]:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": _redirect_uri(settings),
        "client_id": settings.oidc_client_id,
        "code_verifier": verifier,
    }
    if settings.oidc_client_secret:
        form["client_secret"] = settings.oidc_client_secret
    try:
        answer = ask("POST", str(provider["token_endpoint"]), _TIMEOUT_S, form)
    except httpx.HTTPError as away:
        raise ProviderAway("the identity provider does not answer: try again in a moment") from away
    if answer.status_code != 200:
        raise NotPermitted("LOGIN_REFUSED", _REFUSED)
    return dict(answer.json())


def _checked_id_token(deps: Deps, token: str, nonce: str) -> str:
    """The subject of an ID token that was made for this console and for this visit."""
    claims = deps.authenticator.id_token(token, deps.console.oidc_client_id)
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise NotAuthenticated("the ID token belongs to another login")
    return str(claims["sub"])


def _redirect_uri(settings: ConsoleSettings) -> str:
    return f"{settings.public_url}/login/callback"


def _state(visit: str, back: str) -> str:
    path = base64.urlsafe_b64encode(back.encode()).decode()
    return f"{path}.{derived(visit, f'state {path}')}"


def _path_of(state: str) -> str:
    try:
        return base64.urlsafe_b64decode(state.partition(".")[0]).decode()
    except ValueError:
        return "/"


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
