"""`oms payments`: cash in, what it paid, and what is reversed, reapplied or refunded."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.client import VAR, Api, JsonOption, LimitOption, VarOption, segment
from cli.known import check_customer
from cli.output import console, print_json, print_rows, text
from cli.refusals import CommandRefused

app = typer.Typer(
    help="Payments: list them; record, reverse, reapply or refund one; cards of orders; what is owed back to cards."
)

PaymentArgument = Annotated[str, typer.Argument(help="The payment: pay_….")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why, for whoever asks later.")]
OrdersOption = Annotated[
    list[str] | None,
    typer.Option("--order", help="A part for an order: SO-1001=500.00. Repeat it for more."),
]
InvoicesOption = Annotated[
    list[str] | None,
    typer.Option("--invoice", help="A part for an invoice: INV-000001=500.00. Repeat it for more."),
]
OnAccountOption = Annotated[
    bool, typer.Option("--on-account", help="Leave what it names nothing for until somebody applies it.")
]

RefundArgument = Annotated[str, typer.Argument(help="The refund: rfd_….")]
OrderArgument = Annotated[str, typer.Argument(help="The order: SO-1001.")]

_CARD = {
    "authorized": "authorized",
    "declined": "declined",
    "asked": "not answered yet: the order goes on by itself when the provider says",
    "nothing": "kept: nothing is left to authorize",
}
_CAPTURES = {
    "captured": "captured",
    "asked": "not answered yet: the provider is asked until it says",
    "failed": "the capture failed",
    "nothing": "nothing is open",
}
_COLUMNS = (
    ("Payment", "payment_id"), ("Received", "received_on"), ("Recorded", "received_at"), ("Customer", "customer_id"), ("Reference", "reference"), ("Amount", "amount>"),
    ("Unapplied", "unapplied>"),
)  # fmt: skip


_REFUNDS = (
    ("Refund", "refund_id"), ("Order", "order_id"), ("Payment", "payment_id"), ("Amount", "amount>"), ("State", "state"), ("Refused", "failed_count>"),
    ("Why", "reason"), ("Reference", "reference"), ("Owed since", "owed_at"),
)  # fmt: skip
_CORRECTIONS = (
    ("Correction", "correction_id"), ("Payment", "payment_id"), ("Invoice", "invoice_id"), ("What", "kind"), ("Amount", "amount>"), ("Why", "reason"),
    ("Asked by", "asked_by"), ("State", "state"), ("Decided by", "decided_by"), ("Note", "note"),
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
    order: OrdersOption = None,
    invoice: InvoicesOption = None,
    on_account: OnAccountOption = False,
    received: Annotated[
        str | None, typer.Option(help="The day the cash came, such as 2026-12-01; today, if it is not said.")
    ] = None,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Record a payment. It pays the invoices and orders that it names, then the oldest due invoices."""
    body = {
        "customer_id": customer,
        "amount": {"amount": amount, "currency": currency},
        "reference": reference,
        **_use(order, invoice, currency, on_account=on_account),
        **({"received_on": received} if received else {}),
    }
    # the bank's reference makes it one payment; once that is reversed, the right one comes under the same
    done = Api(var, "accounting").post("/v1/payments", body)
    _print_used(done, as_json=as_json)


