"""`oms demo` and `oms bench`: a narrated day, and what the system can do."""

from __future__ import annotations

import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from cli import running, statefile
from cli.client import VAR
from cli.output import console
from cli.ports import Ports
from cli.refusals import CommandRefused
from cli.system import HttpPortOption, OffsetOption, VarOption
from services.kernel.clock import utc_now

_LOG = "demo.log"


def demo(
    var: VarOption = VAR,
    http_port: HttpPortOption = None,
    port_offset: OffsetOption = 0,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the system up afterwards.")] = False,
) -> None:
    """Play a wholesaler's day, from orders to cash. Starts the system if needed, and stops it again without --keep."""
    import samples.demo  # it is heavy, and the supervisor of `oms up` lives in this program too

    out = console()
    state = running.current(var)
    is_up_after = keep or state is not None
    if state is None:
        for name, value in samples.documents.read("company").items():
            os.environ.setdefault(f"OMS_{name.upper()}", value)
        out.print("starting the system: Temporal, five services and the worker …")
        state = running.start_detached(var, Ports.shifted(port_offset, http_port))
        out.print(f"ready in {state['ready_at'] - state['started_at']:.1f} s")

    def end() -> None:
        if is_up_after:
            out.print(f"the system is up: stop it with `oms down{statefile.option(var)}`", soft_wrap=True)
        else:
            running.stop(var)

    url = state["url"]  # the day's texts are markup, ours are not
    raise typer.Exit(played(lambda: samples.demo.run(url, is_up_after, var=var.resolve()), end, var / "log" / _LOG))


def played(day: Callable[[], Sequence[str]], end: Callable[[], object], log: Path) -> int:
    """Play a day, which tells what went wrong, and end it: its exit code, whatever becomes of the end. `log` keeps what failed."""
    try:
        problems = day()
        if problems:
            _keep(log, "\n".join(problems))
        return 1 if problems else 0
    except BaseException:
        _keep(log, traceback.format_exc())
        raise
    finally:
        try:
            end()
        except CommandRefused as refusal:
            print(refusal, file=sys.stderr)
            _keep(log, str(refusal))


def _keep(log: Path, words: str) -> None:
    with suppress(OSError):  # a full disk hides nothing of what is told anyway
        with open(log, "a", opener=statefile.for_owner) as kept:
            kept.write(f"{utc_now():%Y-%m-%dT%H:%M:%SZ} {words.rstrip()}\n")
        print(f"what ended the demo is kept in {log}", file=sys.stderr)


def bench(context: typer.Context) -> None:
    """Measure what an order costs on this machine. Arguments go to `python -m bench`."""
    raise typer.Exit(subprocess.run([sys.executable, "-m", "bench", *context.args], check=False).returncode)
