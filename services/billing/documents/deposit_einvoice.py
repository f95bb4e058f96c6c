"""What a deposit invoice says to programs: an e-invoice of type 386 that is paid, or one of type 381 that names it and takes it back."""

from __future__ import annotations

from services.billing.documents.deposit_content import line_of, sentences
from services.billing.documents.einvoice import (
    CREDIT_NOTE,
    PREPAYMENT_INVOICE,
    EInvoice,
    Line,
    Preceding,
    buyer_name,
    check_document,
    check_seller,
    grouped,
    vat_number,
)
from services.billing.documents.seller import Seller
from services.billing.domain.deposit_invoices import DepositInvoice
from services.kernel.money import Money


def deposit_einvoice_of(posted: DepositInvoice, seller: Seller) -> EInvoice:
    """A deposit invoice or a credit note of one, as posted. Refused as an invoice's e-invoice is.

    Its day of tax (BT-72) is that on which the cash came.
    """
    header, is_note = posted.header, posted.is_credit_note
    groups = grouped([part.tax_part for part in posted.parts])
    check_seller(seller, groups)
    check_document(posted.number, header.buyer_address, header.customer_tax_id, groups, posted.currency)
    return EInvoice(
        type_code=CREDIT_NOTE if is_note else PREPAYMENT_INVOICE,
        number=posted.number,
        issued_on=posted.invoiced_on,
        seller=seller,
        buyer_id=posted.customer_id,
        buyer_name=buyer_name(header, posted.customer_id),
        buyer_tax_id=vat_number(header.customer_tax_id),
        buyer_address=header.buyer_address,
        place=header.ship_to,
        po_number=header.po_number,
        order_number=posted.order_number,
        delivered_on=posted.received_on,
        lines=tuple(Line(line_of(posted, part), part.kind) for part in posted.parts),
        groups=groups,
        total=posted.total,
        settled=Money.zero(posted.currency) if is_note else posted.total,
        terms=" ".join(sentences(posted)),
        due_on=None,
        means=None,
        preceding=(Preceding(posted.corrects, posted.corrected_on),) if posted.corrected_on else (),
        note=posted.reason,
    )
