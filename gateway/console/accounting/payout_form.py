"""The form of a payout: numbered lines, each with the channel's reference of a sale, cash and fees."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import TypeAdapter

from gateway.console import entries
from gateway.console.accounting.payment_form import amount_of, currency_of
from gateway.console.accounting.values import SaleShown
from gateway.console.visitor import Visitor
from gateway.http.neighbors.payouts import Channel, PayoutInput, PayoutSaleInput
from gateway.http.plumbing.inputs import Amount, Reference
from oms.billing.v1 import billing_pb2 as pb
from services.kernel.errors import InvalidArgument
from services.kernel.money import Money
from services.kernel.text import fold_key

NEW_SALES = 5
"""Lines of the form for sales that are not listed in it."""
_NUMBER = re.compile(r"[1-9][0-9]{0,3}")
_PAYOUT: TypeAdapter[PayoutInput] = TypeAdapter(PayoutInput)
_CHANNEL: TypeAdapter[str] = TypeAdapter(Channel)
_REFERENCE: TypeAdapter[str] = TypeAdapter(Reference)
_AMOUNT: TypeAdapter[str] = TypeAdapter(Amount)


@dataclass(frozen=True, slots=True)
class FormLine:
    """A line of the form: its number, the reference in it, and the sale that is known by it."""

    number: int
    reference: str
    sale: SaleShown | None


def open_sales(who: Visitor, channel: str) -> list[SaleShown]:
    """What a channel still owes, by reference, at most 200 sales."""
    wanted = pb.ListMarketplaceSalesRequest(channel=channel, status="open", limit=200)
    return [SaleShown.of(row) for row in who.deps.billing.ListMarketplaceSales(wanted).sales]


def named_sales(who: Visitor, body: PayoutInput) -> dict[str, SaleShown]:
    """Reference key → sale in the payout's currency, of those that a payout names, whether anything is open of them or not."""
    wanted = pb.ListMarketplaceSalesRequest(channel=body.channel, references=[line.reference for line in body.sales])
    found = map(SaleShown.of, who.deps.billing.ListMarketplaceSales(wanted).sales)
    return {fold_key(sale.reference): sale for sale in found if sale.due.currency == body.amount.currency}


def lines_of(sales: Sequence[SaleShown], typed: Mapping[str, str]) -> list[FormLine]:
    """The open sales and empty lines; those that were typed before, in their place, when the form comes back."""
    by_key = {fold_key(sale.reference): sale for sale in sales}
    numbers = _numbers(typed)
    if numbers:
        references = [(number, typed[f"reference-{number}"]) for number in numbers]
        return [FormLine(number, reference, by_key.get(fold_key(reference))) for number, reference in references]
    listed = [FormLine(number, sale.reference, sale) for number, sale in enumerate(sales, start=1)]
    return [*listed, *(FormLine(len(listed) + number, "", None) for number in range(1, NEW_SALES + 1))]


def payout_of(fields: Mapping[str, str]) -> PayoutInput:
    """A payout to be recorded; InvalidArgument for what cannot be read."""
    channel = entries.entered(_CHANNEL, fields.get("channel", ""), "channel", "CHANNEL_UNKNOWN")
    currency = currency_of(fields)
    sales = list(_sales(fields, currency))
    if not sales:
        raise InvalidArgument("SALES_MISSING", "enter cash or fees of at least one sale")
    payout = {
        "channel": channel,
        "reference": entries.entered(
            _REFERENCE, fields.get("reference", ""), "payout reference", "REFERENCE_UNREADABLE"
        ),
        "amount": amount_of(fields.get("amount", ""), currency, "paid out"),
        "fees": _part(fields.get("fees", ""), currency, "fees of no sale"),
        "sales": sales,
    }
    return entries.entered(_PAYOUT, payout, "sales", "PAYOUT_UNREADABLE")


def total_of(body: PayoutInput) -> Money:
    """What the lines come to less the fees of no sale: as much as was paid out."""
    currency = body.amount.currency
    paid = Money.total((Money.parse(sale.amount, currency) for sale in body.sales), currency)
    return paid - Money.parse(body.fees, currency)


@dataclass(frozen=True, slots=True)
class Settled:
    """A line of a payout, and what is open of its sale before and after; None while nothing of it is shipped."""

    reference: str
    amount: Money
    fees: Money
    sale: SaleShown | None

    @property
    def open_after(self) -> Money | None:
        """Negative when more comes than was shipped."""
        return self.sale.open - self.amount - self.fees if self.sale else None


def settled(line: PayoutSaleInput, sale: SaleShown | None, currency: str) -> Settled:
    """What a line settles of the sale that it names."""
    amount, fees = (Money.parse(each, currency) for each in (line.amount, line.fees))
    return Settled(line.reference, amount, fees, sale)


def _sales(fields: Mapping[str, str], currency: str) -> Iterator[PayoutSaleInput]:
    for number in _numbers(fields):
        reference = fields[f"reference-{number}"]
        amount, fees = (fields.get(f"{name}-{number}", "") for name in ("amount", "fees"))
        if not (amount or fees):
            continue
        named = entries.entered(_REFERENCE, reference, f"reference of line {number}", "REFERENCE_UNREADABLE")
        parts = (_part(typed, currency, f"{what} of {named}") for typed, what in ((amount, "cash"), (fees, "fees")))
        cash, kept = parts
        yield PayoutSaleInput(reference=named, amount=cash, fees=kept)


def _part(typed: str, currency: str, what: str) -> str:
    """An amount; nothing typed is zero."""
    return entries.money(typed, currency, what).text if typed else "0"


def _numbers(fields: Mapping[str, str]) -> list[int]:
    """The numbers of the lines; a number that no page of ours writes so, such as 01, is none."""
    names = (name.removeprefix("reference-") for name in fields if name.startswith("reference-"))
    return sorted(int(number) for number in names if _NUMBER.fullmatch(number))
