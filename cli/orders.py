"""`oms orders`: place orders, see where they stand, and follow one live."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from cli.client import VAR, Api, JsonOption, LimitOption, Refusal, VarOption, events, segment
from cli.directory import names
from cli.json_files import read_json
from cli.known import check_customer
from cli.order_view import print_order, sentence
from cli.output import console, print_json, print_rows, words
from cli.refusals import CommandRefused, NotRunning
from cli.sourcing import print_plans

app = typer.Typer(help="Place, list, show, watch, change and cancel orders; release holds.", no_args_is_help=True)

OrderArgument = Annotated[str, typer.Argument(metavar="ORDER", help="Its number (SO-1001) or id (ord_…).")]

_COLUMNS = (
    ("Number", "number"), ("Customer", "customer_name"), ("Channel", "channel~"), ("PO", "po_number"), ("Status", "status~"),
    ("Total", "total>"), ("Waiting on", "waiting_for.what"), ("Placed", "placed_at"),
)  # fmt: skip
_RECONNECT_S = 1.0


@app.command()
def place(
    files: Annotated[
        list[Path], typer.Argument(exists=True, dir_okay=False, readable=True, help="JSON: an order, or a list.")
    ],
    role: Annotated[str, typer.Option(help="Act as channel, customer or sales_rep.")] = "channel",
    company: Annotated[str | None, typer.Option(help="The customer account, for the role customer.")] = None,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Place the orders in files. The same document places the same order, once. Exit code 1 when one is refused."""
    api = Api(var, role, company=company)
    receipts, refused = [], 0
    for order in (order for path in files for order in _documents(path)):
        try:
            receipts.append(api.post("/v1/orders", order, key=key_of(order)))
        except Refusal as refusal:
            refused += 1
            receipts.append({"refused": str(refusal), "code": refusal.code, "channel_ref": order.get("channel_ref")})
        if not as_json:
            console().print(_placed(receipts[-1]), soft_wrap=True)
    if as_json:
        print_json(receipts)
    if refused:
        raise CommandRefused(f"{refused} of {len(receipts)} orders were refused")


