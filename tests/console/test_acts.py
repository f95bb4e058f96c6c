from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from oms.notifications.v1 import notifications_pb2 as notifications
from services.orders.domain.dead_letters import SOURCES
from services.orders.store import facts, orders
from services.orders.store.facts import LateFact
from tests.console.world import ConsoleWorld
from tests.orders.desk import SUPPORT
from tests.orders.review_desk import ReviewDesk


def order_id(world: ConsoleWorld, number: str) -> str:
    with world.database.reading() as session:
        return str(session.execute(text("SELECT order_id FROM sales_order WHERE number = :n"), {"n": number}).scalar())


def hold_id(world: ConsoleWorld, number: str, owner: str) -> str:
    holds = world.desk.read(order_id(world, number)).holds
    return next(hold.hold_id for hold in holds if hold.owner_role == owner)


async def test_releasing_a_hold_says_what_it_does_and_then_does_it(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    page = f"/orders/{numbers['held']}/holds/{hold_id(world, numbers['held'], 'accounting')}"
    browser = world.browser("accounting", sub="abe")
    preview = (await browser.get(page)).text

    done = await browser.send(page, page, note="a bank guarantee came in", version="1")
    order = (await browser.get(done.headers["Location"])).text

    assert "waiting on approver" in preview
    assert done.status_code == 303
    assert "a bank guarantee came in" in order
    assert "<strong>abe</strong>" in order
    assert "Waiting on approver:" in order


async def test_a_hold_is_not_released_without_a_reason(world: ConsoleWorld, numbers: dict[str, str]) -> None:
    page = f"/orders/{numbers['held']}/holds/{hold_id(world, numbers['held'], 'accounting')}"

    answer = await world.browser("accounting", sub="abe").send(page, page, note="   ", version="1")

    assert (answer.status_code, "Say why you are releasing it" in answer.text) == (422, True)
    assert len(world.desk.read(order_id(world, numbers["held"])).holds) == 2
    assert all(hold.is_open for hold in world.desk.read(order_id(world, numbers["held"])).holds)


async def test_who_may_not_release_a_hold_is_told_who_may(world: ConsoleWorld, numbers: dict[str, str]) -> None:
    page = f"/orders/{numbers['held']}/holds/{hold_id(world, numbers['held'], 'accounting')}"
    browser = world.browser("admin")

    shown = (await browser.get(page)).text
    forced = await browser.post(page, csrf=browser.csrf, note="x", version="1")

    assert "Only accounting or approver may release it" in shown
    assert '<button type="submit">Release' not in shown
    assert forced.status_code == 403
    assert "Only accounting or approver may release a credit hold" in forced.text


async def test_cancelling_says_what_follows_and_then_asks_the_workflow(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    page = f"/orders/{numbers['held']}/cancel"
    browser = world.browser("support")
    preview = (await browser.get(page)).text

    done = await browser.send(page, page, reason="the customer changed plans", version="1")

    assert "Credit used" not in preview
    assert "200 on order" in preview
    assert (done.status_code, done.headers["Location"]) == (303, f"/orders/{numbers['held']}")
    assert [request.reason for _, request in world.workflows.cancelled] == ["the customer changed plans"]


async def test_the_cancel_page_says_what_credit_the_order_has_taken_or_that_nobody_knows(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    page = f"/orders/{numbers['held']}/cancel"
    browser = world.browser("support")
    with world.database.reading() as session:
        world.billing.commitments[orders.find_id(session, numbers["held"])] = 12_345

    committed = (await browser.get(page)).text
    world.billing.is_away = True
    unknown = await browser.get(page)

    assert "123.45 USD" in committed
    assert (unknown.status_code, "unknown: billing does not answer" in unknown.text) == (200, True)


async def test_what_has_shipped_cannot_be_cancelled_and_the_page_says_so(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    page = f"/orders/{numbers['delivered']}/cancel"
    browser = world.browser("customer")

    shown = (await browser.get(f"/my{page}")).text
    forced = await browser.post(f"/my{page}", csrf=browser.csrf, reason="x", version="1")

    assert "units have shipped and none are left" in shown
    assert '<form action="/my/orders' not in shown
    assert forced.status_code == 409


async def test_an_order_that_changed_since_it_was_seen_is_not_cancelled(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    page = f"/orders/{numbers['held']}/cancel"

    answer = await world.browser("support").send(page, page, reason="x", version="7")

    assert (answer.status_code, "The order is at version 1, not 7" in answer.text) == (409, True)


async def test_cancelling_needs_a_reason(world: ConsoleWorld, numbers: dict[str, str]) -> None:
    page = f"/my/orders/{numbers['held']}/cancel"

    answer = await world.browser("customer").send(page, page, reason="  ", version="1")

    assert (answer.status_code, "Say why you are canceling" in answer.text) == (422, True)


INVOICE_PDF = notifications.Attachment(document="invoice", reference="inv_1", name="INV-000001.pdf")


def dead_letters(world: ConsoleWorld, number: str) -> dict[str, str]:
    """One of each source: source → key in the address."""
    with world.database.transaction() as session:
        row = session.execute(text("SELECT fact_id FROM outbox WHERE kind = 'notify' ORDER BY position")).first()
        assert row
        dead = str(row[0])
        session.execute(
            text("UPDATE outbox SET state = 'dead', last_error = 'no such mailbox' WHERE fact_id = :id"), {"id": dead}
        )
        known = order_id(world, number)
        facts.keep_late(session, LateFact("fact_1/stock_allocated", "stock_allocated", known, "", datetime.now(UTC)))
    world.desk.notify(world.desk.fact("ord_gone", "billing", "invoice_issued", 1, {}))
    world.notifications.deliveries = {
        "dlv_1": notifications.Delivery(
            delivery_id="dlv_1", kind="invoice", state="dead", last_error="refused", attachment=INVOICE_PDF
        )
    }
    return {"message": dead, "late_fact": "fact_1:stock_allocated", "fact": f"fact_{world.desk.facts}", "mail": "dlv_1"}


async def test_dead_letters_are_listed_with_what_a_retry_will_do(world: ConsoleWorld, numbers: dict[str, str]) -> None:
    keys = dead_letters(world, numbers["held"])
    browser = world.browser("admin")

    overview, page = (await browser.get("/")).text, (await browser.get("/dead-letters")).text

    assert '<span class="count blocks">3</span> dead letters' in overview
    for source, key in keys.items():
        assert f'href="/dead-letters/{source}/{key}"' in page
    assert "no such mailbox" in page
    assert "It is handed to the workflow again" in page


@pytest.mark.parametrize(
    ("document", "name", "folder"),
    [
        ("invoice", "INV-000001.pdf", "invoices"),
        ("credit_note", "CN-1001.pdf", "credit-notes"),
        ("deposit_invoice", "DI-1001.pdf", "deposit-invoices"),
    ],
)
async def test_a_dead_mail_names_its_document_and_links_it_for_those_who_may_read_it(
    world: ConsoleWorld, numbers: dict[str, str], document: str, name: str, folder: str
) -> None:
    page = f"/dead-letters/mail/{dead_letters(world, numbers['held'])['mail']}"
    world.notifications.deliveries["dlv_1"].attachment.document = document
    world.notifications.deliveries["dlv_1"].attachment.name = name

    shown, for_admin = [(await world.browser(role).get(page)).text for role in ("auditor", "admin")]

    assert f'<dt>Attached</dt><dd><a href="/accounting/{folder}/{name}">{name}</a></dd>' in shown
    assert f"<dt>Attached</dt><dd>{name}</dd>" in for_admin


@pytest.mark.parametrize("source", ["message", "late_fact", "mail"])
async def test_a_retry_puts_it_back_on_its_way_and_is_recorded(
    world: ConsoleWorld, numbers: dict[str, str], source: str
) -> None:
    key = dead_letters(world, numbers["held"])[source]
    page = f"/dead-letters/{source}/{key}"
    browser = world.browser("admin")

    done = await browser.send(page, f"{page}/retry")
    after = (await browser.get("/dead-letters")).text

    assert done.status_code == 303
    assert f'href="{page}"' not in after or source == "mail"
    assert "retried" in after
    if source == "late_fact":
        assert world.desk.signals(order_id(world, numbers["held"]))[-1] == "stock_allocated"


async def test_a_fact_that_still_cannot_be_read_stays(world: ConsoleWorld, numbers: dict[str, str]) -> None:
    page = f"/dead-letters/fact/{dead_letters(world, numbers['held'])['fact']}"
    browser = world.browser("admin")

    await browser.send(page, f"{page}/retry")

    assert (await browser.get(page)).status_code == 200


@pytest.mark.parametrize("source", SOURCES)
async def test_a_dismissal_needs_a_reason_and_takes_it_off_the_list(
    world: ConsoleWorld, numbers: dict[str, str], source: str
) -> None:
    page = f"/dead-letters/{source}/{dead_letters(world, numbers['held'])[source]}"
    browser = world.browser("admin", sub="root")

    without = await browser.send(page, f"{page}/dismiss", reason=" ")
    done = await browser.send(page, f"{page}/dismiss", reason="the mailbox is gone")
    after = (await browser.get("/dead-letters")).text

    assert (without.status_code, done.status_code) == (422, 303)
    assert f'href="{page}"' not in after
    assert "the mailbox is gone" in after
    assert "<strong>Root</strong>" in after
    assert (await browser.get(page)).status_code == 404


async def test_an_auditor_sees_dead_letters_and_is_told_who_may_act(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    key = dead_letters(world, numbers["held"])["message"]
    browser = world.browser("auditor")

    shown = (await browser.get(f"/dead-letters/message/{key}")).text
    forced = await browser.post(f"/dead-letters/message/{key}/retry", csrf=browser.csrf)

    assert "Only an administrator may retry or dismiss it" in shown
    assert forced.status_code == 403


async def test_a_mail_that_could_not_be_sent_leads_to_its_order(world: ConsoleWorld, numbers: dict[str, str]) -> None:
    world.notifications.deliveries["del_1"].order_number = numbers["held"]

    page = (await world.browser("admin").get("/dead-letters")).text

    assert f'<a href="/orders/{numbers["held"]}">' in page


async def test_a_mail_service_that_is_away_is_said_and_the_rest_is_shown(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    keys = dead_letters(world, numbers["held"])
    world.notifications.is_away = True

    page = (await world.browser("admin").get("/dead-letters")).text

    assert "The mail service does not answer" in page
    assert keys["message"] in page


async def test_a_customer_says_once_how_a_delivered_order_went(world: ConsoleWorld, numbers: dict[str, str]) -> None:
    page = f"/my/orders/{numbers['delivered']}"
    browser = world.browser("customer")
    empty = await browser.send(page, f"{page}/feedback", comment="hm")

    done = await browser.send(page, f"{page}/feedback", rating="2", comment="the box was wet", support="yes")
    shown = (await browser.get(page)).text
    again = await browser.post(f"{page}/feedback", csrf=browser.csrf, rating="5")

    assert (empty.status_code, done.status_code, again.status_code) == (422, 303, 409)
    assert "you gave 2 of 5" in shown
    assert "CASE-1001" in shown
    assert 'name="rating"' not in shown


async def test_an_order_that_has_not_arrived_is_not_rated(world: ConsoleWorld, numbers: dict[str, str]) -> None:
    page = f"/my/orders/{numbers['held']}"
    browser = world.browser("customer")

    forced = await browser.post(f"{page}/feedback", csrf=browser.csrf, rating="5")

    assert 'name="rating"' not in (await browser.get(page)).text
    assert forced.status_code == 409


async def test_a_hold_beside_a_review_does_not_promise_that_the_order_goes_on(world: ConsoleWorld) -> None:
    reviewing = ReviewDesk(world.database)
    reviewing.now, reviewing.keys = datetime.now(UTC), 5000
    first, second = (reviewing.reviewed(300, by=SUPPORT, po_number="PO-9300") for _ in range(2))
    held = world.desk.read(second)
    hold, step = held.holds[0], reviewing.steps(second)[0]

    page = (
        await world.browser(hold.owner_role, sub="somebody").get(f"/orders/{held.order.number}/holds/{hold.hold_id}")
    ).text

    assert first != second
    assert len(held.holds) == 1
    assert f"waiting on {step.role}" in page
    assert "continues automatically" not in page
