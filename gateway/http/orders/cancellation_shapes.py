"""What a cancellation or a closing looks like: the lines that are asked for, and its consequence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, Field

from gateway.http.orders.change_input import LineId
from gateway.http.plumbing.inputs import Input, Quantity
from gateway.http.plumbing.shapes import MoneyShape
from services.kernel.money import Money
from services.orders.domain.amendment import Obstacle
from services.orders.domain.cancellation import ShippedUnits
from services.orders.domain.consequence import AMOUNTS, CancelledLine, Consequence
from services.orders.domain.fees import Fee


class LineToCancelInput(Input):
    """Units of a line that go; without a quantity all of it that has not shipped."""

    line_id: LineId
    quantity: Quantity | None = None


class CancellationObstacle(BaseModel):
    """Why something cannot be canceled."""

    code: str
    detail: str
    line_id: str | None = None


class CancelledLineShape(BaseModel):
    """What becomes of a line: how many of its units go, by how far they have come."""

    line_id: str
    sku: str
    description: str
    ordered: int
    cancelled: int = Field(description="Units that are canceled; 0 where the line is closed.")
    closed: int = Field(description="Units that are given up by closing the line; 0 where they are canceled.")
    backordered: int = Field(
        description="Of these and the next four, units that wait for stock or are not allocated yet."
    )
    allocated: int
    released: int
    picked: int
    packed: int
    freed_stock: int = Field(description="Units that others can have.")
    left: int = Field(description="Units that stay wanted, shipped ones included.")
    kept: int = Field(description="Units that were to go and do not: their warehouse keeps them.")


class FeeLineShape(BaseModel):
    """What canceling units of a line costs, by how far production is."""

    line_id: str
    stage: str = Field(description="not_started, started or finished.")
    units: int
    percent: int = Field(description="Of what these units come to.")
    amount: MoneyShape


class FeeShape(BaseModel):
    """What canceling costs of what is built to order."""

    lines: list[FeeLineShape]
    tax: MoneyShape = Field(description="Zero unless the policy taxes fees.")
    total: MoneyShape
    due: MoneyShape = Field(description="What is charged: the total, and zero where it is waived.")
    waived_reason: str = Field(description="Why it is not charged, which a customer reads as waived; else empty.")


class CancellationConsequences(BaseModel):
    """What canceling, or closing, does. Amounts are by how much the order is less."""

    is_possible: bool
    obstacles: list[CancellationObstacle]
    is_whole: bool = Field(description="Whether the order ends by it.")
    is_closing: bool = Field(description="Whether lines are closed at what has shipped, which is not a cancellation.")
    lines: list[CancelledLineShape]
    cancelled: dict[str, int] = Field(description="Line → units that are canceled; empty for a closing.")
    closed: dict[str, int] = Field(description="Line → units that are closed; empty for a cancellation.")
    freed_stock: dict[str, int] = Field(description="Line → units that others can have.")
    stopped_shipments: list[str] = Field(description="Shipments whose warehouse gives units back.")
    merchandise: MoneyShape
    discount: MoneyShape
    freight: MoneyShape
    tax: MoneyShape
    total: MoneyShape
    total_after: MoneyShape = Field(description="What the order comes to then.")
    released_credit: MoneyShape | None = Field(
        description="What the customer's credit gets back; null for a customer, and while billing does not answer."
    )
    fee: FeeShape | None = Field(description="What canceling costs; null for nothing.")
    refund: MoneyShape = Field(description="What has been paid and is owed back, less the fee.")
    on_account: MoneyShape = Field(
        description="What has been paid and stays on account: it is canceled without a refund."
    )
    mails: list[str] = Field(description="The mails that go, by their template.")


class ShippedUnitsShape(BaseModel):
    """A shipment that has left, which no cancellation reaches."""

    shipment_id: str
    number: str = Field(examples=["SH-1001"])
    units: int
    options: list[Literal["intercept", "return"]] = Field(
        description="intercept: its carrier may be asked to stop it on the way. return: its customer may send it back."
    )


class CancellationShape(BaseModel):
    """A cancellation or a closing: previewed, requested (its outcome follows by itself) or done."""

    order_id: str
    cancellation_id: str | None = Field(description="Null for a preview.")
    state: str = Field(description="preview, requested or done.")
    consequences: CancellationConsequences
    shipped: list[ShippedUnitsShape] = Field(
        default_factory=list, description="Of a preview: what has left, and what can be done with it; else empty."
    )


class WithdrawnCancellation(BaseModel):
    """A cancellation that was withdrawn: nothing of it is canceled."""

    order_id: str
    cancellation_id: str
    state: str = Field(description="declined: it does not come about.")


def cancellation_shape(
    order_id: str,
    cancellation_id: str | None,
    state: str,
    consequence: Consequence,
    obstacles: Sequence[Obstacle] = (),
    shipped: Sequence[ShippedUnits] = (),
) -> CancellationShape:
    """A cancellation as the API shows it."""
    return CancellationShape(
        order_id=order_id,
        cancellation_id=cancellation_id,
        state=state,
        consequences=consequence_shape(consequence, obstacles),
        shipped=[_shipped(one) for one in shipped],
    )


def _shipped(one: ShippedUnits) -> ShippedUnitsShape:
    return ShippedUnitsShape(
        shipment_id=one.shipment_id,
        number=one.number,
        units=one.units,
        options=["intercept", "return"] if one.is_on_its_way else ["return"],
    )


def consequence_shape(consequence: Consequence, obstacles: Sequence[Obstacle] = ()) -> CancellationConsequences:
    """The consequence as the API shows it."""
    amounts: dict[str, Any] = {name: MoneyShape.of(getattr(consequence, name)) for name in AMOUNTS}
    return CancellationConsequences(
        is_possible=not obstacles,
        obstacles=[
            CancellationObstacle(code=one.code, detail=one.sentence, line_id=one.line_id or None) for one in obstacles
        ],
        is_whole=consequence.is_whole,
        is_closing=consequence.is_closing,
        lines=[_line(line, is_closing=consequence.is_closing) for line in consequence.lines],
        cancelled={} if consequence.is_closing else consequence.cancelled,
        closed=consequence.cancelled if consequence.is_closing else {},
        freed_stock=consequence.freed_stock,
        stopped_shipments=list(consequence.shipments),
        **amounts,
        total_after=MoneyShape.of(consequence.total_after),
        released_credit=_amount(consequence.released_credit),
        fee=_fee(consequence.fee),
        refund=MoneyShape.of(consequence.refund),
        on_account=MoneyShape.of(consequence.freed_cash - consequence.refund),
        mails=list(consequence.mails),
    )


def _line(line: CancelledLine, *, is_closing: bool) -> CancelledLineShape:
    return CancelledLineShape(
        line_id=line.line_id,
        sku=line.sku,
        description=line.description,
        ordered=line.ordered,
        cancelled=0 if is_closing else line.cancelled,
        closed=line.cancelled if is_closing else 0,
        **dict(line.taken.by_stage()),
        freed_stock=line.freed,
        left=line.left,
        kept=line.kept,
    )


def _fee(fee: Fee | None) -> FeeShape | None:
    if fee is None:
        return None
    return FeeShape(
        lines=[
            FeeLineShape(
                line_id=line.line_id,
                stage=line.stage,
                units=line.units,
                percent=line.percent,
                amount=MoneyShape.of(line.amount),
            )
            for line in fee.lines
        ],
        tax=MoneyShape.of(fee.tax),
        total=MoneyShape.of(fee.total),
        due=MoneyShape.of(fee.due),
        waived_reason=fee.waived_reason,
    )


def _amount(amount: Money | None) -> MoneyShape | None:
    return None if amount is None else MoneyShape.of(amount)
