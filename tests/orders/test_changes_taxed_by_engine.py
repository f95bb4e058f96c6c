"""Changes of orders that an external engine taxes: what is asked about, and what is said while nobody answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from services.kernel.errors import Refused
from services.kernel.tax import TaxKind
from services.orders.changes import amending
from services.orders.changes import propose as proposals
from services.orders.domain.changes import AGREED, ChangeRequest, LineChange
from services.orders.domain.tax_engine import OwnRates
from services.orders.domain.taxation import TaxExemption
from services.orders.masterdata import customers
from tests.orders.cancel_desk import cancelled
from tests.orders.change_desk import apply, asked
from tests.orders.desk import ACME, RITA, Desk
from tests.orders.desk import amount as usd
from tests.orders.tax_desk import CHICAGO, Engine, ask, placed, propose, settle, waiting
from tests.plans import counted


@pytest.fixture
def engine() -> Engine:
    return Engine()


def test_an_order_that_moves_while_its_tax_is_not_known_has_a_certificate_of_where_it_goes(
    desk: Desk, engine: Engine
) -> None:
    texas = TaxExemption("TX-88", "US", date(2026, 1, 1), "TX")
    with desk.database.transaction() as session:
        customers.put_customer(session, replace(ACME, tax_exemptions=(texas,)), "root", desk.now)
    order_id = waiting(desk, engine, ("PUMP", 1))
    moved = propose(desk, engine, order_id, asked(ship_to=CHICAGO))
    apply(desk, order_id, moved.change.change_id)
    engine.problem = ""

    ask(desk, engine)
    order = settle(desk, order_id, key="2")

    assert [query.exemption for query in engine.asked] == ["TX-88", ""]
    assert "the tax is not known yet: these totals have none" in moved.proposal.consequences
    assert (order.taxation.exemption, order.totals.tax) == ("", usd("13.22"))


def test_a_change_keeps_what_is_known_and_asks_about_what_it_adds(desk: Desk, engine: Engine) -> None:
    order = placed(desk, engine, ("PUMP", 1))
    desk.validate(order.order_id)
    more = LineChange("1", quantity=2)
    engine.rates["TX"] = "0.07"

    fewer = propose(desk, engine, order.order_id, asked(more))
    apply(desk, order.order_id, fewer.change.change_id)
    added = propose(desk, engine, order.order_id, asked(LineChange(sku="CENT", quantity=3)))
    apply(desk, order.order_id, added.change.change_id, key="2")

    after = desk.read(order.order_id).order
    assert [len(query.lines) for query in engine.asked] == [1, 1]
    assert [line.tax.rate for line in after.lines] == [Decimal("0.0825"), Decimal("0.07")]
    assert [part.tax.text for part in after.totals.parts] == ["21.29", "7.00"]  # 258.00 at 8.25 %, 99.99 at 7 %
    assert desk.broken() == []


def test_freight_that_there_was_none_of_is_asked_about_and_freight_that_is_known_is_not(
    desk: Desk, engine: Engine
) -> None:
    order = placed(desk, engine, ("PUMP", 1))
    desk.validate(order.order_id)
    request = ChangeRequest("as agreed", freight=usd("20.00"))
    quote = amending.quote_change(desk.database, engine, order.order_id, request, RITA, desk.now)
    with desk.database.reading() as session:
        first = proposals.preview(session, order.order_id, request, RITA, desk.now, quote)

    assert (engine.asked[1].lines, engine.asked[1].freight) == ((), usd("20.00"))
    assert first.after.totals.tax == usd("12.29")  # 10.64, and 1.65 on the freight
    assert first.after.taxation.freight == TaxKind.at(Decimal("0.0825"))


def test_a_change_that_moves_an_order_asks_about_all_of_it(desk: Desk, engine: Engine) -> None:
    order = placed(desk, engine, ("PUMP", 1), freight=usd("10.00"))
    desk.validate(order.order_id)

    moved = propose(desk, engine, order.order_id, asked(ship_to=CHICAGO))
    apply(desk, order.order_id, moved.change.change_id)

    after = desk.read(order.order_id).order
    assert [part.tax.text for part in after.totals.parts] == ["13.22", "1.03"]  # 10.25 % of 129.00 and of 10.00
    assert after.taxation.source == "engine"


def test_a_change_waits_for_no_engine_but_says_that_it_is_away(desk: Desk, engine: Engine) -> None:
    order = placed(desk, engine, ("PUMP", 1))
    desk.validate(order.order_id)
    engine.problem = "cannot be reached"

    with pytest.raises(Refused, match="the tax engine cannot be reached: try again in a few minutes") as refused:
        propose(desk, engine, order.order_id, asked(LineChange(sku="CENT", quantity=3)))
    fewer = propose(desk, engine, order.order_id, asked(LineChange("1", quantity=2)))

    assert refused.value.reason == "TAX_UNDETERMINED"
    assert fewer.change.state == AGREED


def test_an_order_that_our_own_rates_taxed_keeps_to_them(desk: Desk, engine: Engine) -> None:
    order = placed(desk, OwnRates(), ("PUMP", 1))
    desk.validate(order.order_id)

    added = propose(desk, engine, order.order_id, asked(LineChange(sku="CENT", quantity=3)))

    assert engine.asked == []
    assert [line.tax.rate for line in added.proposal.after.lines] == [Decimal("0.0725")] * 2


def test_what_a_change_adds_is_read_once_however_it_is_taxed(desk: Desk, engine: Engine) -> None:
    request, read = asked(LineChange(sku="CENT", quantity=3)), []
    for taxed_by in (OwnRates(), engine):
        order = placed(desk, taxed_by, ("PUMP", 1))
        desk.validate(order.order_id)
        quote = amending.quote_change(desk.database, taxed_by, order.order_id, request, RITA, desk.now)
        with counted(desk.database) as sent, desk.database.reading() as session:
            proposals.preview(session, order.order_id, request, RITA, desk.now, quote)
        read.append(sum("price_agreement" in statement for statement in sent))

    assert read[0] == read[1] > 0


def test_what_is_wanted_again_once_the_engine_is_given_up_is_taxed_at_our_own_rates(desk: Desk, engine: Engine) -> None:
    """Line 2 was canceled before the engine answered, so nobody has said its tax; the customer's certificate covers it."""
    texas = TaxExemption("TX-88", "US", date(2026, 1, 1), "TX")
    with desk.database.transaction() as session:
        customers.put_customer(session, replace(ACME, tax_exemptions=(texas,)), "root", desk.now)
    order_id = waiting(desk, engine, ("PUMP", 1), ("CENT", 3))
    cancelled(desk, order_id, {"2": 3})
    engine.problem = ""
    ask(desk, engine)
    settle(desk, order_id, key="2")

    again = propose(desk, OwnRates(), order_id, asked(LineChange("2", quantity=3)))

    assert [line.tax.code for line in again.proposal.after.lines] == ["S", "E"]
