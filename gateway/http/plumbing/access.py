"""The caller of a request: its token becomes a principal, the matrix says whether and how far."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from gateway.http.plumbing.deps import Deps, deps_of
from gateway.http.plumbing.problems import ApiError
from gateway.http.plumbing.query import refuse_unknown
from services.kernel.errors import NotPermitted
from services.orders.access.matrix import Caller
from services.runtime.auth import MACHINE_ISSUER, NotAuthenticated, Principal

_REALM = 'Bearer realm="oms"'
_REFUSES_BY_ITSELF = frozenset({"POST /v1/orders/{order_id}/decisions"})
"""An order's history keeps who tried to decide and was not allowed to."""
_bearer = HTTPBearer(
    auto_error=False,
    bearerFormat="JWT",
    description="A signed token: of the OIDC provider in production, of `oms token --role …` on one machine.",
)


async def caller(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]
) -> Caller:
    """The verified caller within this operation; 401 without a good token, 403 for who has left and when the matrix has no row for its roles."""
    if credentials is None:
        sentence = "send a token as Authorization: Bearer …; `oms token` makes one"
        raise ApiError(401, "TOKEN_MISSING", sentence, headers={"WWW-Authenticate": _REALM})
    deps, token = deps_of(request), credentials.credentials
    try:
        found = _remembered(deps, token)
        if found is None:
            found = await run_in_threadpool(_look, deps, token)
    except NotAuthenticated as refused:
        challenge = f'{_REALM}, error="invalid_token"'
        raise ApiError(401, "TOKEN_REFUSED", str(refused), headers={"WWW-Authenticate": challenge}) from refused
    principal, has_left = found
    operation = f"{request.method} {request.scope['route'].path_format}"
    if has_left and operation not in _REFUSES_BY_ITSELF:
        raise NotPermitted("PERSON_INACTIVE", "you are no longer active in the directory: ask an administrator")
    admitted = deps.matrix.admit(principal, operation)
    refuse_unknown(request)
    return admitted


def _remembered(deps: Deps, token: str) -> tuple[Principal, bool] | None:
    """What _look() gave a moment ago; never waits for anybody."""
    principal = deps.authenticator.known(token)
    has_left = deps.standing.remembered(principal.sub) if principal else None
    return (principal, has_left) if principal and has_left is not None else None


def _look(deps: Deps, token: str) -> tuple[Principal, bool]:
    """Whose token it is, and whether the directory has let the person go."""
    principal = deps.authenticator.verify(token)
    if principal.issuer == MACHINE_ISSUER:
        return principal, False
    with deps.database.reading() as session:
        return principal, deps.standing.has_left(session, principal.sub)


CallerOf = Annotated[Caller, Depends(caller)]
