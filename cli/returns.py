"""`oms returns`: goods that customers send back: request, authorize, label, count, inspect, refund."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli import return_photos
from cli.changes import counted
from cli.client import VAR, Api, JsonOption, LimitOption, VarOption, segment
from cli.exchanges import print_exchange, replaced
from cli.orders import OrderArgument, find_order
from cli.output import console, print_json, print_rows, text, words
from cli.parcels import goods
from cli.refusals import CommandRefused

app = typer.Typer(
    help="Returns: list, request, authorize, photos, label, receive, inspect, refund.", no_args_is_help=True
)

ReturnArgument = Annotated[str, typer.Argument(metavar="RETURN", help="Its number (RMA-1001) or id (rma_…).")]
NoteOption = Annotated[str, typer.Option(help="Why, as the customer reads it.")]

_COLUMNS = (
    ("Number", "number"), ("Order", "order_number"), ("State", "stage~"), ("Waiting on", "waits_for~"), ("Announced", "announced>"),
    ("Received", "received>"), ("Inspected", "inspected>"), ("Credited", "credited>"), ("Fees", "fees>"), ("Requested", "requested_at"),
)  # fmt: skip
app.command()(return_photos.photos)
app.command()(return_photos.label)
app.command("in-transit")(return_photos.in_transit)
_WORDS = {
    "grade": ("A", "B", "C", "D"),
    "disposition": ("restock", "refurbish", "quarantine", "scrap", "return_to_vendor"),
}
_WITHOUT_GOODS = {"in_advance": "credited in advance", "keep": "kept by the customer"}
"""Dispositions of what nobody inspects."""


@app.command("list")
def list_returns(
    state: Annotated[
        str | None, typer.Option(help="requested, authorized, denied, cancelled, expired or closed.")
    ] = None,
    order: Annotated[str | None, typer.Option(help="Only those of this order.")] = None,
    limit: LimitOption = 100,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """List returns, oldest first, with whom each is waiting on."""
    api = Api(var, "auditor")
    order_id = find_order(api, order)["order_id"] if order else None
    rows = api.rows("/v1/returns", limit, state=state, order_id=order_id)
    print_rows(rows if as_json else [_row(one) for one in rows], _COLUMNS, as_json=as_json, none="no returns")


@app.command()
def show(return_id: ReturnArgument, var: VarOption = VAR, as_json: JsonOption = False) -> None:
    """Show one return: its lines, what was inspected, and its credit notes."""
    _print(Api(var, "auditor").get(f"/v1/returns/{segment(return_id)}"), as_json)


@app.command()
def request(
    order: OrderArgument,
    line: Annotated[list[str], typer.Option(metavar="LINE=N", help="Units of a line that come back.")],
    reason: Annotated[
        str,
        typer.Option(help="changed_mind, ordered_wrong, damaged, defective, wrong_article, not_as_described, other."),
    ] = "changed_mind",
    note: Annotated[str, typer.Option(help="More on why, in the customer's words.")] = "",
    override: Annotated[
        str | None, typer.Option(help="Why an article comes back that is not returnable; support alone says so.")
    ] = None,
    replace: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LINE[=SKU[:N]]", help="What comes instead of a credit: the same, or N units of another SKU."
        ),
    ] = None,
    advance: Annotated[bool, typer.Option(help="Send what replaces the goods before they come.")] = False,
    role: Annotated[str, typer.Option(help="Act as support, sales_rep or customer.")] = "support",
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Request a return of shipped goods; a small one is authorized at once."""
    found = find_order(Api(var, "auditor"), order)
    instead = dict(map(replaced, replace or ()))
    lines = [{**_units(one), "reason": reason} for one in line]
    if missing := sorted(instead.keys() - {one["line_id"] for one in lines}):
        raise CommandRefused(f"line {missing[0]} does not come back: name it with --line as well")
    lines = [{**one, "replace": instead[one["line_id"]]} if one["line_id"] in instead else one for one in lines]
    api = Api(var, role, company=found["customer_id"] if role == "customer" else None)
    said = {**({"override_reason": override} if override else {}), **({"advance": True} if advance else {})}
    _print(api.post("/v1/returns", {"order": found["number"], "lines": lines, "reason": note, **said}), as_json)


