"""`oms orders change` and `oms orders consent`: propose a change of an order, and answer one for its customer."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.client import VAR, Api, JsonOption, VarOption
from cli.orders import OrderArgument, find_order
from cli.output import Column, console, print_json, table, text, words
from cli.refusals import CommandRefused

_DIFFERENCE: tuple[Column, ...] = (("What", "what"), ("Before", "before>"), ("After", "after>"))


def change(
    order: OrderArgument,
    reason: Annotated[str, typer.Option(help="Why, as the customer may read it.")] = "as agreed",
    quantity: Annotated[list[str] | None, typer.Option(metavar="LINE=N", help="Another quantity of a line.")] = None,
    remove: Annotated[list[str] | None, typer.Option(metavar="LINE", help="Remove a line.")] = None,
    add: Annotated[list[str] | None, typer.Option(metavar="SKU=N", help="A new line.")] = None,
    substitute: Annotated[
        list[str] | None, typer.Option(metavar="LINE=SKU[@PRICE]", help="Another SKU in a line's place.")
    ] = None,
    price: Annotated[list[str] | None, typer.Option(metavar="LINE=PRICE", help="Another unit price of a line.")] = None,
    date: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="Another requested date.")] = None,
    cancel_after: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="Another last day to ship.")] = None,
    ship_complete: Annotated[
        bool | None, typer.Option("--ship-complete/--split", help="All together, or in parts as available.")
    ] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Only show what the change would do.")] = False,
    role: Annotated[str, typer.Option(help="Act as support, sales_rep or customer.")] = "support",
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Change an order, or propose the change to its customer. Exit code 1 when it is, or would be, refused."""
    found = find_order(Api(var, "auditor"), order)
    lines = [
        *({"line_id": line, "quantity": counted(units)} for line, units in _pairs(quantity)),
        *({"line_id": line, "quantity": 0} for line in remove or ()),
        *({"line_id": line, **_substitute(sku)} for line, sku in _pairs(substitute)),
        *({"line_id": line, "unit_price": amount} for line, amount in _pairs(price)),
        *({"sku": sku, "quantity": counted(units)} for sku, units in _pairs(add)),
    ]
    body: dict[str, Any] = {"reason": reason, "lines": lines, "version": found["version"]}
    if date is not None:
        body["requested_on"] = date
    if cancel_after is not None:
        body["cancel_after"] = cancel_after
    if ship_complete is not None:
        body["ship_complete"] = ship_complete
    api = Api(var, role, company=found["customer_id"] if role == "customer" else None)
    done = api.post(f"/v1/orders/{found['order_id']}/changes{'?preview=true' if preview else ''}", body)
    if as_json:
        print_json(done)
    else:
        _print_proposal(found["number"], done)
    if done["obstacles"]:
        reasons = "; ".join(one["detail"] for one in done["obstacles"])
        raise CommandRefused(f"{found['number']} cannot be changed: {reasons}")


def consent(
    order: OrderArgument,
    accept: Annotated[bool | None, typer.Option("--accept/--decline", help="The customer's answer.")] = None,
    note: Annotated[str, typer.Option(help="Why, or how it was said.")] = "",
    role: Annotated[str, typer.Option(help="Act as customer, or as support on its behalf.")] = "customer",
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Accept or decline a proposed change as the customer."""
    if accept is None:
        raise CommandRefused("say --accept or --decline")
    found = find_order(Api(var, "auditor"), order)
    if found["change"] is None:
        raise CommandRefused(f"{found['number']} has no open change: `oms orders show {found['number']}`")
    api = Api(var, role, company=found["customer_id"] if role == "customer" else None)
    path = f"/v1/orders/{found['order_id']}/changes/{found['change']['change_id']}/consent"
    body = {"answer": "accept" if accept else "decline", "note": note, "version": found["version"]}
    done = api.post(path, body)
    if as_json:
        print_json(done)
    else:
        console().print(f"{found['number']}: the change is {words(done['state'])}")


def _pairs(given: list[str] | None) -> list[tuple[str, str]]:
    """The two sides of each NAME=VALUE."""
    for one in given or ():
        if not all(one.partition("=")):
            raise CommandRefused(f"{one!r} is no pair: write it as NAME=VALUE")
    return [(one.partition("=")[0], one.partition("=")[2]) for one in given or ()]


def counted(given: str) -> int:
    """A whole number of units, as typed."""
    if not (given.isascii() and given.isdigit() and len(given) < 8):
        raise CommandRefused(f"{given!r} is no quantity: write a whole number")
    return int(given)


def _substitute(given: str) -> dict[str, str]:
    sku, _, price = given.partition("@")
    return {"sku": sku, "unit_price": price} if price else {"sku": sku}


def _print_proposal(number: str, done: dict[str, Any]) -> None:
    """What was proposed, or would be; of what cannot be only what it would change, since nothing follows from it."""
    out = console()
    state = "preview of the change" if done["change_id"] is None else f"change {words(done['state'])}"
    if not done["obstacles"]:
        out.print(f"{number}: {state} (version {done['from_version']} → {done['to_version']})", style="bold")
    if done["difference"]:
        out.print(table(done["difference"], _DIFFERENCE))
    if not done["obstacles"]:
        out.print(f"Total {text(done['totals_before']['total'])} → {text(done['totals_after']['total'])}")
        for sentence in done["consequences"]:
            out.print(f"- {sentence}")
