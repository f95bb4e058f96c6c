"""The ledger."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field

from services.billing.domain.ledger import ACCOUNTS, SOURCE_TYPES
from services.billing.models.base import Table, one_of
from services.runtime.db import STRICT, Int64, Text, UtcDateTime


class JournalEntry(Table, table=True):
    """One transfer between two accounts; entries are only ever added."""

    __tablename__ = "journal_entry"
    __table_args__ = (
        UniqueConstraint("source_type", "source_id", "event", name="journal_entry_source"),
        CheckConstraint("amount_minor > 0", name="journal_entry_amount"),
        CheckConstraint("debit <> credit", name="journal_entry_sides"),
        CheckConstraint(one_of("debit", ACCOUNTS), name="journal_entry_debit"),
        CheckConstraint(one_of("credit", ACCOUNTS), name="journal_entry_credit"),
        CheckConstraint(one_of("source_type", SOURCE_TYPES), name="journal_entry_source_type"),
        Index("journal_entry_of_order", "order_id"),
        STRICT,
    )
    entry_id: int | None = Field(default=None, sa_type=Int64, primary_key=True)
    debit: str = Field(sa_type=Text)
    credit: str = Field(sa_type=Text)
    amount_minor: int = Field(sa_type=Int64)
    currency: str = Field(sa_type=Text)
    source_type: str = Field(sa_type=Text)
    source_id: str = Field(sa_type=Text)
    event: str = Field(sa_type=Text)
    order_id: str = Field(sa_type=Text)
    memo: str = Field(sa_type=Text)
    posted_at: datetime = Field(sa_type=UtcDateTime)