@app.command()
def authorize(
    return_id: ReturnArgument,
    note: NoteOption = "",
    fee: Annotated[
        str | None, typer.Option(metavar="PERCENT", help="Another restocking fee than the policy's.")
    ] = None,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Let the goods come back."""
    _decide(var, return_id, "authorize", {"note": note, **({"fee_percent": fee} if fee else {})}, as_json)


@app.command()
def deny(return_id: ReturnArgument, note: NoteOption, var: VarOption = VAR, as_json: JsonOption = False) -> None:
    """Let no goods come back."""
    _decide(var, return_id, "deny", {"note": note}, as_json)


@app.command()
def cancel(return_id: ReturnArgument, note: NoteOption, var: VarOption = VAR, as_json: JsonOption = False) -> None:
    """Call a return off while nothing has come."""
    _decide(var, return_id, "cancel", {"note": note}, as_json)


@app.command()
def receive(
    return_id: ReturnArgument,
    warehouse: Annotated[str, typer.Option(help="Where the goods are.")],
    line: Annotated[list[str] | None, typer.Option(metavar="LINE=N", help="Units counted.")] = None,
    other: Annotated[
        list[str] | None, typer.Option(metavar="SKU=N", help="Units that were not announced, kept apart for support.")
    ] = None,
    described: Annotated[
        list[str] | None, typer.Option(metavar="WORDS=N", help="The same, where nobody knows the SKU.")
    ] = None,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Count what came; the rest may come later. What was not announced waits for support."""
    others = [*goods(other or [], "sku"), *goods(described or [], "description")]
    body: dict[str, Any] = {"warehouse_id": warehouse, "lines": [_units(one) for one in line or []]}
    if others:
        body["others"] = others
    _print(Api(var, "warehouse").post(f"/v1/returns/{segment(return_id)}/receive", body), as_json)


@app.command()
def inspect(
    return_id: ReturnArgument,
    warehouse: Annotated[str, typer.Option(help="Where the goods are.")],
    units: Annotated[
        list[str],
        typer.Option(metavar="LINE=N:GRADE:DISPOSITION", help="Units that are alike, such as 1=2:C:scrap."),
    ],
    responsible: Annotated[str, typer.Option(help="Who answers for it: customer, seller or carrier.")] = "customer",
    note: Annotated[str, typer.Option(help="What was seen, for staff.")] = "",
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Say in which condition counted units are; stock and credit follow."""
    found = [{**_inspected(one), "responsible": responsible, "note": note} for one in units]
    body = {"warehouse_id": warehouse, "units": found}
    _print(Api(var, "warehouse").post(f"/v1/returns/{segment(return_id)}/inspect", body), as_json)


@app.command()
def refund(return_id: ReturnArgument, var: VarOption = VAR, as_json: JsonOption = False) -> None:
    """Give back what was paid for what is credited; a second time gives nothing."""
    done = Api(var, "accounting").post(f"/v1/returns/{segment(return_id)}/refund", None)
    if as_json:
        print_json(done)
    elif float(done["refunded"]["amount"]):
        console().print(f"{done['number']}: {text(done['refunded'])} goes back")
    else:
        console().print(f"{done['number']}: nothing is left to refund")


@app.command()
def repair(return_id: ReturnArgument, var: VarOption = VAR, as_json: JsonOption = False) -> None:
    """Have a return go on that was halted or whose workflow is lost."""
    _decide(var, return_id, "repair", None, as_json)


@app.command()
def keep(return_id: ReturnArgument, note: NoteOption, var: VarOption = VAR, as_json: JsonOption = False) -> None:
    """Credit what has not come: the customer keeps it. A larger one needs a second person."""
    _decide(var, return_id, "keep", {"note": note}, as_json)


@app.command()
def credit(return_id: ReturnArgument, note: NoteOption, var: VarOption = VAR, as_json: JsonOption = False) -> None:
    """Credit an authorized return before its goods come."""
    _print(Api(var, "accounting").post(f"/v1/returns/{segment(return_id)}/credit", {"note": note}), as_json)


@app.command("give-up")
def give_up(return_id: ReturnArgument, note: NoteOption, var: VarOption = VAR, as_json: JsonOption = False) -> None:
    """Close a return at what has come of it."""
    _decide(var, return_id, "give-up", {"note": note}, as_json)


def _decide(var: Any, return_id: str, verb: str, body: dict[str, Any] | None, as_json: bool) -> None:
    _print(Api(var, "support").post(f"/v1/returns/{segment(return_id)}/{verb}", body), as_json)


def _units(given: str) -> dict[str, Any]:
    line_id, _, quantity = given.partition("=")
    return {"line_id": line_id, "quantity": counted(quantity)}


def _inspected(given: str) -> dict[str, Any]:
    head, *found = given.split(":")
    if len(found) != len(_WORDS):
        raise CommandRefused(f"{given!r}: write line, units, grade and disposition as 1=2:A:restock")
    for (what, known), word in zip(_WORDS.items(), found, strict=True):
        if word not in known:
            raise CommandRefused(f"{given!r}: the {what} is one of {', '.join(known)}")
    return {**_units(head), **dict(zip(_WORDS, found, strict=True))}


def _row(one: dict[str, Any]) -> dict[str, Any]:
    counts = {"announced": "quantity", "received": "received", "inspected": "inspected"}
    return {**one, **{name: sum(line[member] for line in one["lines"]) for name, member in counts.items()}}


def _print(one: dict[str, Any], as_json: bool) -> None:
    """A return in a few lines."""
    if as_json:
        print_json(one)
        return
    out, waits = console(), one["waits_for"]
    out.print(f"{one['number']} of {one['order_number']}: {words(one['stage'])}", style="bold")
    for line in one["lines"]:
        out.print(
            f"- line {line['line_id']}, {line['sku']}: {line['received']} of {line['quantity']} received, "
            f"{line['inspected']} inspected ({words(line['reason'])})"
        )
    print_exchange(one)
    for each in one["inspections"]:
        notes = ", ".join(each["credit_notes"]) or ("replaced" if each["credited_at"] else "not credited yet")
        found = "; ".join(map(_found, each["units"]))
        out.print(f"- inspected: {found} ({notes})")
    if one.get("tracking_number"):
        out.print(f"On the way: {one['carrier'] or 'parcel'} {one['tracking_number']}")
    if one["credited"] and float(one["credited"]["amount"]):
        out.print(f"Credited {text(one['credited'])}, of it kept as fees: {text(one['fees'])}")
    if one["halted"]:
        out.print(f"Halted: {one['halted']} Repair it with `oms returns repair {one['number']}`.")
    if waits:
        out.print(f"Waiting on {waits}")


def _found(units: dict[str, Any]) -> str:
    word = units["disposition"]
    return f"{units['quantity']} {units['grade']} {_WITHOUT_GOODS.get(word) or f'to {words(word)}'}"
