"""Invoices as e-invoices, judged by the schema and the rules of EN 16931 that others wrote."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.billing.documents.cii import cii
from services.billing.documents.einvoice import einvoice_of
from services.billing.documents.seller import Seller
from services.billing.domain.charging import Charges
from services.billing.domain.headers import Address, Header
from services.billing.domain.invoices import Invoice, InvoiceLine
from services.kernel.errors import Refused
from services.kernel.money import Money, UnitPrice
from services.kernel.tax import FREIGHT, UNTAXED_FREIGHT, TaxKind, TaxPart
from services.kernel.terms import NOT_DUE, Installment
from tests.einvoices import faults_of

RAM = "{urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100}"
NORDPUMPE = Seller(
    "Kessler GmbH", ("Am Hafen 3", "20457 Hamburg"), "DE", "DE 136 695 976",
    ("Hafenbank", "IBAN DE02 1203 0000 0000 2020 51", "BIC BYLADEM1001"), city="Hamburg", postal_code="20457",
    electronic_address="EM:rechnung@kessler.example",
)  # fmt: skip
NORTHGATE = Seller(
    "Northgate", ("4100 Irving Blvd", "Dallas, TX 75247"), "US", "75-2904417", ("First Bank", "ABA 111000025")
)
LYON = Address("Pompes SA", "1 rue Neuve\nPorte 4", "Lyon", "", "69001", "FR")
DALLAS = Address("Acme Dock 4", "1 Main St", "Dallas", "TX", "75001", "US")
S19, S7 = TaxKind("S", Decimal("0.19")), TaxKind("S", Decimal("0.07"))
ZERO = TaxKind("Z", Decimal(0))


def part(
    kind: TaxKind, merchandise: int, discount: int = 0, freight: int = 0, *, currency: str = "EUR", key: str = ""
) -> TaxPart:
    """A part with its tax worked out half up."""
    net = merchandise - discount + freight
    tax = int((net * kind.rate + Decimal("0.5")) // 1)
    amounts = (Money(minor, currency) for minor in (merchandise, discount, freight, tax))
    return TaxPart(key or kind.key, kind, *amounts)


def invoice_of(*parts: TaxPart, country: Address = LYON, **changed: object) -> Invoice:
    """An invoice with a line for each part that has goods."""
    currency = parts[0].tax.currency
    lines = tuple(
        InvoiceLine(
            str(number), f"SKU-{number}", f"line {number}", 1, UnitPrice.parse(str(one.merchandise.amount), currency), one.merchandise, one.key
        )
        for number, one in enumerate(parts, 1)
        if one.merchandise.minor
    )  # fmt: skip
    zero = Money.zero(currency)
    header = Header("PO-7781", "Pompes SA", country, date(2026, 2, 27), "terms", customer_tax_id="FR 23 334175221")
    invoice = Invoice(
        "inv_1", "INV-000001", "ord_1", "SO-1001", "cus_pompes", "shp_1", date(2026, 3, 2), date(2026, 4, 1), lines,
        Charges.sum(map(Charges.of, parts), currency), zero, zero, terms="net 30", header=header, parts=parts,
    )  # fmt: skip
    return replace(invoice, **changed)  # type: ignore[arg-type]  # members of an invoice


def kind(code: str, reason: str = "") -> TaxKind:
    return TaxKind(code, Decimal(0), reason)


FREIGHT_ALONE = replace(part(UNTAXED_FREIGHT, 0, 0, 2_500), key=FREIGHT)
CASES = {
    "one rate": invoice_of(part(S19, 100_00)),
    "mixed rates": invoice_of(part(S19, 100_00, 5_00, 9_50), part(S7, 33_33, 1_67, 3_17), part(ZERO, 20_00)),
    "freight untaxed": invoice_of(part(S19, 100_00), FREIGHT_ALONE),
    "freight untaxed beside exempt goods": invoice_of(part(kind("E", "Resale certificate TX-1"), 100_00), FREIGHT_ALONE),
    "discount": invoice_of(part(S19, 100_00, 12_34)),
    "a discount of everything": invoice_of(part(S19, 100_00, 100_00)),
    "reverse charge": invoice_of(part(kind("AE", "Reverse charge"), 100_00, 1_00, 2_00)),
    "intra-community": invoice_of(part(kind("K", "Intra-community supply, article 138"), 100_00, 0, 5_00)),
    "export": invoice_of(part(kind("G", "Export"), 100_00), country=DALLAS),
    "exempt": invoice_of(part(kind("E"), 100_00)),
    "zero rated": invoice_of(part(kind("Z", "books"), 100_00)),
    "part paid": invoice_of(part(S19, 100_00), paid=Money(50_00, "EUR")),
    "paid": invoice_of(part(S19, 100_00), paid=Money(119_00, "EUR")),
    "paid early": invoice_of(part(S19, 100_00), paid=Money(117_00, "EUR"), discount_taken=Money(2_00, "EUR")),
    "paid where it was bought": invoice_of(part(S19, 100_00), settled_elsewhere=Money(119_00, "EUR")),
    "rounded by line": invoice_of(part(S19, 33, key="S 0.19 1"), part(S19, 33, key="S 0.19 2"), part(S19, 33, key="S 0.19 3")),
    "due on delivery": invoice_of(part(S19, 100_00), due_on=NOT_DUE, terms="delivery 10"),
    "installments": invoice_of(
        part(S19, 100_00),
        installments=(Installment(date(2026, 4, 1), Money(59_50, "EUR")), Installment(date(2026, 5, 1), Money(59_50, "EUR"))),
        terms="50%@30 50%@60",
    ),
    "yen": invoice_of(part(TaxKind("S", Decimal("0.1")), 1_001, currency="JPY")),
}  # fmt: skip


def said(xml: bytes, *path: str) -> list[str]:
    """The texts of all elements at the end of a path of local names."""
    return [str(node.text) for node in ET.fromstring(xml).iterfind(".//" + "/".join(f"{RAM}{name}" for name in path))]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(
    "seller", [NORDPUMPE, replace(NORDPUMPE, bank=(), city="", postal_code="", electronic_address="")]
)
def test_every_kind_of_invoice_is_an_einvoice_without_a_fault(name: str, seller: Seller) -> None:
    assert faults_of(cii(einvoice_of(CASES[name], seller))) == []


@pytest.mark.parametrize("rate", ["0.0825", "0.08875", "0"])
def test_a_sales_tax_invoice_of_the_us_is_one_too(rate: str) -> None:
    goods = part(TaxKind.at(Decimal(rate)), 5_316_13, 50_00, currency="USD")
    freight = replace(part(UNTAXED_FREIGHT, 0, 0, 25_00, currency="USD"), key=FREIGHT)

    xml = cii(einvoice_of(invoice_of(goods, freight, country=DALLAS), NORTHGATE))

    assert faults_of(xml) == []
    for registration in ("SpecifiedTaxRegistration", "SpecifiedLegalOrganization"):
        assert said(xml, "SellerTradeParty", registration, "ID") == ["75-2904417"]
    assert said(xml, "SpecifiedTradeSettlementPaymentMeans", "TypeCode") == []


def test_an_einvoice_is_addressed_to_the_billing_address_and_delivered_to_the_other() -> None:
    invoice = CASES["one rate"]
    paris = Address("Pompes SA, comptabilité", "2 rue du Bac", "Paris", "", "75007", "FR")
    xml = cii(einvoice_of(replace(invoice, header=replace(invoice.header, billing_address=paris)), NORDPUMPE))

    assert said(xml, "BuyerTradeParty", "PostalTradeAddress", "CityName") == ["Paris"]
    assert said(xml, "ShipToTradeParty", "PostalTradeAddress", "CityName") == ["Lyon"]
    assert faults_of(xml) == []


def test_an_einvoice_says_what_is_booked() -> None:
    xml = cii(einvoice_of(CASES["mixed rates"], NORDPUMPE))

    # 100.00 - 5.00 + 9.50 = 104.50, × 0.19 = 19.86; 33.33 - 1.67 + 3.17 = 34.83, × 0.07 = 2.44; 20.00
    assert said(xml, "BuyerOrderReferencedDocument", "IssuerAssignedID") == ["PO-7781"]
    assert said(xml, "SellerOrderReferencedDocument", "IssuerAssignedID") == ["SO-1001"]
    assert said(xml, "ApplicableHeaderTradeSettlement", "ApplicableTradeTax", "BasisAmount") == [
        "104.50",
        "34.83",
        "20.00",
    ]
    assert said(xml, "ApplicableHeaderTradeSettlement", "ApplicableTradeTax", "CalculatedAmount") == [
        "19.86",
        "2.44",
        "0.00",
    ]
    assert said(xml, "ApplicableHeaderTradeSettlement", "ApplicableTradeTax", "RateApplicablePercent") == [
        "19",
        "7",
        "0",
    ]
    assert said(xml, "SpecifiedTradeAllowanceCharge", "ActualAmount") == ["5.00", "9.50", "1.67", "3.17"]
    assert said(xml, "GrandTotalAmount") == ["181.63"]
    assert said(xml, "DuePayableAmount") == ["181.63"]
    assert said(xml, "PayeePartyCreditorFinancialAccount", "IBANID") == ["DE02120300000000202051"]
    assert said(xml, "PayeeSpecifiedCreditorFinancialInstitution", "BICID") == ["BYLADEM1001"]
    assert said(xml, "SpecifiedTradeSettlementPaymentMeans", "TypeCode") == ["58"]
    assert said(xml, "SellerTradeParty", "SpecifiedTaxRegistration", "ID") == ["DE136695976"]
    assert said(xml, "SellerTradeParty", "PostalTradeAddress", "LineOne") == ["Am Hafen 3"]
    assert said(xml, "BuyerTradeParty", "PostalTradeAddress", "LineTwo") == ["Porte 4"]
    assert said(xml, "BuyerTradeParty", "SpecifiedTaxRegistration", "ID") == ["FR23334175221"]


def test_two_reasons_of_one_code_are_one_row_with_both() -> None:
    xml = cii(einvoice_of(CASES["freight untaxed beside exempt goods"], NORDPUMPE))

    assert said(xml, "ApplicableTradeTax", "ExemptionReason") == ["Resale certificate TX-1; Freight is not taxed"]


def test_freight_that_was_invoiced_before_is_no_row_of_its_own() -> None:
    invoice = invoice_of(part(S19, 10_000), part(UNTAXED_FREIGHT, 0, key=FREIGHT))

    assert faults_of(cii(einvoice_of(invoice, NORDPUMPE))) == []


def test_what_is_paid_is_said_and_the_rest_is_due() -> None:
    xml = cii(einvoice_of(CASES["part paid"], NORDPUMPE))

    assert (said(xml, "TotalPrepaidAmount"), said(xml, "DuePayableAmount")) == (["50.00"], ["69.00"])


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        (lambda xml: xml.replace(b">119.00</ram:GrandTotalAmount>", b">119.01</ram:GrandTotalAmount>"), "BR-CO-15"),
        (lambda xml: xml.replace(b">19</ram:RateApplicablePercent>", b">7</ram:RateApplicablePercent>"), "BR-S-"),
        (lambda xml: xml.replace(b"DE136695976", b"QQ136695976"), "BR-CO-09"),
        (lambda xml: xml.replace(b"<ram:ID>INV-000001</ram:ID>", b""), "schema"),
    ],
)
def test_the_judges_find_what_is_wrong(planted: Callable[[bytes], bytes], found: str) -> None:
    right = cii(einvoice_of(CASES["one rate"], NORDPUMPE))

    assert any(found in fault for fault in faults_of(planted(right)))


@pytest.mark.parametrize(
    ("changed", "name", "said_why"),
    [
        ({"tax_id": ""}, "one rate", "OMS_COMPANY_TAX_ID is not set"),
        ({"address": ()}, "one rate", "OMS_COMPANY_ADDRESS is not set"),
        ({"country": "UK"}, "one rate", "OMS_COMPANY_COUNTRY is UK"),
        ({"tax_id": "136695976"}, "reverse charge", "OMS_COMPANY_TAX_ID is no VAT number"),
    ],
)
def test_a_setting_that_is_missing_is_named(changed: dict[str, str], name: str, said_why: str) -> None:
    with pytest.raises(Refused, match=said_why) as refusal:
        einvoice_of(CASES[name], replace(NORDPUMPE, **changed))  # type: ignore[arg-type]  # members of a seller

    assert refusal.value.reason == "E_INVOICE_NOT_CONFIGURED"


@pytest.mark.parametrize(
    ("invoice", "said_why"),
    [
        (invoice_of(part(S19, 100_000, currency="KWD")), "3 decimals"),
        (invoice_of(part(S19, 100_00), country=Address()), "no country of its buyer"),
        (invoice_of(part(S19, 100_00), country=replace(LYON, country="UK")), "UK, the country of its buyer, is no"),
        (replace(CASES["reverse charge"], header=replace(CASES["reverse charge"].header, customer_tax_id="")), "no VAT number"),
        (replace(CASES["one rate"], parts=()), "its rate of tax was not kept"),
        (invoice_of(replace(part(ZERO, 100_00), tax=Money(8_25, "EUR"))), "does not follow from its rate"),
        (invoice_of(replace(part(S19, 100_00), tax=Money(8_25, "EUR"))), "does not follow from its rate"),
    ],
)  # fmt: skip
def test_an_invoice_that_lacks_what_the_standard_asks_for_says_so(invoice: Invoice, said_why: str) -> None:
    with pytest.raises(Refused, match=said_why) as refusal:
        einvoice_of(invoice, NORDPUMPE)

    assert refusal.value.reason == "E_INVOICE_NOT_POSSIBLE"


def test_an_invoice_of_before_parts_were_kept_has_its_headers_rate() -> None:
    old = CASES["one rate"]
    old = replace(old, parts=(), header=replace(old.header, tax_rate="0.19"), lines=tuple(replace(line, tax_key="") for line in old.lines))  # fmt: skip

    xml = cii(einvoice_of(old, NORDPUMPE))

    assert faults_of(xml) == []
    assert said(xml, "ApplicableHeaderTradeSettlement", "ApplicableTradeTax", "RateApplicablePercent") == ["19"]


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=40))
@settings(max_examples=25)
def test_whatever_people_typed_stays_text(typed: str) -> None:
    invoice = CASES["one rate"]
    header = replace(invoice.header, po_number=typed, bill_to_name=typed)

    xml = cii(einvoice_of(replace(invoice, header=header), NORDPUMPE))

    held = "".join(letter for letter in typed if letter in "\t\n\r" or " " <= letter < "\ufffe" or letter > "\uffff")
    names = ET.fromstring(xml).findall(f".//{RAM}BuyerTradeParty/{RAM}Name")
    assert [node.text for node in names] == ([held.replace("\r\n", "\n").replace("\r", "\n")] if held else [])
