"""Passwords of people who log in to the console here, where no OIDC provider signs people in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field, StringConstraints

from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.inputs import PRINTABLE, SUBJECT, Input, example
from gateway.http.plumbing.shapes import rfc3339
from services.kernel.errors import Refused
from services.orders.access import logins
from services.orders.masterdata import passwords

router = APIRouter(tags=["people"])


class PasswordLinkInput(Input):
    """Nothing: a password is its owner's, and none is taken here."""

    model_config = example()


class PasswordInput(Input):
    """A new password."""

    password: Annotated[
        str,
        StringConstraints(min_length=logins.MIN_PASSWORD, max_length=logins.MAX_PASSWORD, pattern=PRINTABLE),
        Field(json_schema_extra={"format": "password"}),
    ]

    model_config = example(password="correct horse battery staple")  # noqa: S106  # an example of the reference


class PasswordSet(BaseModel):
    """That it is set; it is never told again."""

    sub: str
    changed_at: str


class PasswordLinkSent(BaseModel):
    """That a link is on its way; nobody but its reader gets to see it."""

    sub: str
    expires_at: str = Field(description="Until when it can be used, once.")


@router.post("/v1/people/{sub}/password")
def send_password_link(
    deps: DepsOf,
    who: CallerOf,
    sub: Annotated[str, Path(pattern=SUBJECT, max_length=128, description="Whose: the subject of the directory.")],
    _body: PasswordLinkInput | None = None,
) -> PasswordLinkSent:
    """Mail somebody a link by which they choose their password for the console. Nobody sets a password for somebody else.

    The password they have stays until they choose another one. Refused for who changed their address in the directory: another
    administrator sends it then.
    """
    _check_here(deps)
    with deps.database.transaction() as session:
        until = passwords.send_link(session, sub, who.principal.sub, deps.contacts, deps.clock())
    return PasswordLinkSent(sub=sub, expires_at=rfc3339(until))


@router.post("/v1/me/password")
def set_own_password(deps: DepsOf, who: CallerOf, body: PasswordInput) -> PasswordSet:
    """Set your own password for the console; your logins end. Same body, same outcome.

    Whose it is says the token alone, so nobody sets one for somebody else.
    """
    _check_here(deps)
    now = deps.clock()
    argon2 = logins.hash_password(body.password)
    with deps.database.transaction() as session:
        passwords.set_own(session, who.principal.sub, argon2, now)
    return PasswordSet(sub=who.principal.sub, changed_at=rfc3339(now))


def _check_here(deps: Deps) -> None:
    if deps.console.oidc_issuer:
        raise Refused("PROVIDER_SIGNS_IN", "people log in at the identity provider here: set the password there")
