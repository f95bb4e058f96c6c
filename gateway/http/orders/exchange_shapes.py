"""Exchanges as the API takes and shows them: what replaces units of a return, and the orders that bring it."""

from __future__ import annotations

from pydantic import BaseModel, Field

from gateway.http.plumbing.inputs import Input, Quantity, Sku
from services.orders.access.matrix import Caller
from services.orders.domain.replacements import Replaced
from services.orders.domain.returns import Return, ReturnLine


class ReplaceInput(Input):
    """What comes in place of units instead of a credit."""

    sku: Sku | None = Field(
        default=None,
        description="Without it the same product, at what was paid: nothing is credited and nothing invoiced. Another one costs what it "
        "costs the customer today: what comes back is credited, and that pays for it.",
    )
    quantity: Quantity | None = Field(
        default=None, description="As many as come back, unless another number is given; of the same product no more."
    )


class ReplacedShape(BaseModel):
    """What comes in place of units of a line."""

    sku: str
    quantity: int = Field(description="For all units that are announced; fewer counted earn fewer, in whole units.")
    unit_price: str | None = Field(
        description="Of another product, before tax; null for the same one, and for the warehouse."
    )


class ReplacementShape(BaseModel):
    """An order in place of goods of a return."""

    order_id: str
    order_number: str = Field(examples=["SO-1002"])
    is_advance: bool = Field(description="Whether it was placed before the goods came.")
    is_invoiced: bool = Field(
        description="Whether it is invoiced as any order, and what it replaces credited. Otherwise only what of an advance has not come back is."
    )
    units: int


class ReplacesShape(BaseModel):
    """The return whose goods an order replaces."""

    return_number: str = Field(examples=["RMA-1001"])
    order_number: str = Field(description="The order that those goods had come with.", examples=["SO-1001"])
    is_invoiced: bool


def replaced_shape(line: ReturnLine, who: Caller) -> ReplacedShape | None:
    """What replaces a line; None where it is credited."""
    if not line.replace_sku:
        return None
    price = line.replace_price if line.replace_price and who.sees_money else None
    return ReplacedShape(sku=line.replace_sku, quantity=line.replace_quantity, unit_price=price)


def replacement_shapes(found: Return) -> list[ReplacementShape]:
    """The orders that replace goods of a return, oldest first."""
    return [
        ReplacementShape(
            order_id=one.order_id,
            order_number=one.order_number,
            is_advance=one.is_advance,
            is_invoiced=one.is_documented,
            units=sum(one.units.values()),
        )
        for one in found.replacements
    ]


def replaces_shape(one: Replaced | None) -> ReplacesShape | None:
    """The return whose goods an order replaces; None for any other order."""
    if one is None:
        return None
    return ReplacesShape(return_number=one.number, order_number=one.order_number, is_invoiced=one.is_documented)
