"""`oms password`: a password for somebody who logs in to the console of this system."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.client import VAR, Api, VarOption, segment
from cli.output import console


def password(
    name: Annotated[str, typer.Argument(help="Who it is for: a person of the directory.")],
    new: Annotated[
        str,
        typer.Option(
            "--password",
            envvar="OMS_NEW_PASSWORD",
            prompt=True,
            hide_input=True,
            confirmation_prompt=True,
            help="10 to 200 characters; asked for when left out.",
        ),
    ],
    var: VarOption = VAR,
) -> None:
    """Set a password for the console. Logins with the old one end."""
    Api(var, "admin").post(f"/v1/people/{segment(name)}/password", {"password": new})
    console().print(f"{name} can log in with the new password now")
