"""`oms payments`: cash in, and what it paid."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.client import VAR, Api, JsonOption, LimitOption, VarOption
from cli.known import check_customer
from cli.output import console, print_json, print_rows, text

app = typer.Typer(help="Payments: list them, record one.")

_COLUMNS = (
    ("Received", "received_at"), ("Customer", "customer_id"), ("Reference", "reference"), ("Amount", "amount>"),
    ("Unapplied", "unapplied>"),
)  # fmt: skip


@app.command("list")
def list_payments(
    customer: Annotated[str | None, typer.Option(help="Only this customer's: cus_….")] = None,
    limit: LimitOption = 100,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """List payments, oldest first."""
    api = Api(var, "auditor")
    rows = api.rows("/v1/payments", limit, customer_id=customer)
    if not rows:
        check_customer(api, customer)
    print_rows(rows, _COLUMNS, as_json=as_json, none="no payments")


@app.command(context_settings={"ignore_unknown_options": True})
def record(
    customer: Annotated[str, typer.Argument(help="Who paid: cus_….")],
    amount: Annotated[str, typer.Argument(help="Such as 1329.00.")],
    reference: Annotated[str, typer.Option(help="The bank's reference. The same one is the same payment.")],
    currency: str = "USD",
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Record a payment. It pays the oldest due invoices first."""
    body = {"customer_id": customer, "amount": {"amount": amount, "currency": currency}, "reference": reference}
    done = Api(var, "accounting").post("/v1/payments", body, key=f"oms-payment-{customer}-{reference}")
    if as_json:
        print_json(done)
        return
    paid = len(done["applications"])
    console().print(
        f"{text(done['amount'])} from {customer} applied to {paid:,} invoices; {text(done['unapplied'])} unapplied"
    )
