"""`oms mails`: what the embedded system sent (the folder of its mail sink), what could not be sent, and how each text reads."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.client import VAR, Api, JsonOption, LimitOption, VarOption, segment
from cli.orders import find_order
from cli.output import console, print_json, print_rows, words
from cli.refusals import CommandRefused
from services.runtime.roles import MAIL_ROLES

app = typer.Typer(help="Mails: list, show, preview; list and retry undelivered ones.")

_COLUMNS = (("No", "no>"), ("Sent", "sent_at"), ("To", "to"), ("Subject", "subject"))
_DEAD_COLUMNS = (
    ("Id", "delivery_id"), ("Order", "order_number"), ("Kind", "kind~"), ("To", "email"), ("Tries", "attempts>"),
    ("Why", "last_error"),
)  # fmt: skip
_TEMPLATE_COLUMNS = (("Kind", "kind"), ("Roles", "roles"))


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
    none = f"no mail has {about!r} in its subject" if about else "no mails yet"
    print_rows(rows[-limit:], _COLUMNS, as_json=as_json, none=none)


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
                    out.print(f"{heading}: {mail[heading] or ''}")
                out.print("\n" + plain_text(mail))
            return
    raise CommandRefused(f"there is no mail {no}: `oms mails` lists them")


@app.command()
def dead(
    order: Annotated[str, typer.Option(help="Only this order's: its number or id.")] = "",
    limit: LimitOption = 200,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """List mails that could not be delivered, oldest first, each with the reason."""
    api = Api(var, "support")
    order_id = find_order(api, order)["order_id"] if order else None
    rows = api.rows("/v1/deliveries", limit, state="dead", order_id=order_id)
    print_rows(rows, _DEAD_COLUMNS, as_json=as_json, none="no undelivered mails")


@app.command()
def retry(
    delivery_id: Annotated[str, typer.Argument(metavar="ID", help="Its id in `oms mails dead`.")],
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Send a dead mail again, once its cause is fixed."""
    row = Api(var, "admin").post(f"/v1/deliveries/{segment(delivery_id)}/retry")
    if as_json:
        print_json(row)
    else:
        console().print(f"{words(row['kind'])} to {row['email']} is {words(row['state'])} again")


@app.command()
def templates(var: VarOption = VAR, as_json: JsonOption = False) -> None:
    """List the kinds of mail, and the roles that have a text of each."""
    rows = Api(var, "support").get("/v1/mail-templates")["rows"]
    print_rows(rows, _TEMPLATE_COLUMNS, as_json=as_json, none="no templates")


@app.command()
def preview(
    kind: Annotated[str, typer.Argument(help="A kind of `oms mails templates`, such as consent_requested.")],
    role: Annotated[str, typer.Option(help=f"Whose text: {', '.join(sorted(MAIL_ROLES))}.")] = "customer",
    html: Annotated[bool, typer.Option("--html", help="Print the HTML page instead of the text.")] = False,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Show how a mail reads, written from sample variables; nothing is sent."""
    shown = Api(var, "support").get(f"/v1/mail-templates/{segment(kind)}/{segment(role)}")
    if as_json:
        print_json(shown)
    elif html:
        print(shown["html"])
    else:
        console().print(f"Subject: {shown['subject']}\n\n{shown['text'].strip()}")


def plain_text(mail: EmailMessage) -> str:
    """The text part of a mail."""
    part = mail.get_body(preferencelist=("plain",))
    return str(part.get_content()).strip() if part is not None else ""


def _mails(var: Path) -> Iterator[tuple[int, Path, EmailMessage]]:
    """Every mail with its number, oldest first: the sink's file names rise. Refused where no system has ever run."""
    if not (var / "mail").is_dir():
        raise CommandRefused(f"no system has run in {var}: start one with `oms up`, or name its folder with --var")
    for no, path in enumerate(sorted((var / "mail").glob("*.eml")), start=1):
        yield no, path, message_from_bytes(path.read_bytes(), policy=default)


def _row(no: int, path: Path, mail: EmailMessage) -> dict[str, Any]:
    sent = getattr(mail["Date"], "datetime", None)
    return {
        "no": no,
        "date": str(mail["Date"] or ""),
        "sent_at": sent.astimezone(UTC).isoformat() if sent else "",
        "to": str(mail["To"] or ""),
        "subject": str(mail["Subject"] or ""),
        "file": str(path),
    }
