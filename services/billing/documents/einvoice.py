"""What an invoice says to programs, in the terms of EN 16931 (BT-…): who, what, how it is taxed, what is to be paid; and what is missing for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from services.billing.documents import payment
from services.billing.documents.bank import Account, account_of
from services.billing.documents.seller import Seller
from services.billing.domain import credit
from services.billing.domain.charging import Charges
from services.billing.domain.headers import Address, Header
from services.billing.domain.invoices import Invoice, InvoiceLine
from services.kernel.currencies import DECIMALS
from services.kernel.errors import Refused
from services.kernel.money import Money, tax_on
from services.kernel.tax import (
    EXEMPT,
    EXPORT,
    FREIGHT,
    INTRA_COMMUNITY,
    REVERSE_CHARGE,
    TaxKind,
    TaxPart,
    parts_of_one_rate,
)
from services.kernel.terms import NOT_DUE
from services.runtime import vat
from services.runtime.addresses import is_country

INVOICE, CREDIT_NOTE, PREPAYMENT_INVOICE = "380", "381", "386"
"""What a document is (BT-3, UNTDID 1001)."""

MOST_DECIMALS = 2
_CARD, _CASH, _TRANSFER, _SEPA_TRANSFER = "48", "10", "30", "58"
_REASONS = {
    EXEMPT: "Exempt from tax",
    REVERSE_CHARGE: "Reverse charge",
    INTRA_COMMUNITY: "Intra-community supply",
    EXPORT: "Export outside the EU",
}
"""Why nothing is charged, where no other reason was kept; these codes cannot be without one, and the others have none."""
_NEEDS_VAT_NUMBER = frozenset({REVERSE_CHARGE, INTRA_COMMUNITY, EXPORT})
_NEEDS_BUYERS_VAT_NUMBER = frozenset({REVERSE_CHARGE, INTRA_COMMUNITY})


@dataclass(frozen=True, slots=True)
class Line:
    """A line (BG-25), how it is taxed, and what is noted on it (BT-127)."""

    line: InvoiceLine
    kind: TaxKind
    note: str = ""


@dataclass(frozen=True, slots=True)
class Means:
    """How it is to be paid (BG-16): the code of UNTDID 4461, and the account where money is sent."""

    code: str
    account: Account | None = None


@dataclass(frozen=True, slots=True)
class Preceding:
    """The invoice that a credit note is of, or a deposit invoice that is deducted (BG-3)."""

    number: str
    issued_on: date


@dataclass(frozen=True, slots=True)
class EInvoice:
    """An invoice in the terms of EN 16931.

    `groups` are the rows of the tax breakdown (BG-23): one for each code and rate, and they sum to the document's totals.
    """

    type_code: str
    number: str
    issued_on: date
    seller: Seller
    buyer_id: str
    buyer_name: str
    buyer_tax_id: str
    buyer_address: Address
    place: Address
    po_number: str
    order_number: str
    delivered_on: date
    lines: tuple[Line, ...]
    groups: tuple[TaxPart, ...]
    total: Money
    settled: Money
    terms: str
    due_on: date | None
    means: Means | None
    preceding: tuple[Preceding, ...] = ()
    note: str = ""

    @property
    def currency(self) -> str:
        """Of all amounts (BT-5)."""
        return self.total.currency


def einvoice_of(invoice: Invoice, seller: Seller) -> EInvoice:
    """An invoice as it stands. Refused with what is missing: E_INVOICE_NOT_CONFIGURED for a setting, E_INVOICE_NOT_POSSIBLE for the rest.

    EN 16931 knows a paid amount and no credited one: all that is not to be paid any more is in it, so that what is due is what
    is open, and its note says what of it nobody paid.
    """
    header = invoice.header
    parts = taxed_parts(invoice)
    groups = grouped(parts)
    check_seller(seller, groups)
    check_document(invoice.number, header.buyer_address, header.customer_tax_id, groups, invoice.total.currency)
    kinds = {part.key: part.kind for part in parts}
    return EInvoice(
        type_code=INVOICE,
        number=invoice.number,
        issued_on=invoice.invoiced_on,
        seller=seller,
        buyer_id=invoice.customer_id,
        buyer_name=buyer_name(header, invoice.customer_id),
        buyer_tax_id=vat_number(header.customer_tax_id),
        buyer_address=header.buyer_address,
        place=header.ship_to,
        po_number=header.po_number,
        order_number=invoice.order_number,
        delivered_on=supplied_on(invoice),
        lines=tuple(
            Line(line, kinds.get(line.tax_key, parts[0].kind), note)
            for line, note in zip(invoice.lines, _order_notes(invoice), strict=True)
        ),
        groups=groups,
        total=invoice.total,
        settled=invoice.total - invoice.open,
        terms=_terms(invoice, seller),
        due_on=None if invoice.due_on == NOT_DUE or not invoice.open.minor else invoice.due_on,
        means=_means(invoice, seller),
        preceding=tuple(Preceding(one.deposit_invoice_number, one.invoiced_on) for one in invoice.deductions),
        note=" ".join(filter(None, [_note(invoice), *payment.deposit_sentences(invoice)])),
    )


def _order_notes(invoice: Invoice) -> list[str]:
    """What each line says of its order, where there are several: then none is that of the document (BT-13, BT-14)."""
    if not invoice.shares:
        return [""] * len(invoice.lines)
    named = [
        ". ".join(filter(None, [f"Order {one.order_number}", _po(one.header.po_number)])) for one in invoice.shares
    ]
    return [note for note, share in zip(named, invoice.shares, strict=True) for _ in share.lines]


def _po(number: str) -> str:
    return f"Your PO {number}" if number else ""


def buyer_name(header: Header, customer_id: str) -> str:
    """Who is billed (BT-44)."""
    return header.bill_to_name or header.ship_to.name or customer_id


def supplied_on(invoice: Invoice) -> date:
    """The day of the tax (BT-72)."""
    return invoice.header.tax_on or invoice.invoiced_on


def taxed_parts(invoice: Invoice) -> tuple[TaxPart, ...]:
    """How it is taxed; one of before there were parts has its header's rate, and Refused where that explains nothing."""
    if invoice.parts:
        return invoice.parts
    charges, rate = invoice.charges, Decimal(invoice.header.tax_rate or 0)
    if abs(tax_on(charges.net, rate).minor - charges.tax.minor) > 1:
        raise _impossible(invoice.number, "its rate of tax was not kept")
    return parts_of_one_rate(charges.merchandise, charges.discount, charges.freight, charges.tax, rate)


