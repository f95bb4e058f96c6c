"""`oms shipments`: the warehouse."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.client import VAR, Api, JsonOption, LimitOption, VarOption, segment
from cli.known import check_warehouse
from cli.orders import find_order
from cli.output import console, print_json, print_rows, words
from cli.packages import PACKAGE_HELP, print_packages, read_package
from cli.refusals import CommandRefused

app = typer.Typer(help="Shipments: list, pick, pack, ship, reverse, intercept; answer recalls.", no_args_is_help=True)

ShipmentArgument = Annotated[str, typer.Argument(metavar="SHIPMENT", help="Its number (SH-1001) or id (shp_…).")]

_UNITS = re.compile("[0-9]{1,10}")
_COLUMNS = (
    ("Number", "number"), ("Order", "order_number"), ("Warehouse", "warehouse_id"), ("State", "state~"), ("Units", "units>"),
    ("Promised", "promised_on"), ("Carrier", "carrier"), ("Tracking", "tracking_number"),
    ("Pending change", "change"), ("Until", "change_due"),
)  # fmt: skip
_RECALL_COLUMNS = (
    ("Recall", "recall_id"), ("Order", "order_number"), ("Wanted back", "asked"), ("Since", "since"),
)  # fmt: skip


@app.command("list")
def list_shipments(
    state: Annotated[
        str | None, typer.Option(help="released (the pick list), picked, packed, shipped, delivered, cancelled.")
    ] = None,
    order: Annotated[str | None, typer.Option(help="Only those of this order.")] = None,
    warehouse: Annotated[str | None, typer.Option(help="Only this warehouse's.")] = None,
    package: Annotated[
        str | None, typer.Option(help="Only that of this package: the carrier's number, or its SSCC.")
    ] = None,
    limit: LimitOption = 100,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """List shipments, oldest first."""
    api = Api(var, "auditor")
    order_id = find_order(api, order)["order_id"] if order else None
    rows = api.rows("/v1/shipments", limit, state=state, order_id=order_id, warehouse_id=warehouse, package=package)
    if not rows:
        check_warehouse(api, warehouse)
    shown = rows if as_json else [{**row, "units": _units(row), **_tracking(row), **_pending(row)} for row in rows]
    print_rows(shown, _COLUMNS, as_json=as_json, none="no shipments")


@app.command()
def pick(
    shipment: ShipmentArgument,
    found: Annotated[
        list[str] | None,
        typer.Option(metavar="LINE=UNITS", help="Units found of a line that is short; once for each such line."),
    ] = None,
    reason: Annotated[
        str, typer.Option(help="Why the rest is not there: missing, damaged or wrong_article.")
    ] = "missing",
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Pick it: released → picked. Without --found all of its units were there."""
    _advance(var, shipment, "pick", _short(Api(var, "auditor"), shipment, found, reason) if found else None, as_json)


def _short(api: Api, shipment: str, said: list[str], reason: str) -> dict[str, Any]:
    """Every line as it was found; what nobody said is complete."""
    lines = {line["line_id"]: line for line in api.get(f"/v1/shipments/{_find(api, shipment)}")["lines"]}
    units: dict[str, int] = {}
    for one in said:
        line_id, _, number = one.rpartition("=")
        if line_id not in lines or line_id in units or not _UNITS.fullmatch(number):
            raise CommandRefused(f"--found {one} is not LINE=UNITS of one of its lines: {', '.join(sorted(lines))}")
        units[line_id] = int(number)
    return {"lines": [_found(line, units.get(line_id, line["quantity"]), reason) for line_id, line in lines.items()]}


def _found(line: dict[str, Any], units: int, reason: str) -> dict[str, Any]:
    is_short = units < line["quantity"]
    return (
        {k: line[k] for k in ("line_id", "sku")} | {"quantity": units} | ({"short_reason": reason} if is_short else {})
    )


