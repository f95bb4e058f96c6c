"""Orders and changes that an external engine taxes: what is kept of its answers, and what becomes of an order without one."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import text

from services.kernel.errors import Refused
from services.kernel.money import Money, tax_on
from services.kernel.tax import UNTAXED, TaxKind
from services.orders.changes import determine_tax
from services.orders.domain.order import Settlement
from services.orders.domain.tax_engine import EngineTax, OwnRates, kind_at
from services.orders.lifecycle import place as placement
from services.orders.lifecycle.tax_asker import TaxAsker
from tests.orders.cancel_desk import cancelled
from tests.orders.change_desk import apply, asked, notified, reviews, with_matrix
from tests.orders.desk import ACCOUNTING, BUYER, CONTACTS, RITA, SUPPORT, Desk
from tests.orders.desk import amount as usd
from tests.orders.tax_desk import CHICAGO, Engine, ask, placed, propose, send, settle, waiting
from tests.plans import counted


@pytest.fixture
def engine() -> Engine:
    return Engine()


def test_an_order_keeps_the_engines_tax_by_line_and_the_day_it_was_asked_for(desk: Desk, engine: Engine) -> None:
    """3 at 33.33 are 99.99, of which 8.25 % are 8.25; 1 at 129.00 has 10.64; our own rate of the customer is 7.25 %."""
    order = placed(desk, engine, ("CENT", 3), ("PUMP", 1))

    kept = desk.read(order.order_id).order
    assert [part.tax.text for part in kept.totals.parts] == ["8.25", "10.64"]
    assert [line.tax for line in kept.lines] == [TaxKind.at(Decimal("0.0825"))] * 2
    assert (kept.taxation.source, kept.taxation.tax_on) == ("engine", desk.now.date())
    assert kept.totals.total == usd("247.88")
    assert desk.validate(order.order_id).outcome == 1  # cleared
    assert desk.broken() == []


def test_a_discount_is_shared_out_before_the_engine_is_asked(desk: Desk, engine: Engine) -> None:
    command = desk.command(("PUMP", 1), ("PUMP", 3), discount=usd("51.60"), freight=usd("10.00"))
    quote = placement.quote_order(desk.database, engine, command, RITA, desk.now)
    with desk.database.transaction() as session:
        order = placement.place(session, command, SUPPORT, desk.now, quote=quote).order

    [query] = engine.asked
    assert [line.net.text for line in query.lines] == ["116.10", "348.30"]
    assert query.freight == usd("10.00")
    assert [part.net.text for part in order.totals.parts] == ["116.10", "348.30", "10.00"]
    assert order.totals.tax == usd("9.58") + usd("28.73") + usd("0.83")


def test_what_a_channel_taxes_and_what_is_sent_again_asks_nobody(desk: Desk, engine: Engine) -> None:
    command = desk.command(
        ("PUMP", 1, "129.00"), channel="amazon", channel_ref="113", payment_method="settled_elsewhere",
        settlement=Settlement("113", usd("10.00")),
    )  # fmt: skip
    marketplace = send(desk, engine, command).order
    web = desk.command(("PUMP", 1))
    first = send(desk, engine, web)
    again = send(desk, engine, web)

    assert (marketplace.totals.tax, marketplace.taxation.source) == (usd("10.00"), "")
    assert (again.is_replayed, again.order.totals) == (True, first.order.totals)
    assert len(engine.asked) == 1


def test_what_changed_while_the_engine_was_asked_is_asked_again(desk: Desk, engine: Engine) -> None:
    command = desk.command(("PUMP", 1))
    quote = placement.quote_order(desk.database, engine, command, BUYER, desk.now)
    desk.agree("PUMP", "99.00")

    with desk.database.transaction() as session:
        order = placement.place(session, command, BUYER, desk.now, quote=quote).order

    assert order.taxation.is_pending
    assert order.totals.tax == usd("0.00")


def test_an_order_without_its_tax_is_held_for_that_alone_and_nobody_lets_it_go(desk: Desk, engine: Engine) -> None:
    with_matrix(desk)
    order_id = waiting(desk, engine, ("PUMP", 9))

    found = desk.read(order_id)
    [hold] = found.holds
    assert (hold.code, hold.hold_type, hold.owner_role) == ("TAX_UNDETERMINED", "tax", "accounting")
    assert found.order.phase == "in_review"
    assert reviews(desk, order_id) == ()
    assert desk.mails(order_id) == ["order_received"]
    [mail] = desk.outbox("notify", order_id)
    assert mail["detail"]["variables"]["total"] == ""
    with pytest.raises(Refused, match="nobody knows the tax") as refused:
        desk.release(order_id, hold.hold_id, ACCOUNTING)
    assert refused.value.reason == "TAX_UNDETERMINED"
    assert desk.broken() == []


@pytest.mark.on_postgres
def test_an_engine_that_is_back_makes_the_next_version_and_the_rules_are_asked_then(desk: Desk, engine: Engine) -> None:
    """8 at 129.00 are 1,032.00, and 1,117.14 with 85.14 tax; asked while away, the engine is asked again later and later."""
    with_matrix(desk)
    order_id = waiting(desk, engine, ("PUMP", 8))
    before = ask(desk, engine)
    engine.problem = ""

    count = ask(desk, engine)
    order = settle(desk, order_id)

    assert (before, count) == (0, 1)
    assert (order.version, order.totals.total, order.taxation.source) == (2, usd("1117.14"), "engine")
    assert [step.role for review in reviews(desk, order_id) for step in review.steps] == ["approver"]
    [hold] = desk.read(order_id).holds
    assert (hold.released_by, hold.note) == ("validation", "version 2 has removed its cause")
    assert "tax_determined" in notified(desk, order_id)
    assert "order_changed" in desk.mails(order_id)
    assert desk.broken() == []


def test_an_order_that_nothing_else_keeps_goes_on_by_itself(desk: Desk, engine: Engine) -> None:
    order_id = waiting(desk, engine, ("PUMP", 1))
    engine.problem = ""

    ask(desk, engine)
    order = settle(desk, order_id)

    assert order.phase == "accepted"
    [change] = desk.outbox("people_decided", order_id)
    assert change["detail"]["who"] == "tax engine"


def test_credit_that_the_tax_exceeds_holds_the_order(desk: Desk, engine: Engine) -> None:
    order_id = waiting(desk, engine, ("PUMP", 1))
    engine.problem = ""

    ask(desk, engine)
    settle(desk, order_id, is_granted=False)

    assert [hold.code for hold in desk.read(order_id).holds if hold.is_open] == ["CREDIT_EXCEEDED"]


def test_what_the_rules_reject_once_the_tax_is_known_is_rejected(desk: Desk, engine: Engine) -> None:
    rule = {"code": "TOO_LARGE", "severity": "BLOCK", "when": "order.total_minor > 13000", "message": "Too large."}
    with_matrix(desk, rules=[rule])
    order_id = waiting(desk, engine, ("PUMP", 1))
    engine.problem = ""

    ask(desk, engine)
    order = settle(desk, order_id)

    assert order.phase == "rejected"
    assert "order_rejected" in desk.mails(order_id)
    assert desk.broken() == []


def test_what_the_rules_reject_anyway_waits_for_no_tax(desk: Desk, engine: Engine) -> None:
    engine.problem = "cannot be reached"
    order = placed(desk, engine, ("NO-SUCH", 1))

    desk.validate(order.order_id)

    assert desk.read(order.order_id).order.phase == "rejected"


def test_an_order_that_the_engine_refuses_says_what_to_do_and_is_asked_about_once_it_changes(
    desk: Desk, engine: Engine
) -> None:
    engine.is_refused = True
    order_id = waiting(desk, engine, ("PUMP", 1), problem="postal code 00000 cannot be found")
    asker = TaxAsker(desk.database, engine, CONTACTS, lambda: desk.now)
    asked_before = len(engine.asked)

    asker.ask_due()
    asker.ask_due()
    [hold] = desk.read(order_id).holds
    asked_while_refused = len(engine.asked) - asked_before
    moved = propose(desk, engine, order_id, asked(ship_to=CHICAGO)).change
    assert apply(desk, order_id, moved.change_id).is_applied
    held = desk.read(order_id)
    engine.problem = ""
    asker.ask_due()
    order = settle(desk, order_id, key="2")

    assert hold.reason == (
        "The tax engine refuses the address (postal code 00000 cannot be found): "
        "correct it by a change of the order, or cancel the order."
    )
    assert asked_while_refused == 1
    assert [one.is_open for one in held.holds] == [True]
    assert held.order.taxation.is_pending
    assert (order.phase, order.totals.tax) == ("accepted", usd("13.22"))  # 129.00 at 10.25 %
    assert desk.mails(order_id).count("order_on_hold") == 1
    assert desk.broken() == []


def test_an_outage_that_lasts_is_an_exception_of_accounting(desk: Desk, engine: Engine) -> None:
    order_id = waiting(desk, engine, ("PUMP", 1))
    ask(desk, engine)
    soon = notified(desk, order_id).count("exception_opened")
    desk.now += determine_tax.LONG

    ask(desk, engine)
    ask(desk, engine)
    late = notified(desk, order_id).count("exception_opened")
    engine.problem = ""
    ask(desk, engine)
    settle(desk, order_id)

    assert (soon, late) == (0, 1)
    assert notified(desk, order_id).count("exception_resolved") == 1


def test_without_an_engine_what_waited_for_one_is_taxed_at_our_own_rates(desk: Desk, engine: Engine) -> None:
    order_id = waiting(desk, engine, ("PUMP", 1))

    ask(desk, OwnRates())
    order = settle(desk, order_id)

    assert (order.totals.tax, order.taxation.source, order.phase) == (usd("9.35"), "", "accepted")  # 129.00 at 7.25 %


@pytest.mark.on_postgres
def test_an_accepted_order_without_its_tax_is_named_by_the_audit(desk: Desk, engine: Engine) -> None:
    order_id = waiting(desk, engine, ("PUMP", 1))
    before = desk.broken()

    with desk.database.transaction() as session:
        session.execute(text("UPDATE sales_order SET phase = 'accepted', cleared_at = placed_at"))
        session.execute(text("UPDATE hold SET released_at = placed_at, released_by = 'x'"))

    assert before == []
    assert "orders.accepted_orders_have_their_tax" in desk.broken()
    assert desk.read(order_id).order.taxation.is_pending


def test_an_order_that_has_ended_or_is_changed_meanwhile_gets_no_tax(desk: Desk, engine: Engine) -> None:
    order_id = waiting(desk, engine, ("PUMP", 1))
    with desk.database.reading() as session:
        query = determine_tax.asks(session, order_id, desk.now)
    assert query is not None
    engine.problem = ""
    stale = engine.quote(replace(query, place=CHICAGO))

    with desk.database.transaction() as session:
        outcome = determine_tax.settle(session, order_id, stale, CONTACTS, desk.now)
    desk.record(order_id, "cancelled")

    assert outcome == ""
    assert ask(desk, engine) == 0
    assert desk.read(order_id).order.taxation.is_pending


def test_what_the_engine_refuses_is_not_even_read_until_it_changes(desk: Desk, engine: Engine) -> None:
    """A wrong setting has every order refused: looking at them all, every two seconds, would keep the database busy."""
    engine.is_refused = True
    waiting(desk, engine, ("PUMP", 1), problem="the category has no code")
    asker = TaxAsker(desk.database, engine, CONTACTS, lambda: desk.now)
    asker.ask_due()

    with counted(desk.database) as sent:
        asker.ask_due()

    assert len(sent) == 1


def test_a_mail_about_an_order_without_its_tax_says_that_its_totals_have_none(desk: Desk, engine: Engine) -> None:
    order_id = waiting(desk, engine, ("PUMP", 1), ("CENT", 3))
    moved = propose(desk, engine, order_id, asked(ship_to=CHICAGO)).change
    apply(desk, order_id, moved.change_id)
    cancelled(desk, order_id, {"2": 3})

    mails = {
        mail["detail"]["mail"]: (mail["detail"]["variables"]["total_after"], mail["detail"]["variables"]["currency"])
        for mail in desk.outbox("notify", order_id)
        if "total_after" in mail["detail"]["variables"]
    }
    assert mails == {
        "order_changed": ("228.99", "USD without tax"),
        "units_cancelled": ("129.00", "USD without tax"),
    }


def test_an_order_that_has_had_all_the_changes_that_people_may_make_still_gets_its_tax(
    desk: Desk, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = waiting(desk, engine, ("PUMP", 1))
    moved = propose(desk, engine, order_id, asked(ship_to=CHICAGO)).change
    apply(desk, order_id, moved.change_id)
    monkeypatch.setattr(determine_tax, "MAX_CHANGES", 1)
    engine.problem = ""

    assert ask(desk, engine) == 1


@given(net=some.integers(1, 10**9), share=some.fractions(0, 1), rate=some.decimals(0, 1, places=4))
def test_the_engines_cents_come_out_at_the_rate_that_is_kept(net: int, share: object, rate: Decimal) -> None:
    tax = int(net * share)  # type: ignore[operator]  # a Fraction

    kind = kind_at(Money(net, "USD"), EngineTax(Money(tax, "USD"), rate), UNTAXED)

    assert tax_on(Money(net, "USD"), kind.rate).minor == tax


def test_what_is_not_taxed_is_told_as_our_own_rules_tell_it() -> None:
    exempt = TaxKind("E", Decimal(0), "Exempt under certificate TX-88")
    nothing = EngineTax(Money.zero("USD"), Decimal(0))

    assert kind_at(usd("10.00"), nothing, exempt) == exempt
    assert kind_at(usd("10.00"), nothing, TaxKind.at(Decimal("0.0825"))) == UNTAXED
