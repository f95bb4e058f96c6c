from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest

from gateway.console.change_form import request_of
from services.kernel.errors import InvalidArgument
from services.orders.domain.changes import ChangeOrder, LineChange, SpokenConsent
from services.orders.store import changes, orders
from tests.console.world import ConsoleWorld
from tests.orders.desk import usd


def made(world: ConsoleWorld, number: str) -> list[ChangeOrder]:
    with world.database.reading() as session:
        return list(changes.of_order(session, orders.find_id(session, number)))


FIELDS = {"version": "1", "reason": "as agreed by telephone"}


def test_the_request_names_only_what_differs_from_the_order(world: ConsoleWorld, numbers: dict[str, str]) -> None:
    with world.database.reading() as session:
        order = orders.load(session, orders.find_id(session, numbers["backordered"]))
    unchanged = {
        "sku-1": "PUMP", "quantity-1": "5", "price-1": "129.00", "quantity-2": "12", "ship_complete": "no",
        "discount": "0.00", "freight": "0", "requested_on": "", "to-name": order.ship_to.name,
    }  # fmt: skip

    nothing = request_of(order, {**FIELDS, **unchanged}, "UTC")
    something = request_of(
        order,
        {**FIELDS, **unchanged, "quantity-2": "0", "price-1": "120.00", "new-sku-2": "BOX6", "new-quantity-2": "12",
         "ship_complete": "yes", "requested_on": "2026-12-24", "to-city": "Austin"},
        "UTC",
    )  # fmt: skip

    assert (nothing.lines, nothing.ship_to, nothing.discount, nothing.freight, nothing.is_ship_complete) == (
        (), None, None, None, None,
    )  # fmt: skip
    assert something.lines == (
        LineChange("1", unit_price=usd("120.00")), LineChange("2", quantity=0), LineChange("", "BOX6", 12),
    )  # fmt: skip
    assert something.ship_to is not None
    assert (something.ship_to.city, something.ship_to.street) == ("Austin", order.ship_to.street)
    assert (something.is_ship_complete, str(something.requested_on)) == (True, "2026-12-24")


@pytest.mark.parametrize(
    "wrong",
    [
        {"reason": ""}, {"quantity-1": "two"}, {"quantity-1": "-1"}, {"price-1": "1e5"}, {"sku-1": "no good"},
        {"new-sku-1": "BOX6"}, {"requested_on": "24.12."}, {"consent_by": "Ann"},
        {"consent_by": "Ann", "consent_how": "by phone", "consent_at": "yesterday"},
        {"consent_by": "A" * 300, "consent_how": "by phone", "consent_at": "2026-11-20T14:05"}, {"discount": "10.001"}, {"to-city": "x" * 300},
        {"consent_by": "Ann", "consent_how": "by phone", "consent_at": "0001-01-01T00:00"},
        {"consent_by": "Ann", "consent_how": "by phone", "consent_at": "9999-12-31T23:59"},
        {"to-country": "Germany"}, {"to-country": "U1"}, {"to-postal_code": "7" * 21}, {"to-region": "x" * 65},
        {"requested_on": "0026-12-01"}, {"requested_on": "9999-12-31"}, {"requested_on": "2026-02-30"}, {"requested_on": "20261201"},
        {"quantity-1": "1000001"}, {"price-1": "1" * 13}, {"freight": "-1.00"}, {"discount": "1" * 13},
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_a_sentence(
    world: ConsoleWorld, numbers: dict[str, str], wrong: dict[str, str]
) -> None:
    with world.database.reading() as session:
        order = orders.load(session, orders.find_id(session, numbers["backordered"]))

    with pytest.raises(InvalidArgument):
        request_of(order, {**FIELDS, **wrong}, "UTC")


def test_a_country_is_a_code_in_whatever_case_it_was_typed(world: ConsoleWorld, numbers: dict[str, str]) -> None:
    with world.database.reading() as session:
        order = orders.load(session, orders.find_id(session, numbers["backordered"]))

    same = request_of(order, {**FIELDS, "to-country": order.ship_to.country.lower()}, "UTC").ship_to
    moved = request_of(order, {**FIELDS, "to-country": "ca"}, "UTC").ship_to

    assert same is None
    assert moved is not None
    assert moved.country == "CA"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"to-country": "Germany"}, "Country: must be two letters, such as US"),
        ({"to-postal_code": "7" * 21}, "ZIP or postal code: must have at most 20 characters"),
        ({"requested_on": "9999-12-31"}, "Requested date: the year must be from 2000 to 2200"),
    ],
)
async def test_a_customer_is_told_which_entry_to_correct(
    world: ConsoleWorld, numbers: dict[str, str], wrong: dict[str, str], sentence: str
) -> None:
    query = urlencode({**FIELDS, **wrong})

    answer = await world.browser("customer").get(f"/my/orders/{numbers['backordered']}/change/preview?{query}")

    assert (answer.status_code, sentence in answer.text) == (422, True)


