"""`oms mails`: every mail that the embedded system sent, from the folder of its mail sink."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.client import VAR, JsonOption, LimitOption, VarOption
from cli.output import console, print_json, print_rows
from cli.refusals import CommandRefused

app = typer.Typer(help="Mails: list them, show one.")

_COLUMNS = (("No", "no>"), ("Sent", "date"), ("To", "to"), ("Subject", "subject"))


@app.command("list")
def list_mails(
    about: Annotated[str, typer.Option(help="Only mails with this in the subject, such as SO-1001.")] = "",
    limit: LimitOption = 200,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """List mails, oldest first."""
    rows = [
        _row(no, path, mail) for no, path, mail in _mails(var) if about.lower() in str(mail["Subject"] or "").lower()
    ]
    print_rows(rows[-limit:], _COLUMNS, as_json=as_json, none="no mails yet")


@app.command()
def show(
    no: Annotated[int, typer.Argument(help="Its number in the list.")],
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Show one mail as its reader sees it."""
    for number, path, mail in _mails(var):
        if number == no:
            row = _row(number, path, mail)
            if as_json:
                print_json({**row, "text": plain_text(mail)})
            else:
                out = console()
                for heading in ("From", "To", "Date", "Subject"):
                    out.print(f"{heading}: {mail[heading] or ''}", markup=False)
                out.print("\n" + plain_text(mail), markup=False)
            return
    raise CommandRefused(f"there is no mail {no}: `oms mails` lists them")


def plain_text(mail: EmailMessage) -> str:
    """The text part of a mail."""
    part = mail.get_body(preferencelist=("plain",))
    return str(part.get_content()).strip() if part is not None else ""


def _mails(var: Path) -> Iterator[tuple[int, Path, EmailMessage]]:
    """Every mail with its number, oldest first: the sink's file names rise."""
    for no, path in enumerate(sorted((var / "mail").glob("*.eml")), start=1):
        yield no, path, message_from_bytes(path.read_bytes(), policy=default)


def _row(no: int, path: Path, mail: EmailMessage) -> dict[str, Any]:
    return {
        "no": no,
        "date": str(mail["Date"] or ""),
        "to": str(mail["To"] or ""),
        "subject": str(mail["Subject"] or ""),
        "file": str(path),
    }
