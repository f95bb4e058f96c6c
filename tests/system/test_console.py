"""The console in the whole system: what people press there reaches the workflow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.system.boardroom import Boardroom
from tests.system.test_reviews import placed
from tests.system.trade import Trade, ok

PASSWORD = "a long enough password"
CSRF = re.compile(r'name="csrf" value="([^"]+)"')


@contextmanager
def logged_in(trade: Trade, name: str, *, password: str = "", token: str = "") -> Iterator[httpx.Client]:
    """Somebody's browser, by password or token."""
    with httpx.Client(base_url=trade.system.base_url, headers={"Accept": "text/html"}, timeout=30) as browser:
        how = ("/login", {"name": name, "password": password}) if password else ("/login/token", {"token": token})
        press(browser, "/login", how[0], **how[1])
        yield browser


def press(browser: httpx.Client, page: str, path: str, **fields: str) -> None:
    """Open a page and press a button of it."""
    found = CSRF.search(browser.get(page).text)
    assert found, page
    answer = browser.post(path, data={"csrf": found.group(1), **fields})
    assert answer.status_code == 303, answer.text


def test_an_approval_pressed_in_the_console_lets_the_order_go_on(trade: Trade) -> None:
    room = Boardroom(trade)
    room.hire("director", roles=["approver"], positions=["finance_director"], limit="100000.00")
    room.hire("manager", roles=["approver"], positions=["manager"], limit="25000.00", manager="director")
    room.policy()
    order, manager = placed(room), room.sub("manager")
    ok(trade.system.api("admin").post(f"/v1/people/{manager}/password", json={"password": PASSWORD}))

    with logged_in(trade, manager, password=PASSWORD) as browser:
        inbox = browser.get("/reviews").text
        row = re.search(rf'href="(/reviews/[^"]+)">{order["number"]}<', inbox)
        assert row, inbox
        press(browser, row.group(1), row.group(1), decision="approve", version="1", note="fine")
        left = browser.get("/reviews").text

    accepted = trade.until(order["order_id"], lambda seen: seen["status"] == "in_fulfilment", "the release")
    assert order["number"] not in left
    assert accepted["reviews"][0]["steps"][0]["decisions"][0]["note"] == "fine"
    trade.until_audit_is_clean()


def test_a_customer_cancels_in_the_console_and_the_workflow_takes_everything_back(trade: Trade) -> None:
    customer_id = trade.customer()
    sku = trade.product("c", "10.00", cost="7.00")
    order = ok(trade.place(trade.order_body(customer_id, [{"sku": sku, "quantity": 2}])))
    token = trade.system.issuer.token(sub="buyer", roles=["customer"], company=customer_id)
    page = f"/my/orders/{order['number']}"

    with logged_in(trade, "buyer", token=token) as browser:
        press(browser, f"{page}/cancel", f"{page}/cancel", reason="plans changed", version="1")
        shown = browser.get(page).text

    trade.until(order["order_id"], lambda seen: seen["status"] == "cancelled", "the cancellation")
    assert "Cancelled" in shown
    trade.until_audit_is_clean()
