"""`oms invoices`: what was billed and what is open, and what is to be invoiced."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from cli.client import VAR, Api, JsonOption, LimitOption, VarOption, segment
from cli.invoicing import LINES, create, drafts, due, units_of
from cli.known import check_customer
from cli.orders import find_order
from cli.output import console, moment, print_json, print_rows, table, text, words
from cli.refusals import CommandRefused

app = typer.Typer(
    help="Invoices: list them, show one, get one as a PDF or an e-invoice; invoice what has shipped; correct one by a credit note, write one off.",
    no_args_is_help=True,
)
app.command()(due)
app.command()(create)
app.add_typer(drafts, name="drafts")

_COLUMNS = (
    ("Number", "number"), ("Order", "order_number"), ("Customer", "customer_id"), ("Invoiced", "invoiced_on"), ("Due", "due_on"),
    ("Total", "total>"), ("Paid", "paid>"), ("Discount", "discount_taken>"), ("Elsewhere", "settled_elsewhere>"),
    ("Credited", "credited>"), ("Open", "open>"),
    ("Status", "status~"),
)  # fmt: skip
_AMOUNTS = (
    "merchandise", "discount", "freight", "tax", "total", "paid", "discount_taken", "settled_elsewhere", "credited",
    "written_off", "open",
)  # fmt: skip
"""As they add up: to the total, and from it to what is open."""
_NOTES = (
    ("Number", "number"), ("Invoice", "invoice_number"), ("Order", "order_number"), ("Customer", "customer_id"),
    ("Credited", "credited_on"), ("Total", "total>"), ("Left over", "cash>"), ("Why", "reason"),
)  # fmt: skip
_CREDITED = (
    "merchandise",
    "discount",
    "allowance",
    "freight",
    "tax",
    "total",
    "off_open",
    "recovered",
    "discount_lost",
    "cash",
)
"""As they add up: to the total, and from it to where that goes."""
_DEPOSITS = (
    ("Number", "number"), ("Of", "corrects"), ("Order", "order_number"), ("Customer", "customer_id"), ("Dated", "invoiced_on"),
    ("Total", "total>"), ("Tax in it", "tax>"), ("Deducted", "deducted>"), ("Credited", "credited>"), ("To deduct", "open>"),
)  # fmt: skip
_SHARES = (
    ("Order", "order_number"), ("Customer's PO", "po_number"), ("Total", "total>"), ("Open", "open>"), ("Share", "invoice_id"),
)  # fmt: skip
_DUES = (("Due", "due_on"), ("Amount", "amount>"), ("Open", "open>"))
_BEGINS = {"pdf": b"%PDF-", "xml": b"<?xml"}
"""Kind of file → how each of it begins."""


@app.command("list")
def list_invoices(
    order: Annotated[str | None, typer.Option(help="Only those of this order.")] = None,
    customer: Annotated[str | None, typer.Option(help="Only this customer's: cus_….")] = None,
    status: Annotated[str | None, typer.Option(help="open, part_paid, paid, credited or written_off.")] = None,
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
    print_rows(rows if as_json else list(map(_named, rows)), _COLUMNS, as_json=as_json, none="no invoices")


def _named(row: dict[str, Any]) -> dict[str, Any]:
    """An invoice of several orders says how many it is of."""
    return {**row, "order_number": f"{len(row['shares'])} orders"} if row.get("shares") else row


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
    of = _named(found)["order_number"]
    heading.append(f" · {of} · {found['customer_id']} · {found['terms'] or due}", style="not bold")
    out.print(heading)
    shares = found.get("shares") or []
    out.print(table(found["lines"], (("Order", "order_number"), *LINES) if shares else LINES))
    if shares:
        out.print(table(shares, _SHARES))
    for name in _AMOUNTS:
        out.print(f"{words(name):<18}{text(found[name]):>18}")
    out.print(table(found["installments"], _DUES))
    if early := found["early_discount"]:
        out.print(f"{text(early['pays'])} settles it until {moment(early['until'])}: {text(early['amount'])} discount")


Invoice = Annotated[str, typer.Argument(help="Its number (INV-000001) or id (inv_…).")]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="The file; in this folder and named by its number when left out.")
]


@app.command()
def pdf(invoice: Invoice, output: Output = None, var: VarOption = VAR) -> None:
    """Get one invoice as a PDF."""
    _save(var, invoice, "pdf", output)


@app.command()
def xml(invoice: Invoice, output: Output = None, var: VarOption = VAR) -> None:
    """Get one invoice as an e-invoice (Factur-X, EN 16931)."""
    _save(var, invoice, "xml", output)


def _save(var: Path, number: str, kind: str, output: Path | None, *, of: str = "invoices") -> None:
    content, name = Api(var, "auditor").file(f"/v1/{of}/{segment(number)}.{kind}")
    if not content.startswith(_BEGINS[kind]):
        raise CommandRefused(f"the answer is no {kind.upper()}: is OMS_URL the address of an OMS?")
    path = output or Path(name or f"{number}.{kind}")
    try:
        path.write_bytes(content)
    except OSError as unwritable:
        raise CommandRefused(f"{path} cannot be written: {unwritable.strerror}") from unwritable
    console().print(Text(f"{path} written"))


@app.command()
def credit(
    invoice: Invoice,
    reason: Annotated[str, typer.Option(help="Why; the customer reads it on the credit note.")],
    line: Annotated[
        list[str] | None, typer.Option(help="Units of a line: 1=2 credits two units of line 1. Again for another one.")
    ] = None,
    freight: Annotated[str | None, typer.Option(help="Freight, such as 10.00.")] = None,
    amount: Annotated[
        str | None, typer.Option(help="An allowance on the price of the goods, before tax, such as 5.00.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that is left of it.")] = False,
    code: Annotated[
        str, typer.Option(help="billing_error, price, shortage, damaged, returned, goodwill or other.")
    ] = "other",
    preview: Annotated[bool, typer.Option("--preview", help="Only show what the credit note would do.")] = False,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Correct an invoice by a credit note. What was paid beyond it is left on account. Of one of several orders name a share."""
    api = Api(var, "accounting")
    found = _find(api, invoice)
    currency = found["total"]["currency"]
    body: dict[str, Any] = {"reason": reason, "reason_code": code, "lines": [units_of(word) for word in line or ()]}
    for member, given in (("freight", freight), ("allowance", amount)):
        if given:
            body[member] = {"amount": given, "currency": currency}
    body["everything"] = everything
    path = f"/v1/invoices/{segment(_key(found))}/credit-notes"
    done = api.post(f"{path}/preview" if preview else path, body)
    if as_json:
        print_json(done)
    elif done.get("waiting"):
        console().print(_waits(done["waiting"]))
    else:
        _print_credit(done, is_preview=preview)


