"""`oms waves`: shipments of a warehouse that one person picks together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.client import VAR, Api, JsonOption, LimitOption, VarOption, segment
from cli.known import check_warehouse
from cli.output import console, print_json, print_rows
from cli.refusals import CommandRefused

app = typer.Typer(help="Waves: list, create, show, cancel; pick lists.", no_args_is_help=True)

_COLUMNS = (
    ("Wave", "number"), ("Warehouse", "warehouse_id"), ("Picker", "picker"), ("Made", "created_at"), ("Shipments", "shipment_count>"),
    ("To pick", "to_pick_count>"), ("Closed", "closed_at"),
)  # fmt: skip
_LINES = (("Bin", "bin"), ("SKU", "sku"), ("What", "description"), ("Units", "quantity>"), ("For", "takes"))
_SHIPMENTS = (
    ("Shipment", "number"), ("Order", "order_number"), ("State", "state~"), ("Units", "quantity>"), ("Promised", "promised_on"),
)  # fmt: skip
WaveArgument = Annotated[str, typer.Argument(metavar="WAVE", help="Its number (WV-1001) or id (wav_…).")]


@app.command("list")
def list_waves(
    warehouse: Annotated[str | None, typer.Option(help="Only this warehouse's.")] = None,
    all_of_them: Annotated[bool, typer.Option("--all", help="Those that are closed, too.")] = False,
    limit: LimitOption = 100,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """List waves, the newest first."""
    api = Api(var, "auditor")
    rows = api.rows("/v1/waves", limit, warehouse_id=warehouse, all="true" if all_of_them else None)
    if not rows:
        check_warehouse(api, warehouse)
    print_rows(rows, _COLUMNS, as_json=as_json, none="no waves" if all_of_them else "no open waves")


@app.command()
def create(
    shipments: Annotated[
        list[str] | None, typer.Argument(metavar="SHIPMENT", help="Their numbers (SH-1001); or give --next.")
    ] = None,
    warehouse: Annotated[str | None, typer.Option(help="Where; that of the shipments when left out.")] = None,
    next_due: Annotated[
        int | None, typer.Option("--next", min=1, help="The next so many that are due, the soonest promised first.")
    ] = None,
    picker: Annotated[str | None, typer.Option(help="Who picks, by login; you when left out.")] = None,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Put shipments that are to be picked into a wave."""
    if bool(shipments) == (next_due is not None):
        raise CommandRefused("name shipments, or give --next and --warehouse: one of the two")
    chosen = _chosen(Api(var, "auditor"), shipments or [])
    place = warehouse or (chosen[0]["warehouse_id"] if chosen else None)
    if not place:
        raise CommandRefused("say of which warehouse: --warehouse")
    body: dict[str, Any] = {"warehouse_id": place}
    body |= {"shipment_ids": [one["shipment_id"] for one in chosen]} if chosen else {"next": next_due}
    body |= {"picker": picker} if picker else {}
    done = Api(var, "warehouse").post("/v1/waves", body)
    if as_json:
        print_json(done)
    else:
        console().print(f"{done['number']}: {done['shipment_count']:,} shipments for {done['picker']} to pick")


def _chosen(api: Api, numbers: Sequence[str]) -> list[dict[str, Any]]:
    """The shipments of these numbers."""
    found = []
    for number in numbers:
        rows = api.rows("/v1/shipments", 1, number=number.upper())
        if not rows:
            raise CommandRefused(f"there is no shipment {number}: `oms shipments list` shows them")
        found += rows
    return found


@app.command()
def show(wave: WaveArgument, var: VarOption = VAR, as_json: JsonOption = False) -> None:
    """Show what is still to be picked of a wave from which bin, and its shipments."""
    found = Api(var, "auditor").get(f"/v1/waves/{segment(wave)}")
    if as_json:
        print_json(found)
        return
    stands = "canceled" if found["is_cancelled"] else "open" if found["is_open"] else "closed"
    console().print(f"{found['number']} of {found['warehouse_id']} is {stands}, picked by {found['picker']}")
    lines = [{**one, "takes": _takes(one["takes"])} for one in found["pick_list"]]
    print_rows(lines, _LINES, as_json=False, none="nothing is to be picked")
    print_rows(found["shipments"], _SHIPMENTS, as_json=False, none="no shipments")


def _takes(takes: Sequence[dict[str, Any]]) -> str:
    return ", ".join(f"{one['shipment_number']}: {one['quantity']:,}" for one in takes)


@app.command()
def cancel(wave: WaveArgument, var: VarOption = VAR, as_json: JsonOption = False) -> None:
    """Close a wave: what is not picked of it is free for another."""
    done = Api(var, "warehouse").post(f"/v1/waves/{segment(wave)}/cancel")
    if as_json:
        print_json(done)
    else:
        console().print(f"{done['number']} is canceled; {done['shipment_count']:,} of its shipments had been picked")


@app.command("pick-list")
def pick_list(
    wave: WaveArgument,
    output: Annotated[Path | None, typer.Option(help="The file to write; WAVE-pick-list.pdf here without one.")] = None,
    var: VarOption = VAR,
) -> None:
    """Save its pick list as a PDF, with barcodes of the wave and its shipments."""
    content, name = Api(var, "auditor").file(f"/v1/waves/{segment(wave)}/pick-list.pdf")
    target = output or Path(name or "pick-list.pdf")
    try:
        target.write_bytes(content)
    except OSError as cannot:
        raise CommandRefused(f"{target} cannot be written: {cannot.strerror}") from None
    console().print(f"wrote {target}")
