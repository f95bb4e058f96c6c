from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from services.kernel.errors import AlreadyExists, DomainError, InvalidArgument, NotPermitted
from services.kernel.money import Money, UnitPrice
from services.orders.domain.order import PlaceLine, PlaceOrder
from services.orders.lifecycle import place as placement
from services.orders.order.outbox import CALLER_FIRST
from services.runtime.outbox import unsent
from tests.orders.desk import BUYER, RITA, RIVAL, SUPPORT, Desk, amount, caller, usd
from tests.threads import at_once


def test_an_order_is_numbered_priced_and_told_as_received(desk: Desk) -> None:
    receipt = desk.place(("PUMP", 4), po_number="PO-1")

    aggregate = desk.read(receipt.order_id)
    # 4 x 129.00 = 516.00; 7.25 % = 37.41
    assert (receipt.number, receipt.version, receipt.status, receipt.phase) == ("SO-1001", 1, "received", "received")
    assert (receipt.totals.tax.text, receipt.totals.total.text) == ("37.41", "553.41")
    assert aggregate.order.lines[0].price_source == "list"
    assert desk.mails(receipt.order_id) == ["order_received"]
    assert [row["detail"]["number"] for row in desk.outbox("order_placed")] == ["SO-1001"]
    assert [(event.sequence, event.who, event.role, event.what) for event in desk.events(receipt.order_id)] == [
        (1, "ann", "customer", "order_placed")
    ]


def test_scenario_a9_comes_to_96_51(desk: Desk) -> None:
    receipt = desk.place(("CENT", 3), discount=amount("10.00"), by=RITA)

    assert receipt.totals.total.text == "96.51"


def test_numbers_count_on(desk: Desk) -> None:
    assert [desk.place(("PUMP", 1)).number for _ in range(3)] == ["SO-1001", "SO-1002", "SO-1003"]


def test_the_same_key_and_request_is_the_same_order(desk: Desk) -> None:
    command = desk.command(("PUMP", 4))

    first, second = desk.send(command), desk.send(command)

    assert (second.order_id, second.is_replayed, first.is_replayed) == (first.order_id, True, False)
    assert len(desk.outbox("notify")) == 1


def test_the_same_key_with_another_request_is_refused(desk: Desk) -> None:
    command = desk.command(("PUMP", 4))
    desk.send(command)

    with pytest.raises(AlreadyExists) as refusal:
        desk.send(replace(command, lines=(PlaceLine("PUMP", 5),)))

    assert (refusal.value.reason, refusal.value.http_status) == ("IDEMPOTENCY_KEY_REUSED", 422)


def test_two_callers_may_use_the_same_key(desk: Desk) -> None:
    command = desk.command(("PUMP", 4))

    assert desk.send(command).order_id != desk.send(command, RITA).order_id


def test_a_channel_reference_is_taken_once_and_a_resend_with_a_new_key_is_a_replay(desk: Desk) -> None:
    command = desk.command(("PUMP", 4), channel="edi", channel_ref="850-1")
    first = desk.send(command)

    again = desk.send(replace(command, idempotency_key="another"))
    with pytest.raises(AlreadyExists) as refusal:
        desk.send(replace(command, idempotency_key="third", lines=(PlaceLine("PUMP", 5),)))

    assert (again.order_id, again.is_replayed) == (first.order_id, True)
    assert refusal.value.reason == "DUPLICATE_CHANNEL_REF"


def placed_at_once(desk: Desk, commands: list[PlaceOrder]) -> list[str]:
    def place(command: PlaceOrder) -> str:
        with desk.database.transaction() as session:
            return placement.place(session, command, BUYER, desk.now).order_id

    return at_once([partial(place, command) for command in commands], threads=16)


@pytest.mark.on_postgres
def test_fifty_identical_requests_at_once_make_one_order(desk: Desk) -> None:
    command = desk.command(("PUMP", 1))

    order_ids = placed_at_once(desk, [command] * 50)

    assert len(set(order_ids)) == 1
    assert len(desk.outbox("order_placed")) == 1
    assert desk.broken() == []


@pytest.mark.on_postgres
def test_a_channel_that_resends_under_fifty_keys_at_once_makes_one_order(desk: Desk) -> None:
    command = desk.command(("PUMP", 1), channel="edi", channel_ref="850-1")

    order_ids = placed_at_once(desk, [replace(command, idempotency_key=f"send-{number}") for number in range(50)])

    assert len(set(order_ids)) == 1
    assert desk.broken() == []


@pytest.mark.on_postgres
def test_the_agreement_sets_the_price_and_a_given_price_stays(desk: Desk) -> None:
    desk.agree("PUMP", "119.00")

    receipt = desk.place(("PUMP", 1), ("PUMP", 1, "118.00"))

    lines = desk.read(receipt.order_id).order.lines
    assert [(line.unit_price.text, line.price_source) for line in lines] == [
        ("119.00", "agreement"),
        ("118.00", "given"),
    ]
    assert [line.reference_price for line in lines] == [usd("119.00"), usd("119.00")]


def test_prices_address_and_terms_are_those_of_the_moment_of_placing(desk: Desk) -> None:
    order_id = desk.place(("PUMP", 1)).order_id
    desk.agree("PUMP", "1.00")

    assert desk.read(order_id).order.lines[0].unit_price == usd("129.00")


