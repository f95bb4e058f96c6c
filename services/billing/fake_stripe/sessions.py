"""Checkout Sessions: pages on which a person enters a card, to be charged later or at once; each ends once, complete or expired."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import MappingProxyType

from services.billing.fake_stripe.faults import invalid, missing, public
from services.billing.fake_stripe.intents import Intents, new_id, whole
from services.billing.fake_stripe.state import Document, State

_LEAST, _MOST = timedelta(minutes=30), timedelta(hours=24)
_GOOD, _POOR = "pm_card_visa", "pm_card_visa_chargeDeclined"
CARDS = MappingProxyType(
    {
        "4242424242424242": ("is good", _GOOD, ""),
        "4000000000000002": ("is declined", "", "Your card was declined."),
        "4000000000009995": ("has insufficient funds", "", "Your card has insufficient funds."),
        "4000000000000341": ("is taken here and declined when it is charged later", _POOR, "Your card was declined."),
    }
)
"""Number of a test card → what it does, the card that it is kept as, and why a payment with it is refused; Stripe's own numbers."""


class Sessions:
    """The sessions of one account; each method runs inside a transaction of the state."""

    def __init__(self, state: State, intents: Intents) -> None:
        self._state, self._intents = state, intents

    def create(self, asked: Document, base: str, now: datetime) -> Document:
        """An open session, whose page is below `base`."""
        mode, currency = str(asked.get("mode", "")), str(asked.get("currency", "")).lower()
        if mode not in ("setup", "payment"):
            raise invalid("parameter_invalid", "The stand-in takes mode=setup and mode=payment alone.", "mode")
        if list(asked.get("allowed_payment_method_types", {}).values()) != ["card"]:
            raise invalid("parameter_invalid", "The stand-in takes cards alone.", "allowed_payment_method_types")
        if not asked.get("success_url"):
            raise invalid("parameter_missing", "Missing required param: success_url.", "success_url")
        until = whole(asked, "expires_at")
        if not _LEAST <= timedelta(seconds=until - int(now.timestamp())) <= _MOST:
            words = "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation."
            raise invalid("parameter_invalid", words, "expires_at")
        key = new_id("cs_test")
        session = {
            "id": key, "object": "checkout.session", "mode": mode, "status": "open", "livemode": False, "created": int(now.timestamp()),
            "payment_status": "unpaid" if mode == "payment" else "no_payment_required", "url": f"{base}/c/pay/{key}",
            "success_url": asked["success_url"], "cancel_url": asked.get("cancel_url"), "currency": currency, "expires_at": until,
            "amount_total": _total(asked) if mode == "payment" else None, "customer": None, "payment_intent": None, "setup_intent": None,
            "client_reference_id": asked.get("client_reference_id"), "metadata": asked.get("metadata", {}),
            "_label": _label(asked), "_metadata": asked.get("payment_intent_data", {}).get("metadata", {}),
        }  # fmt: skip
        if mode == "setup":
            session["setup_intent"] = self._setup(session)
        self._state.put("checkout.session", session)
        return session

    def _setup(self, session: Document) -> str:
        setup = {
            "id": new_id("seti"), "object": "setup_intent", "status": "requires_payment_method", "payment_method": None,
            "customer": None, "usage": "off_session", "created": session["created"], "metadata": {}, "livemode": False,
        }  # fmt: skip
        self._state.put("setup_intent", setup)
        return str(setup["id"])

    def get(self, key: str, now: datetime) -> Document:
        """The session; one that is past its end has expired."""
        session = self._state.find("checkout.session", key)
        if session is None:
            raise missing("checkout.session", key)
        if session["status"] == "open" and session["expires_at"] <= now.timestamp():
            self._end(session, "expired", now)
        return session

    def expire(self, key: str, _asked: Document, now: datetime) -> Document:
        """End a session that is open."""
        session = self.get(key, now)
        if session["status"] != "open":
            words = f"Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a status of '{session['status']}'."
            raise invalid("", words)
        self._end(session, "expired", now)
        return session

    def enter(self, key: str, number: str, now: datetime) -> str:
        """What the page says of a card that is entered on it; empty when it is taken, and then the session is complete."""
        session = self.get(key, now)
        known = CARDS.get("".join(filter(str.isdigit, number)))
        if session["status"] != "open":
            return "This page has ended."
        if known is None:
            return "Your card number is invalid: this is a stand-in, which knows the cards below alone."
        _, kept_as, refusal = known
        if refusal and (session["mode"] == "payment" or not kept_as):
            return refusal
        if session["mode"] == "setup":
            self._keep(session, kept_as, number)
        else:
            self._pay(session, now)
        self._end(session, "complete", now)
        return ""

    def _keep(self, session: Document, kept_as: str, number: str) -> None:
        customer = {"id": new_id("cus"), "object": "customer", "created": session["created"], "livemode": False}
        method = {
            "id": new_id("pm"), "object": "payment_method", "type": "card", "customer": customer["id"], "livemode": False,
            "card": {"last4": number.strip()[-4:]}, "created": session["created"], "metadata": {}, "_card": kept_as,
        }  # fmt: skip
        setup = self._state.find("setup_intent", session["setup_intent"]) or {}
        setup |= {"status": "succeeded", "payment_method": method["id"], "customer": customer["id"]}
        for kind, one in (("customer", customer), ("payment_method", method), ("setup_intent", setup)):
            self._state.put(kind, one)
        session["customer"] = customer["id"]

    def _pay(self, session: Document, now: datetime) -> None:
        intent = self._intents.receive(session["amount_total"], session["currency"], session["_metadata"], now)
        session |= {"payment_intent": intent["id"], "payment_status": "paid"}

    def _end(self, session: Document, status: str, now: datetime) -> None:
        session |= {"status": status, "url": None}
        self._state.put("checkout.session", session)
        self._intents.emit(
            "checkout.session.completed" if status == "complete" else "checkout.session.expired", session, now
        )

    def expanded(self, session: Document, names: list[str]) -> Document:
        """The session with its setup intent in place of the id."""
        setup = self._state.find("setup_intent", session["setup_intent"] or "") if "setup_intent" in names else None
        return public(session) | ({"setup_intent": setup} if setup else {})


def _items(asked: Document) -> list[Document]:
    return list(asked.get("line_items", {}).values())


def _total(asked: Document) -> int:
    total = sum(whole(one["price_data"], "unit_amount") * whole(one, "quantity") for one in _items(asked))
    if total <= 0:
        raise invalid("parameter_invalid", "The Checkout Session's total amount due must be positive.", "line_items")
    return total


def _label(asked: Document) -> str:
    return ", ".join(str(one["price_data"]["product_data"]["name"]) for one in _items(asked))
