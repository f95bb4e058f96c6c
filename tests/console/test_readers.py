"""Pages speak to their reader: people by name, times in the company's zone and formats, menus of what the role may open."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from gateway.console.readable import Readable, number
from services.kernel.formats import Formats
from services.orders.domain.people import Person
from services.orders.masterdata import people
from tests.console.conftest import MakeWorld
from tests.console.test_reviews import steps
from tests.console.world import ConsoleWorld
from tests.orders.desk import SUPPORT

CHICAGO = Formats("America/Chicago", "mdy", "12h")
BERLIN = Formats("Europe/Berlin", "dmy", "24h")
AT = datetime(2026, 12, 1, 23, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("formats", "shown"), [(CHICAGO, "Dec 1, 2026, 5:05 PM"), (BERLIN, "2 Dec 2026, 00:05"), (Formats("UTC", "ymd", "24h"), "2026-12-01, 23:05")]
)  # fmt: skip
def test_an_instant_is_in_the_companys_zone_and_says_to_the_browser_which_it_is(formats: Formats, shown: str) -> None:
    expected = f'<time datetime="2026-12-01T23:05:00Z" data-local="text">{shown}</time>'

    assert Readable(formats).moment(AT) == expected


def test_a_day_is_the_same_in_every_zone() -> None:
    assert Readable(BERLIN).moment(AT.date()) == '<time datetime="2026-12-01">1 Dec 2026</time>'


def test_what_is_due_today_by_the_companys_clock_is_not_late() -> None:
    evening = datetime(2026, 12, 2, 3, 0, tzinfo=UTC)  # in Chicago it is still December 1

    assert (Readable(CHICAGO).due(AT.date(), evening), Readable(CHICAGO).is_late(AT.date(), evening)) == (
        "today",
        False,
    )
    assert (Readable(BERLIN).due(AT.date(), evening), Readable(BERLIN).is_late(AT.date(), evening)) == (
        "1 d late",
        True,
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ready on 2026-12-01 for 24900.00 USD", "ready on Dec 1, 2026 for 24,900.00 USD"),
        ("PO 2026-02-30 and SKU 4500012345", "PO 2026-02-30 and SKU 4500012345"),
        ("nothing to write", "nothing to write"),
    ],
)
def test_a_sentence_of_ours_is_in_the_companys_formats(text: str, shown: str) -> None:
    assert Readable(CHICAGO).sentence(text) == shown


def test_quantities_are_in_groups_of_three() -> None:
    assert [number(units) for units in (0, 999, 1000, 12_345_678)] == ["0", "999", "1,000", "12,345,678"]


async def test_a_page_names_the_zone_of_its_times_once_and_the_company_on_top(
    make_world: MakeWorld, numbers: dict[str, str]
) -> None:
    world = make_world(formats=CHICAGO, company_name="Lone Star Pumps")

    page = (await world.browser("support").get(f"/orders/{numbers['shipping']}")).text

    assert len(re.findall(r'Times in <span id="zone">C[SD]T</span>', page)) == 1
    assert 'data-date-order="mdy" data-clock="12h"' in page
    assert '<a class="brand" href="/">Lone Star Pumps</a>' in page
    assert "UTC" not in page


async def test_an_address_names_the_country_only_when_it_is_another_than_the_companys(
    make_world: MakeWorld, numbers: dict[str, str]
) -> None:
    path = f"/orders/{numbers['shipping']}"

    ours = (await make_world().browser("support").get(path)).text
    abroad = (await make_world(country="DE").browser("support").get(path)).text

    assert ("<bdi>United States</bdi>" in ours, "<bdi>United States</bdi>" in abroad) == (False, True)


async def test_people_are_named_and_a_login_stands_only_for_whom_nobody_knows(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    with world.database.transaction() as session:
        people.put_person(
            session, Person("max", "Max Müller", "max@x.example", ("approver",), ("manager",)), "root", AT
        )
    path = f"/reviews/{steps(world, numbers['reviewed'])[0].step_id}"
    max_ = world.browser("approver", sub="max")
    await max_.send(path, path, decision="request_changes", version="1", note="why?")

    page = (await world.browser("support", sub="dan").get(f"/orders/{numbers['reviewed']}")).text

    assert "<strong>Max Müller</strong>" in page
    assert "<strong>max</strong>" not in page
    assert "<strong>Dan</strong> support" in page
    assert "<strong>nobody</strong>" in (await world.browser("support", sub="nobody").get("/reviews")).text


async def test_who_may_decide_or_release_is_named_on_the_orders_page(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    with world.database.transaction() as session:
        people.put_person(session, Person("abe", "Abe Account", "abe@x.example", ("accounting",)), "root", AT)
    auditor = world.browser("auditor")

    reviewed, held = [(await auditor.get(f"/orders/{numbers[name]}")).text for name in ("reviewed", "held")]

    assert '<span class="quiet">waiting on Max</span>' in reviewed
    assert "<strong>Credit hold</strong> (accounting: Abe Account)" in held


async def test_machines_are_named_as_what_they_are(world: ConsoleWorld, numbers: dict[str, str]) -> None:
    page = (await world.browser("support").get(f"/orders/{numbers['shipping']}")).text

    timeline = page.partition('<ol class="timeline">')[2].partition("</section>")[0]
    named = set(re.findall(r"<strong>([^<]+)</strong>", timeline))
    assert {"System", "Inventory", "Warehouse"} <= named
    assert not named & {"workflow", "validation", "inventory", "fulfillment", "billing", "service"}


@pytest.mark.parametrize("role", ["support", "auditor", "accounting"])
async def test_a_hold_offers_its_release_only_to_who_may_open_that_page(
    world: ConsoleWorld, numbers: dict[str, str], role: str
) -> None:
    path = f"/orders/{numbers['held']}"
    browser = world.browser(role)

    page = (await browser.get(path)).text
    links = re.findall(rf'href="({path}/holds/[^"]+)"', page)

    assert bool(links) == (role != "auditor")
    assert {(await browser.get(link)).status_code for link in links} <= {200}


@pytest.mark.parametrize(
    "role", ["support", "auditor", "warehouse", "manufacturing", "sales_rep", "customer", "channel", "admin"]
)
async def test_every_link_of_the_menu_and_of_the_start_page_opens(world: ConsoleWorld, role: str) -> None:
    browser = world.browser(role)
    start = await browser.get("/")
    page = start if start.status_code == 200 else await browser.get(start.headers["Location"])

    links = {
        link.replace("&amp;", "&") for link in re.findall(r'href="(/[^"#]*)"', page.text) if "/static/" not in link
    }
    answers = {link: (await browser.get(link)).status_code for link in sorted(links)}

    assert links
    assert set(answers.values()) <= {200, 303}, answers


@pytest.mark.parametrize("path", ["/orders/SO-9", "/nowhere", "/my"])
async def test_a_page_that_says_what_is_wrong_keeps_the_menu_and_who_is_logged_in(
    world: ConsoleWorld, path: str
) -> None:
    page = (await world.browser("support", sub="sue").get(path)).text

    assert '<a href="/reviews">Reviews</a>' in page
    assert "<strong>Sue</strong> support" in page
    assert "Log out" in page


async def test_no_page_shows_a_raw_id(world: ConsoleWorld, numbers: dict[str, str]) -> None:
    world.desk.place(("CENT", 1), by=SUPPORT)
    admin = world.browser("admin")
    paths = [
        "/",
        "/dead-letters",
        "/dead-letters/mail/del_1",
        "/exceptions",
        *(f"/orders/{each}" for each in numbers.values()),
    ]

    for path in paths:
        page = (await admin.get(path)).text
        shown = re.sub(r"<[^>]+>", " ", page)
        assert not re.findall(
            r"\b(?:ord|shp|inv|hold|stp|rev|chg|fact|del|dlv|cus|exc|pay|out)_[A-Za-z0-9-]+", shown
        ), path
