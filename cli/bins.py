"""`oms stock …`: where in a warehouse a SKU lies."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from cli.client import VAR, Api, JsonOption, LimitOption, VarOption
from cli.known import check_sku, check_warehouse
from cli.output import console, print_json, print_rows
from cli.refusals import CommandRefused

_PATH = "/v1/stock/bins"
_COLUMNS = (("Warehouse", "warehouse_id"), ("SKU", "sku"), ("Bin", "bin"))
_HEADER = ("warehouse_id", "sku", "bin")
_AT_ONCE = 500


def bins(
    sku: Annotated[str | None, typer.Option(help="Only this SKU.")] = None,
    warehouse: Annotated[str | None, typer.Option(help="Only this warehouse.")] = None,
    limit: LimitOption = 500,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """List where SKUs lie."""
    api = Api(var, "auditor")
    rows = api.rows("/v1/stock/bins", limit, sku=sku, warehouse_id=warehouse)
    if not rows:
        check_sku(api, sku)
        check_warehouse(api, warehouse)
    print_rows(rows, _COLUMNS, as_json=as_json, none="no bins are known")


def put_bin(
    sku: str,
    name: Annotated[str, typer.Argument(metavar="BIN", help='Such as A-01-3; "" takes away what was said before.')],
    warehouse: Annotated[str, typer.Option(help="Where.")],
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Say in which bin of a warehouse a SKU lies."""
    done = Api(var, "warehouse").put(_PATH, {"bins": [{"warehouse_id": warehouse, "sku": sku, "bin": name}]})
    if as_json:
        print_json(done)
        return
    lies = f"lies in {name} at {warehouse}" if name.strip() else f"has no bin at {warehouse}"
    console().print(f"{sku} {lies}")


def import_bins(
    file: Annotated[Path, typer.Argument(help="A CSV file; its first line is warehouse_id,sku,bin.")],
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Say where SKUs lie, from a CSV file. The same file again changes nothing."""
    rows = _read(file)
    api, changed = Api(var, "warehouse"), 0
    for start in range(0, len(rows), _AT_ONCE):
        changed += api.put(_PATH, {"bins": rows[start : start + _AT_ONCE]})["changed_count"]
    if as_json:
        print_json({"bin_count": len(rows), "changed_count": changed})
    else:
        console().print(f"{len(rows):,} bins read, {changed:,} of them new")


def _read(file: Path) -> Sequence[dict[str, str]]:
    """The rows of a file, CommandRefused with the line that is none."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            lines = csv.reader(opened, strict=True)
            if tuple(cell.strip() for cell in next(lines, [])) != _HEADER:
                raise CommandRefused(f"the first line of {file} must be {','.join(_HEADER)}")
            return [_row(file, lines.line_num, cells) for cells in lines if any(cell.strip() for cell in cells)]
    except (UnicodeDecodeError, csv.Error) as unreadable:
        raise CommandRefused(f"{file} cannot be read as CSV in UTF-8: {unreadable}") from unreadable


def _row(file: Path, line: int, cells: Sequence[str]) -> dict[str, str]:
    if len(cells) != len(_HEADER):
        raise CommandRefused(f"line {line} of {file} has {len(cells)} cells: write {','.join(_HEADER)}")
    return {name: cell.strip() for name, cell in zip(_HEADER, cells, strict=True)}


def add_to(app: typer.Typer) -> None:
    """Make these commands of `oms stock`."""
    app.command()(bins)
    app.command("put-bin", context_settings={"ignore_unknown_options": True})(put_bin)
    app.command("import-bins")(import_bins)
