"""`oms invoices`: what was billed and what is open."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from cli.client import VAR, Api, JsonOption, LimitOption, VarOption, segment
from cli.known import check_customer
from cli.orders import find_order
from cli.output import console, moment, print_json, print_rows, table, text, words
from cli.refusals import CommandRefused

app = typer.Typer(help="Invoices: list them, show one, get one as a PDF.", no_args_is_help=True)

_COLUMNS = (
    ("Number", "number"), ("Order", "order_number"), ("Customer", "customer_id"), ("Invoiced", "invoiced_on"), ("Due", "due_on"),
    ("Total", "total>"), ("Paid", "paid>"), ("Discount", "discount_taken>"), ("Elsewhere", "settled_elsewhere>"), ("Open", "open>"),
    ("Status", "status~"),
)  # fmt: skip
_AMOUNTS = (
    "merchandise", "discount", "freight", "tax", "total", "paid", "discount_taken", "settled_elsewhere", "open",
)  # fmt: skip
"""As they add up: to the total, and from it to what is open."""
_DUES = (("Due", "due_on"), ("Amount", "amount>"), ("Open", "open>"))
_LINES = (
    ("SKU", "sku"),
    ("Description", "description"),
    ("Units", "quantity>"),
    ("Price", "unit_price>"),
    ("Extended", "extended>"),
)


@app.command("list")
def list_invoices(
    order: Annotated[str | None, typer.Option(help="Only those of this order.")] = None,
    customer: Annotated[str | None, typer.Option(help="Only this customer's: cus_….")] = None,
    status: Annotated[str | None, typer.Option(help="open, part_paid or paid.")] = None,
    limit: LimitOption = 100,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """List invoices by number."""
    api = Api(var, "auditor")
    order_id = find_order(api, order)["order_id"] if order else None
    rows = api.rows("/v1/invoices", limit, order_id=order_id, customer_id=customer, status=status)
    if not rows:
        check_customer(api, customer)
    print_rows(rows, _COLUMNS, as_json=as_json, none="no invoices")


@app.command()
def show(
    invoice: Annotated[str, typer.Argument(help="Its number (INV-000001) or id (inv_…).")],
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Show one invoice with its lines and sums."""
    found = _find(Api(var, "auditor"), invoice)
    if as_json:
        print_json(found)
        return
    out = console()
    due = f"due {moment(found['due_on'])}"  # of before terms were kept, or due at once
    heading = Text(found["number"], style="bold")
    heading.append(f" · {found['order_number']} · {found['customer_id']} · {found['terms'] or due}", style="not bold")
    out.print(heading)
    out.print(table(found["lines"], _LINES))
    for name in _AMOUNTS:
        out.print(f"{words(name):<18}{text(found[name]):>18}")
    out.print(table(found["installments"], _DUES))
    if early := found["early_discount"]:
        out.print(f"{text(early['pays'])} settles it until {moment(early['until'])}: {text(early['amount'])} discount")


@app.command()
def pdf(
    invoice: Annotated[str, typer.Argument(help="Its number (INV-000001) or id (inv_…).")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file; its number.pdf in this folder when left out.")
    ] = None,
    var: VarOption = VAR,
) -> None:
    """Get one invoice as a PDF."""
    content, name = Api(var, "auditor").file(f"/v1/invoices/{segment(invoice)}.pdf")
    if not content.startswith(b"%PDF-"):
        raise CommandRefused("the answer is no PDF: is OMS_URL the address of an OMS?")
    path = output or Path(name or f"{invoice}.pdf")
    try:
        path.write_bytes(content)
    except OSError as unwritable:
        raise CommandRefused(f"{path} cannot be written: {unwritable.strerror}") from unwritable
    console().print(Text(f"{path} written"))


def _find(api: Api, invoice: str) -> dict[str, Any]:
    if invoice.startswith("inv_"):
        return dict(api.get(f"/v1/invoices/{segment(invoice)}"))
    for row in api.rows("/v1/invoices", 1, number=invoice.upper()):
        return row
    raise CommandRefused(f"there is no invoice {invoice}: `oms invoices` lists them")