def grouped(parts: Sequence[TaxPart]) -> tuple[TaxPart, ...]:
    """One row for each code and rate, with all its reasons, the highest rate first; what comes to nothing stays where lines have it."""
    found: dict[str, list[TaxPart]] = {}
    for part in parts:
        if part.key == FREIGHT and not part.freight.minor and len(parts) > 1:
            continue  # no line and no charge has it
        found.setdefault(part.kind.key, []).append(part)
    return tuple(sorted(map(_group, found.values()), key=lambda group: (-group.kind.rate, group.kind.code)))


def _group(parts: list[TaxPart]) -> TaxPart:
    kind, charges = parts[0].kind, Charges.sum(map(Charges.of, parts), parts[0].tax.currency)
    reasons = dict.fromkeys(part.kind.reason for part in parts if part.kind.reason)
    reason = "; ".join(reasons) or _REASONS[kind.code] if kind.code in _REASONS else ""
    return TaxPart(
        kind.key, replace(kind, reason=reason), charges.merchandise, charges.discount, charges.freight, charges.tax
    )


def check_seller(seller: Seller, groups: Sequence[TaxPart]) -> None:
    """Refuse what the settings of the company lack for a document that is taxed so."""
    codes = {group.kind.code for group in groups}
    if not seller.tax_id:
        raise _unset("OMS_COMPANY_TAX_ID is not set: an e-invoice names its seller's tax number")
    if not seller.address:
        raise _unset("OMS_COMPANY_ADDRESS is not set: an e-invoice names its seller's address")
    if not is_country(seller.country):
        raise _unset(f"OMS_COMPANY_COUNTRY is {seller.country}, which is no ISO 3166 code")
    if codes & _NEEDS_VAT_NUMBER and not vat_number(seller.tax_id):
        raise _unset(
            "OMS_COMPANY_TAX_ID is no VAT number with its country's prefix: an e-invoice that charges no tax because its buyer "
            "owes it, or because the goods leave the country, needs one"
        )


