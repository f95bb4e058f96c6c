"""What a request is known by when it comes again: releases add members, and a repeat of an older request still is one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from services.orders.domain.order import PlaceLine, PlaceOrder
from services.orders.lifecycle.place import request_sha256
from tests.orders.desk import DALLAS, usd

PLAIN = PlaceOrder("key-1", "web", "cus_acme", "USD", (PlaceLine("PUMP", 2, usd("9.99")),), ship_to=DALLAS)


def test_a_request_without_later_members_has_the_digest_that_the_first_releases_gave_it() -> None:
    assert request_sha256(PLAIN) == "1423427f4e8ffe35c8413fb0166f1b1722eef1d2faeef100e1681eef0bd24624"
    assert request_sha256(replace(PLAIN, idempotency_key="key-2")) == request_sha256(PLAIN)
    assert request_sha256(replace(PLAIN, tax_exemption="TX-88")) != request_sha256(PLAIN)
    assert request_sha256(replace(PLAIN, cancel_after=date(2026, 12, 1))) != request_sha256(PLAIN)
