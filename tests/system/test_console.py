"""The console in the whole system: what people press there reaches the workflow."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.system.boardroom import Boardroom, placed
from tests.system.trade import PATIENCE_S, Trade, ok

PASSWORD = "a long enough password"
CSRF = re.compile(r'name="csrf" value="([^"]+)"')
ROW = re.compile(r'href="(/reviews/[^"]+)">(SO-[^<]+)<')
NEXT = re.compile(r'<p class="more"><a href="([^"]+)"')


@contextmanager
def logged_in(trade: Trade, name: str, *, password: str = "", token: str = "") -> Iterator[httpx.Client]:
    """Somebody's browser, by password or token."""
    with httpx.Client(base_url=trade.system.base_url, headers={"Accept": "text/html"}, timeout=PATIENCE_S) as browser:
        how = ("/login", {"name": name, "password": password}) if password else ("/login/token", {"token": token})
        press(browser, "/login", how[0], **how[1])
        yield browser


def press(browser: httpx.Client, page: str, path: str, **fields: str) -> None:
    """Open a page and press a button of it."""
    found = CSRF.search(browser.get(page).text)
    assert found, page
    answer = browser.post(path, data={"csrf": found.group(1), **fields})
    assert answer.status_code == 303, answer.text


def asked(browser: httpx.Client) -> dict[str, str]:
    """The whole inbox: number → the page that decides."""
    found, page = dict[str, str](), "/reviews"
    while page:
        shown = browser.get(page).text
        found |= {number: row for row, number in ROW.findall(shown)}
        following = NEXT.search(shown)
        page = html.unescape(following.group(1)) if following else ""
    return found


def test_an_approval_pressed_in_the_console_lets_the_order_go_on(trade: Trade, room: Boardroom) -> None:
    order, manager = placed(room), room.sub("manager")
    ok(room.api("manager").post("/v1/me/password", json={"password": PASSWORD}))

    with logged_in(trade, manager, password=PASSWORD) as browser:
        row = asked(browser)[order["number"]]
        shown = browser.get(row).text
        press(browser, row, row, decision="approve", version="1", note="fine")
        left = asked(browser)
    accepted = trade.when_idle(order["order_id"])

    # the figures of inventory and billing themselves
    assert [words in shown for words in ("To ship", "Exposure afterwards", "does not answer")] == [True, True, False]
    assert order["number"] not in left
    assert accepted["status"] == "in_fulfilment"
    assert accepted["reviews"][0]["steps"][0]["decisions"][0]["note"] == "fine"
    trade.until_audit_is_clean()


def test_a_customer_cancels_in_the_console_and_the_workflow_takes_everything_back(trade: Trade) -> None:
    customer_id = trade.customer()
    sku = trade.product("c", "10.00", cost="7.00")
    warehouse = trade.warehouses({"w1": 900})["w1"]
    trade.receive(warehouse, sku, 3, "7.00")
    order = trade.placed(trade.order_body(customer_id, [{"sku": sku, "quantity": 2}]))
    token = trade.system.issuer.token(sub="buyer", roles=["customer"], company=customer_id)
    page = f"/my/orders/{order['number']}"

    with logged_in(trade, "buyer", token=token) as browser:
        press(browser, f"{page}/cancel", f"{page}/cancel", reason="plans changed", version="1")
        cancelled = trade.when_idle(order["order_id"])
        shown = browser.get(page).text

    assert cancelled["status"] == "cancelled"
    assert trade.stock(sku)[warehouse] == (3, 0)
    assert "Canceled" in shown
    trade.until_audit_is_clean()
