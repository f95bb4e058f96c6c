"""The way out: an order is placed, decided, changed, canceled, shipped in parts, and delivered."""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.system.trade import TEXAS, ok
from tests.whole.returning import returnable
from tests.whole.walk import PRICES, Options, Row, Walk

VISA = "pm_card_visa"
NEXT = {"released": "pick", "picked": "pack", "packed": "ship"}


def place(walk: Walk) -> None:
    """An order of both lines; a large one is over 5,000 and waits for the manager."""
    units = {"1": walk.chance.choice([1, 3, 6, 6, 130]), "2": walk.chance.randint(1, 4)}
    for line_id in PRICES:
        for warehouse in walk.ground.warehouses:
            if walk.chance.random() < 0.6:
                receive(walk, line_id, warehouse, walk.chance.randint(1, 5))
    body: Row = {
        "channel": "web",
        "customer_id": walk.customer,
        "po_number": f"PO-{walk.customer[-6:]}",
        "currency": "USD",
        "ship_to": TEXAS,
        "lines": [{"sku": line.sku, "quantity": units[line_id]} for line_id, line in walk.model.lines.items()],
    }
    if walk.method != "terms":
        body["payment"] = {"method": walk.method} | ({"token": VISA} if walk.method == "card" else {})
    placed = walk.post("channel", "/v1/orders", body)
    walk.order_id, walk.number = placed["order_id"], placed["number"]
    for line_id, line in walk.model.lines.items():
        line.ordered = units[line_id]


def receive(walk: Walk, line_id: str, warehouse: str, units: int) -> None:
    """Goods in."""
    sku = walk.model.lines[line_id].sku
    body = {"warehouse_id": warehouse, "sku": sku, "quantity": units, "unit_cost": "5.00", "currency": "USD"}
    walk.post("warehouse", "/v1/stock/receipts", body)
    walk.model.received[sku] = walk.model.received.get(sku, 0) + units


def options(walk: Walk) -> Options:
    """What can be done on the way out."""
    return [*_decisions(walk), *_corrections(walk), *_goods(walk)]


def _decisions(walk: Walk) -> Options:
    found: Options = []
    for hold in walk.order["holds"]:
        if hold["released_at"] is None and hold["hold_type"] != "payment":
            found.append((4, f"release {hold['hold_type']}", partial(_release, walk, hold)))
    steps = [step for review in walk.order["reviews"] for step in review["steps"] if step["state"] == "open"]
    change = walk.order["change"]
    awaits_customer = bool(change) and change["state"] == "awaiting_customer"
    if steps and not awaits_customer:
        found.append((6, "approve", partial(_decide, walk, steps[0], "approve")))
        found.append((1, "reject", partial(_decide, walk, steps[0], "reject")))
    if awaits_customer:
        found.append((6, "accept the change", partial(_consent, walk, change, "accept")))
        found.append((2, "decline the change", partial(_consent, walk, change, "decline")))
    for recall in recalls(walk):
        found.append((6, "give back", partial(_answer, walk, recall, "acknowledge")))
        found.append((3, "keep", partial(_answer, walk, recall, "refuse")))
    return found


def recalls(walk: Walk) -> list[Row]:
    """What the warehouses are asked back and have not answered."""
    rows: list[Row] = walk.get("warehouse", "/v1/recalls", order_id=walk.order_id)["rows"]
    return rows


def _release(walk: Walk, hold: Row) -> None:
    path = f"/v1/orders/{walk.order_id}/holds/{hold['hold_id']}/release"
    walk.post(hold["owner_role"], path, {"note": "checked"})


def _decide(walk: Walk, step: Row, decision: str) -> None:
    room = walk.ground.room
    ok(room.decide("manager", walk.order_id, decision, version=walk.order["version"], step_id=step["step_id"]))
    walk.is_refused = decision == "reject"


def _consent(walk: Walk, change: Row, answer: str) -> None:
    path = f"/v1/orders/{walk.order_id}/changes/{change['change_id']}/consent"
    walk.post("customer", path, {"answer": answer})


def _answer(walk: Walk, recall: Row, answer: str) -> None:
    said = {"answer": answer, "reason": "the truck is loaded" if answer == "refuse" else ""}
    walk.post("warehouse", f"/v1/recalls/{recall['recall_id']}/answer", said)


def _corrections(walk: Walk) -> Options:
    phase, lines = walk.order["phase"], walk.model.lines
    is_open = phase in ("accepted", "in_review") and not walk.is_asked() and not recalls(walk)
    if not is_open or not any(line.open for line in lines.values()):
        return []
    found: Options = [
        (2, "cancel units", partial(_cancel_units, walk)),
        (1, "cancel the rest", partial(_cancel, walk, {})),
        (2, "change", partial(_change, walk)),
    ]
    if phase == "accepted" and any(line.shipped for line in lines.values()):
        found.append((1, "close the rest", partial(_close, walk)))
    return found


