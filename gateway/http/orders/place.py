"""Placing an order: stored first, then started; the receipt says what became of it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from gateway.http.orders.order_input import OrderInput, command
from gateway.http.orders.order_shapes import OrderReceipt
from gateway.http.orders.order_views import links
from gateway.http.orders.redaction import is_redacted
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.idempotency import REPLAYED, RequiredKey
from gateway.http.plumbing.shapes import TotalsShape
from services.orders.access.matrix import Caller
from services.orders.domain.order import RECEIVED, PlaceOrder
from services.orders.lifecycle import place
from services.orders.lifecycle.place import Receipt
from services.orders.order import outbox
from services.runtime.grpc_client import Unreachable
from workflows.messages import OrderRef

router = APIRouter(tags=["orders"])

_LOCATION = {"Location": {"description": "Where the order is read.", "schema": {"type": "string"}}}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    201: {"description": "Placed, with its verdict: accepted, held or rejected.", "headers": _LOCATION},
    202: {
        "model": OrderReceipt,
        "description": "Stored and never lost; the verdict follows by itself.",
        "headers": _LOCATION,
    },
}


@router.post("/v1/orders", status_code=201, response_model=OrderReceipt, responses=_ANSWERS)
async def place_order(deps: DepsOf, who: CallerOf, body: OrderInput, key: RequiredKey) -> JSONResponse:
    """Place an order. The same key and body is the same order for ever and gets the first answer again."""
    stored = await run_in_threadpool(_store, deps, who, command(body, key))
    if stored.first_answer is not None:
        return _answer(stored.first_answer, is_replayed=True)
    try:
        verdict = await deps.workflows.place(OrderRef(**outbox.terms(stored.order)), deps.settings.place_timeout)
    except Unreachable:
        verdict = None  # the relay starts it later: what is stored is never lost
    first = await run_in_threadpool(_conclude, deps, who, stored, has_verdict=verdict is not None)
    return _answer(first, is_replayed=stored.is_replayed)


def _store(deps: Deps, who: Caller, wanted: PlaceOrder) -> Receipt:
    takes_cards = bool(deps.settings.stripe_webhook_secret)
    quote = place.quote_order(deps.database, deps.taxes, wanted, who, deps.clock(), takes_cards=takes_cards)
    with deps.database.transaction() as session:
        return place.place(session, wanted, who, deps.clock(), takes_cards=takes_cards, quote=quote)


def _conclude(deps: Deps, who: Caller, stored: Receipt, *, has_verdict: bool) -> dict[str, Any]:
    """Read what became of the order and keep it as the first answer; a twin's earlier answer wins."""
    with deps.database.transaction() as session:
        if has_verdict:
            place.mark_started(session, stored)
        now = place.receipt(session, stored.order_id)
        status = 201 if has_verdict or now.phase != RECEIVED else 202
        return place.keep_answer(session, stored.order_id, {"status": status, "document": _document(now, who)})


def _document(receipt: Receipt, who: Caller) -> dict[str, Any]:
    shape = OrderReceipt(
        order_id=receipt.order_id,
        number=receipt.number,
        version=receipt.version,
        status=receipt.status,
        phase=receipt.phase,
        reasons=list(receipt.blocks if is_redacted(who) else receipt.reasons),
        totals=TotalsShape.of(receipt.totals),
        tax_source=receipt.order.taxation.source or "rates",
        links=links(receipt.order_id),
    )
    return shape.model_dump(mode="json")


def _answer(first: Any, *, is_replayed: bool) -> JSONResponse:
    # through the shape again: the database does not keep the order of members, and a replay must read like the first
    document = OrderReceipt.model_validate(first["document"])
    headers = {"Location": document.links.order}
    if is_replayed:
        headers[REPLAYED] = "true"
    return JSONResponse(document.model_dump(mode="json"), first["status"], headers=headers)
