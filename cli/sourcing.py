"""Why an order is served from where it is, for a person to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

from cli.output import Column, table, zoned

_PARTS = ("freight", "handling", "fees", "splits", "lateness", "avoidance")
_UNUSED: Sequence[Column] = (("Warehouse", "warehouse_id"), ("Gives nothing because", "reason"))


def print_plans(out: Console, plans: Sequence[Mapping[str, Any]]) -> None:
    """Each plan, the newest first: why it was chosen, what was weighed, and who could give nothing."""
    if not plans:
        out.print("no stock was planned for it yet")
    for plan in plans:
        out.print(f"{zoned(plan['planned_at'])} · {plan['served']:,} of {plan['wanted']:,} units", style="bold")
        out.print(plan["why"], soft_wrap=True)
        if plan["candidates"]:
            out.print(table([_row(one) for one in plan["candidates"]], _columns(plan["candidates"])))
        if plan["unused"]:
            out.print(table(plan["unused"], _UNUSED))


def _columns(candidates: Sequence[Mapping[str, Any]]) -> Sequence[Column]:
    """The parts that cost something in any of them."""
    parts = [part for part in _PARTS if any(_costs_something(one, part) for one in candidates)]
    shown = [(part.capitalize(), f"costs.{part}>") for part in parts]
    return (
        ("Plan", "places"),
        ("Units", "quantity>"),
        *shown,
        ("Total", "costs.total>"),
        ("Promised", "promised_on"),
        ("", "said"),
    )


def _costs_something(one: Mapping[str, Any], part: str) -> bool:
    return bool(one["costs"]) and float(one["costs"][part]["amount"]) != 0


def _row(one: Mapping[str, Any]) -> Mapping[str, Any]:
    places = " + ".join(f"{each['quantity']:,} {each['warehouse_id']}" for each in one["shipments"])
    return {
        **one,
        "costs": one["costs"] or {},
        "places": places,
        "said": ("chosen: " if one["is_chosen"] else "") + one["reason"],
    }
