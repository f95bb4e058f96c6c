"""What a cancellation looks like: the lines that are asked for, and its consequence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field

from gateway.http.orders.change_input import LineId
from gateway.http.plumbing.inputs import Input, Quantity
from gateway.http.plumbing.shapes import MoneyShape
from services.kernel.money import Money
from services.orders.domain.amendment import Obstacle
from services.orders.domain.consequence import AMOUNTS, CancelledLine, Consequence


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
    cancelled: int = Field(description="Units that go, the sum of the next five.")
    backordered: int = Field(description="Of these, units that wait for stock or are not allocated yet.")
    allocated: int
    released: int
    picked: int
    packed: int
    freed_stock: int = Field(description="Units that others can have.")
    left: int = Field(description="Units that stay wanted, shipped ones included.")
    kept: int = Field(description="Units that were to go and do not: their warehouse keeps them.")


class CancellationConsequences(BaseModel):
    """What canceling does. Amounts are by how much the order is less."""

    is_possible: bool
    obstacles: list[CancellationObstacle]
    is_whole: bool = Field(description="Whether the order ends by it.")
    lines: list[CancelledLineShape]
    cancelled: dict[str, int] = Field(description="Line → units that will not come.")
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
    refund: MoneyShape = Field(description="What has been paid and is owed back.")
    on_account: MoneyShape = Field(
        description="What has been paid and stays on account: it is canceled without a refund."
    )
    mails: list[str] = Field(description="The mails that go, by their template.")


class CancellationShape(BaseModel):
    """A cancellation: previewed, requested (its outcome follows by itself) or done."""

    order_id: str
    cancellation_id: str | None = Field(description="Null for a preview.")
    state: str = Field(description="preview, requested or done.")
    consequences: CancellationConsequences


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
) -> CancellationShape:
    """A cancellation as the API shows it."""
    consequences = consequence_shape(consequence, obstacles)
    return CancellationShape(order_id=order_id, cancellation_id=cancellation_id, state=state, consequences=consequences)


def consequence_shape(consequence: Consequence, obstacles: Sequence[Obstacle] = ()) -> CancellationConsequences:
    """The consequence as the API shows it."""
    amounts: dict[str, Any] = {name: MoneyShape.of(getattr(consequence, name)) for name in AMOUNTS}
    return CancellationConsequences(
        is_possible=not obstacles,
        obstacles=[
            CancellationObstacle(code=one.code, detail=one.sentence, line_id=one.line_id or None) for one in obstacles
        ],
        is_whole=consequence.is_whole,
        lines=[_line(line) for line in consequence.lines],
        cancelled=consequence.cancelled,
        freed_stock=consequence.freed_stock,
        stopped_shipments=list(consequence.shipments),
        **amounts,
        total_after=MoneyShape.of(consequence.total_after),
        released_credit=_amount(consequence.released_credit),
        refund=MoneyShape.of(consequence.refund),
        on_account=MoneyShape.of(consequence.freed_cash - consequence.refund),
        mails=list(consequence.mails),
    )


def _line(line: CancelledLine) -> CancelledLineShape:
    return CancelledLineShape(
        line_id=line.line_id,
        sku=line.sku,
        description=line.description,
        ordered=line.ordered,
        cancelled=line.cancelled,
        **dict(line.taken.by_stage()),
        freed_stock=line.freed,
        left=line.left,
        kept=line.kept,
    )


def _amount(amount: Money | None) -> MoneyShape | None:
    return None if amount is None else MoneyShape.of(amount)
