"""Tax rates, as the API has them; a seller in the EU has those of its member states beside them."""

from __future__ import annotations

from decimal import Decimal
from urllib.parse import urlencode

from fastapi import APIRouter, Response

from gateway.console.accounting.asking import PAGE
from gateway.console.accounting.queries import Cursor
from gateway.console.pages import render
from gateway.console.visitor import VisitorOf
from gateway.http.masterdata.tax_rates import AS_GOODS, list_tax_rates
from gateway.http.plumbing.paging import Paging

router = APIRouter()


@router.get("/accounting/tax-rates")
def tax_rates_page(who: VisitorOf, cursor: Cursor = "") -> Response:
    """Rates by place, category and first day."""
    found = list_tax_rates(who.deps, who.caller, Paging(limit=PAGE, cursor=cursor))
    return render(
        "tax_rates.html",
        who,
        rows=[(row, _percent(row.rate)) for row in found.rows],
        next_cursor=found.next_cursor,
        following=f"/accounting/tax-rates?{urlencode({'cursor': found.next_cursor or ''})}",
    )


def _percent(rate: str) -> str:
    """8.25%; empty for freight that is taxed as the goods are."""
    return "" if rate == AS_GOODS else f"{(Decimal(rate) * 100).normalize():f}%"
