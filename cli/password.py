"""`oms password`: a link by which somebody chooses their password for the console of this system."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.client import VAR, Api, VarOption, segment
from cli.output import console


def password(
    name: Annotated[str, typer.Argument(help="Who it is for: a person of the directory.")], var: VarOption = VAR
) -> None:
    """Mail somebody a link by which they choose their own password for the console; nobody else sees it or sets one."""
    Api(var, "admin").post(f"/v1/people/{segment(name)}/password")
    console().print(f"a link is on its way to {name}: it works once, for 24 hours")
