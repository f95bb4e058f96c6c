"""The port to Stripe, through its own client: payment intents, captured by hand, in parts."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import stripe

from services.billing.cards.provider import (
    CardDeclined,
    Intent,
    Page,
    PageTerms,
    ProviderAway,
    ProviderRefused,
    Refund,
)
from services.billing.cards.stripe_money import Fee, counted, fees_of, ours
from services.kernel.money import Money

Answer = TypeVar("Answer")

logging.getLogger("stripe").setLevel(logging.ERROR)  # its lines repeat what was refused, a card's token among it
_CONNECT_S, _ANSWER_S = 3.0, 10.0
_CLOCKS_DIFFER = timedelta(minutes=10)
_BY_OTHERS = "authentication_required"
_FINAL = "final_capture"
_NOT_REFUNDED = frozenset({"failed", "canceled", "requires_action"})


class StripeProvider:
    """Stripe at an address. It never tries again by itself: who asks knows under which key."""

    def __init__(self, key: str, url: str) -> None:
        self._client = stripe.StripeClient(
            key,
            base_addresses={"api": url},
            max_network_retries=0,
            http_client=stripe.RequestsClient(timeout=(_CONNECT_S, _ANSWER_S)),
        )

    def authorize(self, operation_id: str, amount: Money, token: str, order_id: str) -> Intent:
        """Create and confirm an intent that is captured by hand. A card that wants its holder's attention is declined.

        A card that Stripe keeps for somebody is charged only in their name: then that is asked for under a key of its own.
        """
        terms: dict[str, Any] = {
            "amount": counted(amount),
            "currency": amount.currency.lower(),
            "payment_method": token,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            "capture_method": "manual",
            "confirm": True,
            "payment_method_options": {"card": {"request_multicapture": "if_available"}},
            "metadata": {"operation": operation_id, "order": order_id},
        }
        try:
            return self._authorized(operation_id, terms)
        except CardDeclined:
            raise
        except ProviderRefused:
            owner = self._owner(token)
            if not owner:
                raise
        return self._authorized(f"{operation_id}/owner", {**terms, "customer": owner, "off_session": True})

    def _authorized(self, key: str, terms: Any) -> Intent:
        made = _asked(lambda: self._client.v1.payment_intents.create(terms, {"idempotency_key": key}))
        if made.status != "requires_capture":
            raise CardDeclined(_BY_OTHERS, "The card asks its holder to confirm the payment, which this order cannot.")
        return self._intent(made)

    def _owner(self, token: str) -> str:
        """Whom Stripe keeps a card for, as it does one that was entered on its page; empty for nobody."""
        try:
            found = _asked(lambda: self._client.v1.payment_methods.retrieve(token))
        except ProviderRefused:
            return ""
        return _id_of(found.customer)

    def capture(self, operation_id: str, provider_id: str, amount: Money, *, is_final: bool) -> Intent:
        """Capture part of an intent. Where cards are captured once only, that lets the rest go, under a key of its own."""
        try:
            return self._captured(operation_id, provider_id, amount, is_final=is_final)
        except ProviderRefused as refusal:
            if is_final or refusal.about != _FINAL:
                raise
        return self._captured(f"{operation_id}/once", provider_id, amount, is_final=True)

    def _captured(self, key: str, provider_id: str, amount: Money, *, is_final: bool) -> Intent:
        capture, charged = self._client.v1.payment_intents.capture, counted(amount)
        made = _asked(
            lambda: capture(
                provider_id, {"amount_to_capture": charged, "final_capture": is_final}, {"idempotency_key": key}
            )
        )
        return self._intent(made)

    def void(self, operation_id: str, provider_id: str) -> Intent:
        """Cancel what is left of an intent; one that is at its end already is as wanted."""
        try:
            _asked(lambda: self._client.v1.payment_intents.cancel(provider_id, {}, {"idempotency_key": operation_id}))
        except ProviderRefused:
            ended = self.read(provider_id)
            if ended.is_open:
                raise
            return ended
        return self.read(provider_id)

    def refund(self, operation_id: str, provider_id: str, amount: Money) -> Refund:
        """Refund part of what an intent has received."""
        charged = counted(amount)
        made = _asked(
            lambda: self._client.v1.refunds.create(
                {"payment_intent": provider_id, "amount": charged, "metadata": {"operation": operation_id}},
                {"idempotency_key": operation_id},
            )
        )
        return _refund(made)

    def read(self, provider_id: str) -> Intent:
        """An intent with its charge and its fees."""
        return self._intent(_asked(lambda: self._client.v1.payment_intents.retrieve(provider_id)))

    def find_authorization(self, operation_id: str, since: datetime) -> Intent | None:
        """The intent of an operation, among those made since it was asked; one that the bank declined has made nothing."""
        begun = int((since - _CLOCKS_DIFFER).timestamp())
        found = _asked(
            lambda: [
                one
                for one in self._client.v1.payment_intents.list(
                    {"created": {"gte": begun}, "limit": 100}
                ).auto_paging_iter()
                if _metadata_of(one.metadata, "operation") == operation_id and one.latest_charge
            ]
        )
        return self._intent(found[0]) if found else None

    def refunds(self, provider_id: str) -> dict[str, Refund]:
        """The refunds of an intent by operation; one that was made at the dashboard has none."""
        rows = self._client.v1.refunds
        found = _asked(lambda: list(rows.list({"payment_intent": provider_id, "limit": 100}).auto_paging_iter()))
        return {
            operation_id: _refund(one) for one in found if (operation_id := _metadata_of(one.metadata, "operation"))
        }

    def open_page(self, terms: PageTerms, amount: Money) -> Page:
        """A Checkout Session. Stripe keeps a card that is entered to be charged later for a customer of its own, who is new."""
        asked: Any = {
            "allowed_payment_method_types": ["card"],
            "currency": amount.currency.lower(),
            "success_url": terms.return_url,
            "cancel_url": terms.return_url,
            "expires_at": int(terms.expires_at.timestamp()),
            "client_reference_id": terms.key,
            "metadata": {"checkout": terms.key, "order": terms.order_id},
            **(_paying(terms, amount) if amount.minor else {"mode": "setup", "customer_creation": "always"}),
        }
        return _page(
            _asked(lambda: self._client.v1.checkout.sessions.create(asked, {"idempotency_key": terms.key})),
        )

    def read_page(self, page_id: str) -> Page:
        """A Checkout Session with the card that was entered."""
        sessions = self._client.v1.checkout.sessions
        return _page(_asked(lambda: sessions.retrieve(page_id, {"expand": ["setup_intent"]})))

    def end_page(self, page_id: str) -> None:
        """Expire a Checkout Session that is open."""
        try:
            _asked(lambda: self._client.v1.checkout.sessions.expire(page_id))
        except ProviderRefused:
            if self.read_page(page_id).state == "open":
                raise

    def _intent(self, found: stripe.PaymentIntent) -> Intent:
        """The intent with what only its charge and its balance transactions say, asked for once anything was captured."""
        refunded, fees, is_disputed, paid_at = 0, 0, False, None
        if found.amount_received and found.latest_charge is not None:
            given = found.latest_charge
            charge = given if isinstance(given, stripe.Charge) else None
            charge = charge or _asked(lambda: self._client.v1.charges.retrieve(str(given)))
            refunded, is_disputed = ours(charge.amount_refunded, found.currency), charge.disputed
            paid_at = datetime.fromtimestamp(charge.created, UTC)
            rows = _asked(
                lambda: list(
                    self._client.v1.balance_transactions.list({"source": charge.id, "limit": 100}).auto_paging_iter()
                )
            )
            kept = [Fee(row.amount, row.fee, row.currency) for row in rows]
            fees = fees_of(found.amount_received, found.currency, kept)
        return Intent(
            found.id,
            _metadata_of(found.metadata, "operation"),
            ours(found.amount, found.currency),
            ours(found.amount_capturable, found.currency),
            ours(found.amount_received, found.currency),
            refunded,
            fees,
            found.status == "requires_capture",
            is_disputed,
            _metadata_of(found.metadata, "checkout"),
            paid_at,
        )


def _paying(terms: PageTerms, amount: Money) -> dict[str, Any]:
    """A payment that is captured before its payer comes back, so that its fee is known then."""
    price = {
        "currency": amount.currency.lower(),
        "unit_amount": counted(amount),
        "product_data": {"name": terms.label},
    }
    return {
        "mode": "payment",
        "line_items": [{"price_data": price, "quantity": 1}],
        "payment_intent_data": {
            "capture_method": "automatic",
            "description": terms.label,
            "metadata": {"checkout": terms.key, "order": terms.order_id},
        },
    }


def _page(found: stripe.checkout.Session) -> Page:
    """The page; one whose payment is still on its way is as good as open: a card is paid at once."""
    is_unpaid = found.status == "complete" and found.payment_status == "unpaid"
    setup = found.setup_intent
    token = _id_of(setup.payment_method) if isinstance(setup, stripe.SetupIntent) else ""
    state = "open" if is_unpaid else str(found.status)
    return Page(found.id, state, found.url or "", token if state == "complete" else "", _id_of(found.payment_intent))


def _id_of(found: Any) -> str:
    """The id of an object that the client gives as its id, or whole, or not at all."""
    return "" if found is None else str(getattr(found, "id", found))


def _refund(found: stripe.Refund) -> Refund:
    """The refund; one that wants its payer's attention is as good as failed: no card does, and nobody is there to give it."""
    is_failed = found.status in _NOT_REFUNDED
    return Refund(found.id, is_failed, (found.failure_reason or f"refund_{found.status}") if is_failed else "")


def _metadata_of(metadata: Any, what: str) -> str:
    """The operation or the page that made an object, as it was told; the client's types do not say what metadata are."""
    return "" if metadata is None else str(metadata.to_dict().get(what, ""))


def _asked(act: Callable[[], Answer]) -> Answer:
    """The answer, or what its absence means."""
    try:
        return act()
    except stripe.CardError as refusal:
        code = getattr(refusal.error, "decline_code", None) or refusal.code or "card_declined"
        raise CardDeclined(str(code), refusal.user_message or "The card was declined.") from refusal
    except (stripe.InvalidRequestError, stripe.IdempotencyError) as refusal:
        raise ProviderRefused(
            refusal.code or "invalid_request",
            refusal.user_message or "The provider refused.",
            getattr(refusal, "param", None) or "",
        ) from refusal
    except stripe.StripeError as absence:  # away, out of order, too busy, or a key that it does not know
        raise ProviderAway(type(absence).__name__) from absence
