"""The part of the small billing service that invoices by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from oms.billing.v1 import billing_pb2 as billing
from oms.types.v1 import types_pb2 as types
from services.kernel.errors import NotFound, Refused
from tests.api.neighbor import Neighbor


class FakeInvoicing(Neighbor):
    """Shipments that wait for their invoice, and drafts."""

    def __init__(self) -> None:
        super().__init__()
        self.invoices: dict[str, billing.Invoice] = {}
        self.billable: list[billing.BillableShipment] = []
        self.drafts: dict[str, billing.InvoiceDraft] = {}
        self.is_limited = False

    def ListBillable(self, request: billing.ListBillableRequest) -> billing.ListBillableResponse:
        self.here()
        rows = [
            row
            for row in self.billable
            if (not request.order_ids or row.order_id in request.order_ids)
            and request.customer_id in ("", row.customer_id)
            and request.policy in ("", row.policy)
        ]
        return billing.ListBillableResponse(shipments=rows, count=len(rows))

    def ReverseShipmentBilling(
        self, request: billing.ReverseShipmentBillingRequest
    ) -> billing.ReverseShipmentBillingResponse:
        self.here()
        assert request.is_preview, "what is not a preview is asked for by the order's workflow"
        return billing.ReverseShipmentBillingResponse(
            outcome="credited",
            invoice_number="INV-000001",
            amount=types.Money(minor_units=4600, currency="USD"),
            held=types.Money(minor_units=1000, currency="USD"),
        )

    def PreviewInvoice(self, request: billing.PreviewInvoiceRequest) -> billing.PreviewInvoiceResponse:
        self.here()
        wanted = self._by_hand(request.of)
        made = self._billed(wanted, "")
        return billing.PreviewInvoiceResponse(invoice=made, shipments=wanted, needs_second_person=self.is_limited)

    def CreateInvoice(self, request: billing.CreateInvoiceRequest) -> billing.CreateInvoiceResponse:
        def act() -> billing.CreateInvoiceResponse:
            if self.is_limited:
                raise Refused("SECOND_PERSON_NEEDED", "it is beyond what one person invoices by hand")
            wanted = self._by_hand(request.of)
            made = self._billed(wanted, f"inv_{next(self._ids)}")
            self.invoices[made.invoice_id] = made
            self.billable = [one for one in self.billable if one not in wanted]
            return billing.CreateInvoiceResponse(invoice=made)

        return self.once(request, act)

    def MakeInvoiceDraft(self, request: billing.MakeInvoiceDraftRequest) -> billing.MakeInvoiceDraftResponse:
        def act() -> billing.MakeInvoiceDraftResponse:
            wanted = self._by_hand(request.of)
            draft = billing.InvoiceDraft(
                draft_id=f"draft_{next(self._ids)}", order_id=request.of.order_id, order_number="SO-1001", customer_id="cus_acme",
                shipment_ids=[one.shipment_id for one in wanted], amount=self._billed(wanted, "").total, state="draft",
                made_by=request.made_by, made_at_micros=1, needs_second_person=self.is_limited,
            )  # fmt: skip
            for one in wanted:
                one.draft_id = draft.draft_id
            self.drafts[draft.draft_id] = draft
            return billing.MakeInvoiceDraftResponse(draft=draft)

        return self.once(request, act)

    def MoveInvoiceDraft(self, request: billing.MoveInvoiceDraftRequest) -> billing.MoveInvoiceDraftResponse:
        def act() -> billing.MoveInvoiceDraftResponse:
            if request.draft_id not in self.drafts:
                raise NotFound("DRAFT_NOT_FOUND", "there is no such draft")
            draft = self.drafts[request.draft_id]
            after = {
                "draft": {"approve": "approved", "discard": "discarded"},
                "approved": {"post": "posted", "discard": "discarded"},
            }
            if request.verb not in after.get(draft.state, {}):
                raise Refused("DRAFT_ENDED", f"the draft is {draft.state}")
            draft.state, made = after[draft.state][request.verb], None
            if draft.state == "approved":
                draft.approved_by, draft.approved_at_micros = request.who, 2
            else:
                draft.ended_by, draft.ended_at_micros = request.who, 3
                held = [one for one in self.billable if one.draft_id == draft.draft_id]
                for one in held:
                    one.draft_id = ""
                if draft.state == "posted":
                    made = self._billed(held, f"inv_{next(self._ids)}")
                    self.invoices[made.invoice_id], draft.invoice_id = made, made.invoice_id
                    self.billable = [one for one in self.billable if one not in held]
                else:
                    del draft.shipment_ids[:]
            return billing.MoveInvoiceDraftResponse(draft=draft, invoice=made)

        return self.once(request, act)

    def ListInvoiceDrafts(self, request: billing.ListInvoiceDraftsRequest) -> billing.ListInvoiceDraftsResponse:
        self.here()
        states = ("draft", "approved") if request.state == "open" else (request.state,)
        rows = [
            row
            for row in self.drafts.values()
            if request.draft_id in ("", row.draft_id) and (not request.state or row.state in states)
        ]
        return billing.ListInvoiceDraftsResponse(drafts=rows)

    def _by_hand(self, of: billing.InvoiceByHand) -> list[billing.BillableShipment]:
        waiting = {one.shipment_id: one for one in self.billable if one.order_id == of.order_id and not one.draft_id}
        if not waiting:
            raise Refused("NOTHING_TO_INVOICE", "nothing of the order waits")
        if set(of.shipment_ids) - set(waiting):
            raise NotFound("SHIPMENT_NOT_BILLABLE", "a shipment does not wait")
        return [waiting[one] for one in of.shipment_ids or waiting]

    def _billed(self, wanted: Sequence[billing.BillableShipment], invoice_id: str) -> billing.Invoice:
        zero = types.Money(currency="USD")
        total = types.Money(minor_units=sum(one.amount.minor_units for one in wanted), currency="USD")
        return billing.Invoice(
            invoice_id=invoice_id, number="INV-000009" if invoice_id else "", customer_id="cus_acme", order_id=wanted[0].order_id,
            order_number="SO-1001", total=total, merchandise=total, discount=zero, freight=zero, tax=zero, paid=zero, status="open",
            open=total, shipment_id=wanted[0].shipment_id, shipment_ids=[one.shipment_id for one in wanted],
            invoiced_on="2026-11-23", due_on="2026-12-23",
        )  # fmt: skip

    def waits(
        self, shipment_id: str, order_id: str = "ord_1", minor: int = 5000, **more: Any
    ) -> billing.BillableShipment:
        """A shipment that waits for its invoice."""
        row = billing.BillableShipment(
            shipment_id=shipment_id, order_id=order_id, order_number="SO-1001", customer_id="cus_acme", shipped_on="2026-11-20",
            amount=types.Money(minor_units=minor, currency="USD"), lines=[types.LineQuantity(line_id="1", quantity=5)],
            recorded_at_micros=1_795_000_000_000_000, **{"policy": "manual", **more},
        )  # fmt: skip
        self.billable.append(row)
        return row
