"""The audit says what should have happened by now and did not, of which order, and for how long; a healthy moment earlier it says nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.system.harness import System
from tests.system.states import Company, reject
from tests.system.test_leases import terminate
from tests.system.trade import Trade, eventually, ok

Plant = Callable[[Company, str], None]


def ship(company: Company, order_id: str) -> None:
    company.move(order_id, "pick", "pack", "ship")


def unheard_shipment(company: Company, order_id: str) -> None:
    """Goods leave, and nobody is there to bill them."""
    terminate(company.trade.system, order_id)
    ship(company, order_id)


def unheard_payment(company: Company, order_id: str) -> None:
    """All is delivered and paid, and nobody is there to close it."""
    ship(company, order_id)
    company.idle(order_id)
    company.deliver(order_id)
    terminate(company.trade.system, order_id)
    company.pay(order_id)


def forgotten_payment(company: Company, order_id: str) -> None:
    """Billing knows that it is paid, and orders has never heard of it."""
    unheard_payment(company, order_id)
    company.idle()
    with company.trade.system.processes["orders"].database.transaction() as session:
        forget = "UPDATE order_progress SET progress = replace(progress, '\"paid\"', '\"open\"') WHERE order_id = :id"
        session.execute(text(forget), {"id": order_id})


def unheard_cancellation(company: Company, order_id: str) -> None:
    """Somebody wants it cancelled, and nobody is there to do it."""
    terminate(company.trade.system, order_id)
    company.cancel(order_id)


def unheard_rejection(company: Company, order_id: str) -> None:
    """The manager refuses it, and nobody is there to give its credit back."""
    terminate(company.trade.system, order_id)
    reject(company, order_id)


def nothing(company: Company, order_id: str) -> None:
    """It waits for its warehouse, as it should."""


@pytest.mark.parametrize(
    ("plant", "units", "name", "said"),
    [
        (unheard_payment, 5, "overdue.delivered_and_not_closed", "and not closed for 20 minutes"),
        (forgotten_payment, 5, "overdue.paid_and_not_settled", "and it is not settled for 20 minutes"),
        (
            unheard_cancellation,
            5,
            "overdue.asked_and_not_answered",
            "a cancellation is not carried out, for 20 minutes",
        ),
        (unheard_rejection, 60, "between.ended_orders_hold_no_credit", "rejected 20 minutes ago, and holds credit"),
        (nothing, 5, "", ""),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
@pytest.mark.parametrize("moving", ["sqlite"], indirect=True)
def test_what_did_not_happen_is_named_with_its_age(
    moving: System, plant: Plant, units: int, name: str, said: str
) -> None:
    at_once, later = overdue_later(moving, plant, units)

    assert at_once == {}
    assert later.get(name, "").endswith(said)
    assert bool(later) == bool(name)


def test_goods_that_left_and_are_not_invoiced_are_named_with_their_age(tmp_path: Path) -> None:
    """A system whose clock nobody has moved: fulfillment says by its own when goods have left."""
    with System(tmp_path, "sqlite") as system:
        at_once, later = overdue_later(system, unheard_shipment, 5)

    assert at_once == {}
    assert later.get("overdue.shipped_and_not_invoiced", "").endswith("left 20 minutes ago and is not invoiced")


def overdue_later(moving: System, plant: Plant, units: int) -> tuple[dict[str, str], dict[str, str]]:
    """What the audit says at once, and twenty minutes later; nothing once it is repaired."""
    with Trade(moving) as trade:
        company = Company(trade)
        order_id = company.place("overdue", ("plenty", units))
        company.idle(order_id)

        number = trade.order(order_id)["number"]
        plant(company, order_id)
        company.idle()
        at_once = overdue(trade, number)
        moving.pass_time(timedelta(minutes=20))
        later = overdue(trade, number)

        ok(moving.api("admin").post("/v1/repairs", json={"cursor": ""}))
        eventually(lambda: _must_be_clean(trade, number, plant))
    return at_once, later


def overdue(trade: Trade, number: str) -> dict[str, str]:
    """What the audit says of an order that is overdue, by invariant."""
    return {
        row["name"]: offender
        for row in trade.audit()
        if row["name"].startswith(("overdue", "between"))
        for offender in row["offenders"]
        if offender.startswith(f"{number}:")
    }


def _must_be_clean(trade: Trade, number: str, plant: Plant) -> None:
    """Repaired; what the projection has forgotten is a fact that must be told again, which repairs nothing else."""
    assert plant is forgotten_payment or overdue(trade, number) == {}
