from __future__ import annotations

import re

import pytest
from sqlalchemy import text

from gateway.console.readable import price
from services.kernel.money import UnitPrice
from tests.conftest import ROOT
from tests.console.world import ConsoleWorld, delivered, statements
from tests.orders.desk import SUPPORT, shipment, stock, together

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


async def test_the_overview_says_what_waits_and_leads_to_it(world: ConsoleWorld, numbers: dict[str, str]) -> None:
    browser = world.browser("accounting")
    page = (await browser.get("/")).text

    mine = (await browser.get("/?needs=accounting")).text
    backordered = (await browser.get("/?needs=supplier")).text

    assert re.search(r'href="/\?needs=accounting"><span class="count waits">1</span> waiting for accounting<', page)
    assert re.search(r'href="/\?needs=supplier"><span class="count waits">1</span> backordered', page)
    assert (numbers["held"] in mine, numbers["backordered"] in mine) == (True, False)
    assert (numbers["held"] in backordered, numbers["backordered"] in backordered) == (False, True)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("status=nope", "Status is one of received, in_review"),
        ("channel=fax", "Channel is one of web, phone"),
        ("needs=boss", "Needs is one of sales_rep, support"),
        ("hold=moon", "Hold is one of any, "),
    ],
)
async def test_an_unknown_word_in_the_address_of_the_overview_is_named_and_no_empty_list(
    world: ConsoleWorld, query: str, sentence: str
) -> None:
    answer = await world.browser("admin").get(f"/?{query}")

    assert answer.status_code == 422
    assert "Please check your entries" in answer.text
    assert sentence in answer.text


async def test_each_row_shows_how_far_its_order_has_come(world: ConsoleWorld, numbers: dict[str, str]) -> None:
    page = (await world.browser("admin").get("/")).text

    rows = {name: page.partition(f">{number}<")[2].partition("</tr>")[0] for name, number in numbers.items()}
    assert "paid, step 5 of 5" in rows["delivered"]
    assert "allocated, step 2 of 5" in rows["shipping"]
    assert "not approved yet, step 0 of 5" in rows["held"]
    assert "step" not in rows["rejected"]


async def test_the_figures_of_thirty_days_are_worked_out_from_orders_and_catalog(world: ConsoleWorld) -> None:
    page = (await world.browser("accounting").get("/")).text

    # four orders were accepted, one of them had to wait for stock
    assert "75.0% <span" in page
    # PUMP at 129.00 costs 80.00; CENT and INSTALL have no cost and are left out: (129 - 80) / 129
    assert "38.0% <span" in page


async def test_support_is_not_shown_margins(world: ConsoleWorld) -> None:
    assert "Margin" not in (await world.browser("support").get("/")).text


@pytest.mark.parametrize(
    ("q", "found"), [("po-7781", "delivered"), ("bolt", "bolt"), ("INSTALL", "edi"), ("114-22", "shipping")]
)
async def test_search_finds_by_po_customer_sku_and_reference(
    world: ConsoleWorld, numbers: dict[str, str], q: str, found: str
) -> None:
    page = (await world.browser("admin").get(f"/?q={q}")).text

    assert re.findall(r'href="/orders/(SO-\d+)"', page) == [numbers[found]]


async def test_search_by_a_whole_number_leads_to_the_order(world: ConsoleWorld, numbers: dict[str, str]) -> None:
    answer = await world.browser("admin").get(f"/?q={numbers['held'].lower()}")

    assert (answer.status_code, answer.headers["Location"]) == (303, f"/orders/{numbers['held']}")


async def test_pages_of_the_list_join_without_gap(world: ConsoleWorld, numbers: dict[str, str]) -> None:
    for _ in range(60):
        world.desk.place(("CENT", 1), by=SUPPORT)
    browser = world.browser("support")

    first = (await browser.get("/")).text
    following = re.search(r'href="(/\?[^"]*cursor=[^"]+)"', first)
    second = (await browser.get(following.group(1).replace("&amp;", "&"))).text if following else ""

    seen = [re.findall(r'<th scope="row"><a href="/orders/(SO-\d+)"', page) for page in (first, second)]
    assert (len(seen[0]), len(seen[1])) == (50, 10 + len(numbers))
    assert len({*seen[0], *seen[1]}) == 60 + len(numbers)


