"""An e-invoice as XML: UN/CEFACT Cross Industry Invoice in the EN 16931 profile of Factur-X, elements in the sequence of its schema."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from xml.etree import ElementTree as ET

from services.billing.documents.einvoice import EInvoice, Line, Means, vat_number
from services.billing.documents.seller import Seller
from services.billing.domain.charging import Charges
from services.billing.domain.headers import Address
from services.kernel.money import Money
from services.kernel.tax import EXPORT, INTRA_COMMUNITY, REVERSE_CHARGE, TaxPart

PROFILE = "urn:cen.eu:en16931:2017"
_SPACES = {
    "rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
    "qdt": "urn:un:unece:uncefact:data:standard:QualifiedDataType:100",
}
_REASON_CODES = {REVERSE_CHARGE: "VATEX-EU-AE", INTRA_COMMUNITY: "VATEX-EU-IC", EXPORT: "VATEX-EU-G"}
_PIECE = "C62"
_DISCOUNT, _FREIGHT = ("95", "Discount"), ("FC", "Freight")
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ADDRESS_LINES = ("LineOne", "LineTwo", "LineThree")

for _prefix, _space in _SPACES.items():
    ET.register_namespace(_prefix, _space)


def cii(invoice: EInvoice) -> bytes:
    """The document; the same invoice gives the same bytes."""
    root = ET.Element(_name("rsm:CrossIndustryInvoice"))
    context = _in(root, "rsm:ExchangedDocumentContext", "GuidelineSpecifiedDocumentContextParameter")
    _text(context, "ID", PROFILE)
    document = _in(root, "rsm:ExchangedDocument")
    _text(document, "ID", invoice.number)
    _text(document, "TypeCode", invoice.type_code)
    _day(_in(document, "IssueDateTime"), invoice.issued_on)
    if invoice.note:
        _text(_in(document, "IncludedNote"), "Content", invoice.note)
    trade = _in(root, "rsm:SupplyChainTradeTransaction")
    for number, line in enumerate(invoice.lines, 1):
        _line(trade, number, line)
    _agreement(_in(trade, "ApplicableHeaderTradeAgreement"), invoice)
    _delivery(_in(trade, "ApplicableHeaderTradeDelivery"), invoice)
    _settlement(_in(trade, "ApplicableHeaderTradeSettlement"), invoice)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _line(trade: ET.Element, number: int, taxed: Line) -> None:
    line = taxed.line
    node = _in(trade, "IncludedSupplyChainTradeLineItem")
    document = _in(node, "AssociatedDocumentLineDocument")
    _text(document, "LineID", str(number))
    if taxed.note:
        _text(_in(document, "IncludedNote"), "Content", taxed.note)
    product = _in(node, "SpecifiedTradeProduct")
    _text(product, "SellerAssignedID", line.sku)
    _text(product, "Name", line.description or line.sku)
    _text(_in(node, "SpecifiedLineTradeAgreement", "NetPriceProductTradePrice"), "ChargeAmount", line.unit_price.text)
    _text(_in(node, "SpecifiedLineTradeDelivery"), "BilledQuantity", str(line.quantity), unitCode=_PIECE)
    settlement = _in(node, "SpecifiedLineTradeSettlement")
    tax = _in(settlement, "ApplicableTradeTax")
    _text(tax, "TypeCode", "VAT")
    _text(tax, "CategoryCode", taxed.kind.code)
    _text(tax, "RateApplicablePercent", _percent(taxed.kind.rate))
    _amount(_in(settlement, "SpecifiedTradeSettlementLineMonetarySummation"), "LineTotalAmount", line.extended)


def _agreement(node: ET.Element, invoice: EInvoice) -> None:
    _seller(_in(node, "SellerTradeParty"), invoice.seller)
    buyer = _in(node, "BuyerTradeParty")
    _text(buyer, "ID", invoice.buyer_id)
    _text(buyer, "Name", invoice.buyer_name)
    _place(buyer, invoice.buyer_address)
    _registration(buyer, "VA", invoice.buyer_tax_id)
    for name, number in (
        ("SellerOrderReferencedDocument", invoice.order_number),
        ("BuyerOrderReferencedDocument", invoice.po_number),
    ):
        if number:
            _text(_in(node, name), "IssuerAssignedID", number)


def _seller(node: ET.Element, seller: Seller) -> None:
    number = vat_number(seller.tax_id)
    _text(node, "Name", seller.name)
    if not number:
        _text(_in(node, "SpecifiedLegalOrganization"), "ID", seller.tax_id)
    address = _in(node, "PostalTradeAddress")
    lines = [line for line in seller.address if not (seller.postal_code and seller.postal_code in line)]
    _text(address, "PostcodeCode", seller.postal_code)
    _lines(address, lines)
    _text(address, "CityName", seller.city)
    _text(address, "CountryID", seller.country)
    if seller.electronic_address:
        scheme, _, identifier = seller.electronic_address.partition(":")
        _text(_in(node, "URIUniversalCommunication"), "URIID", identifier, schemeID=scheme)
    _registration(node, "VA" if number else "FC", number or seller.tax_id)


def _registration(party: ET.Element, scheme: str, number: str) -> None:
    if number:
        _text(_in(party, "SpecifiedTaxRegistration"), "ID", number, schemeID=scheme)


def _place(party: ET.Element, place: Address) -> None:
    address = _in(party, "PostalTradeAddress")
    _text(address, "PostcodeCode", place.postal_code)
    _lines(address, place.street.splitlines())
    _text(address, "CityName", place.city)
    _text(address, "CountryID", place.country)
    _text(address, "CountrySubDivisionName", place.region)


def _lines(address: ET.Element, lines: list[str]) -> None:
    """At most three; the third has the rest."""
    kept = [*lines[:2], ", ".join(lines[2:])]
    for name, line in zip(_ADDRESS_LINES, kept, strict=False):
        _text(address, name, line)


def _delivery(node: ET.Element, invoice: EInvoice) -> None:
    party = _in(node, "ShipToTradeParty")
    _text(party, "Name", invoice.place.name or invoice.buyer_name)
    _place(party, invoice.place)
    _day(_in(node, "ActualDeliverySupplyChainEvent", "OccurrenceDateTime"), invoice.delivered_on)


def _settlement(node: ET.Element, invoice: EInvoice) -> None:
    _text(node, "PaymentReference", invoice.number)
    _text(node, "InvoiceCurrencyCode", invoice.currency)
    if invoice.means:
        _means(node, invoice.means)
    for group in invoice.groups:
        _tax(node, group)
    for group in invoice.groups:
        _allowance(node, group, group.discount, _DISCOUNT, is_charge=False)
        _allowance(node, group, group.freight, _FREIGHT, is_charge=True)
    if invoice.terms or invoice.due_on:
        terms = _in(node, "SpecifiedTradePaymentTerms")
        _text(terms, "Description", invoice.terms)
        if invoice.due_on:
            _day(_in(terms, "DueDateDateTime"), invoice.due_on)
    _totals(_in(node, "SpecifiedTradeSettlementHeaderMonetarySummation"), invoice)
    for one in invoice.preceding:
        preceding = _in(node, "InvoiceReferencedDocument")
        _text(preceding, "IssuerAssignedID", one.number)
        issued = _in(preceding, "FormattedIssueDateTime")
        _text(issued, "qdt:DateTimeString", f"{one.issued_on:%Y%m%d}", format="102")


def _means(node: ET.Element, means: Means) -> None:
    paid = _in(node, "SpecifiedTradeSettlementPaymentMeans")
    _text(paid, "TypeCode", means.code)
    if means.account:
        _text(_in(paid, "PayeePartyCreditorFinancialAccount"), "IBANID", means.account.iban)
        if means.account.bic:
            _text(_in(paid, "PayeeSpecifiedCreditorFinancialInstitution"), "BICID", means.account.bic)


def _tax(node: ET.Element, group: TaxPart) -> None:
    tax = _in(node, "ApplicableTradeTax")
    _amount(tax, "CalculatedAmount", group.tax)
    _text(tax, "TypeCode", "VAT")
    _text(tax, "ExemptionReason", group.kind.reason)
    _amount(tax, "BasisAmount", group.net)
    _text(tax, "CategoryCode", group.kind.code)
    _text(tax, "ExemptionReasonCode", _REASON_CODES.get(group.kind.code, ""))
    _text(tax, "RateApplicablePercent", _percent(group.kind.rate))


def _allowance(node: ET.Element, group: TaxPart, amount: Money, why: tuple[str, str], *, is_charge: bool) -> None:
    """What all lines of a group are charged or allowed together."""
    if not amount.minor:
        return
    code, reason = why
    given = _in(node, "SpecifiedTradeAllowanceCharge")
    _text(_in(given, "ChargeIndicator"), "udt:Indicator", str(is_charge).lower())
    _amount(given, "ActualAmount", amount)
    _text(given, "ReasonCode", code)
    _text(given, "Reason", reason)
    tax = _in(given, "CategoryTradeTax")
    _text(tax, "TypeCode", "VAT")
    _text(tax, "CategoryCode", group.kind.code)
    _text(tax, "RateApplicablePercent", _percent(group.kind.rate))


def _totals(node: ET.Element, invoice: EInvoice) -> None:
    charges = Charges.sum(map(Charges.of, invoice.groups), invoice.currency)
    _amount(node, "LineTotalAmount", charges.merchandise)
    _amount(node, "ChargeTotalAmount", charges.freight)
    _amount(node, "AllowanceTotalAmount", charges.discount)
    _amount(node, "TaxBasisTotalAmount", charges.taxed)
    _amount(node, "TaxTotalAmount", charges.tax, currencyID=invoice.currency)
    _amount(node, "GrandTotalAmount", invoice.total)
    _amount(node, "TotalPrepaidAmount", invoice.settled)
    _amount(node, "DuePayableAmount", invoice.total - invoice.settled)


def _in(parent: ET.Element, *names: str) -> ET.Element:
    """An element in an element, one for each name."""
    for name in names:
        parent = ET.SubElement(parent, _name(name))
    return parent


def _text(parent: ET.Element, name: str, text: str, **attributes: str) -> None:
    """An element with a text; none for an empty one. What XML cannot hold is left out."""
    held = _NO_XML.sub("", text)
    if held:
        ET.SubElement(parent, _name(name), attributes).text = held


def _amount(parent: ET.Element, name: str, amount: Money, **attributes: str) -> None:
    _text(parent, name, f"{amount.amount:f}", **attributes)


def _day(parent: ET.Element, on: date) -> None:
    _text(parent, "udt:DateTimeString", f"{on:%Y%m%d}", format="102")


def _percent(rate: Decimal) -> str:
    return f"{(rate * 100).normalize():f}"


def _name(name: str) -> str:
    prefix, _, local = name.rpartition(":")
    return f"{{{_SPACES[prefix or 'ram']}}}{local}"
