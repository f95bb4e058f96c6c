"""An invoice as a PDF, read back as its reader sees it."""

from __future__ import annotations

import hashlib
import io
import json
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
import typst
from alembic import command
from pypdf import PdfReader

from oms.billing.v1 import billing_pb2 as pb
from oms.orders.v1 import orders_pb2
from oms.types.v1 import types_pb2
from services.billing.documents import typesetting
from services.billing.documents.content import Content, invoice_content
from services.billing.documents.seller import Seller
from services.billing.servicer import BillingServicer
from services.billing.settings import Settings
from services.billing.store import invoices
from services.kernel.clock import micros
from services.kernel.errors import Conflict, NotFound
from services.kernel.formats import Formats
from services.runtime.db import Database
from services.runtime.migrations import config_of, upgrade
from tests.billing.desk import CONTEXT, Desk, order_of
from tests.threads import at_once

SELLER = Seller(
    "Northgate Pump & Electric", ("4100 Irving Blvd", "Dallas, TX 75247"), "US", "75-2904417", ("First Bank", "ABA 111000025")
)  # fmt: skip
DALLAS = types_pb2.Address(
    name="Acme Dock 4", street="1 Main St", city="Dallas", region="TX", postal_code="75001", country="US"
)


def sold(lines: Mapping[str, tuple[int, str]] | None = None, **members: Any) -> orders_pb2.Order:
    """An order with all that its paper names."""
    order = order_of(lines or {"1": (4, "1329.00"), "2": (1, "0.125")}, **members)
    order.po_number, order.customer_name = "PO-7781", "Acme Corp"
    order.ship_to.CopyFrom(DALLAS)
    order.placed_at_micros = micros(datetime(2026, 2, 27, 12, tzinfo=UTC))
    return order


def billed(desk: Desk, order: orders_pb2.Order, shipment_id: str = "shp_1") -> pb.Invoice:
    return desk.invoice(order, shipment_id, {line.line_id: line.quantity for line in order.lines})


def rendered(desk: Desk, invoice: str, customer_id: str = "") -> bytes:
    desk.billing.seller = SELLER
    request = pb.RenderInvoiceRequest(invoice=invoice, customer_id=customer_id)
    return desk.billing.RenderInvoice(request, CONTEXT).pdf


def content_of(desk: Desk, invoice_id: str, seller: Seller = SELLER) -> Content:
    with desk.database.reading() as session:
        found = invoices.by_id(session, invoice_id)
    assert found is not None
    return invoice_content(found, seller)


def read(pdf: bytes) -> list[str]:
    """The text of each page, blanks single."""
    return [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(pdf)).pages]


def sums(content: Content) -> dict[str, str]:
    return {row["name"]: row["amount"] for row in content["sums"]}


def in_currency(order: orders_pb2.Order, currency: str) -> orders_pb2.Order:
    """The order with the same minor units of another currency."""
    order.currency = currency
    amounts = (order.merchandise, order.discount, order.freight, order.tax, order.total)
    for amount in (*amounts, *(line.extended for line in order.lines)):
        amount.currency = currency
    return order


@pytest.mark.on_postgres
def test_an_invoice_names_all_that_accounts_payable_books_it_by(desk: Desk) -> None:
    order = sold(discount=5_000, freight=2_500, tax_rate="0.0825", terms="2/10 net 30")

    invoice = billed(desk, order)

    # 4 × 1,329.00 + 0.13 - 50.00 = 5,266.13; × 0.0825 = 434.46; + 25.00 freight
    [page] = read(rendered(desk, invoice.invoice_id))
    for said in (
        "Northgate Pump & Electric 4100 Irving Blvd Dallas, TX 75247 Tax ID 75-2904417", "Invoice INV-000001", "Your PO PO-7781",
        "Order SO-ord_1", "Order date Feb 27, 2026", "Invoice date Mar 2, 2026", "Due Apr 1, 2026", "2 % within 10 days, net 30 days",
        "Bill to Acme Corp Customer cus_acme", "Ship to Acme Dock 4 1 Main St Dallas, TX 75001", "SKU-1 line 1 4 1,329.00 5,316.00",
        "SKU-2 line 2 1 0.125 0.13", "Merchandise 5,316.13", "Discount −50.00", "Freight 25.00", "Tax 8.25% of 5,266.13 434.46",
        "Total USD 5,725.59", "Amount due USD 5,725.59", "Pay 5,725.59 USD by Apr 1, 2026 to this account, naming invoice INV-000001.",
        "5,611.08 USD settles it if received by Mar 12, 2026: 114.51 early payment discount.", "First Bank ABA 111000025",
        "Page 1 of 1",
    ):  # fmt: skip
        assert said in page, (said, page)


