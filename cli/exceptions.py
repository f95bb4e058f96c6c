"""`oms exceptions`: what went wrong with orders and needs a person: list, resolve with a note."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.client import VAR, Api, JsonOption, LimitOption, VarOption, segment
from cli.orders import find_order
from cli.output import console, print_json, print_rows, words

app = typer.Typer(help="Business exceptions: list, resolve.")

_COLUMNS = (
    ("Id", "exception_id"), ("Kind", "kind~"), ("Order", "order_number"), ("What happened", "reason"), ("Owner", "owner_role~"),
    ("What to do", "what_to_do"), ("Since", "since"), ("Resolved by", "resolved_by"), ("Note", "note"),
)  # fmt: skip


@app.command("list")
def list_exceptions(
    order: Annotated[str, typer.Option(help="Only this order's: its number or id.")] = "",
    resolved: Annotated[bool, typer.Option("--resolved", help="Those that were resolved instead.")] = False,
    limit: LimitOption = 200,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """List exceptions, oldest first: what happened, who must act, and what to do."""
    api = Api(var, "support")
    order_id = find_order(api, order)["order_id"] if order else None
    rows = api.rows("/v1/exceptions", limit, state="resolved" if resolved else "open", order_id=order_id)
    columns = _COLUMNS if resolved else _COLUMNS[:-2]
    print_rows(rows, columns, as_json=as_json, none=f"no {'resolved' if resolved else 'open'} exceptions")


@app.command()
def resolve(
    exception_id: Annotated[str, typer.Argument(metavar="ID", help="Its id in the list.")],
    note: Annotated[str, typer.Option(help="How it was resolved; the order's timeline keeps it.")],
    role: Annotated[str, typer.Option(help="Act in this role: its owner, or support.")] = "support",
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Resolve one with a note."""
    done = Api(var, role).post(f"/v1/exceptions/{segment(exception_id)}/resolve", {"note": note})
    if as_json:
        print_json(done)
    else:
        kind = words(done["kind"])
        console().print(f"{kind} of {done['order_number']} is resolved")
