"""Closes the day: stock, mails, ledger, audit and logins, as a person would look them up."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from rich.console import Console
from rich.table import Table

from cli.output import text, words
from samples.documents import Body, Day
from samples.door import Door, Person, Row
from samples.narration import Board

_PATIENCE_S = 12.0
_PAUSE_S = 0.3


class Closing:
    """The results of the day, read when the system has become quiet."""

    def __init__(self, door: Door, day: Day, var: Path) -> None:
        self._door = door
        self._day = day
        self._var = var
        self.audit: Row = {}

    def settle(self, board: Board) -> None:
        """Wait until every mail has left and the audit is clean, but not for ever: facts may still be under way."""
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            waiting = self._as("admin").rows("/v1/deliveries", state="waiting")
            self.audit = self._as("auditor").get("/v1/audit/invariants")
            if (not waiting and not broken(self.audit)) or time.monotonic() > deadline:
                break
            time.sleep(_PAUSE_S)
        board.say(f"{len(self.audit['rows'])} invariants checked over five databases")

    def show(self, out: Console) -> None:
        """Stock by warehouse, the mails, the trial balance, and what the audit found."""
        out.print("\n[bold]Stock[/]")
        out.print(stock_table(self._as("auditor").rows("/v1/stock")))
        mails = read_mails(self._var / "mail")
        out.print(f"\n[bold]Mails sent[/] ({len(mails):,}, kept in {self._var / 'mail'})", soft_wrap=True)
        out.print(mails_table(mails))
        out.print("\n[bold]Trial balance[/]")
        out.print(self._trial_balance())
        self._show_audit(out)

    def _as(self, role: str) -> Person:
        return self._door.person(role, self._day.people[role])

    def _trial_balance(self) -> Table:
        balance = self._as("auditor").get("/v1/ledger/trial-balance")
        table = _table("Account", "Debit>", "Credit>", "Balance>")
        for row in balance["rows"]:
            table.add_row(words(row["account"]), *(text(row[name]) for name in ("debit", "credit", "balance")))
        verdict = "debits equal credits" if balance["is_balanced"] else "[bold red]debits and credits differ[/]"
        table.caption = verdict
        return table

    def _show_audit(self, out: Console) -> None:
        offences = broken(self.audit)
        if not offences:
            out.print(f"\n[bold]Audit[/]  [bold green]clean[/]: {len(self.audit['rows'])} invariants hold")
        for row in offences:
            out.print(f"\n[bold red]audit: {row['name']}[/]: {row['rule']}: {', '.join(row['offenders'])}")


def broken(audit: Row) -> list[Row]:
    """The invariants that do not hold."""
    return [row for row in audit["rows"] if row["violations"]]


def read_mails(folder: Path) -> list[EmailMessage]:
    """Every mail that the sink keeps, oldest first."""
    return [message_from_bytes(file.read_bytes(), policy=default) for file in sorted(folder.glob("*.eml"))]


def stock_table(rows: Sequence[Row]) -> Table:
    """One row a warehouse: how many SKUs and units it holds, and what they cost."""
    table = _table("Warehouse", "SKUs>", "On hand>", "Allocated>", "Available>", "Value>")
    for warehouse in sorted({row["warehouse_id"] for row in rows}):
        here = [row for row in rows if row["warehouse_id"] == warehouse]
        units = (text(sum(row[name] for row in here)) for name in ("on_hand", "allocated", "available"))
        values = [row["value"] for row in here if row["value"]]
        total = sum((Decimal(value["amount"]) for value in values), Decimal(0))
        currency = values[0]["currency"] if values else ""
        table.add_row(warehouse, text(len(here)), *units, f"{total:,} {currency}".rstrip())
    return table


def logins_table(people: Sequence[Body], password: str) -> Table:
    """Everybody who can log in to the console, with what each is there for."""
    table = _table("Name", "Login", "Role", "Password")
    for row in people:
        roles = row.get("positions") or row["roles"]
        company = f" of {row['company']}" if "company" in row else ""
        table.add_row(row["name"], row["sub"], words(", ".join(roles)) + company, password)
    return table


def mails_table(mails: Sequence[EmailMessage]) -> Table:
    """One row a kind of mail: how many, and the subject of one."""
    kinds = Counter(str(mail["X-Oms-Kind"]) for mail in mails)
    samples = {str(mail["X-Oms-Kind"]): f"{mail['Subject']}  →  {mail['To']}" for mail in reversed(mails)}
    table = _table("Kind", "Mails>", "For example")
    for kind in kinds:
        table.add_row(words(kind), text(kinds[kind]), samples[kind])
    return table


def temporal_ui(var: Path) -> str:
    """Where the Temporal UI of the system in this folder is."""
    try:
        state: Row = json.loads((var / "oms.json").read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        state = {}
    return str(state.get("temporal_ui") or "http://127.0.0.1:8233")


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold dim", caption_justify="left")
    for heading in headings:
        table.add_column(heading.rstrip(">"), justify="right" if heading.endswith(">") else "left", no_wrap=True)
    # a narrow terminal folds the last column and leaves the figures alone
    table.columns[-1].no_wrap = False
    return table
