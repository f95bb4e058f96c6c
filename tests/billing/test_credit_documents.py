"""A credit note as a PDF, read back as its reader sees it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from services.billing.documents import rendering
from services.billing.documents.credit_content import CreditPaper, credit_content
from services.kernel.money import Money
from tests.billing.test_einvoices import CASES, NORDPUMPE, S19, part
from tests.billing.test_invoice_documents import read


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


INVOICE = CASES["one rate"]
NOTE = CreditPaper(
    "CN-1001", date(2026, 3, 9), INVOICE.number, INVOICE.invoiced_on, INVOICE.order_number, INVOICE.customer_id, INVOICE.header,
    "two arrived damaged", INVOICE.lines, eur(100_00), eur(5_00), eur(0), eur(2_50), eur(18_53), (part(S19, 100_00, 5_00, 2_50),),
    ("97.50 EUR goes off what is open of it.",),
)  # fmt: skip


def test_a_credit_note_names_the_invoice_that_it_corrects_and_what_it_credits() -> None:
    [page] = read(rendering.pdf(credit_content(NOTE, NORDPUMPE)))

    # 100.00 - 5.00 + 2.50 + 18.53 = 116.03
    for said in (
        "Credit note CN-1001", "Of invoice INV-000001", "Invoice date Mar 2, 2026", "Date Mar 9, 2026", "Your PO PO-7781",
        "SKU-1 line 1 1 100.00 100.00", "Merchandise 100.00", "Discount −5.00", "Freight 2.50", "Tax 19% of 97.50 18.53", "Total credited EUR 116.03",
        "Reason: two arrived damaged", "This note corrects invoice INV-000001.", "97.50 EUR goes off what is open of it.",
    ):  # fmt: skip
        assert said in page, (said, page)
    assert "Scan to pay" not in page
    assert "Amount due" not in page


def test_a_credit_note_of_an_allowance_alone_has_no_line_and_says_its_tax() -> None:
    zero = eur(0)
    note = replace(NOTE, lines=(), merchandise=zero, discount=zero, freight=zero, allowance=eur(10_00), tax=eur(1_90), parts=())  # fmt: skip

    [page] = read(rendering.pdf(credit_content(note, NORDPUMPE)))

    assert "Allowance on the price 10.00 Tax 1.90 Total credited EUR 11.90" in page
    assert "Merchandise" not in page
    assert "SKU Description" not in page
