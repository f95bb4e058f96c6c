"""The `oms` command: `python -m cli`."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from cli import (
    audit,
    backorders,
    cancellation,
    changes,
    dead_letters,
    exceptions,
    invoices,
    mails,
    orders,
    outages,
    parcels,
    password,
    payments,
    payouts,
    policies,
    promises,
    proofs,
    quarantine,
    repair,
    returns,
    reviews,
    schedules,
    shipments,
    stock,
    system,
    token,
    waves,
)
from cli.refusals import CommandRefused
from cli.version import version

_NOUNS = {
    "orders": orders.app,
    "reviews": reviews.app,
    "stock": stock.app,
    "backorders": backorders.app,
    "promises": promises.app,
    "shipments": shipments.app,
    "waves": waves.app,
    "invoices": invoices.app,
    "returns": returns.app,
    "parcels": parcels.app,
    "quarantine": quarantine.app,
    "outages": outages.app,
    "schedules": schedules.app,
    "payments": payments.app,
    "payouts": payouts.app,
    "policies": policies.app,
    "mails": mails.app,
    "exceptions": exceptions.app,
    "dead-letters": dead_letters.app,
}


def _show_version(is_asked: bool) -> None:
    if is_asked:
        print(f"oms {version()}")
        raise typer.Exit


app = typer.Typer(
    name="oms",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def options(
    is_version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """An order management system on one machine: start it, place orders, ship, invoice and follow them."""


app.command()(system.up)
app.command()(system.down)
app.command()(system.status)
orders.app.command()(changes.change)
orders.app.command()(changes.consent)
orders.app.command()(cancellation.cancel)
orders.app.command()(cancellation.close)
for _noun, _commands in _NOUNS.items():
    app.add_typer(_commands, name=_noun)
app.command("token")(token.token)
app.command("password")(password.password)
app.command("audit")(audit.audit)
app.command("repair")(repair.repair)
app.command("demo")(proofs.demo)
app.command("bench", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(proofs.bench)


def main() -> None:
    """Run one command; a refusal is a sentence on stderr and exit code 1."""
    arguments = sys.argv[1:]
    is_bare_noun = arguments[:1] and arguments[0] in _NOUNS and all(word.startswith("-") for word in arguments[1:2])
    if is_bare_noun and "--help" not in arguments:
        arguments.insert(1, "list")  # `oms stock` is `oms stock list`
    try:
        app(arguments, prog_name="oms")
    except CommandRefused as refusal:
        print(refusal, file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        # the reader (head, less) went away: nobody is left to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as refusal:
        if refusal.filename is None:
            raise
        # a file that a person named or owns: what is in its way is told as the system tells it
        print(f"{refusal.filename} cannot be used: {refusal.strerror}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
