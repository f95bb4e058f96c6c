"""The way back: returns are asked for, decided, counted in parts, inspected and credited, their cash goes back, and time ends them."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from tests.whole.model import FEE_PERCENT
from tests.whole.walk import Options, Refusal, Row, Walk, cents
from workflows.names import return_workflow_id

OVERDUE = timedelta(days=30, minutes=1)
EXCHANGES = 0.3
FOUND = (
    ("A", "restock", "customer"),
    ("B", "restock", "seller"),
    ("C", "quarantine", "customer"),
    ("D", "scrap", "carrier"),
)


def options(walk: Walk) -> Options:
    """What customers, support, warehouse and accounting can do for goods to come back."""
    found: Options = []
    if left := {line_id: count for line_id in walk.model.lines if (count := returnable(walk, line_id)) > 0}:
        found.append((4, "ask for a return", partial(_ask, walk, left)))
        found.append((1, "ask for too much", partial(_ask_too_much, walk, left)))
    for rma in walk.returns:
        found += _of(walk, rma)
    return found


def _of(walk: Walk, rma: Row) -> Options:
    number = rma["number"]
    can: Options = []
    if cents(rma["credited"]):
        is_new = walk.refunds.get(number) != rma["credited"]
        can.append(
            (2, "refund the return", partial(_refund, walk, rma))
            if is_new
            else (1, "refund again", partial(_refund, walk, rma))
        )
    if rma["state"] == "requested":
        can.append((6, "authorize", partial(_decide, walk, number, "authorize")))
        can.append((1, "deny", partial(_decide, walk, number, "deny")))
    if rma["state"] in ("requested", "authorized") and not any(line["received"] for line in rma["lines"]):
        can.append((1, "call off", partial(_call_off, walk, number)))
    if rma["state"] == "authorized":
        if number not in walk.overdue and any(line["quantity"] > line["received"] for line in rma["lines"]):
            can.append((5, "count", partial(_count, walk, rma)))
            can.append((1, "let it expire", partial(_expire, walk, number)))
        if any(line["received"] > line["inspected"] for line in rma["lines"]):
            can.append((6, "inspect", partial(_inspect, walk, rma)))
    return can


def returnable(walk: Walk, line_id: str) -> int:
    """Units of a line that may still be asked back: gone, not back, and in no return that is open."""
    line = walk.model.lines[line_id]
    coming: int = sum(
        row["quantity"] - row["received"]
        for rma in walk.returns
        if not rma["ended_at"]
        for row in rma["lines"]
        if row["line_id"] == line_id
    )
    return line.shipped - line.returned - coming


def _body(walk: Walk, units: dict[str, int]) -> Row:
    lines = [{"line_id": line_id, "quantity": count, "reason": "changed_mind"} for line_id, count in units.items()]
    return {"order": walk.number, "lines": lines, "reason": "too many"}


def _ask(walk: Walk, left: dict[str, int]) -> None:
    """To be credited, or, line by line, to be exchanged for the same."""
    body = _body(walk, {line_id: walk.chance.randint(1, most) for line_id, most in left.items()})
    for line in body["lines"]:
        if walk.chance.random() < EXCHANGES:
            line["replace"] = {}
    walk.asked_back.append(walk.post("customer", "/v1/returns", body)["number"])


def _ask_too_much(walk: Walk, left: dict[str, int]) -> None:
    line_id, most = walk.chance.choice(sorted(left.items()))
    walk.refused("MORE_THAN_RETURNABLE", "customer", "/v1/returns", _body(walk, {line_id: most + 1}))


def _decide(walk: Walk, number: str, verb: str) -> None:
    walk.post("support", f"/v1/returns/{number}/{verb}", {"note": "as agreed"})


def _call_off(walk: Walk, number: str) -> None:
    walk.post(walk.chance.choice(["customer", "support"]), f"/v1/returns/{number}/cancel", {"note": "kept"})


def _count(walk: Walk, rma: Row) -> None:
    """Some of what is expected comes."""
    units = {line["line_id"]: walk.chance.randint(0, line["quantity"] - line["received"]) for line in rma["lines"]}
    lines = [{"line_id": line_id, "quantity": count} for line_id, count in units.items() if count]
    if lines:
        body = {"warehouse_id": walk.chance.choice(walk.ground.warehouses), "lines": lines}
        path = f"/v1/returns/{rma['number']}/receive"
        if any(count > walk.model.lines[line_id].out for line_id, count in units.items()):
            walk.refused("NOT_SHIPPED", "warehouse", path, body)
            return
        walk.post("warehouse", path, body)
        for line_id, count in units.items():
            walk.model.lines[line_id].returned += count


def _inspect(walk: Walk, rma: Row) -> None:
    """Some of what was counted is looked at: what of it is as new goes on the shelf, and who answers for it pays the fee."""
    units = []
    for line in rma["lines"]:
        if count := walk.chance.randint(0, line["received"] - line["inspected"]):
            grade, disposition, who = walk.chance.choice(FOUND)
            units.append(
                {
                    "line_id": line["line_id"], "quantity": count, "grade": grade, "disposition": disposition,
                    "responsible": who,
                }
            )  # fmt: skip
    if not units:
        return
    body = {"warehouse_id": walk.chance.choice(walk.ground.warehouses), "units": units}
    walk.post("warehouse", f"/v1/returns/{rma['number']}/inspect", body)
    assert rma["fee_percent"] == str(FEE_PERCENT), rma["fee_percent"]
    replaced = {line["line_id"] for line in rma["lines"] if line["replace"]}
    for one in units:
        count = int(str(one["quantity"]))
        walk.model.take_back(
            walk.model.lines[str(one["line_id"])],
            count,
            restocked=count if one["disposition"] == "restock" else 0,
            with_fee=count if one["responsible"] == "customer" else 0,
            is_replaced=one["line_id"] in replaced,
        )


def _refund(walk: Walk, rma: Row) -> None:
    """What its credit notes left of the cash goes back, and a second question gives nothing more."""
    walk.refunds[rma["number"]] = rma["credited"]
    try:
        first, second = (_refunded(walk, rma["number"]) for _ in range(2))
    except Refusal as refusal:
        # accounting has given it back by hand, or the bank has taken it
        if refusal.code not in ("REFUND_EXCEEDS_CASH", "PAYMENT_REVERSED") or not {"refund", "bounce"} & {
            done.split(" (")[0] for done in walk.done
        }:
            raise
        return
    assert 0 <= first <= walk.model.paid - walk.model.refunded
    assert second == 0, f"{rma['number']} was refunded twice: {first} and {second}"
    walk.model.refunded += first


def _refunded(walk: Walk, number: str) -> int:
    return cents(walk.post("accounting", f"/v1/returns/{number}/refund")["refunded"])


def _expire(walk: Walk, number: str) -> None:
    """What has not come never comes."""
    handle = walk.trade.system.temporal.get_workflow_handle(return_workflow_id(number))
    walk.ground.skip(handle, OVERDUE + walk.ground.system.skipped)
    walk.overdue.add(number)