@app.command()
def reverse(
    payment: PaymentArgument,
    reason: ReasonOption,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Reverse a payment, such as a check that bounced. What it paid is open again."""
    done = Api(var, "accounting").post(f"/v1/payments/{segment(payment)}/reversal", {"reason": reason})
    _print_corrected(done, f"{text(done['amount'])} reversed: what it paid is open again", as_json=as_json)


@app.command()
def reapply(
    payment: PaymentArgument,
    reason: ReasonOption,
    currency: str = "USD",
    order: OrdersOption = None,
    invoice: InvoicesOption = None,
    on_account: OnAccountOption = False,
    customer: Annotated[str | None, typer.Option(help="Whose payment it is, when it was another one's: cus_….")] = None,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Put all of a payment to another use, as if it had come so."""
    body = {
        **_use(order, invoice, currency, on_account=on_account),
        **({"customer_id": customer} if customer else {}),
        "reason": reason,
    }
    _print_used(Api(var, "accounting").post(f"/v1/payments/{segment(payment)}/reapply", body), as_json=as_json)


@app.command(context_settings={"ignore_unknown_options": True})
def refund(
    payment: PaymentArgument,
    amount: Annotated[str, typer.Argument(help="Such as 120.00.")],
    reason: ReasonOption,
    currency: str = "USD",
    order: Annotated[
        str | None, typer.Option(help="Out of what is held for this order; else out of what is unapplied.")
    ] = None,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Give cash that pays nothing back to its payer."""
    body = {
        "amount": {"amount": amount, "currency": currency},
        "reason": reason,
        **({"order_id": order} if order else {}),
    }
    done = Api(var, "accounting").post(f"/v1/payments/{segment(payment)}/refund", body)
    said = f"{amount} {currency} refunded; {text(done['unapplied'])} unapplied"
    _print_corrected(done, said, as_json=as_json)


@app.command()
def corrections(
    state: Annotated[str, typer.Option(help="Only these: waiting, approved or declined.")] = "waiting",
    every: Annotated[bool, typer.Option("--all", help="All of them, whatever their state.")] = False,
    limit: LimitOption = 100,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """List corrections over the limit, which a second person decides."""
    rows = Api(var, "auditor").rows("/v1/payment-corrections", limit, state=None if every else state)
    print_rows(rows, _CORRECTIONS, as_json=as_json, none="no such corrections")


@app.command()
def decide(
    correction: Annotated[str, typer.Argument(help="The correction: corr_….")],
    decision: Annotated[str, typer.Argument(help="approve or decline.")],
    note: Annotated[str, typer.Option(help="Why; needed to decline.")] = "",
    sub: Annotated[str | None, typer.Option("--as", help="Act as this person, who is not who asked for it.")] = None,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Approve or decline a correction that somebody else asked for."""
    body = {"decision": decision, "note": note}
    done = Api(var, "accounting", sub=sub).post(f"/v1/payment-corrections/{segment(correction)}/decision", body)
    if as_json:
        print_json(done)
        return
    decided = done["correction"]
    console().print(f"{decided['kind']} of {text(decided['amount'])} {decided['state']}")


@app.command()
def card(
    order: OrderArgument,
    token: Annotated[str, typer.Argument(help="The payment provider's token of the card: pm_….")],
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Pay an order by another card. A hold on its payment goes by itself once the card is authorized."""
    done = Api(var, "accounting").post(f"/v1/orders/{segment(order)}/card", {"token": token})
    if as_json:
        print_json(done)
        return
    why = f" ({done['decline_reason']})" if done["decline_reason"] else ""
    console().print(f"card {_CARD[done['card']]}{why}")


@app.command()
def capture(order: OrderArgument, var: VarOption = VAR, as_json: JsonOption = False) -> None:
    """Capture again what an order's invoices have open."""
    done = Api(var, "accounting").post(f"/v1/orders/{segment(order)}/captures", {})
    if as_json:
        print_json(done)
        return
    console().print(_CAPTURES[done["state"]] + (f" ({done['reason']})" if done["reason"] else ""))


@app.command()
def refunds(
    state: Annotated[str | None, typer.Option(help="Only these: open, paid or paid_otherwise.")] = None,
    limit: LimitOption = 100,
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """List what is or was owed back to cards, oldest first."""
    rows = Api(var, "auditor").rows("/v1/refunds", limit, state=state)
    print_rows(rows, _REFUNDS, as_json=as_json, none="no refunds to cards")


@app.command("retry-refund")
def retry_refund(refund: RefundArgument, var: VarOption = VAR, as_json: JsonOption = False) -> None:
    """Have the payment provider asked for a refund at once."""
    done = Api(var, "accounting").post(f"/v1/refunds/{segment(refund)}/retry", {})
    if as_json:
        print_json(done)
        return
    console().print(f"the provider is asked for {text(done['amount'])} again; its outcome follows by itself")


@app.command("pay-refund")
def pay_refund(
    refund: RefundArgument,
    reference: Annotated[str, typer.Option(help="The bank's reference of the payment.")],
    var: VarOption = VAR,
    as_json: JsonOption = False,
) -> None:
    """Record that a refund was paid another way than to its card."""
    done = Api(var, "accounting").post(f"/v1/refunds/{segment(refund)}/payment", {"reference": reference})
    if as_json:
        print_json(done)
        return
    said = "over the limit: another person in accounting confirms it" if done["state"] == "open" else "paid"
    console().print(f"{text(done['amount'])} under {done['reference']}: {said}")


def _use(orders: list[str] | None, invoices: list[str] | None, currency: str, *, on_account: bool) -> dict[str, Any]:
    """What a payment is for, as the API reads it; what is not said is left out."""
    named = {
        "orders": [{"order_id": name, "amount": part} for name, part in _parts(orders, currency)],
        "applications": [{"invoice_id": name, "amount": part} for name, part in _parts(invoices, currency)],
        "on_account": on_account,
    }
    return {member: value for member, value in named.items() if value}


def _parts(given: list[str] | None, currency: str) -> list[tuple[str, dict[str, str]]]:
    parts = []
    for word in given or ():
        name, sign, amount = word.partition("=")
        if not (name and sign and amount):
            raise CommandRefused(f"{word!r} names no part of a payment: write it as SO-1001=500.00")
        parts.append((name, {"amount": amount, "currency": currency}))
    return parts


def _print_corrected(done: dict[str, Any], said: str, *, as_json: bool) -> None:
    """What was done, or that another person decides first."""
    if as_json:
        print_json(done)
        return
    waiting = done.get("waiting")
    console().print(
        f"over the limit: another person in accounting decides {waiting['correction_id']}; nothing has changed yet"
        if waiting
        else said
    )


def _print_used(done: dict[str, Any], *, as_json: bool) -> None:
    if as_json or done.get("waiting"):
        _print_corrected(done, "", as_json=as_json)
        return
    paid, held = len(done["applications"]), len(done.get("deposits", ()))
    of_orders = f", held for {held:,} orders" if held else ""
    console().print(
        f"{text(done['amount'])} from {done['customer_id']} applied to {paid:,} invoices{of_orders}; "
        f"{text(done['unapplied'])} unapplied"
    )
