"""`oms demo` and `oms bench`: a narrated day, and what the system can do."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Annotated

import typer

from cli import running, statefile
from cli.client import VAR
from cli.output import console
from cli.ports import Ports
from cli.system import HttpPortOption, OffsetOption, VarOption


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
    code = 1
    try:
        code = samples.demo.run(state["url"], is_up_after, var=var.resolve())  # its texts are markup, ours are not
    finally:
        if is_up_after:
            out.print(f"the system is up: stop it with `oms down{statefile.option(var)}`", soft_wrap=True)
        else:
            running.stop(var)
    raise typer.Exit(code)


def bench(context: typer.Context) -> None:
    """Measure what an order costs on this machine. Arguments go to `python -m bench`."""
    raise typer.Exit(subprocess.run([sys.executable, "-m", "bench", *context.args], check=False).returncode)
