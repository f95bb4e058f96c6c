"""Payment intents: authorized, captured in part or whole, canceled, expired; and their charges and fees."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from services.billing.fake_stripe.faults import declined, invalid, missing, public, unexpected_state
from services.billing.fake_stripe.state import Document, State

EXPIRES_AFTER = timedelta(days=7)
_DECLINES = {
    "": ("generic_decline", "Your card was declined."),
    "InsufficientFunds": ("insufficient_funds", "Your card has insufficient funds."),
    "ExpiredCard": ("expired_card", "Your card has expired."),
    "LostCard": ("lost_card", "Your card was declined."),
    "Fraudulent": ("fraudulent", "Your card was declined."),
}
_MARK = "chargeDeclined"
_FEE_BP, _FEE_FIXED = 290, 30
_UNITS = {**dict.fromkeys(("isk", "ugx"), 100), **dict.fromkeys(("bhd", "jod", "kwd", "omr", "tnd"), 10)}
"""Currency → what its amounts are multiples of."""


class Intents:
    """The intents of one account; each method runs inside a transaction of the state."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.has_multicapture = True
        """Whether an authorization may be captured more than once; for tests."""
        self.payout: tuple[str, float] | None = None
        """The currency that the account is paid out in and what one minor unit of a payment is worth in its; for tests. None: each
        payment's own."""

    def create(self, asked: Document, now: datetime) -> Document:
        """Authorize at once; a refusal of the bank is a 402 that names the intent."""
        amount, currency, method = (
            whole(asked, "amount"),
            str(asked.get("currency", "")),
            asked.get("payment_method", ""),
        )
        if amount <= 0:
            raise invalid("parameter_invalid_integer", "This value must be greater than or equal to 1.", "amount")
        if len(currency) != 3 or not currency.isalpha():
            raise invalid("parameter_invalid", f"Invalid currency: {currency}.", "currency")
        if asked.get("capture_method") != "manual" or asked.get("confirm") != "true":
            raise invalid("parameter_unsupported", "The stand-in takes capture_method=manual with confirm=true alone.")
        method = self._known_card(str(method), asked.get("customer"))
        if amount % (unit := _UNITS.get(currency.lower(), 1)):
            raise invalid("invalid_amount", f"Amounts in {currency} must be divisible by {unit}.", "amount")
        intent = self._new(amount, currency.lower(), asked, now)
        self._confirm(intent, method, now)
        return intent

    def receive(self, amount: int, currency: str, metadata: Document, now: datetime) -> Document:
        """Pay at once, as a page does."""
        intent = self._new(amount, currency, {"metadata": metadata}, now)
        self._confirm(intent, "pm_card_visa", now)
        return self.capture(intent["id"], {}, now)

    def _known_card(self, method: str, customer: str | None) -> str:
        """The test card behind a payment method; one that is kept for a customer is charged in its name alone."""
        if method.startswith("pm_card_"):
            return method
        kept = self._state.find("payment_method", method)
        if kept is None:
            raise invalid("resource_missing", f"No such PaymentMethod: '{method}'", "payment_method", 400)
        if kept["customer"] != customer:
            words = "The payment method you provided is attached to a customer so for security purposes you must provide the customer in the request."
            raise invalid("", words)
        return str(kept["_card"])

    def _new(self, amount: int, currency: str, asked: Document, now: datetime) -> Document:
        return {
            "id": new_id("pi"), "object": "payment_intent", "amount": amount, "currency": currency, "status": "requires_confirmation",
            "amount_capturable": 0, "amount_received": 0, "capture_method": "manual", "created": int(now.timestamp()),
            "canceled_at": None, "cancellation_reason": None, "latest_charge": None, "last_payment_error": None,
            "metadata": asked.get("metadata", {}), "livemode": False, "_is_multicapture": self.has_multicapture and _asks_multicapture(asked),
        }  # fmt: skip

    def _confirm(self, intent: Document, method: str, now: datetime) -> None:
        if _MARK in method:
            code, message = _DECLINES.get(method.partition(_MARK)[2], _DECLINES[""])
            intent |= {
                "status": "requires_payment_method",
                "last_payment_error": {"decline_code": code, "message": message},
            }
            self._state.put("payment_intent", intent)
            self.emit("payment_intent.payment_failed", intent, now)
            raise declined(intent, code, message)
        if "authenticationRequired" in method:
            intent["status"] = "requires_action"
            self._state.put("payment_intent", intent)
            return
        charge = {
            "id": new_id("ch"), "object": "charge", "amount": intent["amount"], "amount_captured": 0, "amount_refunded": 0,
            "currency": intent["currency"], "captured": False, "disputed": False, "payment_intent": intent["id"],
            "balance_transaction": None, "created": intent["created"],
        }  # fmt: skip
        intent |= {"status": "requires_capture", "amount_capturable": intent["amount"], "latest_charge": charge["id"]}
        self._state.put("charge", charge)
        self._state.put("payment_intent", intent)
        self.emit("payment_intent.amount_capturable_updated", intent, now)

    def capture(self, key: str, asked: Document, now: datetime) -> Document:
        """Take some or all of what is authorized; the rest is let go unless final_capture=false."""
        intent = self.get(key, now)
        if intent["status"] != "requires_capture":
            raise unexpected_state(intent, "captured")
        amount = whole(asked, "amount_to_capture") if "amount_to_capture" in asked else intent["amount_capturable"]
        is_final = asked.get("final_capture", "true") != "false"
        if not is_final and not intent["_is_multicapture"]:
            raise invalid("capture_unavailable", "Multiple captures were not requested.", "final_capture")
        if not 0 < amount <= intent["amount_capturable"]:
            raise invalid("amount_too_large", "Amount exceeds what can be captured.", "amount_to_capture")
        charge = self._charge(intent)
        charge |= {"amount_captured": charge["amount_captured"] + amount, "captured": True}
        charge["balance_transaction"] = self._balance(charge, "charge", amount, fee_of(amount), now)
        intent["amount_received"] += amount
        intent["amount_capturable"] = 0 if is_final else intent["amount_capturable"] - amount
        if not intent["amount_capturable"]:
            intent["status"] = "succeeded"
        self._state.put("charge", charge)
        self._state.put("payment_intent", intent)
        self.emit("charge.captured", charge, now)
        if intent["status"] == "succeeded":
            self.emit("payment_intent.succeeded", intent, now)
        return intent

    def cancel(self, key: str, _asked: Document, now: datetime) -> Document:
        """Let go what is authorized and not captured."""
        intent = self.get(key, now)
        if intent["status"] in ("succeeded", "canceled"):
            raise unexpected_state(intent, "canceled")
        self._end(intent, "requested_by_customer", now)
        return intent

    def get(self, key: str, now: datetime) -> Document:
        """The intent; an authorization that nobody captured within seven days is gone."""
        intent = self._state.find("payment_intent", key)
        if intent is None:
            raise missing("payment_intent", key)
        is_old = intent["created"] + EXPIRES_AFTER.total_seconds() <= now.timestamp()
        if is_old and intent["status"] == "requires_capture":
            self._end(intent, "automatic", now)
        return intent

    def _end(self, intent: Document, reason: str, now: datetime) -> None:
        received = intent["amount_received"]
        intent |= {
            "status": "succeeded" if received else "canceled", "amount_capturable": 0,
            "canceled_at": None if received else int(now.timestamp()), "cancellation_reason": None if received else reason,
        }  # fmt: skip
        self._state.put("payment_intent", intent)
        self.emit("payment_intent.succeeded" if received else "payment_intent.canceled", intent, now)

    def refund(self, asked: Document, now: datetime) -> Document:
        """Give back some or all of what is captured."""
        intent = self.get(str(asked.get("payment_intent", "")), now)
        charge = self._charge(intent)
        left = charge["amount_captured"] - charge["amount_refunded"]
        amount = whole(asked, "amount") if "amount" in asked else left
        if left <= 0:
            raise invalid("charge_already_refunded", f"Charge {charge['id']} has already been refunded.")
        if not 0 < amount <= left:
            raise invalid(
                "amount_too_large", f"Refund amount ({amount}) is greater than unrefunded amount ({left}).", "amount"
            )
        charge["amount_refunded"] += amount
        key = new_id("re")
        refund = {
            "id": key, "object": "refund", "amount": amount, "currency": charge["currency"], "charge": charge["id"],
            "payment_intent": intent["id"], "status": "succeeded", "created": int(now.timestamp()),
            "failure_reason": None, "metadata": asked.get("metadata", {}), "balance_transaction": self._balance(charge | {"id": key}, "refund", -amount, 0, now),
        }  # fmt: skip
        self._state.put("charge", charge)
        self._state.put("refund", refund)
        self.emit("charge.refunded", charge, now)
        return refund

    def fail_refund(self, key: str, now: datetime, status: str = "failed") -> Document:
        """The bank sends a refund back, days later as the case may be: for tests, no client can ask for it."""
        refund = self._state.find("refund", key)
        charge = self._state.find("charge", refund["charge"]) if refund else None
        if refund is None or charge is None:
            raise missing("refund", key)
        charge["amount_refunded"] -= refund["amount"]
        reason = "lost_or_stolen_card" if status == "failed" else None
        back = self._balance(charge | {"id": key}, "refund_failure", refund["amount"], 0, now)
        refund |= {"status": status, "failure_reason": reason, "failure_balance_transaction": back}
        self._state.put("charge", charge)
        self._state.put("refund", refund)
        self.emit("refund.failed", refund, now)
        return refund

    def dispute(self, key: str, now: datetime) -> Document:
        """The cardholder's bank takes all of it back until it is decided: for tests, no client can ask for it."""
        intent = self.get(key, now)
        charge = self._charge(intent) | {"disputed": True}
        dispute = {
            "id": new_id("dp"), "object": "dispute", "amount": charge["amount_captured"], "currency": charge["currency"],
            "charge": charge["id"], "payment_intent": key, "reason": "fraudulent", "status": "needs_response",
        }  # fmt: skip
        self._state.put("charge", charge)
        self._state.put("dispute", dispute)
        self.emit("charge.dispute.created", dispute, now)
        return dispute

    def expanded(self, intent: Document, names: list[str]) -> Document:
        """The intent with its charge, and that with its balance transaction, in place of their ids."""
        if not any(name.startswith("latest_charge") for name in names) or intent["latest_charge"] is None:
            return public(intent)
        charge = self._charge(intent)
        if "latest_charge.balance_transaction" in names and charge["balance_transaction"]:
            charge["balance_transaction"] = self._state.find("balance_transaction", charge["balance_transaction"])
        return public(intent) | {"latest_charge": charge}

    def emit(self, kind: str, subject: Document, now: datetime) -> None:
        """Tell of a change, once the transaction is committed."""
        self._state.add_event(
            {
                "id": new_id("evt"),
                "object": "event",
                "type": kind,
                "api_version": "2026-01-01",
                "livemode": False,
                "created": int(now.timestamp()),
                "data": {"object": public(subject)},
                "pending_webhooks": 1,
            }
        )

    def _charge(self, intent: Document) -> Document:
        charge = self._state.find("charge", str(intent["latest_charge"] or ""))
        if charge is None:
            raise unexpected_state(intent, "refunded")
        return charge

    def _balance(self, charge: Document, kind: str, amount: int, fee: int, now: datetime) -> str:
        currency, rate = self.payout or (charge["currency"], None)
        amount, fee = (round(one * (rate or 1)) for one in (amount, fee))
        row = {
            "id": new_id("txn"), "object": "balance_transaction", "amount": amount, "fee": fee, "net": amount - fee, "type": kind,
            "currency": currency, "exchange_rate": rate, "source": charge["id"], "created": int(now.timestamp()),
        }  # fmt: skip
        self._state.put("balance_transaction", row)
        return str(row["id"])


def fee_of(amount: int) -> int:
    """2.9 % rounded half up, and 30 minor units; never more than the amount."""
    return min((amount * _FEE_BP + 5_000) // 10_000 + _FEE_FIXED, amount)


def whole(asked: Document, name: str) -> int:
    """A parameter that is a whole number."""
    value = str(asked.get(name, ""))
    if not (value.isascii() and value.isdigit()):
        raise invalid("parameter_invalid_integer", f"Invalid integer: {value[:40]}", name)
    return int(value)


def new_id(prefix: str) -> str:
    """An id as Stripe writes them."""
    return f"{prefix}_{secrets.token_hex(12)}"


def _asks_multicapture(asked: Document) -> bool:
    card = asked.get("payment_method_options", {}).get("card", {})
    return bool(card.get("request_multicapture") == "if_available")