@app.command("list")
def list_orders(
    status: Annotated[str | None, typer.Option(help="Only this status, such as in_fulfilment.")] = None,
    channel: Annotated[str | None, typer.Option(help="Only this channel.")] = None,
    customer: Annotated[str | None, typer.Option(help="Only this customer's: cus_….")] = None,
    q: Annotated[
        str | None, typer.Option("-q", help="Part of a number, PO, reference or name; a SKU; or a support case.")
    ] = None,
    limit: LimitOption = 50,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """List orders of all channels."""
    api = Api(var, "auditor")
    rows = api.rows("/v1/orders", limit, status=status, channel=channel, customer_id=customer, q=q)
    if not rows:
        check_customer(api, customer)
    print_rows(rows, _COLUMNS, as_json=as_json, none="no orders")


@app.command()
def show(order: OrderArgument, var: VarOption = VAR, as_json: JsonOption = False) -> None:
    """Show one order: status, who it is waiting on, lines, shipments, invoices and history."""
    api = Api(var, "auditor")
    found = find_order(api, order)
    history = api.rows(f"/v1/orders/{found['order_id']}/history", 1_000)
    if as_json:
        print_json({**found, "history": history})
    else:
        print_order(console(), found, history, names(api))


@app.command()
def watch(order: OrderArgument, var: VarOption = VAR, as_json: JsonOption = False) -> None:
    """Follow one order live, until it ends or Ctrl-C."""
    api = Api(var, "auditor")
    order_id = find_order(api, order)["order_id"]
    known = {} if as_json else names(api)
    last: str | None = None
    out = console()
    while True:
        try:
            with api.stream(f"/v1/orders/{order_id}/stream", last) as answer:
                if answer.status_code == httpx.codes.NO_CONTENT:
                    return  # it has ended and everything was told
                for event_id, _kind, data in events(answer.iter_lines()):
                    last = event_id or last
                    if as_json:
                        print(data, flush=True)
                    else:
                        out.print(sentence(json.loads(data), known), soft_wrap=True)
        except NotRunning:
            if last is None:
                raise
        # the stream was closed, or the system is starting again: go on after the last event
        time.sleep(_RECONNECT_S)


@app.command()
def release(
    order: OrderArgument,
    hold: Annotated[str, typer.Argument(help="The hold's rule or id, as `oms orders show` names them.")],
    note: Annotated[str, typer.Option(help="Why the hold can be released.")],
    role: Annotated[str | None, typer.Option(help="Act in this role. Default: the role that owns the hold.")] = None,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Release a hold. After the last one the order continues."""
    found = find_order(Api(var, "auditor"), order)
    chosen = next((each for each in found["holds"] if hold in {each["hold_id"], each["code"]}), None)
    if chosen is None:
        raise CommandRefused(f"{found['number']} has no hold {hold}: `oms orders show {found['number']}` lists them")
    path = f"/v1/orders/{found['order_id']}/holds/{chosen['hold_id']}/release"
    done = Api(var, role or chosen["owner_role"]).post(path, {"version": found["version"], "note": note})
    if as_json:
        print_json(done)
    else:
        console().print(f"{found['number']}: the hold {chosen['code']} is released")


@app.command()
def feedback(
    order: OrderArgument,
    rating: Annotated[int | None, typer.Option(min=1, max=5, help="1 is worst, 5 is best.")] = None,
    comment: Annotated[str, typer.Option(help="In the customer's own words.")] = "",
    contact_support: Annotated[bool, typer.Option("--contact-support", help="Ask support to get in touch.")] = False,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Give feedback as the customer, once, after delivery. A low rating opens a support case."""
    found = find_order(Api(var, "auditor"), order)
    said = {"rating": rating, "comment": comment, "wants_support": contact_support}
    api = Api(var, "customer", company=found["customer_id"])
    given = api.post(f"/v1/orders/{found['order_id']}/feedback", said)
    if as_json:
        print_json(given)
    else:
        case = f"; {given['case_number']} is open for it" if given["case_number"] else ""
        console().print(f"{found['number']}: thank you{case}")


@app.command()
def sourcing(order: OrderArgument, var: VarOption = VAR, as_json: JsonOption = False) -> None:
    """Show why an order is served from where it is: the chosen plan, its rivals with their costs, and why each lost."""
    api = Api(var, "auditor")
    plans = api.get(f"/v1/orders/{segment(reference(order))}/sourcing")["rows"]
    if as_json:
        print_json(plans)
    else:
        print_plans(console(), plans)


def find_order(api: Api, order: str) -> dict[str, Any]:
    """The order named by its number, in any case, or its id; Refusal when there is none."""
    return dict(api.get(f"/v1/orders/{segment(reference(order))}"))


def reference(order: str) -> str:
    """An order's number as it is written, or its id."""
    return order if order.startswith("ord_") else order.upper()


def key_of(order: dict[str, Any]) -> str:
    """The idempotency key of a document: the same document has the same one."""
    written = json.dumps(order, sort_keys=True, ensure_ascii=False)
    return f"oms-place-{hashlib.sha256(written.encode()).hexdigest()[:40]}"


def _documents(path: Path) -> list[dict[str, Any]]:
    document = read_json(path)
    found = document if isinstance(document, list) else [document]
    if not found or not all(isinstance(order, dict) for order in found):
        raise CommandRefused(f"{path} holds something that is no order: write one object, or a list of them")
    return found


def _placed(receipt: dict[str, Any]) -> str:
    if "refused" in receipt:
        return f"{receipt['channel_ref'] or 'an order'} refused: {receipt['refused']}"
    reasons = (
        f" ({', '.join(str(reason) for reason in receipt.get('reasons') or [])})" if receipt.get("reasons") else ""
    )
    return f"{receipt['number']} is {words(receipt['status'])}{reasons}"
