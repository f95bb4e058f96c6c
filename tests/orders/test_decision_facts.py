"""The figures behind a decision: availability by line, the credit check, prices of today against those captured."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from services.kernel.money import Money, UnitPrice
from services.orders.domain.availability import Inbound, SkuStock, availability
from services.orders.domain.credit_check import CreditCheck, open_amount
from services.orders.domain.holds import subjects
from services.orders.domain.masterdata import PriceAgreement, Product
from services.orders.domain.order import Line
from services.orders.domain.projection import LineProgress, Progress, quantities
from services.orders.masterdata import catalog, prices
from services.orders.overview.decision_facts import DecisionFacts, facts_of, subjects_of
from tests.orders.change_desk import asked, propose, quantity
from tests.orders.desk import ACCOUNTING, RITA, Desk, stock, usd
from tests.orders.review_desk import ReviewDesk
from tests.orders.test_changed_facts import _credit_hold, _customer, _happens, _pump


@pytest.fixture
def desk(database: Any) -> ReviewDesk:
    return ReviewDesk(database)


def money(minor: int) -> Money:
    return Money(minor, "USD")


def line(line_id: str, sku: str, units: int, kind: str = "stock") -> Line:
    price = usd("10.00")
    return Line(line_id, sku, sku, kind, units, price, money(units * 1000), price, "list")


WIDGETS = SkuStock(42, 12, 30, (Inbound(date(2026, 12, 8), 40, "PO-4711"),), 40)


@pytest.mark.parametrize(
    ("lines", "progress", "found"),
    [
        # line id → (to ship, held, short, units that others wait for)
        ([line("1", "W", 10)], {}, {"1": (10, 0, 0, 30)}),
        ([line("1", "W", 20)], {}, {"1": (20, 0, 8, 30)}),
        # the second line gets what the first leaves: 12 - 8 = 4
        ([line("1", "W", 8), line("2", "W", 8)], {}, {"1": (8, 0, 0, 30), "2": (8, 0, 4, 30)}),
        # 5 shipped, 9 allocated of which 4 still here, 6 of its own among the 30 that wait: 20 - 5 - 4 - 12 < 0
        ([line("1", "W", 20)], {"1": LineProgress(allocated=9, shipped=5, backordered=6)}, {"1": (15, 4, 0, 24)}),
        ([line("1", "NONE", 3)], {}, {"1": (3, 0, 3, 0)}),
        ([line("1", "VISIT", 3, "service")], {}, {}),
    ],
)  # fmt: skip
def test_a_line_is_short_of_what_neither_its_allocation_nor_free_stock_covers(
    desk: Desk, lines: list[Line], progress: dict[str, LineProgress], found: dict[str, tuple[int, ...]]
) -> None:
    order = replace(desk.read(desk.accepted(("PUMP", 1))).order, lines=tuple(lines))
    reached = quantities(order, Progress(lines=progress)) if progress else {}

    shown = availability(lines, reached, {"W": WIDGETS})

    assert {one.line_id: (one.to_ship, one.held, one.short, one.waiting) for one in shown} == found


def check(**minor: int) -> CreditCheck:
    figures = {
        "limit": 10_000,
        "committed": 3_000,
        "receivable": 4_000,
        "overdue": 500,
        "counted": 0,
        "order_open": 5_000,
    }
    return CreditCheck(**{name: money(value) for name, value in {**figures, **minor}.items()}, overdue_since=None)


@pytest.mark.parametrize(
    ("made", "available", "after", "available_after", "share"),
    [
        # not counted yet: 7,000 + 5,000 against 10,000; 5,000 of 12,000 is 41.7 %
        (check(), 3_000, 12_000, -2_000, "41.7"),
        # counted already: nothing is added twice; 3,000 of 7,000
        (check(counted=3_000, order_open=3_000), 3_000, 7_000, 3_000, "42.9"),
        # a change from 3,000 to 4,500
        (check(counted=3_000, order_open=4_500), 3_000, 8_500, 1_500, "52.9"),
        # cash on account covers all: there is no exposure to have a share of
        (check(committed=0, receivable=-6_000), 16_000, -1_000, 11_000, None),
    ],
)
def test_an_order_counts_once_in_the_exposure_afterwards(
    made: CreditCheck, available: int, after: int, available_after: int, share: str | None
) -> None:
    assert made.available == money(available)
    assert (made.exposure_after, made.available_after) == (money(after), money(available_after))
    assert made.share_percent == (Decimal(share) if share else None)


@pytest.mark.parametrize(("invoiced", "left"), [(0, 900), (400, 500), (1_000, 0)])
def test_what_is_invoiced_of_an_order_is_open_no_more(invoiced: int, left: int) -> None:
    assert open_amount(money(900), money(invoiced)) == money(left)


def read(desk: Desk, order_id: str, change_id: str = "") -> DecisionFacts:
    with desk.database.reading() as session:
        return facts_of(session, desk.read(order_id).order, desk.now, change_id)


def _agree(desk: Desk, price: str) -> None:
    agreement = PriceAgreement("cus_acme", "PUMP", usd(price), date(2026, 11, 1))
    with desk.database.transaction() as session:
        prices.put_agreement(session, agreement, "root", desk.now)


@pytest.mark.parametrize(
    ("captured_agreement", "today", "sentence"),
    [
        ("118.00", "121.00", "Captured price 118.00 stands; today's agreement says 121.00 (PUMP)"),
        ("", "121.00", "Captured price 129.00 stands; today's agreement says 121.00 (PUMP)"),
        ("118.00", "", ""),
    ],
)
def test_the_captured_price_stands_and_the_sentence_says_what_applies_today(
    desk: ReviewDesk, captured_agreement: str, today: str, sentence: str
) -> None:
    if captured_agreement:
        desk.agree("PUMP", captured_agreement)
    order_id, _hold = _credit_hold(desk)
    if today:
        _agree(desk, today)

    assert [one.sentence for one in read(desk, order_id).changed_prices] == ([sentence] if sentence else [])


@pytest.mark.parametrize(
    ("product", "sentence"),
    [
        (
            Product("PUMP", "Pump", list_price=usd("131.50")),
            "Captured price 129.00 stands; today's list price says 131.50 (PUMP)",
        ),
        (Product("PUMP", "Pump"), "Captured price 129.00 stands; no price applies today (PUMP)"),
        (
            Product("PUMP", "Pump", list_price=UnitPrice.parse("99.00", "EUR")),
            "Captured price 129.00 stands; no price applies today (PUMP)",
        ),
    ],
    ids=["another list price", "none", "one in another currency"],
)
def test_a_list_price_of_today_is_named_as_what_it_is(desk: ReviewDesk, product: Product, sentence: str) -> None:
    order_id, _hold = _credit_hold(desk)
    with desk.database.transaction() as session:
        catalog.put_product(session, product, "root", desk.now)

    assert [one.sentence for one in read(desk, order_id).changed_prices] == [sentence]


def test_prices_say_deviation_and_margin_of_each_line(desk: ReviewDesk) -> None:
    order_id = desk.place(("PUMP", 8, "100.00")).order_id
    desk.validate(order_id)

    [pump] = read(desk, order_id).prices

    # 100 against 129 is -22.5 %; cost 80 leaves 20 % of 100
    assert (pump.price, pump.listed, pump.agreed) == (usd("100.00"), usd("129.00"), None)
    assert (pump.deviation_percent, pump.margin_percent) == (Decimal("-22.5"), Decimal("20.0"))


def test_what_rules_said_when_facts_had_changed_is_kept_for_who_decides_next(desk: ReviewDesk) -> None:
    order_id, credit = _credit_hold(desk)
    before = read(desk, order_id).changed
    _happens(desk, _pump(is_sellable=False))
    _happens(desk, _customer())
    desk.release(order_id, credit, ACCOUNTING)

    assert (before, "not sold" in read(desk, order_id).changed) == ("", True)


def test_a_change_is_shown_as_it_makes_the_order_and_with_what_the_order_holds_already(desk: ReviewDesk) -> None:
    order_id = desk.accepted(("PUMP", 4))
    desk.notify(desk.fact(order_id, "inventory", "stock_reserved", 1, stock({"1": (4, 0)})))
    change = propose(desk, order_id, asked(quantity("1", 40)), RITA).change

    found = read(desk, order_id, change.change_id)
    [shown] = availability(found.order.lines, found.reached, {"PUMP": SkuStock(30, 26)})

    # 40 to ship, 4 allocated, 26 free: 10 are short
    assert (shown.to_ship, shown.held, shown.short) == (40, 4, 10)


def test_earlier_orders_under_the_same_po_number_are_named(desk: ReviewDesk) -> None:
    first = desk.place(("PUMP", 1), po_number="PO-7")
    second = desk.place(("PUMP", 1), po_number="po-7")

    assert read(desk, second.order_id).same_po == (first.number,)


EVERYTHING = frozenset({"credit", "prices", "availability", "duplicates", "ship_to"})


@pytest.mark.parametrize(
    ("hold_type", "when", "about"),
    [
        ("credit", "!credit.is_granted", {"credit"}),
        ("payment", "!credit.is_granted && order.payment_method != 'terms'", {"credit"}),
        ("price", "line.price_deviation_bp > 200", {"prices"}),
        ("margin", "order.has_cost && order.margin_bp < 500", {"prices"}),
        ("approval", "order.total > 25000.0", {"prices"}),
        ("duplicate", "duplicates.po_count > 0", {"duplicates"}),
        ("ship_to", "!order.is_ship_to_allowed", {"ship_to"}),
        ("availability", "order.unit_count > 50", {"availability"}),
        ("large", "line.quantity > 10 * line.usual_quantity", {"availability"}),
        ("facts_changed", "credit.headroom_minor < order.total_minor", {"credit", "prices"}),
        ("review_expired", "", EVERYTHING),
    ],
)
def test_a_hold_is_about_what_its_type_and_its_rule_say(hold_type: str, when: str, about: set[str]) -> None:
    assert subjects(hold_type, when) == about


def test_the_second_hold_of_a_rule_is_about_the_same(desk: ReviewDesk) -> None:
    order_id, _hold = _credit_hold(desk)
    [hold] = desk.read(order_id).holds
    with desk.database.reading() as session:
        found = [
            subjects_of(session, replace(hold, code=code, hold_type="custom")) for code in (hold.code, f"{hold.code}_2")
        ]

    assert found == [{"credit"}, {"credit"}]