async def test_sales_sees_what_a_change_comes_to_and_then_proposes_it(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    number = numbers["backordered"]
    browser = world.browser("sales_rep")
    form = (await browser.get(f"/orders/{number}/change")).text
    fields = {**FIELDS, "quantity-1": "3"}
    preview = f"/orders/{number}/change/preview?{urlencode(fields)}"
    shown = (await browser.get(preview)).text
    before = made(world, number)

    done = await browser.send(preview, f"/orders/{number}/change", **fields)

    order = (await browser.get(done.headers["Location"])).text
    assert 'name="quantity-1" value="5"' in form
    assert "Quantity of PUMP" in shown
    assert "Propose to the customer" in shown
    assert before == []
    assert done.status_code == 303
    assert [(change.state, change.proposed_by) for change in made(world, number)] == [("awaiting_customer", "rita")]
    assert "Pending change" in order
    assert [update for _, update, _ in world.workflows.refreshed] == ["amend"]


async def test_a_shipment_that_a_pending_change_touches_says_so_until_it_has_left(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    number = numbers["shipping"]
    browser = world.browser("support")
    before = (await browser.get(f"/orders/{number}")).text
    fields = {**FIELDS, "requested_on": "2027-12-24"}
    preview = f"/orders/{number}/change/preview?{urlencode(fields)}"

    await browser.send(preview, f"/orders/{number}/change", **fields)
    page = (await browser.get(f"/orders/{number}")).text

    assert "change pending" not in before
    assert page.count("change pending") == 1
    assert "change pending" in page.partition("SH-9")[2]


async def test_a_pending_change_says_until_when_it_holds_back_what_it_touches(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    number = numbers["changing"]

    ours = (await world.browser("support").get(f"/orders/{number}")).text
    theirs = (await world.browser("customer").get(f"/my/orders/{number}")).text

    assert made(world, number)[0].withholds_until is not None
    assert "not released to a warehouse until it is settled, at the latest until" in ours
    assert "not released to a warehouse until it is settled, at the latest until" in theirs


async def test_what_stands_against_a_change_is_said_and_there_is_no_button(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    query = urlencode({**FIELDS, "quantity-1": "2"})

    page = (await world.browser("support").get(f"/orders/{numbers['shipping']}/change/preview?{query}")).text

    assert "This change is not possible" in page
    assert '<form action="/orders' not in page


@pytest.mark.parametrize(("answer", "state"), [("accept", "agreed"), ("decline", "declined")])
async def test_a_customer_answers_a_proposal_on_the_page_of_its_order(
    world: ConsoleWorld, numbers: dict[str, str], answer: str, state: str
) -> None:
    number = numbers["changing"]
    page = f"/my/orders/{number}"
    browser = world.browser("customer")
    shown = (await browser.get(page)).text
    change_id = made(world, number)[0].change_id

    done = await browser.send(page, f"{page}/changes/{change_id}/answer", answer=answer, version="1", note="")

    assert "We need your answer" in shown
    assert "We propose a change" in shown
    assert "one pump is short until January" in shown
    assert "<del>3</del></td><td><ins>2</ins>" in shown
    assert (done.status_code, made(world, number)[0].state) == (303, state)
    assert "We propose a change" not in (await browser.get(page)).text


async def test_a_customer_names_no_price_and_changes_its_own_order(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    number = numbers["backordered"]
    browser = world.browser("customer")
    form = (await browser.get(f"/my/orders/{number}/change")).text
    fields = {**FIELDS, "quantity-1": "4"}
    preview = f"/my/orders/{number}/change/preview?{urlencode(fields)}"

    dearer = await browser.get(f"/my/orders/{number}/change/preview?{urlencode({**fields, 'price-1': '1.00'})}")
    done = await browser.send(preview, f"/my/orders/{number}/change", **fields)

    assert "Unit price" not in form
    assert dearer.status_code == 403
    assert done.status_code == 303
    assert [change.proposed_by for change in made(world, number)] == ["ann"]


async def test_who_proposed_withdraws_it_but_does_not_answer_it(world: ConsoleWorld, numbers: dict[str, str]) -> None:
    number = numbers["changing"]
    page, change_id = f"/orders/{number}", made(world, number)[0].change_id
    rita, support = world.browser("sales_rep"), world.browser("support", sub="sue")

    without = await support.send(page, f"{page}/changes/{change_id}/answer", answer="accept", version="1", note=" ")
    forced = await rita.post(f"{page}/changes/{change_id}/answer", csrf=rita.csrf, answer="accept", version="1")
    back = await rita.send(page, f"{page}/changes/{change_id}/withdraw")

    assert (without.status_code, forced.status_code, back.status_code) == (422, 403, 303)
    assert made(world, number)[0].state == "withdrawn"


async def test_a_spoken_consent_is_entered_previewed_and_kept_with_the_change(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    number = numbers["backordered"]
    heard = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=5)
    consent = {"consent_by": "Ann, purchasing", "consent_at": f"{heard:%Y-%m-%dT%H:%M}", "consent_how": "by phone"}
    fields = {**FIELDS, "quantity-2": "6", **consent}
    rita = world.browser("sales_rep")

    form = await rita.get(f"/orders/{number}/change")
    preview = await rita.get(f"/orders/{number}/change/preview?{urlencode(fields)}")
    done = await rita.send(f"/orders/{number}/change/preview?{urlencode(fields)}", f"/orders/{number}/change", **fields)

    assert 'name="consent_by"' in form.text
    assert "<bdi>Ann, purchasing</bdi>" in preview.text
    assert "It is not asked again." in preview.text
    assert "Propose to the customer" not in preview.text
    assert done.status_code == 303
    kept = made(world, number)[-1]
    assert (kept.needs_consent, kept.request.consent) == (False, SpokenConsent("Ann, purchasing", heard, "by phone"))


async def test_a_customer_has_no_form_to_record_a_consent_and_may_not_send_one(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    number, ann = numbers["backordered"], world.browser("customer")
    consent = {"consent_by": "Ann", "consent_at": "2026-11-20T14:05", "consent_how": "by phone"}

    form = await ann.get(f"/my/orders/{number}/change")
    sent = await ann.get(f"/my/orders/{number}/change/preview?{urlencode({**FIELDS, 'quantity-2': '6', **consent})}")

    assert "consent_by" not in form.text
    assert sent.status_code == 403


def test_the_time_of_a_consent_is_one_of_the_companys_clock(world: ConsoleWorld, numbers: dict[str, str]) -> None:
    with world.database.reading() as session:
        order = orders.load(session, orders.find_id(session, numbers["backordered"]))
    consent = {"consent_by": "Ann", "consent_at": "2026-11-20T14:05", "consent_how": "by phone"}

    read = request_of(order, {**FIELDS, **consent}, "America/Chicago").consent

    # six hours behind UTC in November
    assert read is not None
    assert read.given_at == datetime(2026, 11, 20, 20, 5, tzinfo=UTC)
