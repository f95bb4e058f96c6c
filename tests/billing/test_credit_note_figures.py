"""What falls on what is credited of an invoice: figures worked by hand, and sums that hold whatever the partition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.billing.documents.content import invoice_content
from services.billing.documents.seller import Seller
from services.billing.domain.charging import Charges
from services.billing.domain.corrected_invoices import credit_note_postings
from services.billing.domain.credit_notes import (
    CreditAsked,
    Credited,
    CreditedSoFar,
    CreditFigures,
    CreditNote,
    Landing,
    LeftOver,
    credit,
    everything,
    land,
)
from services.billing.domain.invoices import EarlyDiscount, Invoice, InvoiceLine
from services.billing.domain.payments import oldest_first
from services.kernel.errors import InvalidArgument, Refused
from services.kernel.money import Money, UnitPrice
from services.kernel.tax import FREIGHT, UNTAXED_FREIGHT, TaxKind, TaxPart
from services.kernel.terms import Installment

Draw = Callable[[st.SearchStrategy[int]], int]
ON = date(2026, 3, 2)
ZERO = Money.zero("USD")


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def invoice_of(
    *lines: tuple[int, int], discount: int = 0, freight: int = 0, tax: int = 0, paid: int = 0, **members: Any
) -> Invoice:
    """An invoice; a line is (units, what they were billed in minor units)."""
    rows = tuple(
        InvoiceLine(str(number), f"SKU-{number}", "", units, UnitPrice.parse("1.00", "USD"), usd(extended))
        for number, (units, extended) in enumerate(lines, start=1)
    )
    charges = Charges(Money.total((row.extended for row in rows), "USD"), usd(discount), usd(freight), usd(tax))
    return Invoice(
        "inv_1", "INV-000001", "ord_1", "SO-1001", "cus_acme", "shp_1", ON, ON, rows, charges, usd(paid), ZERO, **members
    )  # fmt: skip


def asked(
    lines: dict[str, int] | None = None, *, freight: int = 0, allowance: int = 0, is_all: bool = False
) -> CreditAsked:
    return CreditAsked(lines or {}, usd(freight), usd(allowance), is_all, "price", "agreed")


def after(so_far: CreditedSoFar, found: CreditFigures) -> CreditedSoFar:
    quantities, extended = dict(so_far.quantities), dict(so_far.extended)
    for line in found.lines:
        quantities[line.line_id] = quantities.get(line.line_id, 0) + line.quantity
        extended[line.line_id] = extended.get(line.line_id, Money.zero(line.extended.currency)) + line.extended
    by_tax = dict(so_far.by_tax)
    for one in found.by_tax:
        by_tax[one.key] = so_far.of(one.key) + one.parts
    return CreditedSoFar(quantities, extended, so_far.parts + found.parts, by_tax)


def minors(parts: Credited) -> tuple[int, ...]:
    """Merchandise, discount, allowance, freight, tax and total."""
    of = (parts.merchandise, parts.discount, parts.allowance, parts.freight, parts.tax, parts.total)
    return tuple(one.minor for one in of)


def test_units_are_credited_with_their_share_of_the_discount_and_the_tax_and_without_freight() -> None:
    # 3 of 10 units at 10.00: 30.00, 30 % of 5.00 off, tax 8.25 % of 28.50 = 2.35125 → 2.35
    invoice = invoice_of((10, 10_000), discount=500, freight=1_500, tax=784)

    found = credit(invoice, asked({"1": 3}), CreditedSoFar.none("USD"))

    assert minors(found.parts) == (3_000, 150, 0, 0, 235, 3_085)


def test_what_was_given_on_the_price_before_is_taken_off_units_that_are_credited_later() -> None:
    # 20.00 off 100.00 leaves 80.00: half of the units then come to 50.00 less half of the 20.00
    invoice = invoice_of((10, 10_000), tax=1_000)
    first = credit(invoice, asked(allowance=2_000), CreditedSoFar.none("USD"))
    so_far = after(CreditedSoFar.none("USD"), first)

    second = credit(invoice, asked({"1": 5}), so_far)
    rest = credit(invoice, asked(is_all=True), after(so_far, second))

    assert minors(first.parts) == (0, 0, 2_000, 0, 200, 2_200)
    assert minors(second.parts) == (5_000, 0, -1_000, 0, 400, 4_400)
    assert minors(rest.parts) == (5_000, 0, -1_000, 0, 400, 4_400)
    assert (first.parts + second.parts + rest.parts).total == invoice.total


@pytest.mark.parametrize(
    ("wanted", "reason", "says"),
    [
        (asked({"1": 4}), "UNITS_CREDITED", "7 of 10 units are credited already, so 3 can be, not 4"),
        (asked({"9": 1}), "LINE_UNKNOWN", "has no line 9"),
        (asked(freight=1_001), "FREIGHT_CREDITED", "10.00 USD of freight left"),
        (asked(allowance=3_001), "ALLOWANCE_EXCEEDS_GOODS", "30.00 USD before tax left"),
        (asked({"1": 3}, allowance=1), "ALLOWANCE_EXCEEDS_GOODS", "0.00 USD before tax left"),
        (asked(), "CREDIT_OF_NOTHING", "name units, freight or an amount"),
        (CreditAsked({}, Money(1, "EUR"), ZERO, False, "price", ""), "INVOICE_CURRENCY_DIFFERS", "is in USD"),
    ],
)  # fmt: skip
def test_what_is_not_there_to_be_credited_is_refused_with_what_is(wanted: CreditAsked, reason: str, says: str) -> None:
    invoice = invoice_of((10, 10_000), freight=1_000)
    so_far = after(CreditedSoFar.none("USD"), credit(invoice, asked({"1": 7}), CreditedSoFar.none("USD")))

    with pytest.raises((Refused, InvalidArgument), match=says) as refused:
        credit(invoice, wanted, so_far)

    assert refused.value.reason == reason


def test_what_was_paid_where_it_was_bought_is_refunded_there() -> None:
    invoice = invoice_of((1, 100))
    elsewhere = replace(invoice, settled_elsewhere=usd(100))

    with pytest.raises(Refused, match="refund the buyer there"):
        credit(elsewhere, asked({"1": 1}), CreditedSoFar.none("USD"))


def test_goods_free_of_tax_are_credited_without_any_and_freight_by_what_is_left_of_it() -> None:
    """5 at 40.00 taxed 10 % and 1 at 20.00 free of tax, freight 11.00 with the goods: 231.00 and 21.00."""
    taxed, free = TaxKind.at(Decimal("0.1")), TaxKind.at(Decimal(0))
    parts = (
        TaxPart("S 0.1", taxed, usd(20_000), ZERO, usd(1_000), usd(2_100)),
        TaxPart("Z 0", free, usd(2_000), ZERO, usd(100), ZERO),
    )
    invoice = invoice_of((5, 20_000), (1, 2_000), freight=1_100, tax=2_100, parts=parts)
    lines = tuple(replace(line, tax_key=part.key) for line, part in zip(invoice.lines, parts, strict=True))
    invoice, nothing = replace(invoice, lines=lines), CreditedSoFar.none("USD")

    rice, pumps = (credit(invoice, asked({line: 1}), nothing).parts for line in ("2", "1"))
    whole = credit(invoice, asked(is_all=True), after(nothing, credit(invoice, asked({"2": 1}, freight=550), nothing)))

    assert (rice.net, rice.tax) == (usd(2_000), ZERO)
    assert (pumps.net, pumps.tax) == (usd(4_000), usd(400))
    assert (whole.parts.net, whole.parts.freight) == (usd(20_000), usd(550))
    assert [(one.key, one.parts.freight, one.parts.tax) for one in whole.by_tax] == [
        ("S 0.1", usd(500), usd(2_050)),
        ("Z 0", usd(50), ZERO),
    ]


def test_a_credit_note_takes_what_is_open_then_what_was_given_up_then_what_was_paid() -> None:
    invoice = invoice_of((1, 10_000), paid=5_000, given_up=usd(3_000))

    landed = [land(invoice, usd(total)) for total in (1_500, 4_000, 10_000)]

    assert landed == [
        Landing(usd(1_500), ZERO, ZERO, ZERO),
        Landing(usd(2_000), usd(2_000), ZERO, ZERO),
        Landing(usd(2_000), usd(3_000), ZERO, usd(5_000)),
    ]


def test_cash_is_left_only_of_what_was_paid_and_not_of_the_discount_for_paying_early() -> None:
    early = EarlyDiscount(usd(200), ON)
    invoice = invoice_of((1, 10_000), paid=9_800, early=early, discount_taken=usd(200))

    assert land(invoice, usd(5_000)) == Landing(ZERO, ZERO, usd(100), usd(4_900))
    assert land(invoice, usd(10_000)) == Landing(ZERO, ZERO, usd(200), usd(9_800))


def test_a_credited_half_halves_the_discount_that_is_offered_for_paying_early() -> None:
    invoice = invoice_of((1, 10_000), early=EarlyDiscount(usd(200), ON), credited_total=usd(5_000))

    [pays] = oldest_first(usd(10_000), [invoice], ON)

    assert invoice.offer == EarlyDiscount(usd(100), ON)
    assert (pays.amount, pays.discount) == (usd(4_900), usd(100))


def test_what_is_credited_counts_towards_the_installment_that_is_due_first() -> None:
    parts = (Installment(date(2026, 4, 1), usd(5_000)), Installment(date(2026, 5, 1), usd(5_000)))
    invoice = invoice_of((1, 10_000), installments=parts, credited_total=usd(6_000)).dated()

    assert [left.minor for _, left in invoice.open_installments()] == [0, 4_000]
    assert invoice.due_on == date(2026, 5, 1)


@pytest.mark.parametrize(
    ("members", "status"),
    [
        ({}, "open"),
        ({"credited_total": usd(40)}, "open"),
        ({"credited_total": usd(100)}, "credited"),
        ({"credited_total": usd(40), "paid": 60}, "paid"),
        ({"credited_total": usd(40), "paid": 10}, "part_paid"),
        ({"given_up": usd(100)}, "written_off"),
        ({"given_up": usd(50), "paid": 50}, "written_off"),
        ({"given_up": usd(10)}, "open"),
    ],
)
def test_the_status_says_how_nothing_came_to_be_open(members: dict[str, Any], status: str) -> None:
    assert invoice_of((1, 100), **members).status == status


@st.composite
def invoices(draw: st.DrawFn) -> Invoice:
    """An invoice with one to three tax rates, whose freight is taxed as the goods are, or not at all."""
    cents = st.one_of(st.integers(0, 8), st.integers(0, 5_000))  # where a rounding is a whole part of the amount, too
    lines = draw(st.lists(st.tuples(st.integers(1, 7), cents), min_size=1, max_size=4))
    keys = [draw(st.sampled_from(("S 0.19", "S 0.07", "Z 0"))) for _ in lines]
    parts = [
        _part(draw, key, [worth for (_, worth), own in zip(lines, keys, strict=True) if own == key])
        for key in dict.fromkeys(keys)
    ]
    if draw(st.booleans()):
        parts.append(TaxPart(FREIGHT, UNTAXED_FREIGHT, ZERO, ZERO, usd(draw(st.integers(1, 999))), ZERO))
    discount, freight, tax = (
        sum(getattr(part, name).minor for part in parts) for name in ("discount", "freight", "tax")
    )
    invoice = invoice_of(*lines, discount=discount, freight=freight, tax=tax, parts=tuple(parts))
    taxed = tuple(replace(line, tax_key=key) for line, key in zip(invoice.lines, keys, strict=True))
    return replace(invoice, lines=taxed)


def _part(draw: st.DrawFn, key: str, worth: list[int]) -> TaxPart:
    code, rate = key.split()
    merchandise, kind = sum(worth), TaxKind(code, Decimal(rate))
    discount, freight = draw(st.integers(0, merchandise)), draw(st.integers(0, 300))
    most = (merchandise - discount + freight) // 3 if kind.rate else 0
    return TaxPart(key, kind, usd(merchandise), usd(discount), usd(freight), usd(draw(st.integers(0, most))))


def _next(draw: Draw, invoice: Invoice, so_far: CreditedSoFar) -> CreditAsked:
    """Anything that is still there to be credited."""
    units, freight = everything(invoice, so_far)
    lines = {line_id: draw(st.integers(0, most)) for line_id, most in units.items()}
    wanted = {line_id: some for line_id, some in lines.items() if some}
    part = draw(st.integers(0, freight.minor))
    try:
        goods = credit(invoice, asked(wanted, freight=part), so_far).parts.net
    except InvalidArgument:
        goods = ZERO
    left = invoice.charges.net - so_far.parts.net - goods
    return asked(wanted, freight=part, allowance=draw(st.one_of(st.just(left.minor), st.integers(0, left.minor))))


@given(st.data(), invoices())
@settings(max_examples=400, deadline=None)
def test_whatever_the_partition_the_credit_notes_of_an_invoice_sum_to_it(data: st.DataObject, invoice: Invoice) -> None:
    so_far = CreditedSoFar.none("USD")
    for _ in range(data.draw(st.integers(0, 5))):
        wanted = _next(data.draw, invoice, so_far)
        try:
            found = credit(invoice, wanted, so_far)
        except InvalidArgument:  # of nothing
            continue
        so_far = after(so_far, found)
        _check_within(invoice, so_far, found)
    try:
        so_far = after(so_far, credit(invoice, asked(is_all=True), so_far))
    except InvalidArgument:
        assert so_far.parts.total == invoice.total  # there was nothing left

    charges = invoice.charges
    assert (so_far.parts.net, so_far.parts.freight, so_far.parts.tax) == (charges.net, charges.freight, charges.tax)
    assert so_far.parts.total == invoice.total
    if not everything(invoice, so_far)[0]:
        assert (so_far.parts.merchandise, so_far.parts.discount) == (charges.merchandise, charges.discount)
        assert so_far.parts.allowance == ZERO


def _check_within(invoice: Invoice, so_far: CreditedSoFar, found: CreditFigures) -> None:
    parts, charges = so_far.parts, invoice.charges
    assert found.parts.net.minor >= 0
    assert ZERO <= parts.net <= charges.net
    assert parts.merchandise <= charges.merchandise
    assert parts.discount <= charges.discount
    assert parts.freight <= charges.freight
    assert parts.tax <= charges.tax
    assert all(line.extended.minor >= 0 for line in found.lines)


@given(st.data(), invoices(), st.integers(0, 10_000), st.booleans())
@settings(max_examples=200, deadline=None)
def test_all_of_a_credit_note_goes_somewhere_and_its_entries_say_where(
    data: st.DataObject, invoice: Invoice, early: int, is_discounted: bool
) -> None:
    if invoice.total.minor < 2:
        return
    offer = min(early, invoice.total.minor - 1)
    paid = invoice.total.minor - offer if is_discounted else data.draw(st.integers(0, invoice.total.minor))
    given_up = 0 if is_discounted else data.draw(st.integers(0, invoice.total.minor - paid))
    standing = replace(
        invoice,
        paid=usd(paid),
        early=EarlyDiscount(usd(offer), ON),
        discount_taken=usd(offer) if is_discounted else None,
        given_up=usd(given_up),
    )
    found = credit(standing, asked(is_all=True), CreditedSoFar.none("USD"))

    landing = land(standing, found.parts.total)

    landed = [landing.open, landing.recovered, landing.discount, landing.cash]
    assert all(one.minor >= 0 for one in landed)
    assert Money.total(landed, "USD") == found.parts.total
    assert (landing.open, landing.recovered, landing.cash) == (standing.open, standing.written_off, standing.paid)
    note = CreditNote(
        "cn_1", "CN-1001", "inv_1", "INV-1", "ord_1", "SO-1", "cus", ON, datetime(2026, 3, 2, tzinfo=UTC), "price", "",
        found.lines, found.parts, landing, (LeftOver("pay_1", landing.cash),),
    )  # fmt: skip
    sides = {"debit": 0, "credit": 0}
    for posting in credit_note_postings(note):
        side = "credit" if posting.credit == "accounts_receivable" else "debit"
        sides[side] += posting.amount.minor
    assert sides["credit"] - sides["debit"] == landing.open.minor


@pytest.mark.parametrize(
    ("members", "row", "sentence"),
    [
        ({"credited_total": usd(4_000)}, ("Credited", "\u221240.00"), "Pay 60.00 USD by Mar 2, 2026, naming invoice"),
        ({"credited_total": usd(10_000)}, ("Credited", "\u2212100.00"), "Credited in full. Nothing is to be paid."),
        ({"credited_total": usd(4_000), "paid": 6_000}, ("Credited", "\u221240.00"), "Paid in full. Nothing is to be"),
        ({"given_up": usd(10_000)}, ("Written off", "\u2212100.00"), "Nothing is to be paid."),
    ],
)
def test_the_paper_of_an_invoice_adds_up_to_what_is_due_with_what_is_credited(
    members: dict[str, Any], row: tuple[str, str], sentence: str
) -> None:
    content = invoice_content(invoice_of((1, 10_000), **members), Seller())

    assert row in [(one["name"], one["amount"]) for one in content["sums"]]
    assert content["payment"][0].startswith(sentence)
