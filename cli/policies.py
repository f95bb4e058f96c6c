"""`oms policies`: how warehouses are chosen, and a changed policy tried on orders of the past."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from cli.client import VAR, Api, JsonOption, VarOption
from cli.json_files import read_json
from cli.output import Column, console, formats, grouped, print_json, table
from cli.refusals import CommandRefused
from cli.sourcing_policy import sourcing as show_sourcing
from services.kernel.clock import start_of_day

app = typer.Typer(
    help="Policies: how warehouses are chosen, and what a changed policy would have done.", no_args_is_help=True
)

app.command("sourcing")(show_sourcing)

_PAGE = 100
_ORDERS: tuple[Column, ...] = (
    ("Order", "number"), ("Customer", "customer_name"), ("Total", "total>"), ("Was", "before.outcome"), ("By", "before.said"),
    ("Would be", "after.outcome"), ("By", "after.said"),
)  # fmt: skip
_PLANS: tuple[Column, ...] = (
    ("Order", "order_number"), ("Units", "wanted>"), ("Was sent from", "before.warehouse_ids"), ("Paid", "before.paid>"), ("Promised", "before.promised_on"),
    ("Would be sent from", "after.warehouse_ids"), ("Paid", "after.paid>"), ("Promised", "after.promised_on"),
)  # fmt: skip


@app.callback()
def _policies() -> None:
    """Policies: how warehouses are chosen, and what a changed policy would have done."""


@app.command()
def replay(
    since: Annotated[str, typer.Option(help="First day, as 2026-11-01, in the company's time zone.")],
    until: Annotated[str | None, typer.Option(help="First day that is left out; now without it.")] = None,
    policy: Annotated[
        Path | None,
        typer.Option(help="JSON of what of the policy is changed: rules, reviews, … as PATCH /v1/policies takes it."),
    ] = None,
    sourcing: Annotated[
        Path | None,
        typer.Option(help="JSON of what of the sourcing policy is changed, as PATCH /v1/sourcing-policy takes it."),
    ] = None,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Say what a changed policy would have decided otherwise. Nothing is changed, and nobody is asked or told."""
    if policy is None and sourcing is None:
        raise CommandRefused("nothing is tried: give --policy FILE, --sourcing FILE, or both")
    api = Api(var, "auditor")
    period = {"since": _instant(since), **({"until": _instant(until)} if until else {})}
    found: dict[str, Any] = {}
    if policy is not None:
        found["orders"] = _replayed(api, "/v1/policies/replay", {**period, "policy": _document(policy)})
    if sourcing is not None:
        found["plans"] = _replayed(api, "/v1/sourcing-policy/replay", {**period, "policy": _document(sourcing)})
    if as_json:
        print_json(found)
        return
    if policy is not None:
        _print_orders(console(), found["orders"])
    if sourcing is not None:
        _print_plans(console(), found["plans"])


def _instant(day: str) -> str:
    try:
        return start_of_day(date.fromisoformat(day), formats().time_zone).isoformat()
    except ValueError as unreadable:
        raise CommandRefused(f"{day!r} is no day: write it as 2026-11-01") from unreadable


def _document(path: Path) -> dict[str, Any]:
    document = read_json(path)
    if not isinstance(document, dict):
        raise CommandRefused(f'{path} is no JSON object: name what is changed, as {{"split_penalty_minor": 500}}')
    return document


def _replayed(api: Api, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """All pages as one: rows joined, counts and totals of each currency added up."""
    whole: dict[str, Any] = {"rows": [], "replayed": 0, "not_kept": 0, "totals": []}
    cursor: str | None = ""
    out = console() if console().is_terminal else None
    while cursor is not None:
        page = api.post(f"{path}?limit={_PAGE}" + (f"&cursor={cursor}" if cursor else ""), body)
        whole["rows"] += page["rows"]
        whole["totals"] += page.get("totals", [])
        for count in ("replayed", "not_kept"):
            whole[count] += page.get(count, 0)
        cursor = page["next_cursor"]
        if out and cursor:
            out.print(f"{whole['replayed']:,} replayed …", style="dim")
    return whole


def _print_orders(out: Console, found: dict[str, Any]) -> None:
    rows = found["rows"]
    moves = Counter(f"{one['before']['outcome']} → {one['after']['outcome']}" for one in rows)
    summed = ", ".join(f"{count:,} {move}" for move, count in sorted(moves.items()))
    out.print(
        f"{found['replayed']:,} orders, {len(rows):,} would be decided otherwise" + (f": {summed}" if rows else "")
    )
    unknown = sum(not one["is_credit_known"] for one in rows)
    if unknown:
        out.print(f"of {unknown:,} of them nobody kept how their credit stood: rules about credit are not asked")
    if rows:
        out.print(table([_with_reasons(one) for one in rows], _ORDERS))


def _with_reasons(row: dict[str, Any]) -> dict[str, Any]:
    """The row with all that speaks and whom it asks in one text."""
    sides = {side: {**row[side], "said": _said(row[side])} for side in ("before", "after")}
    return {**row, **sides}


def _said(decided: dict[str, Any]) -> str:
    asks = f"asks {', '.join(decided['asks'])}" if decided["asks"] else ""
    return "; ".join(part for part in (", ".join([*decided["reasons"], *decided["reviews"]]), asks) if part)


def _print_plans(out: Console, found: dict[str, Any]) -> None:
    rows = found["rows"]
    out.print(f"{found['replayed']:,} plans, {len(rows):,} would be sent otherwise")
    if found["not_kept"]:
        out.print(f"{found['not_kept']:,} more are of before it was kept what they were made from")
    for currency, some in _by_currency(found["totals"]).items():
        paid = [
            sum((Decimal(one[side]["amount"]) for one in some), Decimal()) for side in ("paid_before", "paid_after")
        ]
        sent = [sum(one[side] for one in some) for side in ("shipments_before", "shipments_after")]
        later, sooner = (sum(one[side] for one in some) for side in ("later", "sooner"))
        out.print(
            f"freight, handling and fees {grouped(str(paid[0]))} → {grouped(str(paid[1]))} {currency}, shipments {sent[0]:,} → {sent[1]:,}, "
            f"{later:,} promised later, {sooner:,} sooner"
        )
    if rows:
        out.print(table(rows, _PLANS))


def _by_currency(totals: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for one in totals:
        if one["paid_before"]:
            found.setdefault(one["paid_before"]["currency"], []).append(one)
    return found