def _cancel_units(walk: Walk) -> None:
    """One or more units of some lines; no more than are open."""
    wanted = {
        line_id: walk.chance.randint(1, line.open)
        for line_id, line in walk.model.lines.items()
        if line.open and walk.chance.random() < 0.7
    }
    _cancel(walk, wanted)


def _cancel(walk: Walk, wanted: dict[str, int]) -> None:
    role = walk.chance.choice(["support", "customer"])
    body: dict[str, Any] = {"reason": "the project is postponed"}
    if wanted:
        body["lines"] = [{"line_id": line_id, "quantity": units} for line_id, units in wanted.items()]
    everything = {line_id: line.open for line_id, line in walk.model.lines.items() if line.open}
    walk.post(role, f"/v1/orders/{walk.order_id}/cancellation", body)
    walk.asked_to_cancel = wanted or everything


def _close(walk: Walk) -> None:
    walk.post("support", f"/v1/orders/{walk.order_id}/close", {"reason": "never mind the rest"})
    walk.asked_to_cancel = {line_id: line.open for line_id, line in walk.model.lines.items() if line.open}


def _change(walk: Walk) -> None:
    """More or fewer units of a line; no fewer than are picked, and no line is left without any."""
    line_id = walk.chance.choice(list(walk.model.lines))
    line = walk.model.lines[line_id]
    now = line.ordered - line.cancelled
    wanted = walk.chance.choice([max(1, walk.line(line_id)["picked"], now - 1), now + 1, now + 3])
    if wanted == now:
        return
    role = walk.chance.choice(["support", "customer"])
    body = {"reason": "as agreed", "lines": [{"line_id": line_id, "quantity": wanted}]}
    walk.post(role, f"/v1/orders/{walk.order_id}/changes", body)
    walk.asked_to_change = (line_id, wanted + line.cancelled)


def _goods(walk: Walk) -> Options:
    found: Options = [(1, "receive", partial(_receive_any, walk))]
    if any(walk.backordered(line_id) for line_id in walk.model.lines):
        found.append((3, "receive", partial(_receive_any, walk)))
    for shipment in walk.shipments:
        state = shipment["state"]
        if state in NEXT:
            found.append((3, NEXT[state], partial(_move, walk, shipment, 1)))
            found.append((3, "send off", partial(_move, walk, shipment, 3)))
        if state == "shipped":
            found.append((4, "deliver", partial(_deliver, walk, shipment)))
            found.append((1, "unship", partial(_unship, walk, shipment)))
    return found


def _receive_any(walk: Walk) -> None:
    receive(
        walk,
        walk.chance.choice(list(walk.model.lines)),
        walk.chance.choice(walk.ground.warehouses),
        walk.chance.choice([1, 4, 60]),
    )


def _move(walk: Walk, shipment: Row, steps: int) -> None:
    state, states = shipment["state"], list(NEXT)
    for verb in [NEXT[one] for one in states[states.index(state) :]][:steps]:
        walk.post("warehouse", f"/v1/shipments/{shipment['shipment_id']}/{verb}")
        if verb == "ship":
            for row in shipment["lines"]:
                walk.model.lines[row["line_id"]].shipped += row["quantity"]
            walk.model.capture(_worth(walk, shipment))


def _deliver(walk: Walk, shipment: Row) -> None:
    walk.ground.deliver(shipment, times=walk.chance.randint(1, 3))
    for row in shipment["lines"]:
        walk.model.lines[row["line_id"]].delivered += row["quantity"]


def _unship(walk: Walk, shipment: Row) -> None:
    """It never left: the goods are back on the shelf, and what was billed for them is credited; not where a return needs them."""
    path, why = f"/v1/shipments/{shipment['shipment_id']}/reversal", {"reason": "scanned the wrong pallet"}
    if any(row["quantity"] > returnable(walk, row["line_id"]) for row in shipment["lines"]):
        walk.refused("RETURN_OPEN", "warehouse", path, why)
        return
    walk.post("warehouse", path, why)
    for row in shipment["lines"]:
        walk.model.lines[row["line_id"]].shipped -= row["quantity"]
    if walk.model.by_card:
        walk.model.held += _worth(walk, shipment)


def _worth(walk: Walk, shipment: Row) -> int:
    return sum(row["quantity"] * walk.model.lines[row["line_id"]].gross for row in shipment["lines"])
