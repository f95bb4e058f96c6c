"""`oms parcels`: goods that came and that no return announces: record, match to an order, decide."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.changes import counted
from cli.client import VAR, Api, JsonOption, LimitOption, VarOption, segment
from cli.output import console, print_json, print_rows, words
from cli.refusals import CommandRefused

app = typer.Typer(help="Parcels that no return announces: list, record, match, decide.", no_args_is_help=True)

ParcelArgument = Annotated[str, typer.Argument(metavar="PARCEL", help="Its number (PCL-1001) or id (pcl_…).")]

_COLUMNS = (
    ("Number", "number"), ("State", "state~"), ("Warehouse", "warehouse_id"), ("Goods", "goods"), ("Seems", "seems"),
    ("Return", "return_number"), ("Order", "order_number"), ("Came", "received_at"),
)  # fmt: skip


@app.command("list")
def list_parcels(
    state: Annotated[str | None, typer.Option(help="waiting, matched, sent_back, kept or scrapped.")] = None,
    warehouse: Annotated[str | None, typer.Option(help="Only this warehouse.")] = None,
    limit: LimitOption = 100,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """List parcels, oldest first, and what seems to be in them."""
    rows = Api(var, "auditor").rows("/v1/parcels", limit, state=state, warehouse_id=warehouse)
    print_rows(rows if as_json else [_row(one) for one in rows], _COLUMNS, as_json=as_json, none="no parcels")


@app.command()
def record(
    warehouse: Annotated[str, typer.Option(help="Where it came to.")],
    sku: Annotated[list[str] | None, typer.Option(metavar="SKU=N", help="Units in it, by their SKU.")] = None,
    described: Annotated[
        list[str] | None, typer.Option(metavar="WORDS=N", help="Units in it of which nobody knows the SKU.")
    ] = None,
    reference: Annotated[
        str | None, typer.Option(help="An order, shipment, tracking or return number that is on it.")
    ] = None,
    note: Annotated[str, typer.Option(help="What else may help support.")] = "",
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Record a parcel that came without a return."""
    lines = [*goods(sku or [], "sku"), *goods(described or [], "description")]
    if not lines:
        raise CommandRefused("say what is in it: --sku PUMP=1 or --described 'a garden hose=1'")
    body: dict[str, Any] = {"warehouse_id": warehouse, "lines": lines, "note": note}
    if reference:
        body["reference"] = reference
    _print(Api(var, "warehouse").post("/v1/parcels", body), as_json)


@app.command()
def match(
    parcel: ParcelArgument,
    order: Annotated[str, typer.Argument(metavar="ORDER", help="The number or id of the order that it is of.")],
    line: Annotated[list[str], typer.Option(metavar="LINE=N", help="Units of an order line that are in it.")],
    reason: Annotated[str, typer.Option(help="Why it came back, as `oms returns request` has it.")] = "other",
    note: Annotated[str, typer.Option(help="As the customer reads it.")] = "",
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Make a return of what is in it: authorized and received."""
    lines = [{"line_id": key, "quantity": units, "reason": reason} for key, units in map(_counted, line)]
    body = {"order": order, "lines": lines, "note": note}
    made = Api(var, "support").post(f"/v1/parcels/{segment(parcel)}/match", body)
    if as_json:
        print_json(made)
    else:
        console().print(
            f"{made['number']} of {made['order_number']}: {words(made['stage'])}, waiting on {made['waits_for']}"
        )


@app.command()
def decide(
    parcel: ParcelArgument,
    outcome: Annotated[str, typer.Argument(help="send_back, keep or scrap.")],
    note: Annotated[str, typer.Option(help="Why.")],
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Say what becomes of goods that become no return."""
    body = {"outcome": outcome, "note": note}
    _print(Api(var, "support").post(f"/v1/parcels/{segment(parcel)}/decision", body), as_json)


def goods(given: list[str], by: str) -> list[dict[str, Any]]:
    """Goods as the API takes them, written as NAME=N."""
    return [{by: name, "quantity": units} for name, units in map(_counted, given)]


def _counted(given: str) -> tuple[str, int]:
    name, _, quantity = given.rpartition("=")
    return name, counted(quantity)


def _row(one: dict[str, Any]) -> dict[str, Any]:
    held = ", ".join(f"{line['quantity']} {line['sku'] or line['description']}" for line in one["lines"])
    seem = ", ".join(sorted({words(line["seems"]) for line in one["lines"]}))
    return {**one, "goods": held, "seems": seem}


def _print(one: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(one)
        return
    row, out = _row(one), console()
    out.print(f"{one['number']} at {one['warehouse_id']}: {words(one['state'])}", style="bold")
    out.print(f"{row['goods']} ({row['seems']})")
    if one["waits_for"]:
        out.print(f"Waiting on {one['waits_for']}")
