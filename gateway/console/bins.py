"""Bins of a SKU, as a form on its stock page."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from gateway.console.notices import leave
from gateway.console.visitor import FormOf
from gateway.http.neighbors import bins as api
from gateway.http.neighbors.bins import BinInput, BinsInput
from services.kernel.errors import InvalidArgument

router = APIRouter()


@router.post("/stock/bins")
def put_bin(form: FormOf) -> Response:
    """Say in which bin of a warehouse a SKU lies, as the API does."""
    who, sku = form.visitor, form.text("sku", most=64)
    try:
        given = BinInput(warehouse_id=form.text("warehouse", most=64), sku=sku, bin=form.text("bin", most=32))
    except ValidationError as wrong:
        raise InvalidArgument("BIN_INCOMPLETE", "choose the warehouse and enter a bin such as A-01-3") from wrong
    api.put(who.deps, BinsInput(bins=[given]))
    back = RedirectResponse(f"/stock?sku={quote(sku, safe='')}", 303)
    return leave(back, who.deps.console, "bin_put" if given.bin else "bin_taken_away")
