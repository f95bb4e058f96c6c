"""`oms stock …`: supply that is announced, what moved, what comes and who gets it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.client import VAR, Api, JsonOption, LimitOption, VarOption, segment
from cli.known import check_sku, check_warehouse
from cli.output import console, print_json, print_rows
from cli.refusals import CommandRefused

_RECEIPTS = (
    ("Id", "expected_receipt_id"), ("Reference", "reference"), ("Kind", "kind~"), ("SKU", "sku"), ("Warehouse", "warehouse_id"),
    ("Quantity", "quantity>"), ("Received", "received_quantity>"), ("To come", "remaining_quantity>"), ("Expected on", "expected_on"),
)  # fmt: skip
_MOVEMENTS = (
    ("When", "occurred_at"), ("Warehouse", "warehouse_id"), ("Kind", "kind~"), ("Units", "quantity>"), ("Order", "order_id"),
    ("Shipment", "shipment_id"), ("Reference", "reference"),
)  # fmt: skip
_COMING = (
    ("Due on", "due_on"), ("Reference", "reference"), ("Warehouse", "warehouse_id"), ("Units", "remaining_quantity>"),
    ("Taken", "taken_quantity>"), ("Who gets it", "who"),
)  # fmt: skip
_ATP = (("From", "from_on"), ("Available to promise", "quantity>"))

SkuOption = Annotated[str | None, typer.Option(help="Only this SKU.")]
WarehouseOption = Annotated[str | None, typer.Option(help="Only this warehouse.")]
RoleOption = Annotated[str, typer.Option(help="Act in this role: warehouse or manufacturing.")]


def expect(
    sku: str,
    quantity: int,
    warehouse: Annotated[str, typer.Option(help="Where it will arrive.")],
    on: Annotated[str, typer.Option(help="When, such as 2026-12-09.")],
    reference: Annotated[
        str, typer.Option(help="The purchase order, work order or transfer. The same one again changes it.")
    ],
    kind: Annotated[str, typer.Option(help="purchase_order, work_order or transfer.")] = "",
    role: RoleOption = "warehouse",
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Announce supply; who waits for it gets its date."""
    body: dict[str, object] = {
        "warehouse_id": warehouse, "sku": sku, "quantity": quantity, "expected_on": on, "reference": reference,
    }  # fmt: skip
    if kind:
        body["kind"] = kind
    done = Api(var, role).post("/v1/stock/expected-receipts", body)
    if as_json:
        print_json(done)
    else:
        said = "changed" if done["is_known"] else "expected"
        console().print(f"{quantity:,} {sku} of {reference} {said} at {warehouse} on {on}")


def expected(
    sku: SkuOption = None,
    warehouse: WarehouseOption = None,
    reference: Annotated[str | None, typer.Option(help="Only this purchase order, work order or transfer.")] = None,
    all_of_them: Annotated[bool, typer.Option("--all", help="Those that have come or were canceled too.")] = False,
    limit: LimitOption = 200,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """List supply that is announced, the first to come first."""
    api = Api(var, "auditor")
    query: dict[str, Any] = {"sku": sku, "warehouse_id": warehouse, "reference": reference}
    rows = api.rows("/v1/stock/expected-receipts", limit, **query, all="true" if all_of_them else None)
    if not rows:
        check_sku(api, sku)
        check_warehouse(api, warehouse)
    print_rows(rows, _RECEIPTS, as_json=as_json, none="nothing is announced")


def reschedule(
    receipt: Annotated[str, typer.Argument(help="Its id, or its reference where that names one.")],
    on: Annotated[str, typer.Option(help="The new day, such as 2026-12-16.")] = "",
    quantity: Annotated[int, typer.Option(help="Units in all, those that have come included.")] = 0,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    role: RoleOption = "warehouse",
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Change the day or the quantity of an expected receipt; each order whose promised day moves is told."""
    api = Api(var, role)
    body: dict[str, object] = {"reason": reason}
    if on:
        body["expected_on"] = on
    if quantity:
        body["quantity"] = quantity
    _said(api.post(f"/v1/stock/expected-receipts/{segment(_named(api, receipt))}/change", body), as_json=as_json)


def cancel_expected(
    receipt: Annotated[str, typer.Argument(help="Its id, or its reference where that names one.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    role: RoleOption = "warehouse",
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Expect nothing more of a receipt; each order whose promised day moves is told."""
    api = Api(var, role)
    path = f"/v1/stock/expected-receipts/{segment(_named(api, receipt))}/cancel"
    _said(api.post(path, {"reason": reason}), as_json=as_json)


def _named(api: Api, receipt: str) -> str:
    """The id of a receipt that is named by its id or its reference."""
    if receipt.startswith("exp_"):
        return receipt
    found = api.rows("/v1/stock/expected-receipts", 3, reference=receipt, all="true")
    if len(found) != 1:
        which = "there is none" if not found else "there are several"
        raise CommandRefused(f"{which} under the reference {receipt}: `oms stock expected` lists their ids")
    return str(found[0]["expected_receipt_id"])


def _said(done: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(done)
        return
    one, moved = done["receipt"], done["moved_order_count"]
    left = (
        f"{one['remaining_quantity']:,} {one['sku']} on {one['expected_on']}"
        if one["remaining_quantity"]
        else "nothing"
    )
    console().print(f"{one['reference']}: {left} to come; {moved:,} {'order' if moved == 1 else 'orders'} moved")


def movements(
    sku: str,
    warehouse: WarehouseOption = None,
    limit: LimitOption = 50,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """List what came and what left of a SKU, the newest first."""
    api = Api(var, "auditor")
    rows = api.rows("/v1/stock/movements", limit, sku=sku, warehouse_id=warehouse)
    if not rows:
        check_sku(api, sku)
    print_rows(rows, _MOVEMENTS, as_json=as_json, none="nothing has moved")


def outlook(
    sku: str,
    warehouse: WarehouseOption = None,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Show what comes of a SKU, who gets it, and what may be promised from which day."""
    api = Api(var, "auditor")
    found = api.get("/v1/stock/outlook", sku=sku, warehouse_id=warehouse)
    if as_json:
        print_json(found)
        return
    if not found["receipts"]:
        check_sku(api, sku)
    rows = [{**one, "who": _who(one["takers"])} for one in found["receipts"]]
    print_rows(rows, _COMING, as_json=False, none="nothing is announced")
    atp = [{"from_on": one["day"], "quantity": one["quantity"]} for one in found["atp"]]
    print_rows(atp, _ATP, as_json=False, none="")
    if found["uncovered_quantity"]:
        console().print(f"{found['uncovered_quantity']:,} units wait that nothing announced brings")


def _who(takers: list[dict[str, Any]]) -> str:
    return ", ".join(f"{one['order_number'] or one['order_id']}: {one['quantity']:,}" for one in takers)


def add_to(app: typer.Typer) -> None:
    """Make these commands of `oms stock`."""
    app.command(context_settings={"ignore_unknown_options": True})(expect)
    app.command()(expected)
    app.command()(reschedule)
    app.command("cancel-expected")(cancel_expected)
    app.command()(movements)
    app.command()(outlook)
