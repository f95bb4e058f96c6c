"""What the payment provider is asked, has authorized and has told."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from services.billing.domain.cards import KINDS, STATES
from services.billing.models.base import Table, one_of
from services.runtime.db import STRICT, Flag, Int64, Text, UtcDateTime

_IS_ASKED = text("state = 'asked'")
_IS_NEW = text("NOT is_done")


class ProviderOperation(Table, table=True):
    """What a payment provider is asked to do: written before it is asked, never deleted; its id is the provider's key.

    `subject_id` is the invoice of a capture and the payment of a refund. The card's token is here while nobody knows the answer.
    """

    __tablename__ = "provider_operation"
    __table_args__ = (
        ForeignKeyConstraint(
            ["customer_id", "currency"],
            ["credit_account.customer_id", "credit_account.currency"],
            name="provider_operation_account",
        ),
        CheckConstraint(one_of("kind", KINDS), name="provider_operation_kind"),
        CheckConstraint(one_of("state", STATES), name="provider_operation_state"),
        CheckConstraint("(answered_at IS NULL) = (state = 'asked')", name="provider_operation_answered"),
        CheckConstraint("state = 'asked' OR token = ''", name="provider_operation_token"),
        CheckConstraint("amount_minor >= 0", name="provider_operation_amount"),
        Index("provider_operation_of_order", "order_id", "kind"),
        Index("provider_operation_of_subject", "subject_id", "kind"),
        Index("provider_operation_asked", "next_at", sqlite_where=_IS_ASKED, postgresql_where=_IS_ASKED),
        STRICT,
    )
    operation_id: str = Field(sa_type=Text, primary_key=True)
    kind: str = Field(sa_type=Text)
    order_id: str = Field(sa_type=Text)
    customer_id: str = Field(sa_type=Text)
    currency: str = Field(sa_type=Text)
    amount_minor: int = Field(sa_type=Int64)
    state: str = Field(sa_type=Text)
    authorization_id: str = Field(sa_type=Text)
    subject_id: str = Field(sa_type=Text)
    token: str = Field(sa_type=Text)
    token_digest: str = Field(sa_type=Text)
    provider_id: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    attempts: int = Field(sa_type=Int64)
    is_final: bool = Field(sa_type=Flag)
    is_abandoned: bool = Field(sa_type=Flag)
    asked_at: datetime = Field(sa_type=UtcDateTime)
    next_at: datetime = Field(sa_type=UtcDateTime)
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class CardAuthorization(Table, table=True):
    """What a card is authorized for; `taken_minor` is what captures have of it, those without an answer included.

    `notified_…` is how much more has moved at the provider than here, as far as accounting was notified; what comes back is off it.
    """

    __tablename__ = "card_authorization"
    __table_args__ = (
        ForeignKeyConstraint(
            ["authorization_id"], ["provider_operation.operation_id"], name="card_authorization_operation"
        ),
        UniqueConstraint("provider_id", name="card_authorization_provider"),
        CheckConstraint("amount_minor > 0", name="card_authorization_amount"),
        CheckConstraint(
            "captured_minor >= 0 AND captured_minor <= taken_minor AND taken_minor <= amount_minor",
            name="card_authorization_taken",
        ),
        CheckConstraint("fee_minor >= 0", name="card_authorization_fee"),
        Index("card_authorization_of_order", "order_id", "authorization_id"),
        STRICT,
    )
    authorization_id: str = Field(sa_type=Text, primary_key=True)
    order_id: str = Field(sa_type=Text)
    provider_id: str = Field(sa_type=Text)
    currency: str = Field(sa_type=Text)
    amount_minor: int = Field(sa_type=Int64)
    taken_minor: int = Field(sa_type=Int64)
    captured_minor: int = Field(sa_type=Int64)
    fee_minor: int = Field(sa_type=Int64)
    notified_captured_minor: int = Field(default=0, sa_type=Int64)
    notified_refunded_minor: int = Field(default=0, sa_type=Int64)
    is_open: bool = Field(sa_type=Flag)
    is_disputed: bool = Field(sa_type=Flag)
    authorized_at: datetime = Field(sa_type=UtcDateTime)


class ProviderEvent(Table, table=True):
    """An event of a payment provider, which says only that something is to be read there."""

    __tablename__ = "provider_event"
    __table_args__ = (
        Index("provider_event_new", "received_at", sqlite_where=_IS_NEW, postgresql_where=_IS_NEW),
        STRICT,
    )
    event_id: str = Field(sa_type=Text, primary_key=True)
    kind: str = Field(sa_type=Text)
    provider_id: str = Field(sa_type=Text)
    is_done: bool = Field(sa_type=Flag)
    received_at: datetime = Field(sa_type=UtcDateTime)
