"""What replaces goods that came back leaves in an order of its own: the same SKU, of which nothing is credited or invoiced."""

from __future__ import annotations

from functools import partial

from tests.whole.selling import NEXT
from tests.whole.walk import Options, Row, Walk


def options(walk: Walk) -> Options:
    """What the warehouses and carriers can do with the orders that replace goods."""
    found: Options = []
    for order in walk.replacements:
        for shipment in order["shipments"]:
            if shipment["state"] in NEXT:
                found.append((4, "send off what replaces", partial(_send_off, walk, order, shipment)))
            if shipment["state"] == "shipped":
                found.append((4, "deliver what replaces", partial(_deliver, walk, order, shipment)))
    return found


def _shipment(walk: Walk, order: Row, shipment: Row) -> Row:
    (found,) = [one for one in walk.trade.shipments(order["order_id"]) if one["shipment_id"] == shipment["shipment_id"]]
    return found


def _send_off(walk: Walk, order: Row, shipment: Row) -> None:
    found, states = _shipment(walk, order, shipment), list(NEXT)
    for state in states[states.index(found["state"]) :]:
        walk.post("warehouse", f"/v1/shipments/{found['shipment_id']}/{NEXT[state]}")
    skus = {line["line_id"]: line["sku"] for line in order["lines"]}
    for row in found["lines"]:
        (line,) = [one for one in walk.model.lines.values() if one.sku == skus[row["line_id"]]]
        line.resent += row["quantity"]


def _deliver(walk: Walk, order: Row, shipment: Row) -> None:
    walk.ground.deliver(_shipment(walk, order, shipment), times=walk.chance.randint(1, 3))
