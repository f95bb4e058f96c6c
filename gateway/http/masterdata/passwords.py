"""Passwords of people who log in to the console here, where no OIDC provider signs people in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import DepsOf
from gateway.http.plumbing.inputs import SUBJECT, Input, example
from gateway.http.plumbing.shapes import rfc3339
from services.kernel.errors import Refused
from services.orders.masterdata import passwords

router = APIRouter(tags=["people"])


class PasswordLinkInput(Input):
    """Nothing: a password is its owner's, and none is taken here."""

    model_config = example()


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
    if deps.console.oidc_issuer:
        raise Refused("PROVIDER_SIGNS_IN", "people log in at the identity provider here: set their password there")
    with deps.database.transaction() as session:
        sent = passwords.send_link(session, sub, who.principal.sub, deps.contacts, deps.clock())
    return PasswordLinkSent(sub=sent.sub, expires_at=rfc3339(sent.expires_at))
