"""An open invoice paid by card, by the customer whom it was sent to: paid at the provider, and recorded by billing, once."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response
from fastapi.responses import RedirectResponse

from gateway.console import checkouts
from gateway.console.accounting import asking
from gateway.console.accounting.values import InvoiceShown
from gateway.console.card_entry import CheckoutOf, Returned
from gateway.console.notices import leave
from gateway.console.pages import render
from gateway.console.visitor import FormOf, Visitor, VisitorOf
from gateway.http.plumbing.inputs import IDENTITY
from services.kernel.errors import NotFound

router = APIRouter()

InvoiceNumber = Annotated[str, Path(pattern=IDENTITY, max_length=64)]


@router.post("/my/invoices/{invoice}/payment")
def pay_invoice(form: FormOf, invoice: InvoiceNumber) -> Response:
    """Begin a page on which what the invoice has open is paid."""
    found = _invoice(form.visitor, invoice)
    return checkouts.begin(form.visitor, _page(found), invoice_id=found.invoice_id)


@router.get("/my/invoices/{invoice}/payment/{checkout_id}")
def paid_invoice(who: VisitorOf, invoice: InvoiceNumber, checkout_id: CheckoutOf, returned: Returned = "") -> Response:
    """The link to the provider's page; once it is paid, there or otherwise, that is said."""
    found = _invoice(who, invoice)
    page = checkouts.read(who, checkout_id, found.invoice_id)
    if page.state == "complete":
        return leave(RedirectResponse("/my", 303), who.deps.console, "invoice_paid", found.number)
    if not found.open.minor and not page.is_away:
        return leave(RedirectResponse("/my", 303), who.deps.console, "invoice_settled", found.number)
    heading = f"Pay invoice {found.number} by card"
    return render(
        "checkout.html", who, page=page, is_returned=bool(returned), heading=heading, home="/my", begin=_page(found)
    )  # fmt: skip


def _invoice(who: Visitor, number: str) -> InvoiceShown:
    """An invoice of the visitor's own company; NotFound for any other."""
    company = who.caller.company
    assert company, "the page is a customer's"
    found = asking.invoices(who, customer_id=company, number=number, limit=1).rows
    if not found:
        raise NotFound("INVOICE_NOT_FOUND", f"you have no invoice {number}: look it up in your balance")
    return found[0]


def _page(invoice: InvoiceShown) -> str:
    return f"/my/invoices/{invoice.number}/payment"