@pytest.mark.parametrize("customer_id", ["cus_nobody", "cus_bolt"])
def test_a_customer_orders_for_its_own_company_only(desk: Desk, customer_id: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        desk.place(("PUMP", 1), customer_id=customer_id)

    assert refusal.value.reason == "UNKNOWN_CUSTOMER"


def test_a_sales_representative_orders_for_assigned_customers_only(desk: Desk) -> None:
    assert desk.place(("PUMP", 1), by=RITA).phase == "received"
    with pytest.raises(InvalidArgument, match="may order for"):
        desk.place(("PUMP", 1), by=RITA, customer_id="cus_bolt")


def test_a_channel_orders_for_any_customer(desk: Desk) -> None:
    edi = caller("as2", "channel", reach="own")

    assert desk.place(("PUMP", 1), by=edi, channel="edi", customer_id="cus_bolt").phase == "received"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"channel": "amazon"}, "CHANNEL_NOT_PERMITTED"),
        ({"channel": "pos"}, "CHANNEL_NOT_PERMITTED"),
        ({"discount": amount("1.00")}, "DISCOUNT_NOT_PERMITTED"),
    ],
)
def test_whatever_adapter_it_comes_by_a_customer_takes_no_discount_and_is_no_till(
    desk: Desk, changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(NotPermitted) as refusal:
        desk.place(("PUMP", 1), **changes)

    assert refusal.value.reason == reason
    assert desk.place(("PUMP", 1), by=caller("feed", "channel", reach="own"), **changes).phase == "received"


MALFORMED: tuple[tuple[dict[str, Any], str], ...] = (
    ({"channel": "pigeon"}, "CHANNEL_UNKNOWN"),
    ({"payment_method": "shells"}, "PAYMENT_METHOD_UNKNOWN"),
    ({"lines": ()}, "LINES_OUT_OF_RANGE"),
    ({"lines": (PlaceLine("PUMP", 0),)}, "QUANTITY_NOT_POSITIVE"),
    ({"currency": "EUR"}, "CURRENCY_NOT_AGREED"),
    ({"idempotency_key": ""}, "IDEMPOTENCY_KEY_MISSING"),
    ({"idempotency_key": "k" * 201}, "IDEMPOTENCY_KEY_MISSING"),
    ({"lines": (PlaceLine("PUMP", 1),) * 2001}, "LINES_OUT_OF_RANGE"),
    ({"lines": (PlaceLine("PUMP", 1, UnitPrice.parse("1.00", "EUR")),)}, "CURRENCY_MIXED"),
    ({"discount": Money(1, "EUR")}, "CURRENCY_MIXED"),
    ({"freight": Money(1, "EUR")}, "CURRENCY_MIXED"),
    ({"freight": -amount("1.00")}, "AMOUNT_NEGATIVE"),
    ({"discount": -amount("1.00")}, "AMOUNT_NEGATIVE"),
    ({"discount": amount("1000.00")}, "DISCOUNT_TOO_LARGE"),
)


def test_what_is_not_well_formed_is_refused_and_nothing_is_stored(desk: Desk) -> None:
    for changes, reason in MALFORMED:
        with pytest.raises(DomainError) as refusal:
            desk.send(replace(desk.command(("PUMP", 1)), **changes), RITA)
        assert refusal.value.reason == reason

    assert desk.outbox("order_placed") == []
    assert desk.place(("PUMP", 1)).number == "SO-1001"


def test_an_unknown_sku_is_stored_for_validation_to_reject(desk: Desk) -> None:
    line = desk.read(desk.place(("NOPE", 2)).order_id).order.lines[0]

    assert (line.is_known, line.price_source, line.extended.minor) == (False, "none", 0)


@pytest.mark.on_postgres
def test_the_relay_leaves_the_start_to_the_request_for_a_while_and_for_ever_once_started(desk: Desk) -> None:
    receipt = desk.place(("PUMP", 1))
    kinds = frozenset({"order_placed"})
    with desk.database.transaction() as session:
        before = unsent(session, desk.now, 10, kinds)
        later = unsent(session, desk.now + 2 * CALLER_FIRST, 10, kinds)
        placement.mark_started(session, receipt)
        after_start = unsent(session, desk.now + 2 * CALLER_FIRST, 10, kinds)

    assert (len(before), len(later), len(after_start)) == (0, 1, 0)


@pytest.mark.on_postgres
def test_the_first_answer_is_kept_and_repeated_whatever_happens_later(desk: Desk) -> None:
    command = desk.command(("PUMP", 1))
    order_id = desk.send(command).order_id
    with desk.database.transaction() as session:
        first = placement.keep_answer(session, order_id, {"status": "accepted"})
        second = placement.keep_answer(session, order_id, {"status": "shipped"})

    assert first == second == {"status": "accepted"}
    assert desk.send(command).first_answer == {"status": "accepted"}


@pytest.mark.on_postgres
def test_the_database_itself_refuses_what_breaks_an_invariant(desk: Desk) -> None:
    desk.place(("PUMP", 1))

    for statement in (
        "UPDATE sales_order SET total_minor = total_minor + 1",
        "UPDATE sales_order SET phase = 'lost'",
        "UPDATE sales_order SET phase = 'closed'",
        "UPDATE order_line SET quantity = 0",
    ):
        with pytest.raises(IntegrityError), desk.database.transaction() as session:
            session.execute(text(statement))


@pytest.mark.on_postgres
def test_rivals_do_not_see_each_other(desk: Desk) -> None:
    from services.kernel.errors import NotFound
    from services.orders.order import aggregate

    receipt = desk.place(("PUMP", 1))

    with desk.database.reading() as session:
        assert aggregate.page(session, receipt.number, SUPPORT.scope).aggregate.order_id == receipt.order_id
        assert aggregate.page(session, receipt.number, BUYER.scope).aggregate.order_id == receipt.order_id
        for reference in (receipt.order_id, receipt.number):
            with pytest.raises(NotFound):
                aggregate.page(session, reference, RIVAL.scope)
