"""`oms stock`: what is where, goods in, and counts."""

from __future__ import annotations

from typing import Annotated

import typer

from cli import bins, supply
from cli.client import VAR, Api, JsonOption, LimitOption, VarOption
from cli.known import check_sku, check_warehouse
from cli.output import console, print_json, print_rows

app = typer.Typer(help="Stock: show levels, receive goods, count, adjust; bins, expected receipts, movements, outlook.")

_LOSSES = (
    ("Loses", "order_number"), ("Customer", "customer_name"), ("Line", "line_id"), ("Units", "quantity>"), ("Released", "released_quantity>"),
)  # fmt: skip
_COLUMNS = (
    ("SKU", "sku"), ("Warehouse", "warehouse_id"), ("On hand", "on_hand>"), ("Allocated", "allocated>"),
    ("Available", "available>"), ("Expected", "expected>"), ("Expected on", "expected_on"), ("Value", "value>"),
)  # fmt: skip


@app.command("list")
def list_stock(
    sku: Annotated[str | None, typer.Option(help="Only this SKU.")] = None,
    warehouse: Annotated[str | None, typer.Option(help="Only this warehouse.")] = None,
    limit: LimitOption = 500,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Show stock by SKU and warehouse."""
    api = Api(var, "auditor")
    rows = api.rows("/v1/stock", limit, sku=sku, warehouse_id=warehouse)
    if not rows:
        check_sku(api, sku)
        check_warehouse(api, warehouse)
    print_rows(rows, _COLUMNS, as_json=as_json, none="no stock")


@app.command(context_settings={"ignore_unknown_options": True})
def receive(
    sku: str,
    quantity: int,
    warehouse: Annotated[str, typer.Option(help="Where it arrives.")],
    unit_cost: Annotated[str, typer.Option(help="Cost of one unit, such as 12.50.")],
    currency: str = "USD",
    reference: Annotated[str, typer.Option(help="The supplier's document. The same one counts once.")] = "",
    of: Annotated[str, typer.Option(help="Id of the expected receipt that they come of; else the first to come.")] = "",
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Receive goods. They fill backorders at once."""
    body = {"warehouse_id": warehouse, "sku": sku, "quantity": quantity, "unit_cost": unit_cost, "currency": currency}
    if of:
        body["expected_receipt_id"] = of
    key = f"receipt-{warehouse}-{sku}-{reference}" if reference else None
    done = Api(var, "warehouse").post("/v1/stock/receipts", {**body, "reference": reference}, key=key)
    if as_json:
        print_json(done)
        return
    out = console()
    out.print(f"{sku}: {done['on_hand']:,} on hand at {warehouse}")
    if done["filled_quantity"]:
        out.print(f"{done['filled_quantity']:,} units fill backorders of {len(done['filled_order_ids']):,} orders")


@app.command(context_settings={"ignore_unknown_options": True})
def adjust(
    sku: str,
    delta: Annotated[int, typer.Argument(help="Units found, or missing (negative).")],
    warehouse: Annotated[str, typer.Option(help="Where it was counted.")],
    reason: Annotated[str, typer.Option(help="Why, for the movement.")],
    unit_cost: Annotated[str, typer.Option(help="Cost of one unit found, such as 12.50; else the last known.")] = "",
    currency: Annotated[str, typer.Option(help="Of the unit cost.")] = "USD",
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Adjust stock to a count."""
    body: dict[str, object] = {"warehouse_id": warehouse, "sku": sku, "delta": delta, "reason": reason}
    if unit_cost:
        body |= {"unit_cost": unit_cost, "currency": currency}
    done = Api(var, "warehouse").post("/v1/stock/adjustments", body)
    if as_json:
        print_json(done)
    else:
        console().print(f"{sku}: {done['on_hand']:,} on hand at {warehouse}")


@app.command()
def count(
    sku: str,
    counted: Annotated[int, typer.Argument(min=0, help="Units in the building, picked and packed ones included.")],
    warehouse: Annotated[str, typer.Option(help="Where it was counted.")],
    reason: Annotated[str, typer.Option(help="Why, for the movement.")] = "cycle count",
    unit_cost: Annotated[str, typer.Option(help="Cost of one unit found, such as 12.50; else the last known.")] = "",
    currency: Annotated[str, typer.Option(help="Of the unit cost.")] = "USD",
    preview: Annotated[bool, typer.Option("--preview", help="Only show what it comes to and who would lose.")] = False,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Record what was counted. Orders that are promised more than is there wait again, the last to be served first."""
    body: dict[str, object] = {"warehouse_id": warehouse, "sku": sku, "counted": counted, "reason": reason}
    if unit_cost:
        body |= {"unit_cost": unit_cost, "currency": currency}
    path = "/v1/stock/counts" + ("?preview=true" if preview else "")
    done = Api(var, "warehouse").post(path, body)
    if as_json:
        print_json(done)
        return
    says = "would be" if preview else "are"
    console().print(f"{sku}: {done['on_hand']:,} {says} on hand at {warehouse} ({done['delta']:+,})")
    if done["losses"]:
        print_rows(done["losses"], _LOSSES, as_json=False, none="")


supply.add_to(app)
bins.add_to(app)