@pytest.mark.on_postgres
def test_an_invoice_keeps_its_header_as_it_was_posted(desk: Desk) -> None:
    order = sold({"1": (4, "10.00")})
    first = desk.invoice(order, "shp_1", {"1": 1})
    order.po_number, order.customer_name, order.ship_to.city = "PO-9", "Acme Holding", "Houston"

    second = desk.invoice(order, "shp_2", {"1": 1})

    facts = [dict(content_of(desk, one.invoice_id)["facts"])["Your PO"] for one in (first, second)]
    assert facts == ["PO-7781", "PO-9"]
    assert content_of(desk, first.invoice_id)["ship_to"][-1] == "Dallas, TX 75001"
    assert content_of(desk, second.invoice_id)["bill_to"] == ["Acme Holding", "Customer cus_acme"]


@pytest.mark.on_postgres
def test_who_is_billed_for_another_is_named_with_its_address(desk: Desk) -> None:
    order = sold()
    order.bill_to_id, order.bill_to_name = "cus_parent", "Acme Holding"
    order.billing_address.street, order.billing_address.city = "PO Box 7", "Waco"

    invoice = billed(desk, order)

    assert content_of(desk, invoice.invoice_id)["bill_to"] == [
        "Acme Holding",
        "PO Box 7",
        "Waco",
        "Customer cus_parent",
    ]


def test_an_invoice_of_before_headers_were_kept_prints_without(database: Database, desk: Desk) -> None:
    invoice = billed(desk, sold(tax_rate="0.1"))
    with database.alone() as connection:
        command.downgrade(config_of(database.migrations, connection), "0013")
    upgrade(database)

    content = content_of(desk, invoice.invoice_id)

    assert [name for name, _ in content["facts"]] == ["Invoice date", "Order", "Terms", "Due"]
    assert (content["bill_to"], content["ship_to"]) == (["Customer cus_acme"], [])
    assert sums(content)["Tax"] == "531.61"
    assert "INV-000001" in read(rendered(desk, invoice.number))[0]


@pytest.mark.parametrize(
    ("currency", "price", "expected"),
    [("JPY", "1329", ["1,329", "5,316"]), ("USD", "1329.00", ["1,329.00", "5,316.00"]), ("KWD", "1329.000", ["1,329.000", "5,316.000"])],
)  # fmt: skip
def test_amounts_have_the_decimals_of_their_currency(
    desk: Desk, currency: str, price: str, expected: list[str]
) -> None:
    order = sold({"1": (4, price)})
    factor = {"JPY": 1, "USD": 100, "KWD": 1000}[currency]
    for amount in (order.merchandise, order.total, order.lines[0].extended):
        amount.minor_units = 5_316 * factor

    invoice = billed(desk, in_currency(order, currency))

    [page] = read(rendered(desk, invoice.invoice_id))
    assert f"4 {expected[0]} {expected[1]}" in page
    assert f"Total {currency} {expected[1]}" in page


def test_what_is_paid_deducted_and_open_adds_up(desk: Desk) -> None:
    invoice = billed(desk, sold({"1": (10, "100.00")}, terms="2/10 net 30"))
    desk.pay(30_000, "BANK-1", to={invoice.invoice_id: 30_000}, received_on="2026-03-02")
    part_paid = sums(content_of(desk, invoice.invoice_id))
    desk.pay(68_000, "BANK-2", to={invoice.invoice_id: 68_000}, received_on="2026-03-02")

    settled = content_of(desk, invoice.invoice_id)

    assert (part_paid["Paid"], part_paid["Amount due USD"]) == ("−300.00", "700.00")
    assert sums(settled) == {
        "Merchandise": "1,000.00", "Tax": "0.00", "Total USD": "1,000.00", "Paid": "−980.00", "Early payment discount": "−20.00",
        "Amount due USD": "0.00",
    }  # fmt: skip
    assert settled["payment"] == ["Paid in full. Nothing is to be paid."]
    assert settled["bank"] == []


@pytest.mark.parametrize(
    ("method", "term", "said"),
    [
        ("card", "by card", "10.00 USD is charged to the card of order SO-ord_1."),
        ("cod", "cash on delivery", "Pay 10.00 USD when the goods are delivered."),
        ("prepaid", "in advance", "Pay 10.00 USD by Mar 2, 2026 to this account, naming invoice INV-000001."),
    ],
)
def test_how_to_pay_follows_from_how_the_order_is_paid(desk: Desk, method: str, term: str, said: str) -> None:
    invoice = billed(desk, sold({"1": (1, "10.00")}, payment_method=method))

    content = content_of(desk, invoice.invoice_id)

    assert dict(content["facts"])["Terms"] == term
    assert content["payment"] == [said]
    assert bool(content["bank"]) == (method == "prepaid")


