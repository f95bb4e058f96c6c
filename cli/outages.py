"""`oms outages`: warehouses that are closed for a while."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.client import VAR, Api, JsonOption, VarOption, segment
from cli.output import console, print_json, print_rows

app = typer.Typer(help="Warehouses that are closed for a while: list, declare, end.", no_args_is_help=True)

_COLUMNS = (
    ("Warehouse", "warehouse_id"), ("Why", "reason"), ("Since", "began_at"), ("Until", "until"), ("Over", "ended_at"), ("Orders", "order_count>"),
)  # fmt: skip
WarehouseArgument = Annotated[str, typer.Argument(metavar="WAREHOUSE", help="Its id (wh_…).")]


@app.command("list")
def list_outages(
    lasting: Annotated[bool, typer.Option("--lasting", help="Only those that last.")] = False,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """List outages, the newest first."""
    found = Api(var, "auditor").get("/v1/outages", lasting="true" if lasting else None)
    print_rows(found["rows"], _COLUMNS, as_json=as_json, none="no warehouse has been closed for a while")


@app.command()
def declare(
    warehouse: WarehouseArgument,
    until: Annotated[str, typer.Option(help="When it opens again, as 2027-01-04T06:00:00Z.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Close a warehouse for a while; what nobody has picked there is sourced again."""
    body = {"until": until, "reason": reason}
    done = Api(var, "warehouse").post(f"/v1/warehouses/{segment(warehouse)}/outage", body)
    if as_json:
        print_json(done)
        return
    console().print(f"{warehouse} is closed until {done['until']}; {done['order_count']:,} orders are sourced again")


@app.command()
def end(warehouse: WarehouseArgument, var: VarOption = VAR, as_json: JsonOption = False) -> None:
    """Open a warehouse before its outage ends by itself."""
    done = Api(var, "warehouse").post(f"/v1/warehouses/{segment(warehouse)}/outage/end")
    if as_json:
        print_json(done)
        return
    console().print(f"{warehouse} is open again")