@app.command("write-off")
def write_off(
    invoice: Invoice,
    reason: Annotated[str, typer.Option(help="Why; people of the company alone read it.")],
    amount: Annotated[str | None, typer.Option(help="How much, such as 5.00; all that is open when left out.")] = None,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Write off what is open of an invoice: bad debt."""
    api = Api(var, "accounting")
    found = _find(api, invoice)
    body: dict[str, Any] = {"reason": reason}
    if amount:
        body["amount"] = {"amount": amount, "currency": found["total"]["currency"]}
    done = api.post(f"/v1/invoices/{segment(_key(found))}/write-off", body)
    if as_json:
        print_json(done)
    elif done["waiting"]:
        console().print(_waits(done["waiting"]))
    else:
        now = done["invoice"]
        console().print(f"{now['number']}: {text(now['written_off'])} written off, {text(now['open'])} open")


@app.command("credit-notes")
def credit_notes(
    invoice: Annotated[str | None, typer.Option(help="Only those of this invoice.")] = None,
    order: Annotated[str | None, typer.Option(help="Only those of this order.")] = None,
    customer: Annotated[str | None, typer.Option(help="Only this customer's: cus_….")] = None,
    limit: LimitOption = 100,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """List credit notes by number."""
    api = Api(var, "auditor")
    order_id = find_order(api, order)["order_id"] if order else None
    rows = api.rows("/v1/credit-notes", limit, invoice=invoice, order_id=order_id, customer_id=customer)
    if not rows:
        check_customer(api, customer)
    print_rows(rows, _NOTES, as_json=as_json, none="no credit notes")


@app.command("credit-note")
def credit_note(
    note: Annotated[str, typer.Argument(help="Its number (CN-1001) or id (cn_…).")],
    pdf: Annotated[bool, typer.Option("--pdf", help="Get it as a PDF.")] = False,
    xml: Annotated[bool, typer.Option("--xml", help="Get it as an e-invoice (Factur-X, EN 16931).")] = False,
    output: Output = None,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Show one credit note, or get it as a PDF or an e-invoice."""
    if _is_saved(var, note, "credit-notes", pdf=pdf, xml=xml, output=output):
        return
    found = Api(var, "auditor").get(f"/v1/credit-notes/{segment(note)}")
    print_json(found) if as_json else _print_note(found, found["number"])


@app.command("deposits")
def deposit_invoices(
    order: Annotated[str | None, typer.Option(help="Only those of this order.")] = None,
    customer: Annotated[str | None, typer.Option(help="Only this customer's: cus_….")] = None,
    limit: LimitOption = 100,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """List deposit invoices and credit notes of them, oldest first."""
    api = Api(var, "auditor")
    order_id = find_order(api, order)["order_id"] if order else None
    rows = api.rows("/v1/deposit-invoices", limit, order_id=order_id, customer_id=customer)
    if not rows:
        check_customer(api, customer)
    print_rows(rows, _DEPOSITS, as_json=as_json, none="no deposit invoices")


@app.command("deposit")
def deposit_invoice(
    deposit: Annotated[str, typer.Argument(help="Its number (DI-1001, or DC-1001 for a credit note) or id (dep_…).")],
    pdf: Annotated[bool, typer.Option("--pdf", help="Get it as a PDF.")] = False,
    xml: Annotated[bool, typer.Option("--xml", help="Get it as an e-invoice (Factur-X, EN 16931).")] = False,
    output: Output = None,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Show one deposit invoice or credit note of one, or get it as a PDF or an e-invoice."""
    if _is_saved(var, deposit, "deposit-invoices", pdf=pdf, xml=xml, output=output):
        return
    found = Api(var, "auditor").get(f"/v1/deposit-invoices/{segment(deposit)}")
    if as_json:
        print_json(found)
        return
    out, heading = console(), Text(found["number"], style="bold")
    of = f" of {found['corrects']}" if found["corrects"] else ""
    heading.append(f"{of} · {found['order_number']} · {found['customer_id']}", style="not bold")
    out.print(heading)
    for name in ("net", "tax", "total", "deducted", "credited", "open"):
        out.print(f"{words(name):<18}{text(found[name]):>18}")
    for one in found["deductions"]:
        out.print(f"{one['invoice_number']} deducts {text(one['amount'])}, {text(one['tax'])} of it tax")


def _is_saved(var: Path, number: str, of: str, *, pdf: bool, xml: bool, output: Path | None) -> bool:
    """Whether a file was wanted, which is written then."""
    if pdf and xml:
        raise CommandRefused("name one of --pdf and --xml: each is a file of its own")
    if pdf or xml or output:
        _save(var, number, "xml" if xml else "pdf", output, of=of)
    return bool(pdf or xml or output)


def _waits(waiting: dict[str, Any]) -> str:
    return (
        f"over the limit: another person in accounting decides {waiting['correction_id']} "
        "(oms payments decide); nothing has changed yet"
    )


def _print_credit(done: dict[str, Any], *, is_preview: bool) -> None:
    """The credit note or what it would say, and what follows."""
    out, note = console(), done["credit_note"]
    after = done["after"] if is_preview else done["invoice"]
    _print_note(note, "preview of a credit note" if is_preview else note["number"])
    out.print(f"{after['number']}: {text(after['open'])} open, {words(after['status'])}")
    if is_preview and done["released_order_ids"]:
        out.print(f"releases {', '.join(done['released_order_ids'])}")
    if is_preview and done["needs_second_person"]:
        out.print("over the limit: another person in accounting decides before it is made")


def _print_note(note: dict[str, Any], title: str) -> None:
    out, heading = console(), Text(title, style="bold")
    heading.append(f" · {note['invoice_number']} · {note['order_number']} · {note['customer_id']}", style="not bold")
    out.print(heading)
    out.print(table(note["lines"], LINES))
    for name in _CREDITED:
        out.print(f"{words(name):<18}{text(note[name]):>18}")
    if Decimal(note["claw_back"]["amount"]):
        out.print(f"{text(note['claw_back'])} of the order's discount is taken back in the allowance")


def _find(api: Api, invoice: str) -> dict[str, Any]:
    if invoice.startswith("inv_"):
        return dict(api.get(f"/v1/invoices/{segment(invoice)}"))
    for row in api.rows("/v1/invoices", 1, number=invoice.upper()):
        return row
    raise CommandRefused(f"there is no invoice {invoice}: `oms invoices` lists them")


def _key(found: dict[str, Any]) -> str:
    """What an invoice is corrected by: its number, or its id for an order's share, whose number others have, too."""
    return str(found["invoice_id"] if found.get("consolidated_invoice_id") else found["number"])