def test_what_a_marketplace_took_the_money_for_asks_for_none(desk: Desk) -> None:
    order = sold({"1": (1, "83.00")}, payment_method="settled_elsewhere")
    order.channel, order.settlement.reference = "amazon", "113-4402"

    content = content_of(desk, billed(desk, order).invoice_id)

    assert (sums(content)["Paid where it was bought"], sums(content)["Amount due USD"]) == ("−83.00", "0.00")
    assert content["payment"] == ["Paid where it was bought. Nothing is to be paid."]


@pytest.mark.parametrize(
    ("rate", "tax", "said"),
    [("0.1", 1_000, "Tax 10% of 100.00"), ("0.0825", 825, "Tax 8.25% of 100.00"), ("0.1", 900, "Tax"), ("0.08333333", 833, "Tax")],
)  # fmt: skip
def test_a_tax_rate_is_said_where_it_explains_the_tax(desk: Desk, rate: str, tax: int, said: str) -> None:
    order = sold({"1": (1, "100.00")}, tax_rate=rate)
    order.tax.minor_units, order.total.minor_units = tax, 10_000 + tax

    assert said in sums(content_of(desk, billed(desk, order).invoice_id))


def test_installments_and_an_invoice_that_waits_for_its_delivery_say_their_days(desk: Desk) -> None:
    parted = billed(desk, sold({"1": (1, "100.00")}, terms="50%@30 50%@60"))
    waiting = billed(desk, sold({"1": (1, "100.00")}, order_id="ord_2", terms="delivery 10"), "shp_2")
    desk.pay(6_000, "BANK-1", to={parted.invoice_id: 6_000})

    content = content_of(desk, parted.invoice_id)

    assert content["dues"] == [["Apr 1, 2026", "50.00", "0.00"], ["May 1, 2026", "50.00", "40.00"]]
    assert content["payment"] == ["Pay 40.00 USD to this account, naming invoice INV-000001."]
    assert "Installments Due Amount USD Open USD Apr 1, 2026" in read(rendered(desk, parted.number))[0]
    assert dict(content_of(desk, waiting.invoice_id)["facts"])["Due"] == "on delivery"


def test_two_thousand_lines_fill_pages_with_heads_and_numbers(desk: Desk) -> None:
    order = sold({str(number): (1, "1.00") for number in range(1, 2_001)})
    invoice = billed(desk, order)

    pages = read(rendered(desk, invoice.invoice_id))

    assert len(pages) > 20
    assert all("SKU Description Quantity Unit price Amount USD" in page for page in pages)
    assert all(f"Page {number} of {len(pages)}" in page for number, page in enumerate(pages, 1))
    skus = re.findall(r"SKU-(\d+) ", " ".join(pages))
    assert [int(sku) for sku in skus] == list(range(1, 2_001))
    assert "Total USD 2,000.00" in pages[-1]


@pytest.mark.parametrize("count", [1, 101], ids=["here", "in a process of its own"])
def test_the_same_invoice_has_the_same_bytes_until_something_is_paid(desk: Desk, count: int) -> None:
    invoice = billed(desk, sold({str(number): (1, "1.00") for number in range(count)}))

    first, again = rendered(desk, invoice.invoice_id), rendered(desk, invoice.number.lower())
    desk.pay(50, "BANK-1")

    assert first == again != rendered(desk, invoice.invoice_id)
    assert PdfReader(io.BytesIO(first)).metadata.creation_date.date().isoformat() == "2026-03-02"  # type: ignore[union-attr]  # it has both


@pytest.mark.timeout(60)
def test_long_documents_that_come_together_are_made_or_put_off_and_ordinary_ones_go_on(desk: Desk) -> None:
    long = billed(desk, sold({str(number): (1, "1.00") for number in range(500)}))
    short = billed(desk, sold({"1": (1, "1.00")}, order_id="ord_2"), "shp_2")

    def ask(_number: int) -> str:
        try:
            return rendered(desk, long.invoice_id)[:5].decode()
        except Conflict as busy:
            return busy.reason

    answers = at_once([partial(ask, number) for number in range(8)], threads=8)

    assert set(answers) == {"%PDF-", "DOCUMENTS_BUSY"}
    assert answers.count("%PDF-") >= 4
    assert rendered(desk, short.invoice_id).startswith(b"%PDF-")


