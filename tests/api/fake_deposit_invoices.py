"""The part of the small billing service that shows deposit invoices."""

from __future__ import annotations

from oms.billing.v1 import billing_pb2 as billing
from oms.types.v1 import types_pb2 as types
from services.kernel.errors import NotFound
from services.runtime.grpc_client import DEADLINE_S
from tests.api.neighbor import Neighbor


def usd(minor: int) -> types.Money:
    return types.Money(minor_units=minor, currency="USD")


class FakeDepositInvoices(Neighbor):
    """Deposit invoices and credit notes of them."""

    def __init__(self) -> None:
        super().__init__()
        self.deposit_invoices: list[billing.DepositInvoice] = []

    def deposit(self, customer_id: str, *, order_id: str = "ord_1", corrects: str = "") -> billing.DepositInvoice:
        """One of 330.00, 30.00 of it tax; a credit note when it corrects another one."""
        number = f"{'DC' if corrects else 'DI'}-{1001 + len(self.deposit_invoices)}"
        made = billing.DepositInvoice(
            deposit_invoice_id=f"dep_{len(self.deposit_invoices) + 1}", number=number, is_credit_note=bool(corrects),
            corrects=corrects, order_id=order_id, order_number="SO-1001", customer_id=customer_id, invoiced_on="2026-12-01",
            received_on="2026-12-01", net=usd(30_000), tax=usd(3000), total=usd(33_000), deducted=usd(0), credited=usd(0),
            open=usd(0 if corrects else 33_000), reason="check bounced" if corrects else "", issued_at_micros=1,
            tax_parts=[types.TaxPart(key="S 0.1", code="S", rate="0.1", merchandise_minor=30_000, tax_minor=3000)],
        )  # fmt: skip
        self.deposit_invoices.append(made)
        return made

    def ListDepositInvoices(
        self, request: billing.ListDepositInvoicesRequest, timeout: float = DEADLINE_S
    ) -> billing.ListDepositInvoicesResponse:
        self.here(timeout)
        rows = [
            one
            for one in self.deposit_invoices
            if request.customer_id in ("", one.customer_id) and request.order_id in ("", one.order_id)
        ]
        return billing.ListDepositInvoicesResponse(deposit_invoices=rows)

    def GetDepositInvoice(self, request: billing.GetDepositInvoiceRequest) -> billing.GetDepositInvoiceResponse:
        self.here()
        return billing.GetDepositInvoiceResponse(
            deposit_invoice=self._known(request.deposit_invoice, request.customer_id)
        )

    def RenderDepositInvoice(
        self, request: billing.RenderDepositInvoiceRequest, timeout: float = DEADLINE_S
    ) -> billing.RenderDepositInvoiceResponse:
        self.here(timeout)
        number = self._known(request.deposit_invoice, request.customer_id).number
        return billing.RenderDepositInvoiceResponse(number=number, pdf=b"%PDF-1.7 of " + number.encode())

    def RenderEDepositInvoice(
        self, request: billing.RenderEDepositInvoiceRequest
    ) -> billing.RenderEDepositInvoiceResponse:
        self.here()
        number = self._known(request.deposit_invoice, request.customer_id).number
        return billing.RenderEDepositInvoiceResponse(number=number, xml=b"<?xml version='1.0'?><deposit/>")

    def _known(self, named: str, customer_id: str) -> billing.DepositInvoice:
        for one in self.deposit_invoices:
            if named in (one.deposit_invoice_id, one.number) and customer_id in ("", one.customer_id):
                return one
        raise NotFound("DEPOSIT_INVOICE_NOT_FOUND", "there is no such deposit invoice: look it up in the list")