def check_document(number: str, place: Address, buyer_tax_id: str, groups: Sequence[TaxPart], currency: str) -> None:
    """Refuse what the document itself lacks."""
    if DECIMALS[currency] > MOST_DECIMALS:
        raise _impossible(number, f"amounts in {currency} have {DECIMALS[currency]} decimals, and EN 16931 allows two")
    if not all(map(_is_explained, groups)):
        raise _impossible(number, "its tax does not follow from its rate")
    if not place.country:
        raise _impossible(number, "no country of its buyer was kept")
    if not is_country(place.country):
        raise _impossible(number, f"{place.country}, the country of its buyer, is no ISO 3166 code")
    if {group.kind.code for group in groups} & _NEEDS_BUYERS_VAT_NUMBER and not vat_number(buyer_tax_id):
        raise _impossible(number, "its buyer has no VAT number with a country's prefix, which reverse charge needs")


def _is_explained(group: TaxPart) -> bool:
    """Whether the rate comes to the tax, as the rules of EN 16931 ask: to within one unit of the currency, since sums may be of rounded parts."""
    slack = 10 ** DECIMALS[group.tax.currency] if group.kind.rate else 0
    return abs(tax_on(group.net, group.kind.rate).minor - group.tax.minor) <= slack


def vat_number(tax_id: str) -> str:
    """A number that begins with the prefix of an EU country, without blanks; empty for any other."""
    return "".join(tax_id.split()).upper() if vat.looks_like_number(tax_id) else ""


def _unset(message: str) -> Refused:
    return Refused("E_INVOICE_NOT_CONFIGURED", f"{message}. The PDF is made without it")


def _impossible(number: str, why: str) -> Refused:
    return Refused("E_INVOICE_NOT_POSSIBLE", f"{number} cannot be an e-invoice: {why}. The PDF is made without it")


def _terms(invoice: Invoice, seller: Seller) -> str:
    """What people read of its terms and of what is left to do (BT-20)."""
    words = payment.terms_in_words(invoice)
    due = "due on delivery" if invoice.due_on == NOT_DUE and invoice.open.minor else ""
    dues = [
        f"{left.text} by {seller.formats.day(one.due_on)}" for one, left in invoice.open_installments() if left.minor
    ]
    return "; ".join(filter(None, [words, due, *(dues if invoice.installments else [])]))


def _note(invoice: Invoice) -> str:
    """What of the paid amount nobody paid (BT-22)."""
    rows = (
        ("early payment discount", invoice.discount_taken or Money.zero(invoice.total.currency)),
        ("credited", invoice.credited),
        ("written off", invoice.written_off),
    )
    said = [f"{part} {what}" for what, part in rows if part.minor]
    return f"In the paid amount: {', '.join(said)}." if said else ""


def _means(invoice: Invoice, seller: Seller) -> Means | None:
    match payment.method_of(invoice):
        case credit.CARD:
            return Means(_CARD)
        case credit.CASH_ON_DELIVERY:
            return Means(_CASH)
        case credit.SETTLED_ELSEWHERE:
            return None
    account = account_of(seller.bank)
    if account is None:
        return None
    return Means(_SEPA_TRANSFER if invoice.total.currency == "EUR" else _TRANSFER, account)
