"""Refusals: what a service says when it will not do what it was asked."""

from typing import ClassVar


class DomainError(Exception):
    """A refusal with a stable reason for programs and a sentence that tells a person what to do.

    `code` is the name of the gRPC status, `http_status` the HTTP one; `is_final` means that the same request will be
    refused again, so nobody needs to retry it. Raise a subclass: the family has no other status than theirs.
    """

    code: ClassVar[str] = "FAILED_PRECONDITION"
    http_status: ClassVar[int] = 409
    is_final: ClassVar[bool] = True

    def __init__(self, reason: str, message: str, **detail: str) -> None:
        """`reason` is UPPER_SNAKE_CASE and never changes; `detail` is for programs and carries no personal data."""
        super().__init__(reason, message)
        self.reason = reason
        self.message = message
        self.detail: dict[str, str] = detail

    def __str__(self) -> str:
        return self.message


class InvalidArgument(DomainError):
    """The request itself is wrong, whatever the state of the system."""

    code = "INVALID_ARGUMENT"
    http_status = 422


class AlreadyExists(DomainError):
    """A name or key is taken by something else than what is asked for."""

    code = "ALREADY_EXISTS"
    http_status = 422


class NotFound(DomainError):
    """There is no such thing, or none that the caller may know of."""

    code = "NOT_FOUND"
    http_status = 404


class NotPermitted(DomainError):
    """The caller may not do this."""

    code = "PERMISSION_DENIED"
    http_status = 403


class Refused(DomainError):
    """The state of the system forbids it: the wrong status, a stale version, not enough of something."""


class Conflict(DomainError):
    """Somebody else was quicker; the same request may succeed when it is sent again."""

    code = "ABORTED"
    is_final = False


FAMILY: tuple[type[DomainError], ...] = (InvalidArgument, AlreadyExists, NotFound, NotPermitted, Refused, Conflict)


def error_for(code: str, reason: str, message: str, **detail: str) -> DomainError:
    """The error of a gRPC status name, so that a refusal crosses the wire and stays the same refusal.

    A status outside the family raises KeyError: it is a bug or a transport failure, not a refusal.
    """
    return {kind.code: kind for kind in FAMILY}[code](reason, message, **detail)
