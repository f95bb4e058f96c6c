"""`oms returns photos`, `label` and `in-transit`: the request's side of a return."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.client import VAR, Api, JsonOption, VarOption, segment
from cli.output import console, print_json, print_rows
from cli.refusals import CommandRefused

MOST_BYTES = 5 << 20
ReturnArgument = Annotated[str, typer.Argument(metavar="RETURN", help="Its number (RMA-1001) or id (rma_…).")]
_COLUMNS = (
    ("Photo", "photo_id"), ("Of", "stage~"), ("No.", "position>"), ("Type", "media_type"), ("Bytes", "size>"), ("Added by", "added_role~"),
    ("Added", "added_at"),
)  # fmt: skip


def photos(
    return_id: ReturnArgument,
    add: Annotated[list[Path] | None, typer.Option(help="A JPEG, PNG or WebP file of at most 5 MiB to add.")] = None,
    save: Annotated[Path | None, typer.Option(help="A folder to write all photos to.")] = None,
    remove: Annotated[list[str] | None, typer.Option(help="The id of a photo to take away.")] = None,
    role: Annotated[str, typer.Option(help="Act as support, sales_rep, warehouse or customer.")] = "support",
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """List the photos of a return, add some, save them or take some away."""
    path = f"/v1/returns/{segment(return_id)}/photos"
    reader = Api(var, "auditor")
    if add or remove:
        _change(_acting(var, role, reader, return_id), path, add or [], remove or [])
    rows = reader.get(path)["rows"]
    if save is not None:
        _save(reader, path, rows, save)
    print_rows(rows, _COLUMNS, as_json=as_json, none="no photos")


def label(
    return_id: ReturnArgument,
    output: Annotated[Path | None, typer.Option(help="The file to write; RETURN-label.pdf here without one.")] = None,
    var: VarOption = VAR,
) -> None:
    """Write the return label as a PDF."""
    content, name = Api(var, "auditor").file(f"/v1/returns/{segment(return_id)}/label.pdf")
    target = output or Path(name or "label.pdf")
    _write(target, content)
    console().print(f"wrote {target}")


def in_transit(
    return_id: ReturnArgument,
    tracking: Annotated[str, typer.Option(help="The tracking number of the parcel.")],
    carrier: Annotated[str | None, typer.Option(help="Who brings it.")] = None,
    role: Annotated[str, typer.Option(help="Act as support, sales_rep or customer.")] = "support",
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Say that the goods are on their way, and in which parcel."""
    body = {"tracking_number": tracking, **({"carrier": carrier} if carrier else {})}
    api = _acting(var, role, Api(var, "auditor"), return_id)
    done = api.post(f"/v1/returns/{segment(return_id)}/in-transit", body)
    if as_json:
        print_json(done)
    else:
        console().print(f"{done['number']} is on its way, tracking {done['tracking_number']}")


def _acting(var: Path, role: str, reader: Api, return_id: str) -> Api:
    """Asks in a role; a customer is that of the return's order."""
    if role != "customer":
        return Api(var, role)
    order_id = reader.get(f"/v1/returns/{segment(return_id)}")["order_id"]
    return Api(var, role, company=reader.get(f"/v1/orders/{segment(order_id)}")["customer_id"])


def _change(api: Api, path: str, add: list[Path], remove: list[str]) -> None:
    for file in add:
        api.send(path, _content(file))
    for photo_id in remove:
        api.delete(f"{path}/{segment(photo_id)}")


def _content(file: Path) -> bytes:
    try:
        if file.exists() and not file.is_file():
            raise CommandRefused(f"{file} is no file: name a picture")
        with file.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
    except OSError as unreadable:
        raise CommandRefused(f"{file} cannot be read: {unreadable.strerror}") from unreadable
    if len(content) > MOST_BYTES:
        raise CommandRefused(f"{file} has more than 5 MiB: send a smaller one")
    return content


def _save(reader: Api, path: str, rows: list[dict[str, Any]], folder: Path) -> None:
    for row in rows:
        content, name = reader.file(f"{path}/{segment(row['photo_id'])}")
        _write(folder / (name or row["photo_id"]), content)


def _write(target: Path, content: bytes) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    except OSError as unwritable:
        raise CommandRefused(f"{target} cannot be written: {unwritable.strerror}") from unwritable
