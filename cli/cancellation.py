"""`oms orders cancel` and `oms orders close`: what of an order has not shipped is canceled, or given up as closed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.changes import counted
from cli.client import VAR, Api, JsonOption, VarOption, segment
from cli.orders import OrderArgument, find_order
from cli.output import Column, console, print_json, table, text
from cli.refusals import CommandRefused

_LINES: tuple[Column, ...] = (
    ("Line", "line_id"), ("SKU", "sku"), ("Canceled", "cancelled>"), ("Backordered", "backordered>"), ("Allocated", "allocated>"),
    ("Released", "released>"), ("Picked", "picked>"), ("Packed", "packed>"), ("Remaining", "left>"),
)  # fmt: skip
_CLOSED: tuple[Column, ...] = (("Line", "line_id"), ("SKU", "sku"), ("Closed", "closed>"), *_LINES[3:])
_STATES = {"preview": "preview of the cancellation", "requested": "cancellation in progress", "done": "canceled"}
_CLOSING = {"preview": "preview of the closing", "requested": "closing in progress", "done": "closed"}


def cancel(
    order: OrderArgument,
    reason: Annotated[str, typer.Option(help="Why, for the history and the mail.")] = "",
    line: Annotated[
        list[str] | None,
        typer.Option(metavar="LINE[=N]", help="Only N units of a line, or all of it that has not shipped."),
    ] = None,
    waive_fee: Annotated[str, typer.Option(metavar="WHY", help="Charge no fee, and say why; staff only.")] = "",
    preview: Annotated[bool, typer.Option("--preview", help="Only show what it would do.")] = False,
    without_refund: Annotated[
        bool, typer.Option("--without-refund", help="What was paid stays on the customer's account. Only support may.")
    ] = False,
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="Withdraw a cancellation that no warehouse has answered.")
    ] = False,
    role: Annotated[str, typer.Option(help="Act as support, sales_rep or customer.")] = "support",
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Cancel what of an order has not shipped: all of it, or lines and units. Exit code 1 when it is, or would be, refused."""
    if withdraw:
        _withdraw(order, reason, role, var, as_json=as_json)
        return
    if not reason and not preview:
        raise CommandRefused("say why with --reason")
    found = find_order(Api(var, "auditor"), order)
    body = {"version": found["version"], "reason": reason or "preview", "lines": [_line(one) for one in line or ()]}
    body.update({"waive_fee": waive_fee} if waive_fee else {})
    if without_refund:
        body["without_refund"] = True
    api = Api(var, role, company=found["customer_id"] if role == "customer" else None)
    done = api.post(f"/v1/orders/{found['order_id']}/cancellation{'?preview=true' if preview else ''}", body)
    if as_json:
        print_json(done)
    elif done["consequences"]["is_possible"]:
        _print_consequences(found["number"], done)
    if obstacles := done["consequences"]["obstacles"]:
        reasons = "; ".join(one["detail"] for one in obstacles)
        raise CommandRefused(f"{found['number']} cannot be canceled: {reasons}")


def close(
    order: OrderArgument,
    reason: Annotated[str, typer.Option(help="Why, for the history and the mail.")] = "",
    line: Annotated[
        list[str] | None,
        typer.Option(metavar="LINE_ID", help="Only this line; may be given again. Else all open ones."),
    ] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Only show what it would do.")] = False,
    role: Annotated[str, typer.Option(help="Act as support or sales_rep.")] = "support",
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Close lines of an order, or all that are open: what shipped is billed, the rest is dropped. Exit code 1 when it is refused."""
    if not reason and not preview:
        raise CommandRefused("say why with --reason")
    found = find_order(Api(var, "auditor"), order)
    lines = [{"line_id": one} for one in line or ()]
    body = {"version": found["version"], "reason": reason or "preview", "lines": lines}
    path = f"/v1/orders/{segment(found['order_id'])}/close{'?preview=true' if preview else ''}"
    done = Api(var, role).post(path, body)
    if as_json:
        print_json(done)
    elif done["consequences"]["is_possible"]:
        _print_consequences(found["number"], done)
    if obstacles := done["consequences"]["obstacles"]:
        reasons = "; ".join(one["detail"] for one in obstacles)
        raise CommandRefused(f"{found['number']} cannot be closed: {reasons}")


def _withdraw(order: str, note: str, role: str, var: Path, *, as_json: bool) -> None:
    found = find_order(Api(var, "auditor"), order)
    waiting = [one["cancellation_id"] for one in found["cancellations"] if one["state"] == "requested"]
    if not waiting:
        raise CommandRefused(f"no cancellation of {found['number']} is in progress")
    api = Api(var, role, company=found["customer_id"] if role == "customer" else None)
    path = f"/v1/orders/{found['order_id']}/cancellations/{segment(waiting[0])}/withdrawal"
    done = api.post(path, {"note": note})
    if as_json:
        print_json(done)
    else:
        console().print(f"{found['number']}: the cancellation is withdrawn", style="bold")


def _line(given: str) -> dict[str, Any]:
    line_id, is_counted, quantity = given.partition("=")
    return {"line_id": line_id, "quantity": counted(quantity)} if is_counted else {"line_id": line_id}


def _print_consequences(number: str, done: dict[str, Any]) -> None:
    """What becomes of the lines, and what money follows."""
    out, does = console(), done["consequences"]
    states, columns, word = (_CLOSING, _CLOSED, "closed") if does["is_closing"] else (_STATES, _LINES, "canceled")
    out.print(f"{number}: {states[done['state']]}", style="bold")
    rows = [row for row in does["lines"] if row["cancelled"] or row["closed"] or row["kept"]]
    out.print(table(rows, columns))
    out.print(f"Total {text(does['total'])} less: {text(does['total_after'])}")
    for row in (row for row in rows if row["kept"]):
        out.print(f"- line {row['line_id']}: the warehouse keeps {row['kept']}, which are not {word}")
    if does["stopped_shipments"] and done["state"] != "done":
        out.print(f"- the warehouse is asked for {', '.join(does['stopped_shipments'])}, and may refuse")
    if fee := does["fee"]:
        waived = f" is waived: {fee['waived_reason']}" if fee["waived_reason"] else " is charged for canceling"
        out.print(f"- a fee of {text(fee['total'])}{waived}")
    if float(does["refund"]["amount"]):
        out.print(f"- {text(does['refund'])} paid is free for the customer")
    if float(does.get("on_account", does["refund"])["amount"]) and not float(does["refund"]["amount"]):
        out.print(f"- {text(does['on_account'])} paid stays on the customer's account")
