"""`oms repair`: start the workflows again that were lost, or repair one order."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.client import VAR, Api, JsonOption, VarOption, segment
from cli.output import console, print_json

_DONE = {
    "started": "its workflow is started again and goes on where goods and money are",
    "woken": "its workflow runs and is told again what has happened; one that fails reads it once it is fixed",
}


def repair(
    order: Annotated[str, typer.Argument(help="Only this order: its number or id. Without it every lost one.")] = "",
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Repair orders whose workflow was stopped, deleted or lost. Nothing is done twice, and nobody is notified twice."""
    api = Api(var, "admin")
    rows = [api.post(f"/v1/orders/{segment(order)}/repair")] if order else _all(api)
    if as_json:
        print_json(rows)
        return
    out = console()
    for row in rows:
        out.print(f"{row['number']}: {_DONE[row['what']]}", markup=False)
    count = "1 order is" if len(rows) == 1 else f"{len(rows)} orders are"
    out.print(f"{count} repaired" if rows else "nothing to repair: every open order has its workflow")


def _all(api: Api) -> list[dict[str, Any]]:
    """Every part, one after the other."""
    rows: list[dict[str, Any]] = []
    cursor = ""
    while True:
        part = api.post("/v1/repairs", {"cursor": cursor})
        rows += part["rows"]
        if part["next_cursor"] is None:
            return rows
        cursor = part["next_cursor"]
