"""The caller of a request: its token becomes a principal, the matrix says whether and how far."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from gateway.http.plumbing.deps import deps_of
from gateway.http.plumbing.problems import ApiError
from gateway.http.plumbing.query import refuse_unknown
from services.orders.access.matrix import Caller
from services.runtime.auth import NotAuthenticated

_REALM = 'Bearer realm="oms"'
_bearer = HTTPBearer(
    auto_error=False,
    bearerFormat="JWT",
    description="A signed token: of the OIDC provider in production, of `oms token --role …` on one machine.",
)


async def caller(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]
) -> Caller:
    """The verified caller within this operation; 401 without a good token, 403 when the matrix has no row for its roles."""
    if credentials is None:
        sentence = "send a token as Authorization: Bearer …; `oms token` makes one"
        raise ApiError(401, "TOKEN_MISSING", sentence, headers={"WWW-Authenticate": _REALM})
    deps = deps_of(request)
    try:
        principal = deps.authenticator.known(credentials.credentials)
        if principal is None:
            principal = await run_in_threadpool(deps.authenticator.verify, credentials.credentials)
    except NotAuthenticated as refused:
        challenge = f'{_REALM}, error="invalid_token"'
        raise ApiError(401, "TOKEN_REFUSED", str(refused), headers={"WWW-Authenticate": challenge}) from refused
    admitted = deps.matrix.admit(principal, f"{request.method} {request.scope['route'].path_format}")
    refuse_unknown(request)
    return admitted


CallerOf = Annotated[Caller, Depends(caller)]
