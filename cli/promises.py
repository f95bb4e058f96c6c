"""`oms promises`: every day that was promised, and whether it was kept; and on-time delivery."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.client import VAR, Api, JsonOption, LimitOption, VarOption
from cli.known import check_sku
from cli.orders import find_order
from cli.output import console, print_json, print_rows

app = typer.Typer(help="Promises: list, on-time delivery.")

_COLUMNS = (
    ("Order", "order_number"), ("Customer", "customer_name"), ("SKU", "sku"), ("Units", "quantity>"), ("Promised on", "promised_on"),
    ("Given", "given_at"), ("By", "given_by~"), ("Supply", "reason"), ("Outcome", "outcome~"), ("Moved to", "moved_to"),
    ("Delivered on", "delivered_on"), ("Why", "why"),
)  # fmt: skip


@app.command("list")
def list_promises(
    order: Annotated[str, typer.Option(help="Only this order's: its number or id.")] = "",
    sku: Annotated[str | None, typer.Option(help="Only this SKU.")] = None,
    outcome: Annotated[str | None, typer.Option(help="Only open, kept, broken, moved or withdrawn ones.")] = None,
    late: Annotated[bool, typer.Option("--late", help="Only open ones whose day has passed.")] = False,
    limit: LimitOption = 100,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """List promises, the newest first: when, to whom, by what, kept or broken and why."""
    api = Api(var, "support")
    order_id = find_order(api, order)["order_id"] if order else None
    query = {"order_id": order_id, "sku": sku, "outcome": outcome, "late": "true" if late else None}
    rows = api.rows("/v1/promises", limit, **query)
    if not rows:
        check_sku(api, sku)
    print_rows(rows, _COLUMNS, as_json=as_json, none="no promises")


@app.command("on-time")
def on_time(
    since: Annotated[str | None, typer.Option(help="Delivered on this day or later; 30 days before the end.")] = None,
    until: Annotated[str | None, typer.Option(help="Delivered on this day or earlier; today.")] = None,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Show on-time delivery by the ledger of promises."""
    found = Api(var, "support").get("/v1/promises/on-time", since=since, until=until)
    if as_json:
        print_json(found)
        return
    out = console()
    out.print(f"{found['delivered']:,} units delivered from {found['since']} to {found['until']}")
    if found["delivered"]:
        out.print(
            f"on time: {found['on_time_percent']} % by the last promise, {found['on_time_to_first_percent']} % by the first"
        )
    out.print(f"{found['open']:,} units promised and not delivered, {found['late']:,} of them late")
