"""Cash in and out: payments for the order or on account, bounced ones, and refunds of what is left."""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.system.trade import key
from tests.whole.walk import Options, Row, Walk, cents


def options(walk: Walk) -> Options:
    """What the bank and accounting can do."""
    if walk.model.by_card:
        return []
    found: Options = []
    if walk.model.receivable > 0:
        found.append((3, "pay", partial(pay, walk, walk.model.receivable)))
        found.append((1, "pay in part", partial(pay, walk, walk.chance.randint(1, walk.model.receivable))))
    due = walk.due()
    if walk.method == "prepaid" and due > 0 and walk.order["phase"] in ("in_review", "on_hold", "accepted"):
        found.append((6, "pay ahead", partial(pay, walk, due)))
    for payment in walk.get("accounting", "/v1/payments", customer_id=walk.customer)["rows"]:
        if payment["reversed_at"] is None and not cents(payment["returned"]):
            found.append((1, "bounce", partial(_bounce, walk, payment)))
        if left := cents(payment["unapplied"]):
            found.append((2, "refund", partial(_refund, walk, payment, walk.chance.randint(1, left))))
    return found


def _money(minor: int) -> dict[str, str]:
    return {"amount": f"{minor / 100:.2f}", "currency": "USD"}


def pay(walk: Walk, minor: int) -> None:
    """Cash in, named for the order when it is prepaid."""
    body: dict[str, Any] = {
        "customer_id": walk.customer,
        "amount": _money(minor),
        "reference": f"BANK-{key()['Idempotency-Key']}",
    }
    if walk.method == "prepaid":
        body["orders"] = [{"order_id": walk.order_id, "amount": _money(minor)}]
    walk.post("accounting", "/v1/payments", body)
    walk.model.paid += minor


def _bounce(walk: Walk, payment: Row) -> None:
    path = f"/v1/payments/{payment['payment_id']}/reversal"
    walk.post("accounting", path, {"reason": "check returned unpaid"})
    walk.model.paid -= cents(payment["amount"])


def _refund(walk: Walk, payment: Row, minor: int) -> None:
    body = {"amount": _money(minor), "reason": "paid too much"}
    walk.post("accounting", f"/v1/payments/{payment['payment_id']}/refund", body)
    walk.model.refunded += minor
