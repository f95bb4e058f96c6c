"""`oms policies sourcing`: how warehouses are chosen, and what each of them can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.client import VAR, Api, JsonOption, VarOption
from cli.json_files import read_json
from cli.output import Column, console, print_json, print_rows

_POLICY = "/v1/sourcing-policy"
_COLUMNS: Sequence[Column] = (("Warehouse", "warehouse_id"), ("Terms", "said"))
_SET = typer.Option("--set", help="A JSON file with the whole policy, as `--json` prints it.")


def sourcing(
    file: Annotated[Path | None, _SET] = None,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Show how warehouses are chosen, with the terms of each, or replace that."""
    if file is None:
        stands: dict[str, Any] = Api(var, "auditor").get(_POLICY)
    else:
        stands = Api(var, "admin").post(_POLICY, read_json(file))
    if as_json:
        print_json(stands)
        return
    rows = [{**node, "said": _said(node)} for node in stands["nodes"]]
    print_rows(rows, _COLUMNS, as_json=False, none="no warehouse has terms of its own")
    splits = "any number of" if stands["maximum_splits"] is None else str(stands["maximum_splits"])
    console().print(
        f"a shipment more counts {stands['split_penalty_minor']:,}, a late day {stands['late_day_minor']:,}, in minor units; {splits} shipments "
        f"after the first; terms of {len(stands['customers']):,} customers; version {stands['version']}",
        soft_wrap=True,
    )


def _said(node: Mapping[str, Any]) -> str:
    fees = {"order fee": "order_fee_minor", "unit fee": "unit_fee_minor", "avoided by": "avoidance_minor"}
    said = [f"{name} {node[key]:,}" for name, key in fees.items() if node[key]]
    said += ["excluded"] if node["is_excluded"] else []
    said += ["no dangerous goods"] if node["excludes_hazardous"] else []
    return ", ".join(said) or "none"
