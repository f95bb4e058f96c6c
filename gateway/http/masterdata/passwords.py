"""Passwords of people who log in to the console here, where no OIDC provider signs people in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field, StringConstraints

from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import DepsOf
from gateway.http.plumbing.inputs import PRINTABLE, SUBJECT, Input, example
from gateway.http.plumbing.shapes import rfc3339
from services.kernel.errors import NotFound, Refused
from services.orders.access import logins

router = APIRouter(tags=["people"])


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


@router.post("/v1/people/{sub}/password")
def set_password(
    deps: DepsOf,
    who: CallerOf,
    sub: Annotated[str, Path(pattern=SUBJECT, max_length=128, description="Whose: the subject of the directory.")],
    body: PasswordInput,
) -> PasswordSet:
    """Set somebody's password for the console; who was logged in with the old one is logged out. Same body, same outcome."""
    if deps.console.oidc_issuer:
        raise Refused("PROVIDER_SIGNS_IN", "people log in at the identity provider here: set their password there")
    now = deps.clock()
    argon2 = logins.hash_password(body.password)
    with deps.database.transaction() as session:
        if logins.find_person(session, sub) is None:
            raise NotFound("PERSON_UNKNOWN", "nobody of that name is active in the directory: add the person first")
        logins.set_password(session, sub, argon2, who.principal.sub, now)
    return PasswordSet(sub=sub, changed_at=rfc3339(now))
