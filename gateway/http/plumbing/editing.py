"""Editing master data: the version that the editor has seen, members that are only read, and bodies that name what they change."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Annotated, Any, Protocol, TypeVar

from fastapi import Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError, create_model

from gateway.http.plumbing.expected_version import expected_version
from gateway.http.plumbing.inputs import Input, example
from services.kernel.errors import Refused

Body = TypeVar("Body", bound=Input)
Answer = TypeVar("Answer")
Stored = TypeVar("Stored", bound="Versioned")

SeenVersion = Annotated[
    int | None,
    Field(
        strict=True,
        ge=0,
        le=2**31 - 1,
        description="The version that you have seen, as you read it; another one is 409. If-Match says the same.",
    ),
]
ReadOnly = Annotated[Any, Field(exclude=True, description="As it was read; what is sent here is ignored.")]
StoredVersion = Annotated[int, Field(description="Counts what was stored; send it back, here or as If-Match.")]
ETAG: dict[int | str, dict[str, Any]] = {
    200: {"headers": {"ETag": {"description": "The version, for If-Match.", "schema": {"type": "string"}}}}
}
_TRIES = 5


class Versioned(Protocol):
    """What was stored, and which version of it."""

    version: int

    def model_dump(self, *, mode: str) -> dict[str, Any]:
        """Its members."""


def tag(response: Response, version: int) -> None:
    """Give the version as an ETag."""
    response.headers["ETag"] = f'"{version}"'


def partial(name: str, of: type[Input], keys: tuple[str, ...], **shown: Any) -> type[Input]:
    """The body of a PATCH: the keys of `of`, and any of its other members; `shown` is its example.

    What is left out stays; null is a value, where `of` takes it.
    """
    fields: dict[str, Any] = {}
    for member, info in of.model_fields.items():
        if member in keys:
            fields[member] = (info.annotation, info)
            continue
        optional = copy(info)
        optional.default_factory = lambda: None  # never read: only members that were sent count
        optional.default = ...
        fields[member] = (info.annotation, optional)
    words = f"{' and '.join(keys)} say which" if keys else "The one that is in force is changed"
    made = create_model(
        name, __base__=Input, __doc__=f"{words}; what else is named is changed, and everything else stays.", **fields
    )
    made.model_config["json_schema_extra"] = example(**shown)["json_schema_extra"]
    made.model_rebuild(force=True)
    return made


def merged(stands: BaseModel | Versioned, patch: Input, into: type[Body]) -> Body:
    """What is sent as a whole when only the members of a PATCH change: the rest is what GET gives."""
    known = {name: value for name, value in stands.model_dump(mode="json").items() if name in into.model_fields}
    try:
        return into.model_validate({**known, **patch.model_dump(mode="json", exclude_unset=True)})
    except ValidationError as wrong:
        raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in wrong.errors()]) from wrong


def on_newest(edit: Callable[[], Answer], expected: int | None) -> Answer:
    """Edit what stands; who names no version and was overtaken between reading and writing edits again what stands then."""
    for _ in range(_TRIES - 1):
        try:
            return edit()
        except Refused as refused:
            if expected is not None or refused.reason != "VERSION_STALE":
                raise
    return edit()


def changed_whole(
    patch: Input,
    into: type[Body],
    if_match: int | None,
    response: Response,
    read: Callable[[], Versioned],
    put: Callable[[Body, int], Stored],
) -> Stored:
    """Change what a PATCH names of a document that is one whole; the version in the body, If-Match or the one just read must stand."""
    expected = expected_version(patch.model_dump(exclude_unset=True).get("version"), if_match)

    def edit() -> Stored:
        stands = read()
        return put(merged(stands, patch, into), stands.version if expected is None else expected)

    changed = on_newest(edit, expected)
    tag(response, changed.version)
    return changed