async def test_an_orders_page_says_channel_and_terms_as_people_do(world: ConsoleWorld, numbers: dict[str, str]) -> None:
    page = (await world.browser("support").get(f"/orders/{numbers['edi']}")).text

    assert "<dt>Channel</dt><dd>EDI</dd>" in page
    assert "<dt>Terms</dt><dd>net 30 days</dd>" in page


async def test_what_has_shipped_is_not_allocated_any_more(world: ConsoleWorld, numbers: dict[str, str]) -> None:
    page = (await world.browser("support").get(f"/orders/{numbers['shipping']}")).text

    cells = re.findall(
        r'<td class="figure">([^<]*)</td>', page.partition('id="h-lines"')[2].partition("</tr>\n</tbody>")[0]
    )
    # ten ordered, none backordered, six of the ten allocated have shipped
    assert cells[:3] == ["10", "–", "4"]


async def test_the_order_shows_where_it_stands_and_what_belongs_to_it(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    page = (await world.browser("support").get(f"/orders/{numbers['shipping']}")).text

    for shown in ("pick, pack and ship SH-9", "RR123", "INV-8", "830.13", "6/10", "placed the order"):
        assert shown in page
    assert f"http://temporal.example/namespaces/default/workflows/order%2F{numbers['shipping']}" in page


@pytest.mark.parametrize(
    ("name", "offered"),
    [
        ("backordered", ["Change…", "Cancel…"]),
        ("shipping", ["Change…", "Cancel…"]),
        ("delivered", []),
        ("rejected", []),
    ],
)
async def test_change_and_cancel_are_offered_while_they_can_come_true(
    world: ConsoleWorld, numbers: dict[str, str], name: str, offered: list[str]
) -> None:
    ours = (await world.browser("support").get(f"/orders/{numbers[name]}")).text
    theirs = (await world.browser("customer", company="cus_acme").get(f"/my/orders/{numbers[name]}")).text

    for page in (ours, theirs):
        assert [word for word in ("Change…", "Cancel…") if word in page] == offered


async def test_staff_that_cancels_is_told_that_the_customer_reads_the_reason(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    ours = (await world.browser("support").get(f"/orders/{numbers['held']}/cancel")).text
    theirs = (await world.browser("customer", company="cus_acme").get(f"/my/orders/{numbers['held']}/cancel")).text

    assert [("Reason" in page, "shown to the customer" in page) for page in (ours, theirs)] == [
        (True, True),
        (True, False),
    ]


async def test_a_customer_reads_what_waits_for_them_and_nothing_of_what_waits_for_us(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    unpaid = world.desk.read(delivered(world.desk, world.desk.accepted(("PUMP", 2)))).order.number
    browser = world.browser("customer", company="cus_acme")

    rows = (await browser.get("/my")).text.split("<tr>")
    page = (await browser.get(f"/my/orders/{unpaid}")).text
    ours = (await browser.get(f"/my/orders/{numbers['shipping']}")).text

    turns = {number: row for number in (unpaid, *numbers.values()) for row in rows if f"/my/orders/{number}" in row}
    assert "<strong>Waiting on you:</strong> payment of INV-1" in turns[unpaid]
    assert "<strong>Waiting on you:</strong> answer to the change" in turns[numbers["changing"]]
    assert "<strong>Waiting on you:</strong> payment of INV-1" in page
    assert [number for number in turns if "Waiting on" in turns[number]] == [unpaid, numbers["changing"]]
    assert "ships when it arrives" in turns[numbers["backordered"]]
    assert re.findall(r'<p class="waiting">(.*?)</p>', ours) == ["The rest follows."]


async def test_a_customer_reads_when_backordered_units_are_expected(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    page = (await world.browser("customer").get(f"/my/orders/{numbers['backordered']}")).text

    assert '<td data-of="Delivery">expected Dec 3, 2026</td>' in page


async def test_a_customer_reads_that_the_rest_of_an_order_being_packed_waits_for_stock(world: ConsoleWorld) -> None:
    desk = world.desk
    order_id = desk.accepted(("PUMP", 10))
    desk.notify(desk.fact(order_id, "inventory", "stock_reserved", 1, stock({"1": (6, 4)})))
    desk.notify(
        desk.fact(order_id, "fulfillment", "shipments_released", 1, together(shipment("SH-70", "released", {"1": 6})))
    )
    number = desk.read(order_id).order.number

    theirs = (await world.browser("customer", company="cus_acme").get(f"/my/orders/{number}")).text
    ours = (await world.browser("support").get(f"/orders/{number}")).text

    assert "The warehouse is working on it. 4 units are on backorder and ship when back in stock.</p>" in theirs
    assert re.findall(r'<strong>SH-70</strong> <span class="chip moves">(.*?)<', theirs) == ["being packed"]
    assert re.findall(r'<strong>SH-70</strong> <span class="chip moves">(.*?)<', ours) == ["released"]


async def test_the_page_of_an_order_that_has_ended_promises_no_shipment_and_no_invoice(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    ended = (await world.browser("support").get(f"/orders/{numbers['rejected']}")).text
    alive = (await world.browser("support").get(f"/orders/{numbers['held']}")).text

    assert ("Nothing was shipped." in ended, "Nothing was invoiced." in ended, "appear here" in ended) == (
        True,
        True,
        False,
    )
    assert ("Nothing was shipped." in alive, "Shipments appear here" in alive) == (False, True)


async def test_a_customer_reads_of_a_proposal_that_it_needs_their_answer(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    theirs = (await world.browser("customer", company="cus_acme").get(f"/my/orders/{numbers['changing']}")).text
    ours = (await world.browser("support").get(f"/orders/{numbers['changing']}")).text

    assert re.findall(r'We propose a change <span class="chip waits">(.*?)<', theirs) == ["needs your answer"]
    assert re.findall(r'Pending change <span class="chip waits">(.*?)<', ours) == ["waiting for customer"]


@pytest.mark.parametrize(
    ("unit", "shown"), [("3640.00", "3,640.00"), ("0.3333", "0.3333"), ("12345.6789", "12,345.6789")]
)
def test_the_price_of_a_unit_is_in_groups_like_every_amount(unit: str, shown: str) -> None:
    assert price(UnitPrice.parse(unit, "USD")) == shown


async def test_what_people_typed_is_text_and_nothing_else(world: ConsoleWorld) -> None:
    evil = '<script>alert(1)</script>"><img src=x onerror=alert(2)>'
    number = world.desk.place(("CENT", 1), po_number=evil, note=evil, by=SUPPORT).number
    browser = world.browser("support")

    for path in ("/", f"/orders/{number}", f"/orders/{number}/cancel"):
        page = (await browser.get(path)).text

        assert "<script>alert" not in page
        assert "<img src=x" not in page
    searched = (await browser.get("/")).text
    assert evil not in searched


@pytest.mark.parametrize(
    ("came_from", "back"),
    [
        ("{ours}nowhere?x=1", '<a href="/nowhere?x=1">Back to the form</a>'),
        ("https://elsewhere.example/delegations", ""),
        ("{ours}/elsewhere.example", ""),
        ("{ours}\\\\elsewhere.example", ""),
        ("http://[", ""),
    ],
)
async def test_a_refused_form_whose_page_cannot_be_shown_leads_back_to_what_is_ours(
    world: ConsoleWorld, came_from: str, back: str
) -> None:
    browser = world.browser("approver", sub="max")
    ours = f"{str(browser.client.base_url).rstrip('/')}/"

    refused = await browser.client.post(
        "/delegations", data={"csrf": browser.csrf}, headers={"Referer": came_from.format(ours=ours)}
    )

    assert refused.status_code == 422
    assert (back in refused.text) if back else ("Back to the form" not in refused.text)


@pytest.mark.parametrize("path", ["/", "/login", "/orders/SO-9", "/nowhere", "/static/console.css"])
async def test_every_answer_carries_the_headers_that_lock_the_browser(world: ConsoleWorld, path: str) -> None:
    answer = await world.browser("support").get(path)

    assert answer.headers["Content-Security-Policy"] == POLICY
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cache-Control"] in ("no-store", "public, max-age=31536000, immutable")


@pytest.mark.parametrize(
    ("path", "status", "shown"),
    [
        ("/orders/SO-9", 404, "There is no such order"),
        ("/nowhere", 404, "There is no page at this address"),
        ("/orders/..%2f..%2fetc", 404, "There is no page at this address"),
        ("/static/../app.py", 404, "There is no page at this address"),
        ("/static/vendor/manifest.json", 404, "There is no such file"),
        ("/?cursor=made-up", 422, "leave it out"),
        ("/?sort=bogus", 404, "There is no page at this address"),
        ("/my", 403, "Your role may not do this"),
    ],
)
async def test_a_refusal_is_a_page_with_a_sentence(world: ConsoleWorld, path: str, status: int, shown: str) -> None:
    answer = await world.browser("support").get(path)

    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("text/html")
    assert shown.lower() in answer.text.lower()
    assert "Traceback" not in answer.text


async def test_what_is_for_programs_stays_for_programs(world: ConsoleWorld) -> None:
    answers = [await world.browser().get(path) for path in ("/v1/nowhere", "/v1/orders", "/healthz")]

    assert [answer.headers["Content-Type"] for answer in answers] == [
        "application/problem+json", "application/problem+json", "application/json",
    ]  # fmt: skip


async def test_a_form_that_no_page_of_ours_sends_is_refused_as_a_page(world: ConsoleWorld) -> None:
    client = world.browser("support").client
    path = "/orders/SO-1004/cancel"

    as_json = await client.post(path, json={"reason": "x"})
    too_large = await client.post(path, data={"reason": "x" * 70_000})
    twice = await client.post(
        path, content="csrf=a&csrf=b", headers={"Content-Type": "application/x-www-form-urlencoded"}
    )

    assert [answer.status_code for answer in (as_json, too_large, twice)] == [415, 413, 422]
    assert {answer.headers["Content-Type"] for answer in (as_json, too_large, twice)} == {"text/html; charset=utf-8"}


async def test_a_database_that_does_not_answer_is_a_page_too(world: ConsoleWorld) -> None:
    browser = world.browser("support")
    with world.database.transaction() as session:
        session.execute(text("ALTER TABLE sales_order RENAME TO elsewhere"))

    answer = await browser.get("/")

    assert (answer.status_code, "try again in a moment" in answer.text) == (503, True)


# login, list, waiting, five of the inbox, channels, ages, service, margins, cases, exceptions, dead letters; the order's page, whose lines are
# remembered and which has no holds: login, find, order, progress, reviews, changes twice, violations, cancellations, newest event, events,
# feedback, exceptions, facts; on each page one more for the names of everybody on it
@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/", 15),
        ("/orders/SO-1003", 16),
        ("/cases", 3),
        ("/exceptions", 3),
        ("/dead-letters", 7),
        ("/my", 4),
        ("/reviews", 18),
    ],
)
async def test_a_page_takes_as_many_statements_for_many_orders_as_for_few(
    world: ConsoleWorld, path: str, most: int
) -> None:
    role = "customer" if path == "/my" else "admin"
    browser = world.browser(role)
    await browser.get(path)
    with statements(world) as few:
        await browser.get(path)
    for _ in range(30):
        world.desk.place(("CENT", 1), ("PUMP", 2), by=SUPPORT)

    with statements(world) as many:
        await browser.get(path)

    assert len(many) == len(few)
    assert len(many) <= most


_TYPED = re.compile(
    r"\{\{ [\w.]*(?:customer_name|po_number|on_behalf_of|comment|description|ship_to\.name|place\.city|event\.why"
    r"|\bone\.note|hold\.reason|request\.reason|\breason)(?: or \"–\")? \}\}"
)
_APART = re.compile(r"(?:<(?:bdi|td|dd|li|p)\b[^>]*>|<br>(?:<span[^>]*>)?)$")


def test_what_people_typed_stands_apart_so_that_right_to_left_names_move_no_figure() -> None:
    """Beside an Arabic name a browser would show the amount that follows on the wrong side of it."""
    found, beside = 0, []
    for template in sorted((ROOT / "gateway/console/templates").glob("*.html")):
        source = re.sub(r"\{% block title %\}.*", "", template.read_text())
        for typed in _TYPED.finditer(source):
            found += 1
            before, after = source[: typed.start()], source[typed.end() :]
            if not (_APART.search(before) and after.startswith("<")):
                beside.append((template.name, typed.group()))

    assert found > 25
    assert beside == []
