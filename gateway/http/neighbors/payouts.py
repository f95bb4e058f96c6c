"""Payouts: what marketplaces and tills owe for the orders whose buyers paid there, and what they pay of it."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from gateway.http.neighbors.payments import money_of
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import DepsOf
from gateway.http.plumbing.idempotency import OnceWithKey
from gateway.http.plumbing.inputs import Amount, Input, MoneyInput, Reference, example
from gateway.http.plumbing.paging import Page, PagingOf, sealed
from gateway.http.plumbing.shapes import MoneyShape, instant, proto_money
from oms.billing.v1 import billing_pb2 as pb
from oms.types.v1 import types_pb2
from services.kernel.bounds import MAX_LINES
from services.kernel.money import Money

router = APIRouter(tags=["payouts"])

Channel = Literal["amazon", "ebay", "pos"]
SaleStatus = Literal["open", "settled", "overpaid"]
OfChannel = Annotated[Channel | None, Query(description="Only this channel's.")]


class PayoutSaleInput(Input):
    """What a payout pays of one sale."""

    reference: Reference = Field(description="The channel's reference of the sale, as its order named it.")
    amount: Amount = Field(description="Cash for it, in the payout's currency.")
    fees: Amount = Field(default="0", description="Fees kept of it.")


class PayoutInput(Input):
    """What a marketplace or a till paid out, as its statement says."""

    channel: Channel
    reference: Reference = Field(description="The channel's reference of the payout; the same one is one payout.")
    amount: MoneyInput = Field(description="Cash that came: what the sales come to less the fees of no sale.")
    fees: Amount = Field(default="0", description="Fees that belong to no sale, such as a subscription.")
    sales: Annotated[list[PayoutSaleInput], Field(min_length=1, max_length=MAX_LINES)]

    model_config = example(
        channel="amazon",
        reference="AMZ-PAYOUT-2026-11-30",
        amount={"amount": "83.75", "currency": "USD"},
        sales=[{"reference": "113-4402", "amount": "83.75", "fees": "16.25"}],
    )


class PayoutSale(BaseModel):
    """What a payout paid of one sale."""

    reference: str
    amount: MoneyShape
    fees: MoneyShape


class Payout(BaseModel):
    """A payout as recorded."""

    payout_id: str
    channel: str
    reference: str
    amount: MoneyShape
    fees: MoneyShape
    sales: list[PayoutSale]
    recorded_at: str | None


class MarketplaceSale(BaseModel):
    """What a marketplace or a till owes for what was shipped under one of its references."""

    channel: str
    reference: str
    order_id: str = Field(description="The first order under the reference.")
    order_number: str
    customer_id: str
    due: MoneyShape = Field(description="Before fees, less the tax that the channel remits itself.")
    paid_out: MoneyShape
    fees: MoneyShape = Field(description="Kept by the channel.")
    open: MoneyShape = Field(description="due - paid_out - fees; negative when more came than was shipped.")
    status: str = Field(description="open, settled or overpaid.")
    announced_fees: MoneyShape | None = Field(description="Fees that came with the order.")
    sold_at: str | None


@router.post("/v1/payouts", status_code=201, response_model=Payout)
def record_payout(deps: DepsOf, body: PayoutInput, once: OnceWithKey) -> Response:
    """Record a payout: it settles the sales that it names. One that is not shipped yet is settled once it is."""

    def act(request_id: str) -> Payout:
        return _payout(deps.billing.RecordPayout(wanted_payout(body, request_id)).payout)

    return once.answer(body, act, 201)


def wanted_payout(body: PayoutInput, request_id: str) -> pb.RecordPayoutRequest:
    """What billing is asked."""
    currency = body.amount.currency

    def proto(amount: str) -> types_pb2.Money:
        return proto_money(Money.parse(amount, currency))

    return pb.RecordPayoutRequest(
        request_id=request_id,
        channel=body.channel,
        reference=body.reference,
        amount=proto_money(money_of(body.amount)),
        fees=proto(body.fees),
        lines=[
            pb.PayoutLine(reference=sale.reference, amount=proto(sale.amount), fees=proto(sale.fees))
            for sale in body.sales
        ],
    )


@router.get("/v1/payouts")
def list_payouts(deps: DepsOf, _who: CallerOf, paging: PagingOf, channel: OfChannel = None) -> Page[Payout]:
    """Payouts, oldest first."""
    found = deps.billing.ListPayouts(
        pb.ListPayoutsRequest(channel=channel or "", limit=paging.limit, cursor=paging.after("payouts"))
    )
    return Page(rows=[_payout(row) for row in found.payouts], next_cursor=sealed("payouts", found.next_cursor) or None)


@router.get("/v1/marketplace-sales")
def list_marketplace_sales(
    deps: DepsOf,
    _who: CallerOf,
    paging: PagingOf,
    channel: OfChannel = None,
    status: Annotated[SaleStatus | None, Query(description="Only with this status.")] = None,
) -> Page[MarketplaceSale]:
    """What marketplaces and tills owe for the orders whose buyers paid there, by channel and reference."""
    found = deps.billing.ListMarketplaceSales(
        pb.ListMarketplaceSalesRequest(
            channel=channel or "", status=status or "", limit=paging.limit, cursor=paging.after("marketplace-sales")
        )
    )
    return Page(
        rows=[_sale(row) for row in found.sales], next_cursor=sealed("marketplace-sales", found.next_cursor) or None
    )


def _shape(amount: types_pb2.Money) -> MoneyShape:
    return MoneyShape.of_minor(amount.minor_units, amount.currency)


def _payout(row: pb.Payout) -> Payout:
    return Payout(
        payout_id=row.payout_id,
        channel=row.channel,
        reference=row.reference,
        amount=_shape(row.amount),
        fees=_shape(row.fees),
        sales=[
            PayoutSale(reference=line.reference, amount=_shape(line.amount), fees=_shape(line.fees))
            for line in row.lines
        ],
        recorded_at=instant(row.recorded_at_micros),
    )


def _sale(row: pb.MarketplaceSale) -> MarketplaceSale:
    return MarketplaceSale(
        channel=row.channel,
        reference=row.reference,
        order_id=row.order_id,
        order_number=row.order_number,
        customer_id=row.customer_id,
        due=_shape(row.due),
        paid_out=_shape(row.paid_out),
        fees=_shape(row.fees),
        open=_shape(row.open),
        status=row.status,
        announced_fees=_shape(row.announced_fees) if row.HasField("announced_fees") else None,
        sold_at=instant(row.sold_at_micros),
    )
