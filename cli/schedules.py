"""`oms schedules`: when warehouses work."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.client import VAR, Api, JsonOption, VarOption, segment
from cli.known import check_warehouse
from cli.output import console, print_json, print_rows

app = typer.Typer(help="When warehouses work: list, set.", no_args_is_help=True)

_COLUMNS = (
    ("Warehouse", "warehouse_id"), ("Days", "days"), ("Cut-off", "cut_off"), ("Units a day", "daily_units>"),
    ("Holidays of", "holidays_of"), ("Days off", "closed"), ("Time zone", "time_zone"),
)  # fmt: skip


@app.command("list")
def list_schedules(var: VarOption = VAR, as_json: JsonOption = False) -> None:
    """List schedules. A warehouse without one works Monday to Friday, and takes up what comes on its day."""
    rows = Api(var, "auditor").get("/v1/schedules")["rows"]
    shown = rows if as_json else [_shown(row) for row in rows]
    print_rows(shown, _COLUMNS, as_json=as_json, none="no warehouse has a schedule: all work Monday to Friday")


@app.command("set")
def set_schedule(
    warehouse: Annotated[str, typer.Argument(metavar="WAREHOUSE", help="Its id (wh_…).")],
    time_zone: Annotated[str, typer.Option(help="Its clock, such as America/Chicago.")] = "UTC",
    days: Annotated[str, typer.Option(help="Its working days.")] = "mon,tue,wed,thu,fri",
    cut_off: Annotated[str | None, typer.Option(help="What comes later begins on the next working day: 14:00.")] = None,
    daily_units: Annotated[
        int | None, typer.Option(help="Units that it handles a day; without, as many as come.")
    ] = None,
    holidays_of: Annotated[str, typer.Option(help="Whose public holidays are free: US, or US-TX.")] = "",
    closed_on: Annotated[list[str] | None, typer.Option(help="Another day off, once for each: 2026-12-24.")] = None,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Say when a warehouse works; it replaces what was said before."""
    api = Api(var, "admin")
    check_warehouse(api, warehouse)
    body = {
        "time_zone": time_zone, "working_days": days.split(","), "cut_off": cut_off, "daily_units": daily_units,
        "holidays_of": holidays_of, "closed_on": closed_on or [],
    }  # fmt: skip
    done = api.post(f"/v1/warehouses/{segment(warehouse)}/schedule", body)
    if as_json:
        print_json(done)
        return
    shown = _shown(done)
    cut = f", cut-off {shown['cut_off']}" if shown["cut_off"] else ""
    units = f", {done['daily_units']:,} units a day" if done["daily_units"] else ""
    console().print(f"{warehouse} works {shown['days']} ({done['time_zone']}){cut}{units}")


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "days": " ".join(row["working_days"]), "closed": " ".join(row["closed_on"][:4])}