@pytest.mark.parametrize(
    "name",
    ["Łódź Çeşme Ærø Ước", "Ελλάδα Київ", "東京都 北京市 서울 カタカナ", "العربية فارسی", "עברית", "ไทย", "हिन्दी", "Հայ ქართ", "€ £ ₹ ₩ − “”"],
)  # fmt: skip
def test_names_of_many_scripts_have_their_glyphs(desk: Desk, name: str) -> None:
    order = sold()
    order.customer_name = order.ship_to.name = order.lines[0].description = name
    content = json.dumps(content_of(desk, billed(desk, order).invoice_id))

    # PDF/A takes no glyph that is missing: typst refuses to write one
    made = typst.compile(
        typesetting.TEMPLATE, root=typesetting.FOLDER, font_paths=typesetting.fonts(), sys_inputs={"content": content},
        pdf_standards="a-2u",
    )  # fmt: skip

    assert made.startswith(b"%PDF-")


def test_a_glyph_that_no_font_has_is_no_error(desk: Desk) -> None:
    order = sold()
    order.customer_name = "\U00013000 hieroglyph"

    assert "hieroglyph" in read(rendered(desk, billed(desk, order).invoice_id))[0]


@pytest.mark.parametrize(
    "hostile",
    ['#read("/etc/passwd")', "$x^2$ *bold* _it_ <label> @ref", '"] #panic() [', "\\u{41} // /* `", "{{ 7*7 }}"],
)
def test_what_people_type_is_text_and_no_source(desk: Desk, hostile: str) -> None:
    order = sold()
    order.po_number = order.customer_name = order.lines[0].description = hostile

    [page] = read(rendered(desk, billed(desk, order).invoice_id))

    assert page.replace("\u200b", "").count(" ".join(hostile.split())) >= 2


def test_a_text_without_blanks_is_broken_before_it_runs_into_its_neighbor(desk: Desk) -> None:
    order = sold()
    order.lines[0].sku, order.lines[0].description = "S" * 64, "D" * 400

    [page] = read(rendered(desk, billed(desk, order).invoice_id))

    assert "S" * 64 in page.replace(" ", "").replace("\u200b", "")
    assert "1,329.00 5,316.00" in page


def test_another_customers_invoice_is_not_found_by_id_or_number(desk: Desk) -> None:
    invoice = billed(desk, sold())

    for named in (invoice.invoice_id, invoice.number):
        assert rendered(desk, named, "cus_acme").startswith(b"%PDF-")
        with pytest.raises(NotFound, match="no such invoice"):
            rendered(desk, named, "cus_rival")
    with pytest.raises(NotFound):
        rendered(desk, "INV-000009")


def test_the_seller_is_what_the_settings_say_and_decides_the_paper(desk: Desk) -> None:
    settings = Settings(
        company_name="Kessler GmbH", company_address="Am Hafen 3|20457 Hamburg", company_country="DE", company_tax_id="DE136695976",
        company_bank="Hafenbank | DE02 1203 0000 0000 2020 51", date_order="dmy",
    )  # fmt: skip
    invoice = billed(desk, sold())

    content = content_of(desk, invoice.invoice_id, settings.seller)

    assert settings.seller.formats == Formats("UTC", "dmy", "12h")
    assert content["seller"]["lines"] == ["Am Hafen 3", "20457 Hamburg", "Tax ID DE136695976"]
    assert content["bank"] == ["Hafenbank", "DE02 1203 0000 0000 2020 51"]
    assert content["ship_to"][-1] == "United States"
    assert (content["paper"], content["facts"][0][1]) == ("a4", "2 Mar 2026")
    assert "to this account" not in invoice_content_without_bank(desk, invoice.invoice_id)


def invoice_content_without_bank(desk: Desk, invoice_id: str) -> str:
    return " ".join(content_of(desk, invoice_id, Seller())["payment"])


def test_an_ordinary_invoice_takes_little_cpu(desk: Desk) -> None:
    content = content_of(desk, billed(desk, sold({str(number): (1, "1.00") for number in range(12)})).invoice_id)
    typesetting.typeset(json.dumps(content))  # typst and its fonts are loaded once a process
    spent = []
    for attempt in range(5):
        content["footer"] += str(attempt)
        begun = time.process_time()
        typesetting.typeset(json.dumps(content))
        spent.append(time.process_time() - begun)

    assert min(spent) < 0.05, spent


def test_every_font_is_the_one_of_the_manifest_and_has_its_license() -> None:
    folder = typesetting.FOLDER / "fonts"
    manifest = json.loads((folder / "manifest.json").read_text())

    digests = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if path.name != "manifest.json"
    }
    assert digests == {name: entry["sha256"] for name, entry in manifest.items()}
    licensed = {entry["package"] for name, entry in manifest.items() if "LICENSE" in name}
    assert licensed == {entry["package"] for entry in manifest.values()}


def test_a_servicer_without_a_seller_names_a_neutral_one(database: Database) -> None:
    assert BillingServicer(database).seller.name == "Order desk"
