"""The ledger: balances and journal entries, as billing posted them."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import DepsOf
from gateway.http.plumbing.inputs import Currency
from gateway.http.plumbing.paging import Page, PagingOf
from gateway.http.plumbing.parameters import OfOrder
from gateway.http.plumbing.shapes import MoneyShape, instant
from oms.billing.v1 import billing_pb2 as pb

router = APIRouter(tags=["ledger"])

Account = Literal[
    "cash", "accounts_receivable", "inventory", "goods_received_not_invoiced", "tax_payable", "unapplied_cash", "revenue",
    "freight_revenue", "fee_income", "cost_of_goods_sold", "shrinkage",
]  # fmt: skip


class AccountBalance(BaseModel):
    """One account in one currency."""

    account: str
    currency: str
    debit: MoneyShape
    credit: MoneyShape
    balance: MoneyShape = Field(description="debit - credit.")


class TrialBalance(BaseModel):
    """Every account that was used, by currency, then account."""

    rows: list[AccountBalance]
    is_balanced: bool = Field(description="Whether debits equal credits in each currency.")


class JournalEntry(BaseModel):
    """One transfer between two accounts."""

    entry_id: int = Field(description="Rises with every entry.")
    debit: str = Field(description="The account debited.")
    credit: str = Field(description="The account credited.")
    amount: MoneyShape
    source_type: str = Field(
        description="invoice, payment, payout, stock_movement, credit_note, write_off, shipment or deposit_invoice."
    )
    source_id: str = Field(description="The id of that.")
    order_id: str | None
    memo: str
    posted_at: str | None


@router.get("/v1/ledger/trial-balance")
def get_trial_balance(
    deps: DepsOf,
    _who: CallerOf,
    currency: Annotated[Currency | None, Query(description="Only accounts in this currency.")] = None,
) -> TrialBalance:
    """The balance of every account."""
    found = deps.billing.GetTrialBalance(pb.GetTrialBalanceRequest(currency=currency or "")).balances
    net: dict[str, int] = {}
    for row in found:
        net[row.currency] = net.get(row.currency, 0) + row.debit_minor - row.credit_minor
    return TrialBalance(rows=[_balance(row) for row in found], is_balanced=not any(net.values()))


@router.get("/v1/ledger/entries")
def list_journal_entries(
    deps: DepsOf,
    _who: CallerOf,
    paging: PagingOf,
    order_id: OfOrder = None,
    account: Annotated[Account | None, Query(description="Only with this account on either side.")] = None,
) -> Page[JournalEntry]:
    """Journal entries, oldest first."""
    found = deps.billing.ListEntries(
        pb.ListEntriesRequest(order_id=order_id or "", account=account or "", limit=paging.limit, cursor=paging.cursor)
    )
    return Page(rows=[_entry(row) for row in found.entries], next_cursor=found.next_cursor or None)


def _balance(row: pb.AccountBalance) -> AccountBalance:
    return AccountBalance(
        account=row.account,
        currency=row.currency,
        debit=MoneyShape.of_minor(row.debit_minor, row.currency),
        credit=MoneyShape.of_minor(row.credit_minor, row.currency),
        balance=MoneyShape.of_minor(row.debit_minor - row.credit_minor, row.currency),
    )


def _entry(row: pb.Entry) -> JournalEntry:
    return JournalEntry(
        entry_id=row.entry_id,
        debit=row.debit,
        credit=row.credit,
        amount=MoneyShape.of_minor(row.amount.minor_units, row.amount.currency),
        source_type=row.source_type,
        source_id=row.source_id,
        order_id=row.order_id or None,
        memo=row.memo,
        posted_at=instant(row.posted_at_micros),
    )
