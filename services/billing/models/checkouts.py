"""Pages of the payment provider on which a person enters a card."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, text
from sqlmodel import Field

from services.billing.domain.checkouts import KINDS, STATES
from services.billing.models.base import Table, one_of
from services.runtime.db import STRICT, Int64, Text, UtcDateTime

_IS_TO_BE_READ = text("state = 'open' AND kind = 'payment'")
_HAS_PROVIDER_ID = text("provider_id <> ''")


class Checkout(Table, table=True):
    """A page that the provider is asked for: written before it is asked, never deleted; its id is the provider's key.

    The token of a card that was entered is never here, only its digest.
    """

    __tablename__ = "checkout"
    __table_args__ = (
        ForeignKeyConstraint(
            ["customer_id", "currency"],
            ["credit_account.customer_id", "credit_account.currency"],
            name="checkout_account",
        ),
        CheckConstraint(one_of("kind", KINDS), name="checkout_kind"),
        CheckConstraint(one_of("state", STATES), name="checkout_state"),
        CheckConstraint("(kind = 'payment') = (amount_minor > 0)", name="checkout_amount"),
        CheckConstraint("(kind = 'payment') = (invoice_id <> '')", name="checkout_invoice"),
        Index("checkout_of_subject", "order_id", "invoice_id", "asked_at"),
        Index(
            "checkout_of_provider",
            "provider_id",
            unique=True,
            sqlite_where=_HAS_PROVIDER_ID,
            postgresql_where=_HAS_PROVIDER_ID,
        ),
        Index("checkout_to_be_read", "next_at", sqlite_where=_IS_TO_BE_READ, postgresql_where=_IS_TO_BE_READ),
        STRICT,
    )
    checkout_id: str = Field(sa_type=Text, primary_key=True)
    kind: str = Field(sa_type=Text)
    order_id: str = Field(sa_type=Text)
    invoice_id: str = Field(sa_type=Text)
    customer_id: str = Field(sa_type=Text)
    currency: str = Field(sa_type=Text)
    amount_minor: int = Field(sa_type=Int64)
    state: str = Field(sa_type=Text)
    provider_id: str = Field(sa_type=Text)
    url: str = Field(sa_type=Text)
    token_digest: str = Field(sa_type=Text)
    attempts: int = Field(sa_type=Int64)
    asked_at: datetime = Field(sa_type=UtcDateTime)
    next_at: datetime = Field(sa_type=UtcDateTime)
