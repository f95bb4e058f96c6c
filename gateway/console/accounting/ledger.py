"""The ledger: the trial balance, and the entries of an account or an order."""

from __future__ import annotations

from fastapi import APIRouter, Response

from gateway.console.accounting.entry_values import BalanceShown, EntryShown, sums
from gateway.console.accounting.names import names_of
from gateway.console.accounting.queries import CurrencyWord, Cursor, Typed, Word, after, next_page
from gateway.console.pages import render
from gateway.console.visitor import VisitorOf
from oms.billing.v1 import billing_pb2 as pb
from services.orders.order import lookup

router = APIRouter()

_ENTRIES = "/accounting/entries"

PAGE = 100


@router.get("/accounting/ledger")
def ledger_page(who: VisitorOf, currency: CurrencyWord = "") -> Response:
    """The balance of every account, and whether debits equal credits."""
    found = who.deps.billing.GetTrialBalance(pb.GetTrialBalanceRequest(currency=currency)).balances
    rows = [BalanceShown.of(row) for row in found]
    return render("ledger.html", who, rows=rows, sums=sums(rows), currency=currency)


@router.get(_ENTRIES)
def entries_page(who: VisitorOf, order: Typed = "", account: Word = "", cursor: Cursor = "") -> Response:
    """Journal entries, the oldest first, of an order, an account, or all."""
    order_id = ""
    if order:
        with who.deps.database.reading() as session:
            order_id = lookup.find_id(session, order, who.caller.scope)
    wanted = pb.ListEntriesRequest(order_id=order_id, account=account, limit=PAGE, cursor=after(_ENTRIES, cursor))
    found = who.deps.billing.ListEntries(wanted)
    rows = [EntryShown.of(row) for row in found.entries]
    return render(
        "entries.html",
        who,
        rows=rows,
        order=order,
        account=account,
        next_cursor=found.next_cursor,
        following=next_page(_ENTRIES, found.next_cursor, order=order, account=account),
        names=names_of(who, (), {row.order_id for row in rows}),
        accounts=[row.account for row in _used(who)],
    )


def _used(who: VisitorOf) -> list[BalanceShown]:
    """The accounts that were used, each once."""
    found = who.deps.billing.GetTrialBalance(pb.GetTrialBalanceRequest()).balances
    return [*{row.account: BalanceShown.of(row) for row in found}.values()]
