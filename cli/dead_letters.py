"""`oms dead-letters`: messages that could not be handled: list them, try one again, dismiss one for a reason."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.client import VAR, Api, JsonOption, LimitOption, VarOption, segment
from cli.output import console, print_json, print_rows

app = typer.Typer(help="Dead letters, messages that could not be handled: list, retry, dismiss.")

SourceArgument = Annotated[str, typer.Argument(metavar="SOURCE", help="message, late_fact, fact or mail.")]
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Its id in the list.")]

_COLUMNS = (
    ("Source", "source"), ("Id", "subject_id"), ("What", "what"), ("Order", "order_number"), ("Why", "why"),
    ("Since", "since"),
)  # fmt: skip


@app.command("list")
def list_dead_letters(
    source: Annotated[str | None, typer.Option(help="Only message, late_fact, fact or mail.")] = None,
    limit: LimitOption = 200,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """List messages that could not be handled, oldest first, each with the reason."""
    rows = Api(var, "admin").rows("/v1/dead-letters", limit, source=source)
    print_rows(rows, _COLUMNS, as_json=as_json, none="no dead letters: every message was handled")


@app.command()
def retry(source: SourceArgument, subject_id: IdArgument, var: VarOption = VAR, as_json: JsonOption = False) -> None:
    """Retry one, once its cause is fixed."""
    path = f"/v1/dead-letters/{segment(source)}/{segment(subject_id)}/retry"
    _print(Api(var, "admin").post(path), "is tried again", as_json=as_json)


@app.command()
def dismiss(
    source: SourceArgument,
    subject_id: IdArgument,
    reason: Annotated[str, typer.Option(help="Why it needs nothing any more.")],
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Dismiss one for good. The reason is kept."""
    path = f"/v1/dead-letters/{segment(source)}/{segment(subject_id)}/dismiss"
    _print(Api(var, "admin").post(path, {"reason": reason}), "is dismissed", as_json=as_json)


def _print(done: Any, outcome: str, *, as_json: bool) -> None:
    if as_json:
        print_json(done)
    else:
        console().print(f"{done['source']} {done['subject_id']} {outcome}")
