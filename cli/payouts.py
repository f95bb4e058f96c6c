"""`oms payouts`: what marketplaces and tills owe for orders whose buyers paid there, and what they pay of it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.client import VAR, Api, JsonOption, LimitOption, VarOption
from cli.output import console, print_json, print_rows, text
from cli.refusals import CommandRefused

app = typer.Typer(help="Payouts of marketplaces and tills: record one, list them, and the sales they settle.")

ChannelOption = Annotated[str | None, typer.Option(help="Only this channel's: amazon, ebay or pos.")]

_PAYOUTS = (
    ("Payout", "payout_id"), ("Recorded", "recorded_at"), ("Channel", "channel"), ("Reference", "reference"), ("Amount", "amount>"),
    ("Other fees", "fees>"),
)  # fmt: skip
_SALES = (
    ("Channel", "channel"), ("Reference", "reference"), ("Order", "order_number"), ("Due", "due>"), ("Paid out", "paid_out>"),
    ("Fees", "fees>"), ("Open", "open>"), ("Status", "status"),
)  # fmt: skip


@app.command()
def record(
    channel: Annotated[str, typer.Argument(help="Who paid out: amazon, ebay or pos.")],
    amount: Annotated[str, typer.Argument(help="Cash that came, such as 83.75.")],
    reference: Annotated[str, typer.Option(help="The channel's reference. The same one is the same payout.")],
    sale: Annotated[list[str], typer.Option(help="A sale's cash and fees: 113-4402=83.75/16.25. Repeat it for more.")],
    fees: Annotated[str, typer.Option(help="Fees that belong to no sale.")] = "0",
    currency: str = "USD",
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Record a payout. It settles the sales that it names."""
    body: dict[str, Any] = {
        "channel": channel,
        "reference": reference,
        "amount": {"amount": amount, "currency": currency},
        "fees": fees,
        "sales": [_sale(word) for word in sale],
    }
    done = Api(var, "accounting").post("/v1/payouts", body)
    if as_json:
        print_json(done)
        return
    console().print(f"{text(done['amount'])} of {channel} recorded for {len(done['sales']):,} sales")


@app.command("list")
def list_payouts(
    channel: ChannelOption = None, limit: LimitOption = 100, var: VarOption = VAR, as_json: JsonOption = False
) -> None:
    """List payouts, oldest first."""
    rows = Api(var, "auditor").rows("/v1/payouts", limit, channel=channel)
    print_rows(rows, _PAYOUTS, as_json=as_json, none="no payouts")


@app.command()
def sales(
    channel: ChannelOption = None,
    status: Annotated[str | None, typer.Option(help="Only these: open, settled or overpaid.")] = None,
    limit: LimitOption = 100,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """List what marketplaces and tills owe, sale by sale."""
    rows = Api(var, "auditor").rows("/v1/marketplace-sales", limit, channel=channel, status=status)
    print_rows(rows, _SALES, as_json=as_json, none="no sales that are settled elsewhere")


def _sale(word: str) -> dict[str, str]:
    reference, sign, amounts = word.rpartition("=")
    amount, _, fees = amounts.partition("/")
    if not (reference and sign and amount):
        raise CommandRefused(f"{word!r} names no sale: write it as 113-4402=83.75/16.25, its cash and its fees")
    return {"reference": reference, "amount": amount, "fees": fees or "0"}
