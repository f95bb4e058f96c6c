"""Units that somebody had credited by hand before a return brought them, so that each is accounted for once."""

from collections.abc import Mapping

from sqlalchemy import bindparam, case, func, select, update
from sqlmodel import Session

from services.billing.domain.returned import ByHand, Key, Share
from services.billing.store import tables
from services.runtime.db import Int64
from services.runtime.statements import changed

_note, _line, _billed = tables.credit_note.c, tables.credit_note_line.c, tables.invoice_line.c
_BY_HAND = (
    select(
        _note.invoice_id,
        _line.line_id,
        func.sum(_line.quantity).label("units"),
        func.sum(case((_note.reason_code == "returned", _line.quantity), else_=0)).label("as_returned"),
        func.max(_billed.returned_by_hand).label("brought"),
    )
    .join(tables.credit_note, _note.credit_note_id == _line.credit_note_id)
    .join(tables.invoice_line, (_billed.invoice_id == _note.invoice_id) & (_billed.line_id == _line.line_id))
    .where(_note.order_id == bindparam("order"), _note.return_id == "", ~_note.is_held)
    .group_by(_note.invoice_id, _line.line_id)
)
_BRING = (
    update(tables.invoice_line)
    .where(_billed.invoice_id == bindparam("invoice"), _billed.line_id == bindparam("line"))
    .values(returned_by_hand=_billed.returned_by_hand + bindparam("units", type_=Int64))
)


def of_order(session: Session, order_id: str) -> dict[Key, ByHand]:
    """Those of an order that no return has brought: credited neither for a return nor for a ship confirm that was reversed."""
    return {
        (row.invoice_id, row.line_id): ByHand(
            int(row.units) - row.brought, max(int(row.as_returned) - int(row.brought), 0)
        )
        for row in session.execute(_BY_HAND, {"order": order_id})
    }


def bring(session: Session, shares: Mapping[str, Share]) -> None:
    """Count those that a return brings: invoice id → its share. The account is locked."""
    brought = [
        {"invoice": invoice_id, "line": line_id, "units": units}
        for invoice_id, share in shares.items()
        for line_id, units in share.by_hand.items()
    ]
    if brought:
        changed(session, _BRING, brought)
