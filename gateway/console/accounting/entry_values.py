"""Balances and journal entries as pages show them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from gateway.console.accounting.values import moment, money
from oms.billing.v1 import billing_pb2 as pb
from services.kernel.money import Money


@dataclass(frozen=True, slots=True)
class BalanceShown:
    """An account in one currency: all debits, all credits, and debits less credits."""

    account: str
    debit: Money
    credit: Money

    @classmethod
    def of(cls, row: pb.AccountBalance) -> BalanceShown:
        """From the wire."""
        return cls(row.account, Money(row.debit_minor, row.currency), Money(row.credit_minor, row.currency))

    @property
    def balance(self) -> Money:
        """debit - credit."""
        return self.debit - self.credit


def sums(rows: Iterable[BalanceShown]) -> list[BalanceShown]:
    """All accounts of a currency together, one entry a currency; its balance is zero where the ledger is right."""
    found: dict[str, BalanceShown] = {}
    for row in rows:
        currency = row.debit.currency
        before = found.get(currency, BalanceShown("", Money.zero(currency), Money.zero(currency)))
        found[currency] = BalanceShown("", before.debit + row.debit, before.credit + row.credit)
    return list(found.values())


@dataclass(frozen=True, slots=True)
class EntryShown:
    """One transfer between two accounts."""

    entry_id: int
    debit: str
    credit: str
    amount: Money
    order_id: str
    memo: str
    posted_at: datetime | None

    @classmethod
    def of(cls, row: pb.Entry) -> EntryShown:
        """From the wire."""
        amount = money(row.amount, row.amount.currency)
        return cls(row.entry_id, row.debit, row.credit, amount, row.order_id, row.memo, moment(row.posted_at_micros))
