"""What a credit note says to programs: an e-invoice of type 381 that names the invoice it corrects, every amount positive."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from services.billing.documents.credit_content import landing_sentences
from services.billing.documents.einvoice import (
    CREDIT_NOTE,
    EInvoice,
    Line,
    Preceding,
    buyer_name,
    check_document,
    check_seller,
    grouped,
    supplied_on,
    vat_number,
)
from services.billing.documents.seller import Seller
from services.billing.domain.credit_notes import CreditedTax, CreditNote
from services.billing.domain.invoices import Invoice, InvoiceLine
from services.kernel.money import Money, UnitPrice
from services.kernel.tax import TaxKind, TaxPart

_ALLOWANCE, _FREIGHT = "Price allowance", "Freight"


def credit_einvoice_of(note: CreditNote, invoice: Invoice, seller: Seller) -> EInvoice:
    """A credit note of an invoice, whose header it has. Refused as an invoice's e-invoice is.

    Its total is due to the buyer, whatever was open: the terms say where it went.
    """
    header, zero = invoice.header, Money.zero(note.parts.tax.currency)
    groups = grouped([*map(_taxed, note.by_tax), *_free(note, invoice)])
    lines = [*_goods(note, invoice), *_allowances(note.by_tax)]
    if not lines:
        lines = [_line(_FREIGHT, group.kind, group.freight) for group in groups]
        groups = tuple(replace(group, merchandise=group.freight, freight=zero) for group in groups)
    check_seller(seller, groups)
    check_document(note.number, header.buyer_address, header.customer_tax_id, groups, zero.currency)
    return EInvoice(
        type_code=CREDIT_NOTE,
        number=note.number,
        issued_on=note.credited_on,
        seller=seller,
        buyer_id=note.customer_id,
        buyer_name=buyer_name(invoice),
        buyer_tax_id=vat_number(header.customer_tax_id),
        buyer_address=header.buyer_address,
        place=header.ship_to,
        po_number=header.po_number,
        order_number=note.order_number,
        delivered_on=supplied_on(invoice),
        lines=tuple(lines),
        groups=groups,
        total=note.parts.total,
        settled=zero,
        terms=" ".join(landing_sentences(note.landing)),
        due_on=None,
        means=None,
        preceding=Preceding(note.invoice_number, invoice.invoiced_on),
        note=note.reason,
    )


def _taxed(one: CreditedTax) -> TaxPart:
    """A part as the breakdown has it: an allowance is a line, and one that is taken back a discount."""
    own, zero = one.parts, Money.zero(one.parts.tax.currency)
    given, taken_back = max(own.allowance, zero), max(-own.allowance, zero)
    return TaxPart(one.key, one.kind, own.merchandise + given, own.discount + taken_back, own.freight, own.tax)


def _free(note: CreditNote, invoice: Invoice) -> Iterable[TaxPart]:
    """Parts of the invoice of which the note has lines that cost nothing."""
    zero, known = Money.zero(note.parts.tax.currency), {one.key for one in note.by_tax}
    named = {_key(line, invoice) for line in note.lines}
    for part in invoice.tax_parts:
        if part.key in named - known:
            yield TaxPart(part.key, part.kind, zero, zero, zero, zero)


def _goods(note: CreditNote, invoice: Invoice) -> Iterable[Line]:
    kinds, first = {part.key: part.kind for part in invoice.tax_parts}, invoice.tax_parts[0].kind
    return [Line(line, kinds.get(_key(line, invoice), first)) for line in note.lines]


def _key(line: InvoiceLine, invoice: Invoice) -> str:
    return line.tax_key or invoice.tax_parts[0].key


def _allowances(by_tax: Sequence[CreditedTax]) -> Iterable[Line]:
    """What is given on the price, a line for each code and rate: no charge of a document may stand without a line."""
    found: dict[str, Line] = {}
    for one in by_tax:
        if one.parts.allowance.minor > 0:
            known, given = found.get(one.kind.key), one.parts.allowance
            found[one.kind.key] = _line(_ALLOWANCE, one.kind, known.line.extended + given if known else given)
    return found.values()


def _line(what: str, kind: TaxKind, amount: Money) -> Line:
    """One of something that is no product."""
    price = UnitPrice(amount.amount, amount.currency)
    return Line(InvoiceLine("", "", what, 1, price, amount), kind)
