"""`oms quarantine`: goods that came back, or were damaged, and are kept apart, and the decisions that end it."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.client import VAR, Api, JsonOption, LimitOption, VarOption, segment
from cli.output import console, print_json, print_rows

app = typer.Typer(help="Goods in quarantine: list, decide.", no_args_is_help=True)

_COLUMNS = (
    ("Units", "movement_id"), ("SKU", "sku"), ("Warehouse", "warehouse_id"), ("For", "disposition"), ("Quantity", "quantity>"),
    ("At cost", "value>"), ("Return", "return_number"), ("Since", "taken_at"),
)  # fmt: skip
_DONE = {"release": "released to stock", "scrap": "scrapped", "return_to_vendor": "returned to the vendor"}


@app.command("list")
def list_quarantine(
    warehouse: Annotated[str | None, typer.Option(help="Only this warehouse.")] = None,
    sku: Annotated[str | None, typer.Option(help="Only this SKU.")] = None,
    limit: LimitOption = 100,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """List goods that came back, or were damaged, and wait for a decision."""
    rows = Api(var, "auditor").rows("/v1/quarantine", limit, warehouse_id=warehouse, sku=sku)
    print_rows(rows, _COLUMNS, as_json=as_json, none="nothing is in quarantine")


@app.command()
def decide(
    units: Annotated[str, typer.Argument(metavar="UNITS", help="Their id, as the list gives it (mov_…).")],
    outcome: Annotated[str, typer.Argument(help="release, scrap or return_to_vendor.")],
    quantity: Annotated[int, typer.Option(help="How many of them.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Decide what becomes of units; released ones fill backorders at once."""
    body = {"quantity": quantity, "outcome": outcome, "reason": reason}
    done = Api(var, "warehouse").post(f"/v1/quarantine/{segment(units)}/decision", body)
    if as_json:
        print_json(done)
        return
    out = console()
    out.print(f"{quantity:,} {_DONE.get(outcome, outcome)}, {done['left_quantity']:,} still in quarantine")
    if done["filled_quantity"]:
        out.print(f"{done['filled_quantity']:,} units fill backorders of {len(done['filled_order_ids']):,} orders")
