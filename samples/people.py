"""The people of the day: reviewers, the warehouse, carriers, the supplier and the bank with marketplaces and tills, each through the public API."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from cli.output import grouped, words
from samples import documents
from samples.documents import Day
from samples.door import Answer, Door, Person, Refusal, Row
from samples.narration import Board

_OPEN_INVOICE = ("open", "part_paid")
_PARKED = ("on_hold", "in_review", "awaiting_customer")
_PATIENCE = 12
_CONFLICT = 409
_MANY = 3
"""Units of a line of which one may be damaged."""
_MOVED = {"pick": "picked", "pack": "packed", "ship": "handed to the carrier", "perform": "performed on site"}
"""What the warehouse does with a shipment → how it is said."""


class People:
    """Everybody who works on the day's orders; `mark` makes the keys of this day its own."""

    def __init__(self, door: Door, day: Day, board: Board, mark: str) -> None:
        self._door = door
        self._day = day
        self._board = board
        self._mark = mark
        self._done: set[str] = set()
        self._in_waves: set[str] = set()
        self._shorts: dict[str, Sequence[Row]] = {}
        self._scans: dict[str, Row] = {}
        self._refusals: dict[str, int] = {}
        self._reps = {row["customer_id"]: row.get("sales_rep", "") for row in documents.read("customers")["customers"]}
        products = documents.read("catalog")["products"]
        self._costs = {row["sku"]: row["standard_cost"] for row in products}
        self._prices = {row["sku"]: row["list_price"] for row in products}
        self._agreed: Sequence[Row] = documents.read("customers")["prices"]
        people = documents.read("people")["people"]
        self._deciders = {position: row["sub"] for row in people for position in row.get("positions", ())}
        self._names = {row["sub"]: row["name"] for row in people}

    def work(self, orders: Mapping[str, Row]) -> int:
        """One round of everybody; how much was done. `orders` is order id → its row in the overview."""
        done = self._review(orders) + self._warehouse(orders) + self._carriers(orders)
        # goods come in when everything that was there has left the shelves
        return done or (self._supplier() + self._accounting(orders) + self._bank(orders))

    def _as(self, role: str, customer_id: str = "") -> Person:
        sub = self._reps.get(customer_id, "") if role == "sales_rep" else ""
        return self._door.person(role, sub or self._day.people[role])

    def _do(self, name: str, act: Callable[[], Answer]) -> bool:
        """Whether the action was done; somebody who was quicker is waited for, but not for ever."""
        try:
            act()
        except Refusal as refusal:
            tries = self._refusals[name] = self._refusals.get(name, 0) + 1
            if refusal.status != _CONFLICT or tries > _PATIENCE:
                raise
            return False
        return True

    def _key(self, *words: str) -> str:
        return "-".join((self._mark, *words))

    def _review(self, orders: Mapping[str, Row]) -> int:
        waiting = [order_id for order_id, row in orders.items() if row["status"] in _PARKED]
        return sum(self._decide(self._as("auditor").get(f"/v1/orders/{order_id}")) for order_id in waiting)

    def _decide(self, order: Row) -> int:
        if order["change"] is not None:
            return self._consent(order)
        standing = [hold for hold in order["holds"] if hold["released_at"] is None]
        if any(hold["hold_type"] == "duplicate" for hold in standing):
            return self._cancel(order)
        if any(hold["hold_type"] == "price" for hold in standing):
            return self._propose(order)
        steps = [step for review in order["reviews"] for step in review["steps"] if step["state"] == "open"]
        return sum(self._release(order, hold) for hold in standing) + sum(self._approve(order, step) for step in steps)

    def _approve(self, order: Row, step: Row) -> int:
        """Whoever the matrix names decides, on the version that was seen."""
        sub = self._deciders.get(step["position"]) or self._day.people[step["role"]]
        who = self._door.person(step["role"], sub)
        body = {"step_id": step["step_id"], "decision": "approve", "version": order["version"], "note": "as agreed"}
        path, key = f"/v1/orders/{order['order_id']}/decisions", self._key("approve", step["step_id"])
        if not self._do(path + step["step_id"], lambda: who.post(path, body, key=key)):
            return 0
        verb = "confirmed" if step["role"] == "manufacturing" else "approved"
        by = self._names.get(sub, sub)
        self._board.say(f"[yellow]{order['number']}[/] {verb} by {by} ({step['asks']}: {', '.join(step['reasons'])})")
        return 1

    def _propose(self, order: Row) -> int:
        """The price on the order is not the one agreed: sales proposes that one, and the customer will be asked."""
        agreed = {row["sku"]: row["price"] for row in self._agreed if row["customer_id"] == order["customer_id"]}
        lines = [
            {"line_id": line["line_id"], "unit_price": agreed.get(line["sku"], self._prices[line["sku"]])}
            for line in order["lines"]
            if line["price_source"] == "given"
        ]
        body = {"version": order["version"], "reason": "the price that the agreement or our list names", "lines": lines}
        path, key = f"/v1/orders/{order['order_id']}/changes", self._key("change", order["order_id"])
        rep = self._as("sales_rep", order["customer_id"])
        if not self._do(path, lambda: rep.post(path, body, key=key)):
            return 0
        self._board.say(
            f"[yellow]{order['number']}[/] sales proposes the agreed price: a mail shows the customer what would change"
        )
        return 1

    def _consent(self, order: Row) -> int:
        change = order["change"]
        if change["state"] != "awaiting_customer":
            return 0
        buyer = self._door.person("customer", self._day.buyer, order["customer_id"])
        path = f"/v1/orders/{order['order_id']}/changes/{change['change_id']}/consent"
        if not self._do(
            path, lambda: buyer.post(path, {"answer": "accept"}, key=self._key("yes", change["change_id"]))
        ):
            return 0
        was, now = (grouped(change[name]["amount"]) for name in ("total_before", "total_after"))
        self._board.say(
            f"[green]{order['number']}[/] the customer accepts: version {change['to_version']}, {now} instead of {was}"
        )
        return 1

    def _cancel(self, order: Row) -> int:
        body = {"version": order["version"], "reason": "the customer ordered twice under one PO number"}
        path = f"/v1/orders/{order['order_id']}/cancellation"
        if not self._do(path, lambda: self._as("support").post(path, body, key=self._key("cancel", order["order_id"]))):
            return 0
        self._board.say(f"[red]{order['number']}[/] canceled by support: {body['reason']}")
        return 1

    def _release(self, order: Row, hold: Row) -> int:
        who = self._as(hold["owner_role"], order["customer_id"])
        path = f"/v1/orders/{order['order_id']}/holds/{hold['hold_id']}/release"
        body = {"version": order["version"], "note": "checked with the customer"}
        if not self._do(path, lambda: who.post(path, body, key=self._key("release", hold["hold_id"]))):
            return 0
        self._board.say(
            f"[yellow]{order['number']}[/] {hold['hold_type']} hold released by {words(hold['owner_role'])}"
        )
        return 1

    def _warehouse(self, orders: Mapping[str, Row]) -> int:
        """Every shipment moves one station a round."""
        self._wave(orders)
        done = 0
        for state, verb in (("packed", "ship"), ("picked", "pack"), ("released", "pick")):
            for is_service, action in ((True, "perform"), (False, verb)):
                moved = [
                    row
                    for row in self._shipments(state, orders)
                    if row["is_service"] is is_service and self._move(row, action)
                ]
                self._say_of_all(moved, _MOVED[action])
                done += len(moved)
        return done

    def _wave(self, orders: Mapping[str, Row]) -> None:
        """What a warehouse has to pick together is a wave, with a pick list by bin; one parcel alone is none."""
        released: dict[str, list[Row]] = {}
        for row in self._shipments("released", orders):
            if not row["is_service"] and row["shipment_id"] not in self._in_waves:
                released.setdefault(row["warehouse_id"], []).append(row)
        for place, rows in released.items():
            ids = [row["shipment_id"] for row in rows]
            self._in_waves |= {*ids}
            if len(ids) > 1 and self._make_wave(place, ids):
                self._board.say(f"[cyan]{place}[/] picks {len(ids)} shipments in one wave")

    def _make_wave(self, place: str, ids: Sequence[str]) -> bool:
        body, key = {"warehouse_id": place, "shipment_ids": ids}, self._key("wave", ids[0])
        return self._do(key, lambda: self._as("warehouse").post("/v1/waves", body, key=key))

    def _say_of_all(self, shipments: Sequence[Row], what: str) -> None:
        """One line for all that moved together: a day has too many shipments for a line each."""
        if shipments:
            orders = list(dict.fromkeys(row["order_number"] for row in shipments))
            count = f"{len(shipments)} shipment{'s' if len(shipments) > 1 else ''}"
            self._board.say(f"[cyan]{count}[/] {what}: {', '.join(orders)}")

    def _move(self, shipment: Row, verb: str) -> bool:
        path, key = f"/v1/shipments/{shipment['shipment_id']}/{verb}", self._key(verb, shipment["shipment_id"])
        if verb == "pick" and (short := self._short(shipment)):
            return self._do(path, lambda: self._as("warehouse").post(path, {"lines": short}, key=key))
        return self._do(path, lambda: self._as("warehouse").post(path, key=key))

    def _short(self, shipment: Row) -> Sequence[Row]:
        """The day's one short pick, of the first shipment with enough of something: its lines as they are found, one unit damaged."""
        line = next((one for one in shipment["lines"] if one["quantity"] >= _MANY), None)
        if shipment["shipment_id"] not in self._shorts and (self._shorts or line is None or shipment["is_service"]):
            return ()
        if line is not None and not self._shorts:
            self._shorts[shipment["shipment_id"]] = [
                {"line_id": one["line_id"], "sku": one["sku"], "quantity": one["quantity"] - (one is line)}
                | ({"short_reason": "damaged"} if one is line else {})
                for one in shipment["lines"]
            ]
            self._board.say(
                f"[yellow]{shipment['number']}[/] is picked short: one of {line['quantity']:,} x {line['sku']} is damaged, and in quarantine; "
                f"{shipment['order_number']} gets it in another shipment"
            )
        return self._shorts[shipment["shipment_id"]]

    def _shipments(self, state: str, orders: Mapping[str, Row]) -> Sequence[Row]:
        found = self._as("warehouse").rows("/v1/shipments", state=state)
        return [row for row in found if row["order_id"] in orders]

    def _carriers(self, orders: Mapping[str, Row]) -> int:
        """Parcels travel: first in transit, a round later delivered. One carrier says it twice, and once too late."""
        parcels = [row for row in self._shipments("shipped", orders) if not row["is_service"]]
        arriving = [parcel for parcel in parcels if parcel["shipment_id"] in self._done]
        for parcel in parcels:
            self._hear(parcel, "delivered" if parcel in arriving else "in_transit")
            self._done.add(parcel["shipment_id"])
        self._say_of_all(arriving, "delivered")
        if arriving and "repeat" not in self._done:
            self._done.add("repeat")
            self._repeat(arriving[0])
        return len(parcels)

    def _repeat(self, parcel: Row) -> None:
        """A carrier's scans come twice and out of order; neither changes anything."""
        states = {self._hear(parcel, status)["state"] for status in ("delivered", "out_for_delivery")}
        self._board.say(
            f"{parcel['carrier']} sends {parcel['number']} a second time, and an older scan: still {', '.join(states)}"
        )

    def _hear(self, parcel: Row, status: str) -> Row:
        """What a carrier's scan makes of a shipment; a scan that comes twice says the same to the second."""
        scan_id = f"{parcel['tracking_number']}-{status}"
        event = {
            "tracking_number": parcel["tracking_number"],
            "status": status,
            "occurred_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        }
        return self._door.carrier_says(parcel["carrier"], scan_id, self._scans.setdefault(scan_id, event))

    def _supplier(self) -> int:
        """What customers wait for arrives: a receipt fills the backorders in the order they were accepted."""
        missing: dict[str, int] = {}
        for row in self._as("warehouse").rows("/v1/backorders"):
            missing[row["sku"]] = missing.get(row["sku"], 0) + row["quantity"]
        for sku, quantity in missing.items():
            body = {
                "warehouse_id": "wh_columbus",
                "sku": sku,
                "quantity": quantity,
                "unit_cost": self._costs[sku],
                "currency": "USD",
                "reference": "PO-SUP-118",
            }
            key = self._key("receipt", sku, str(len(self._done)))
            answer = self._as("warehouse").post("/v1/stock/receipts", body, key=key)
            self._done.add(key)
            filled = answer.document["filled_quantity"]
            self._board.say(f"goods received: {quantity:,} x {sku} in wh_columbus, {filled:,} fill backorders at once")
        return len(missing)

    def _accounting(self, orders: Mapping[str, Row]) -> int:
        """What no policy invoices by itself accounting invoices by hand, an order at a time."""
        rows = self._as("accounting").rows("/v1/billable", policy="manual")
        waiting = dict.fromkeys(
            row["order_number"] for row in rows if row["order_id"] in orders and not row["draft_id"]
        )
        return sum(self._invoice(number, str(len(rows))) for number in waiting)

    def _invoice(self, number: str, mark: str) -> int:
        key = self._key("invoice", number, mark, str(len(self._done)))
        path, body = "/v1/invoices", {"order_id": number}
        if not self._do(key, lambda: self._as("accounting").post(path, body, key=key)):
            return 0
        self._done.add(key)
        self._board.say(f"[green]{number}[/] accounting invoices by hand what has shipped")
        return 1

    def _bank(self, orders: Mapping[str, Row]) -> int:
        """Customers pay what they owe, ACME first a part of it; those with long terms pay another day."""
        due = [
            invoice
            for status in _OPEN_INVOICE
            for invoice in self._as("accounting").rows("/v1/invoices", status=status)
            if invoice["order_id"] in orders and invoice["customer_id"] not in self._day.pays_later
        ]
        paid = [self._pay(one, is_part=one["status"] == "open" and "part" not in self._done) for one in due]
        received = [amount for amount in paid if amount]
        if received:
            count = f"{len(received)} payment{'s' if len(received) > 1 else ''}"
            self._board.say(f"[green]{count}[/] received: {sum(received):,} USD")
        return len(received)

    def pay_out(self, orders: Collection[str]) -> None:
        """Marketplaces and tills pay what they took for these orders, less their fees: a payout a channel."""
        rows = self._as("accounting").rows("/v1/marketplace-sales", status="open")
        owed: dict[str, list[Row]] = {}
        for sale in rows:
            if sale["order_id"] in orders:
                owed.setdefault(sale["channel"], []).append(sale)
        for channel, sales in owed.items():
            parts = [_paid_out(sale) for sale in sales]
            cash, fees = (sum(Decimal(part[name]) for part in parts) for name in ("amount", "fees"))
            reference = self._key("payout", channel)
            amount = {"amount": f"{cash}", "currency": "USD"}
            body = {"channel": channel, "reference": reference, "amount": amount, "sales": parts}
            self._as("accounting").post("/v1/payouts", body, key=reference)
            kept = f", {fees:,} USD of fees kept" if fees else ""
            self._board.say(f"[green]{words(channel)}[/] pays out what its buyers paid: {cash:,} USD{kept}")

    def _pay(self, invoice: Row, *, is_part: bool) -> Decimal:
        """What was paid, less the discount for paying early; nothing when somebody was quicker."""
        early = invoice["early_discount"]
        still_open = Decimal((early["pays"] if early else invoice["open"])["amount"])
        self._done.add("part")
        amount = (still_open / 2).quantize(Decimal("0.01")) if is_part else still_open
        money = {"amount": f"{amount}", "currency": invoice["open"]["currency"]}
        reference = f"WIRE-{invoice['number']}{'-A' if is_part else ''}"
        body = {
            "customer_id": invoice["customer_id"],
            "amount": money,
            "reference": reference,
            "applications": [{"invoice_id": invoice["invoice_id"], "amount": money}],
        }
        key = self._key("payment", reference)
        is_paid = self._do(key, lambda: self._as("accounting").post("/v1/payments", body, key=key))
        return amount if is_paid else Decimal(0)


def _paid_out(sale: Row) -> Row:
    """A sale as its channel's statement has it: what is open, less the fees that were announced."""
    fees = Decimal((sale["announced_fees"] or {"amount": "0.00"})["amount"])
    return {"reference": sale["reference"], "amount": f"{Decimal(sale['open']['amount']) - fees}", "fees": f"{fees}"}
