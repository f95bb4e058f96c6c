"""`oms backorders`: backorders and why in that order, what more goods would come to, and the policy behind it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.client import VAR, Api, JsonOption, LimitOption, VarOption, segment
from cli.json_files import read_json
from cli.known import check_sku, check_warehouse
from cli.orders import find_order
from cli.output import console, print_json, print_rows

app = typer.Typer(help="Backorders: list, what-if, release, expedite, and the allocation policy.", no_args_is_help=True)

_COLUMNS = (
    ("Place", "position>"), ("SKU", "sku"), ("Order", "order_number"), ("Customer", "customer_name"), ("Units", "quantity>"),
    ("Value", "value>"), ("Because", "reason"), ("Since", "waiting_since"), ("Expected", "expected_on"), ("Backorder", "backorder_id"),
)  # fmt: skip
_FILLS = (
    ("Order", "order_number"), ("Customer", "customer_name"), ("Line", "line_id"), ("Waiting", "waiting>"), ("Gets", "quantity>"),
    ("Expected", "expected_on"), ("Then", "then_expected_on"),
)  # fmt: skip
_LOSSES = (("Gives up", "order_number"), ("Line", "line_id"), ("Units", "quantity>"), ("To", "to_order_number"))
_POLICY = "/v1/allocation-policy"


@app.command("list")
def list_backorders(
    sku: Annotated[str | None, typer.Option(help="Only this SKU.")] = None,
    warehouse: Annotated[str | None, typer.Option(help="Only what this warehouse may fill.")] = None,
    order: Annotated[str | None, typer.Option(help="Only of this order: its number or id.")] = None,
    limit: LimitOption = 100,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """List backorders, first to be filled first."""
    api = Api(var, "auditor")
    order_id = find_order(api, order)["order_id"] if order else None
    rows = api.rows("/v1/backorders", limit, sku=sku, warehouse_id=warehouse, order_id=order_id)
    if not rows:
        check_sku(api, sku)
        check_warehouse(api, warehouse)
    print_rows(rows, _COLUMNS, as_json=as_json, none="no backorders")


@app.command("what-if")
def what_if(
    sku: str,
    quantity: int,
    warehouse: Annotated[str, typer.Option(help="Where they would arrive.")],
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Show who would get goods if they came, and who would give some up. Nothing is changed."""
    body = {"sku": sku, "quantity": quantity, "warehouse_id": warehouse}
    found = Api(var, "auditor").post("/v1/backorders/what-if", body)
    if as_json:
        print_json(found)
        return
    out = console()
    if not found["is_open"]:
        out.print(f"{warehouse} is closed: goods that arrive there fill nobody until it opens")
    print_rows(found["rows"], _FILLS, as_json=False, none="no backorders there")
    if found["losses"]:
        print_rows(found["losses"], _LOSSES, as_json=False, none="")
    out.print(
        f"{found['filled_quantity']:,} units fill backorders, {found['left_quantity']:,} are left over, "
        f"{found['still_waiting_quantity']:,} still wait"
    )


@app.command()
def release(
    backorder: Annotated[str, typer.Argument(metavar="BACKORDER", help="Its id, as the list gives it (bo_…).")],
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Let a backorder be filled that is allocated by hand."""
    done = Api(var, "support").post(f"/v1/backorders/{segment(backorder)}/release", {})
    if as_json:
        print_json(done)
        return
    console().print(f"{done['filled_quantity']:,} units filled, {done['waiting_quantity']:,} wait in their turn")


@app.command()
def expedite(
    order: Annotated[str, typer.Argument(metavar="ORDER", help="Its number or id.")],
    undo: Annotated[bool, typer.Option("--undo", help="It is not urgent any more.")] = False,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Put the backorders of an order before others of their class."""
    done = Api(var, "support").post(f"/v1/orders/{segment(order)}/expedite", {"is_expedited": not undo})
    if as_json:
        print_json(done)
        return
    word = "no longer urgent" if undo else "urgent"
    console().print(f"{order} is {word}: {done['waiting_quantity']:,} units of it wait")


@app.command()
def policy(
    file: Annotated[
        Path | None, typer.Option("--set", help="A JSON file with the whole policy, as `--json` prints it.")
    ] = None,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Show the allocation policy, or replace it."""
    if file is None:
        stands: dict[str, Any] = Api(var, "auditor").get(_POLICY)
    else:
        stands = Api(var, "admin").post(_POLICY, read_json(file))
    if as_json:
        print_json(stands)
        return
    columns = (("Tier", "tier"), ("Class", "allocation_class"), ("Delivery", "delivery"), ("By hand", "is_manual"))
    print_rows(stands["tiers"], columns, as_json=False, none="no tiers are named")
    days = "any number of" if stands["freeze_days"] is None else str(stands["freeze_days"])
    share = "shared in proportion" if stands["is_fair_share"] else "given to the first"
    console().print(
        f"others: {stands['usual_class']}; too few units are {share}; orders that ship complete keep what they hold for {days} days; "
        f"version {stands['version']}"
    )
