"""What the stand-in refuses, in the words and codes of Stripe."""

from __future__ import annotations

from typing import Any


class Fault(Exception):  # an answer to the client, not an error of ours
    """An answer that is no success: HTTP status, and the `error` member of its body."""

    def __init__(self, status: int, kind: str, code: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"type": kind, "code": code, "message": message, **more}}


def invalid(code: str, message: str, param: str = "", status: int = 400) -> Fault:
    """A request that can never succeed as it is."""
    more = {"param": param} if param else {}
    return Fault(status, "invalid_request_error", code, message, **more)


def missing(what: str, key: str) -> Fault:
    """There is no such object."""
    return invalid("resource_missing", f"No such {what}: '{key}'", "id", 404)


def unexpected_state(intent: dict[str, Any], action: str) -> Fault:
    """The payment intent is past what is asked."""
    message = f"This PaymentIntent could not be {action} because it has a status of {intent['status']}."
    return Fault(
        400, "invalid_request_error", "payment_intent_unexpected_state", message, payment_intent=public(intent)
    )


def declined(intent: dict[str, Any], decline_code: str, message: str) -> Fault:
    """The bank says no."""
    code = "expired_card" if decline_code == "expired_card" else "card_declined"
    return Fault(402, "card_error", code, message, decline_code=decline_code, payment_intent=public(intent))


def public(document: dict[str, Any]) -> dict[str, Any]:
    """An object as clients see it: without what only the stand-in needs."""
    return {name: value for name, value in document.items() if not name.startswith("_")}
