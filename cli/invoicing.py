"""What is to be invoiced, invoices by hand and drafts of them: the part of `oms invoices` that makes any."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.text import Text

from cli.client import VAR, Api, JsonOption, LimitOption, VarOption, segment
from cli.known import check_customer
from cli.output import console, moment, print_json, print_rows, table, text, words
from cli.refusals import CommandRefused

drafts = typer.Typer(help="Drafts of invoices: make, approve, post or discard one.", no_args_is_help=True)

OrderArgument = Annotated[str, typer.Argument(help="The order: SO-1001 or ord_….")]
ShipmentsOption = Annotated[
    list[str] | None,
    typer.Option("--shipment", help="A shipment that waits: shp_…. Repeat it for more; all of the order without it."),
]
DraftArgument = Annotated[str, typer.Argument(help="The draft: draft_….")]

_DUE = (
    ("Shipment", "shipment_id"), ("Order", "order_number"), ("Customer", "customer_id"), ("Policy", "policy~"), ("Shipped", "shipped_on"),
    ("Waiting on", "waiting_on~"), ("Invoice of", "invoice_on"), ("Amount", "amount>"), ("Draft", "draft_id"),
)  # fmt: skip
LINES = (
    ("SKU", "sku"),
    ("Description", "description"),
    ("Units", "quantity>"),
    ("Price", "unit_price>"),
    ("Extended", "extended>"),
)
_SUMS = ("merchandise", "discount", "freight", "tax", "total", "paid", "open")
_DRAFTS = (
    ("Draft", "draft_id"), ("Order", "order_number"), ("Customer", "customer_id"), ("Amount", "amount>"), ("State", "state~"),
    ("Made by", "made_by"), ("Approved by", "approved_by"), ("Invoice", "invoice_id"),
)  # fmt: skip


def due(
    customer: Annotated[str | None, typer.Option(help="Only this customer's: cus_….")] = None,
    policy: Annotated[str | None, typer.Option(help="per_delivery, weekly, monthly or manual.")] = None,
    limit: LimitOption = 100,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """List what has shipped and is not invoiced yet, the longest first."""
    api = Api(var, "auditor")
    rows = api.rows("/v1/billable", limit, customer_id=customer, policy=policy)
    if not rows:
        check_customer(api, customer)
    print_rows(rows, _DUE, as_json=as_json, none="nothing is waiting to be invoiced")


def create(
    order: OrderArgument,
    shipment: ShipmentsOption = None,
    line: Annotated[
        list[str] | None,
        typer.Option(help="Units of a line: 1=2 invoices two of what has shipped of line 1. Repeat it for more."),
    ] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Only say what it would be.")] = False,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Invoice what has shipped of an order now, or units of it, whatever its policy."""
    body: dict[str, Any] = {"order_id": order, "shipments": shipment or []}
    if line:
        body["lines"] = [units_of(word) for word in line]
    api = Api(var, "accounting")
    if preview:
        _print_preview(api.post("/v1/invoices/preview", body), as_json=as_json)
        return
    made = api.post("/v1/invoices", body)
    if as_json:
        print_json(made)
        return
    count = len(made["shipment_ids"])
    of = "1 shipment" if count == 1 else f"{count} shipments"
    of = f"units of {of}" if line else of
    console().print(Text(f"{made['number']} posted: {text(made['total'])} for {of} of {made['order_number']}"))


def units_of(word: str) -> dict[str, Any]:
    """Units of a line as they are typed."""
    line_id, _, units = word.partition("=")
    if not (line_id and units.isascii() and units.isdigit() and len(units) < 8):
        raise CommandRefused(f"{word!r} names no units of a line: write it as 1=2")
    return {"line_id": line_id, "quantity": int(units)}


def _print_preview(seen: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(seen)
        return
    out, invoice = console(), seen["invoice"]
    due_on = f"due {moment(invoice['due_on'])}" if invoice["due_on"] else "due on delivery"
    out.print(Text(f"{invoice['order_number']} · {invoice['customer_id']} · {due_on}", style="bold"))
    out.print(table(invoice["lines"], LINES))
    for name in _SUMS:
        out.print(f"{words(name):<18}{text(invoice[name]):>18}")
    if seen["needs_second_person"]:
        out.print("over the limit: make a draft (oms invoices drafts make), which somebody else approves")


@drafts.command("list")
def list_drafts(
    state: Annotated[str, typer.Option(help="open, draft, approved, posted or discarded.")] = "open",
    limit: LimitOption = 100,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """List drafts, oldest first."""
    rows = Api(var, "auditor").rows("/v1/invoice-drafts", limit, state=state)
    print_rows(rows, _DRAFTS, as_json=as_json, none="no drafts")


@drafts.command()
def make(
    order: OrderArgument, shipment: ShipmentsOption = None, var: VarOption = VAR, as_json: JsonOption = False
) -> None:
    """Prepare an invoice. It holds its shipments until it is posted or discarded."""
    made = Api(var, "accounting").post("/v1/invoice-drafts", {"order_id": order, "shipments": shipment or []})
    who = ", by somebody else" if made["needs_second_person"] else ""
    _print_draft(made, f"{made['draft_id']} made: {text(made['amount'])}, to be approved{who}", as_json=as_json)


@drafts.command()
def approve(draft: DraftArgument, var: VarOption = VAR, as_json: JsonOption = False) -> None:
    """Approve a draft for what it comes to now."""
    done = Api(var, "accounting").post(f"/v1/invoice-drafts/{segment(draft)}/approval")
    _print_draft(done, f"{done['draft_id']} approved: {text(done['amount'])}, to be posted", as_json=as_json)


@drafts.command()
def post(draft: DraftArgument, var: VarOption = VAR, as_json: JsonOption = False) -> None:
    """Post an approved draft: it gets its number."""
    done = Api(var, "accounting").post(f"/v1/invoice-drafts/{segment(draft)}/posting")
    invoice = done["invoice"]
    _print_draft(done, f"{invoice['number']} posted: {text(invoice['total'])}", as_json=as_json)


@drafts.command()
def discard(draft: DraftArgument, var: VarOption = VAR, as_json: JsonOption = False) -> None:
    """Discard a draft, which lets its shipments go."""
    done = Api(var, "accounting").post(f"/v1/invoice-drafts/{segment(draft)}/discarding")
    _print_draft(done, f"{done['draft_id']} discarded: its shipments wait again", as_json=as_json)


def _print_draft(draft: dict[str, Any], sentence: str, *, as_json: bool) -> None:
    if as_json:
        print_json(draft)
    else:
        console().print(Text(sentence))
