"""`oms token`: a token for the API, from the local issuer."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from cli.client import VAR, VarOption, local_token
from services.runtime.roles import PEOPLE_ROLES


def token(
    role: Annotated[str, typer.Option(help=f"One of {', '.join(sorted(PEOPLE_ROLES))}.")],
    company: Annotated[str | None, typer.Option(help="The customer account of a customer: cus_….")] = None,
    sub: Annotated[str | None, typer.Option(help="Who it names. Default: you.")] = None,
    hours: Annotated[float, typer.Option(min=0.01, max=24 * 30, help="How long it is valid.")] = 8,
    var: VarOption = VAR,
) -> None:
    """Print a token: `curl -H "Authorization: Bearer $(oms token --role support)" …`."""
    print(local_token(var, role, company=company, sub=sub, ttl=timedelta(hours=hours)))
