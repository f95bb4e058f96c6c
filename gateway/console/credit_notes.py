"""The credit notes of an order's invoices, for its pages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from gateway.console.accounting.credit_values import CreditNoteShown
from gateway.console.visitor import Visitor
from oms.billing.v1 import billing_pb2 as pb
from services.orders.domain.facts import Invoice
from services.orders.domain.order import Order
from services.runtime.grpc_client import Unreachable

_DEADLINE_S = 2.0
_MOST = 500


def credit_notes_of(who: Visitor, order: Order, invoices: Iterable[Invoice]) -> Mapping[str, Sequence[CreditNoteShown]]:
    """Invoice id → its credit notes, empty for one without, and for all while billing is away; the caller has closed its transaction."""
    found: defaultdict[str, list[CreditNoteShown]] = defaultdict(list)
    if not (any(invoice.credited_minor for invoice in invoices) and who.may("GET /v1/credit-notes")):
        return found
    wanted = pb.ListCreditNotesRequest(order_id=order.order_id, customer_id=who.caller.company or "", limit=_MOST)
    try:
        rows = who.deps.billing.ListCreditNotes(wanted, timeout=_DEADLINE_S).credit_notes
    except Unreachable:
        return found
    for row in rows:
        found[row.invoice_id].append(CreditNoteShown.of(row))
    return found