@app.command()
def pack(
    shipment: ShipmentArgument,
    package: Annotated[list[str] | None, typer.Option(metavar="CONTENTS", help=PACKAGE_HELP)] = None,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Pack it: picked → packed. Without --package it is one package with everything."""
    body = {"packages": [read_package(said) for said in package]} if package else None
    _advance(var, shipment, "pack", body, as_json)


@app.command()
def ship(
    shipment: ShipmentArgument,
    carrier: Annotated[str | None, typer.Option(help="The carrier. Default: the cheapest.")] = None,
    tracking: Annotated[
        list[str] | None, typer.Option(help="The carrier's number of a package; once for each, in their order.")
    ] = None,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Hand it to the carrier: packed → shipped. Stock, invoice and mail follow."""
    body = ({"carrier": carrier} if carrier else {}) | ({"tracking_numbers": tracking} if tracking else {})
    _advance(var, shipment, "ship", body or None, as_json)


@app.command()
def packages(shipment: ShipmentArgument, var: VarOption = VAR, as_json: JsonOption = False) -> None:
    """List its packages: code, tracking number, weight, size and contents."""
    api = Api(var, "auditor")
    print_packages(api.get(f"/v1/shipments/{_find(api, shipment)}")["packages"], as_json=as_json)


OutputOption = Annotated[Path | None, typer.Option(help="The file to write; one named after the shipment without it.")]


@app.command("packing-slip")
def packing_slip(shipment: ShipmentArgument, output: OutputOption = None, var: VarOption = VAR) -> None:
    """Save its packing slip as a PDF: a page for each package."""
    _save(var, shipment, "packing-slip.pdf", output)


@app.command()
def labels(
    shipment: ShipmentArgument,
    zpl: Annotated[bool, typer.Option("--zpl", help="For a label printer, in ZPL II.")] = False,
    output: OutputOption = None,
    var: VarOption = VAR,
) -> None:
    """Save its labels, 4 by 6 inches, one for each package."""
    _save(var, shipment, "labels.zpl" if zpl else "labels.pdf", output)


@app.command("bill-of-lading")
def bill_of_lading(shipment: ShipmentArgument, output: OutputOption = None, var: VarOption = VAR) -> None:
    """Save its bill of lading as a PDF, for the carrier to sign."""
    _save(var, shipment, "bill-of-lading.pdf", output)


def _save(var: Path, shipment: str, file: str, output: Path | None) -> None:
    api = Api(var, "auditor")
    content, name = api.file(f"/v1/shipments/{_find(api, shipment)}/{file}")
    target = output or Path(name or file)
    try:
        target.write_bytes(content)
    except OSError as cannot:
        raise CommandRefused(f"{target} cannot be written: {cannot.strerror}") from None
    console().print(f"wrote {target}")


@app.command()
def perform(shipment: ShipmentArgument, var: VarOption = VAR, as_json: JsonOption = False) -> None:
    """Report a service visit as performed."""
    _advance(var, shipment, "perform", None, as_json)


@app.command()
def reverse(
    shipment: ShipmentArgument,
    reason: Annotated[str, typer.Option(help="What the mistake was; the company's own people read it.")] = "",
    preview: Annotated[bool, typer.Option("--preview", help="Only say what it would do.")] = False,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Reverse a ship confirm that was a mistake: it is packed again, stock and invoice are as before."""
    api = Api(var, "warehouse")
    shipment_id = _find(api, shipment)
    if preview:
        _show_preview(Api(var, "support").get(f"/v1/shipments/{shipment_id}/reversal"), as_json)
        return
    if not reason.strip():
        raise CommandRefused("say what the mistake was: --reason, or look first with --preview")
    done = api.post(f"/v1/shipments/{shipment_id}/reversal", {"reason": reason}, key=f"oms-reverse-{shipment_id}")
    if as_json:
        print_json(done)
        return
    how = done["reversal"]
    console().print(
        f"{done['number']} of {done['order_number']} has not shipped: {how['replaced_by']} has its goods, packed"
    )


@app.command()
def intercept(
    shipment: ShipmentArgument,
    reason: Annotated[str, typer.Option(help="Why; the company's own people read it.")],
    answer: Annotated[
        str | None, typer.Option(help="What the carrier said where you asked it: intercepted, refused or too_late.")
    ] = None,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Have its carrier stop it on its way and bring it back. Exit code 1 where it does not."""
    shipment_id = _find(Api(var, "auditor"), shipment)
    body = {"reason": reason} | ({"carrier_answer": answer} if answer else {})
    done = Api(var, "support").post(f"/v1/shipments/{shipment_id}/intercept", body)
    state = done["interception"]["state"]
    if as_json:
        print_json(done)
    elif state == "intercepted":
        console().print(f"{done['number']} of {done['order_number']} is stopped: it comes back by a return")
    if state != "intercepted":
        said = "has arrived first" if state == "too_late" else "is not stopped"
        raise CommandRefused(f"{done['number']} {said}: it stays shipped, and a return is possible")


@app.command()
def recalls(limit: LimitOption = 100, var: VarOption = VAR, as_json: JsonOption = False) -> None:
    """List open recalls: units that a changed order wants back."""
    rows = Api(var, "warehouse").rows("/v1/recalls", limit)
    shown = rows if as_json else [{**row, "asked": _asked(row)} for row in rows]
    print_rows(shown, _RECALL_COLUMNS, as_json=as_json, none="no recalls")


@app.command()
def recall(
    recall_id: Annotated[
        str, typer.Argument(metavar="RECALL", help="Its id (rcl_…), as `oms shipments recalls` shows.")
    ],
    acknowledge: Annotated[bool, typer.Option("--acknowledge", help="The units leave their shipments.")] = False,
    refuse: Annotated[str | None, typer.Option(metavar="REASON", help="They stay, and why.")] = None,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Answer a recall: acknowledge it or refuse it."""
    if acknowledge == (refuse is not None):
        raise CommandRefused("say --acknowledge, or --refuse with a reason")
    body = {"answer": "acknowledge"} if acknowledge else {"answer": "refuse", "reason": refuse}
    done = Api(var, "warehouse").post(
        f"/v1/recalls/{segment(recall_id)}/answer", body, key=f"oms-{body['answer']}-{recall_id}"
    )
    if as_json:
        print_json(done)
        return
    console().print(f"the recall for {done['order_number']} is {words(done['state'])}: {_asked(done)}")


_MONEY = {
    "credited": "invoice {invoice} is credited with {amount}",
    "unqueued": "{amount} that were to be invoiced later are not",
    "deferred": "{amount} of revenue are deferred until it ships",
    "none": "nothing was invoiced yet",
}
"""What becomes of its invoice → in words."""


def _show_preview(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    units = ", ".join(f"{line['quantity']:,} {line['sku']}" for line in found["lines"])
    amount = f"{found['amount']['amount']} {found['amount']['currency']}" if found["amount"] else "it"
    said = _MONEY[found["billing"]].format(invoice=found["invoice_number"], amount=amount)
    console().print(
        f"{found['number']} of {found['order_number']} would be packed again: {units} on hand and allocated; {said}"
    )
    if found["held"]:
        console().print(
            f"{found['held']['amount']} {found['held']['currency']} of that was paid and is held for the order"
        )


def _asked(row: dict[str, Any]) -> str:
    return ", ".join(f"{line['quantity']:,} {line['sku']} of {line['shipment_number']}" for line in row["lines"])


def _advance(var: VarOption, shipment: str, verb: str, body: Any, as_json: bool) -> None:
    api = Api(var, "warehouse")
    # one key a step: a second try of the same step gets the first answer
    shipment_id = _find(api, shipment)
    done = api.post(f"/v1/shipments/{shipment_id}/{verb}", body, key=f"oms-{verb}-{shipment_id}")
    if as_json:
        print_json(done)
        return
    now = api.get(f"/v1/shipments/{shipment_id}")
    if now["state"] != done["state"]:  # the first answer, of long ago
        console().print(
            f"{done['number']} of {done['order_number']} was {words(done['state'])} before and is {words(now['state'])} now"
        )
        return
    numbers = [one["tracking_number"] for one in done.get("packages", ())] or [done["tracking_number"]]
    said = f"tracking number{'s' if len(numbers) > 1 else ''} {', '.join(filter(None, numbers))}"
    tracking = f" with {done['carrier']}, {said}" if done["tracking_number"] else ""
    console().print(f"{done['number']} of {done['order_number']} is {words(done['state'])}{tracking}")
    if pending := now.get("change_pending"):
        console().print(f"a change of {done['order_number']} is pending: {_what(pending)}")


def _find(api: Api, shipment: str) -> str:
    """The id of a shipment named by number or id."""
    if shipment.startswith("shp_"):
        return segment(shipment)
    for row in api.rows("/v1/shipments", 1, number=shipment.upper()):
        return str(row["shipment_id"])
    raise CommandRefused(f"there is no shipment {shipment}: `oms shipments list` shows them")


def _units(row: dict[str, Any]) -> int:
    return sum(line["quantity"] for line in row["lines"])


def _tracking(row: dict[str, Any]) -> dict[str, Any]:
    """The tracking number of its first package, and how many more there are."""
    more = len(row.get("packages", ())) - 1
    return (
        {"tracking_number": f"{row['tracking_number']} and {more} more"} if row["tracking_number"] and more > 0 else {}
    )


def _pending(row: dict[str, Any]) -> dict[str, Any]:
    """What a change that is not settled would make of the order, and until when it is awaited."""
    pending = row.get("change_pending")
    return {"change": _what(pending), "change_due": pending["until"]} if pending else {}


def _what(pending: dict[str, Any]) -> str:
    return "; ".join(pending["what"]) or "amounts alone"
