"""Returns as the API takes and shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Literal, Self

from pydantic import BaseModel, Field, model_validator

from gateway.http.orders.exchange_shapes import (
    ReplacedShape,
    ReplaceInput,
    ReplacementShape,
    replaced_shape,
    replacement_shapes,
)
from gateway.http.plumbing.inputs import Identity, Input, Name, Percent, Quantity, Sku, Switch, Text, example
from gateway.http.plumbing.shapes import MoneyShape, rfc3339
from services.kernel.bounds import MAX_LINES
from services.orders.access.matrix import Caller
from services.orders.domain.returnable import LineToReturn
from services.orders.domain.returns import Inspection, Return, ReturnLine
from services.orders.returns.parcels import Found

Reason = Literal["changed_mind", "ordered_wrong", "damaged", "defective", "wrong_article", "not_as_described", "other"]
Grade = Literal["A", "B", "C", "D"]
Disposition = Literal["restock", "refurbish", "quarantine", "scrap", "return_to_vendor"]
Done = Literal["restock", "refurbish", "quarantine", "scrap", "return_to_vendor", "keep", "in_advance"]
Responsible = Literal["customer", "seller", "carrier"]
State = Literal["requested", "authorized", "denied", "cancelled", "expired", "closed"]


class ReturnedLineInput(Input):
    """Units of an order line that come back and are credited."""

    line_id: Identity = Field(examples=["1"])
    quantity: Quantity
    reason: Reason = Field(description="No restocking fee is kept where the fault is ours.")
    shipment_id: Identity | None = Field(
        default=None, description="The shipment that they came with: they are credited at what its invoice billed."
    )

    def asked(self) -> LineToReturn:
        """As the domain has it."""
        return LineToReturn(self.line_id, self.quantity, self.reason, self.shipment_id or "")


class LineToReturnInput(ReturnedLineInput):
    """Units of an order line that come back, credited or replaced."""

    replace: ReplaceInput | None = Field(default=None, description="An exchange; without it they are credited.")

    def asked(self, sku: str = "") -> LineToReturn:
        """As the domain has it; `sku` is the line's own, which replaces it where no other is named."""
        line = super().asked()
        if self.replace is None:
            return line
        return replace(line, replace_sku=self.replace.sku or sku, replace_quantity=self.replace.quantity or 0)


class ReturnInput(Input):
    """What of an order comes back, and why."""

    order: Identity = Field(description="The order's id or its number.")
    lines: list[LineToReturnInput] = Field(min_length=1, max_length=MAX_LINES)
    reason: Text = Field(default="", description="More on why, in the customer's words.")
    override_reason: Name | None = Field(
        default=None,
        description="Why an article comes back that is not returnable (`is_returnable`); from support alone.",
    )
    advance: Switch = Field(
        default=False,
        description="Send what replaces the goods before they come: on credit, or once the card or cash secures it, as the order was paid. What has "
        "not come when the return expires is charged.",
    )

    model_config = example(
        order="SO-1001", lines=[{"line_id": "1", "quantity": 2, "reason": "changed_mind"}], reason="bought two too many"
    )


class ReturnDecisionInput(Input):
    """Why it is decided so; the customer reads it."""

    note: Name

    model_config = example(note="out of its box for months")


class ReturnAuthorizationInput(Input):
    """Goods may come back, with the policy's restocking fee unless another is given."""

    note: Text = ""
    fee_percent: Percent | None = Field(
        default=None,
        description="Of what is credited before tax; it is kept where the customer answers for the return.",
    )

    model_config = example(note="as agreed on the phone", fee_percent="10")


class CountedInput(Input):
    """Units of a line that were counted."""

    line_id: Identity = Field(examples=["1"])
    quantity: Quantity


class GoodsInput(Input):
    """Units that are alike: by their SKU, or where nobody knows one by what they look like."""

    sku: Sku | None = None
    description: Text = ""
    quantity: Quantity

    @model_validator(mode="after")
    def _is_named(self) -> Self:
        if not (self.sku or self.description):
            raise ValueError("name goods by their SKU or describe them")
        return self


class ReturnReceiptInput(Input):
    """What came, and where it is: whichever warehouse it had left."""

    warehouse_id: Identity = Field(examples=["wh_dallas"])
    lines: list[CountedInput] = Field(default=[], max_length=MAX_LINES)
    others: list[GoodsInput] = Field(
        default=[],
        max_length=MAX_LINES,
        description="What else was in the parcel: foreign articles, and units beyond what was announced. They are listed for "
        "support (`/v1/parcels`) and credited to nobody.",
    )

    @model_validator(mode="after")
    def _is_something(self) -> Self:
        if not (self.lines or self.others):
            raise ValueError("count at least one line, or name what else came")
        return self

    model_config = example(
        warehouse_id="wh_dallas",
        lines=[{"line_id": "1", "quantity": 1}],
        others=[{"description": "a garden hose", "quantity": 1}],
    )


class InspectedInput(Input):
    """Units that are alike."""

    line_id: Identity = Field(examples=["1"])
    quantity: Quantity
    grade: Grade = Field(description="A is as new, D is unusable.")
    disposition: Disposition
    responsible: Responsible = Field(description="Who answers for the return; a fee is kept of the customer alone.")
    note: Text = Field(default="", description="People of the company alone read it.")


class ReturnInspectionInput(Input):
    """In which condition counted units are, and what becomes of them. Stock and credit follow at once."""

    warehouse_id: Identity = Field(examples=["wh_dallas"])
    units: list[InspectedInput] = Field(min_length=1, max_length=MAX_LINES)

    model_config = example(
        warehouse_id="wh_dallas",
        units=[{"line_id": "1", "quantity": 2, "grade": "A", "disposition": "restock", "responsible": "customer"}],
    )


class ReturnLineShape(BaseModel):
    """Units of an order line in a return."""

    line_id: str
    sku: str
    description: str
    quantity: int = Field(description="Announced.")
    reason: Reason | Literal["intercepted"] = Field(description="intercepted: its carrier stopped it on the way.")
    shipment_id: str | None
    received: int = Field(description="Counted by the warehouse so far.")
    inspected: int
    replace: ReplacedShape | None = Field(description="What comes in their place; null where they are credited.")


class InspectedShape(BaseModel):
    """Units that were found alike."""

    line_id: str
    sku: str
    quantity: int
    grade: Grade
    disposition: Done = Field(
        description="keep: the customer keeps them, and they are credited all the same; in_advance: they are credited before they come."
    )
    responsible: Responsible
    note: str | None = Field(description="Null for customers.")


class InspectionShape(BaseModel):
    """What an inspection found, and what it was credited by."""

    inspection_id: str
    warehouse_id: str
    units: list[InspectedShape]
    inspected_at: str
    credited_at: str | None
    credit_notes: list[str]
    credited: MoneyShape | None = Field(
        description="What its credit notes come to; null before, and for the warehouse."
    )
    fee: MoneyShape | None = Field(description="The restocking fee that is kept of it; null like `credited`.")


class ReturnShape(BaseModel):
    """A return of an order."""

    return_id: str
    number: str = Field(examples=["RMA-1001"])
    order_id: str
    order_number: str
    state: State
    stage: str = Field(
        description="The state, or while goods come in_transit, part_received, received, inspected or part_credited."
    )
    waits_for: str | None = Field(description="support, customer, carrier or warehouse; null when nobody must act.")
    lines: list[ReturnLineShape]
    reason: str = Field(
        description="More on why, in the words of who asked. Why a parcel was stopped on its way is for staff; customers read nothing."
    )
    requested_at: str
    is_automatic: bool = Field(description="Whether the policy authorized it without a review.")
    decided_at: str | None
    decision_note: str
    valid_until: str | None = Field(description="Until when goods are taken.")
    fee_percent: str = Field(description="The restocking fee, of what the customer answers for.")
    inspections: list[InspectionShape]
    credited: MoneyShape | None = Field(description="What its credit notes come to; null for the warehouse.")
    fees: MoneyShape | None = Field(description="The restocking fees that are kept of it; null for the warehouse.")
    parcel_number: str | None = Field(description="The parcel that it came in before anybody had asked for it.")
    is_kept: bool = Field(description="Whether the customer keeps what has not come; it is credited all the same.")
    keep_asked_by: str | None = Field(
        description="Who wants it credited without its goods; above the policy's limit another person must agree. Null for customers."
    )
    override_reason: str | None = Field(
        description="Why support takes back what is not returnable, for staff; null otherwise."
    )
    label_sent_at: str | None = Field(
        description="When its label went out by mail; null before, and without a mailbox."
    )
    in_transit_at: str | None = Field(description="When it was said that the goods are on their way.")
    carrier: str | None = Field(description="Who brings them.")
    tracking_number: str | None
    is_advance: bool = Field(description="Whether what replaces its goods leaves before they come.")
    replacements: list[ReplacementShape] = Field(description="The orders in place of its goods, oldest first.")
    halted: str | None = Field(description="Why nobody carries it on, for staff; null while all is well.")
    ended_at: str | None


class RefundShape(BaseModel):
    """What goes back now of the cash that a return's credit notes left."""

    return_id: str
    number: str
    refunded: MoneyShape = Field(description="Zero when all has gone back before, or nothing was paid.")
    payment_ids: list[str] = Field(description="The payments that it goes back from.")


def goods_of(given: Sequence[GoodsInput]) -> tuple[Found, ...]:
    """Goods as the domain has them."""
    return tuple(Found(one.sku or "", one.description, one.quantity) for one in given)


def return_shape(found: Return, who: Caller) -> ReturnShape:
    """A return as this caller sees it."""
    is_ours = who.reach != "own"
    return ReturnShape(
        return_id=found.return_id,
        number=found.number,
        order_id=found.order_id,
        order_number=found.order_number,
        state=found.state,  # type: ignore[arg-type]  # one of STATES
        stage=found.stage,
        waits_for=found.waits_for or None,
        lines=[_line(line, who) for line in found.lines],
        reason=found.reason if is_ours or not found.is_intercepted else "",
        requested_at=rfc3339(found.requested_at),
        is_automatic=found.is_automatic,
        decided_at=rfc3339(found.decided_at) if found.decided_at else None,
        decision_note=found.decision_note,
        valid_until=rfc3339(found.valid_until) if found.valid_until else None,
        fee_percent=percent(found.fee.percent),
        inspections=[_inspection(one, who, is_ours=is_ours) for one in found.inspections],
        credited=MoneyShape.of(found.credited) if who.sees_money else None,
        fees=MoneyShape.of(found.fees) if who.sees_money else None,
        parcel_number=found.parcel_number or None,
        is_kept=found.is_kept,
        keep_asked_by=(found.keep_asked_by or None) if is_ours else None,
        override_reason=(found.override_reason or None) if is_ours else None,
        label_sent_at=rfc3339(found.label_sent_at) if found.label_sent_at else None,
        in_transit_at=rfc3339(found.in_transit_at) if found.in_transit_at else None,
        carrier=found.carrier or None,
        tracking_number=found.tracking_number or None,
        is_advance=found.is_advance,
        replacements=replacement_shapes(found),
        halted=(found.halted or None) if is_ours else None,
        ended_at=rfc3339(found.ended_at) if found.ended_at else None,
    )


def percent(given: Decimal) -> str:
    """15, not 15.0000."""
    return f"{given.normalize():f}"


def _line(line: ReturnLine, who: Caller) -> ReturnLineShape:
    return ReturnLineShape(
        line_id=line.line_id,
        sku=line.sku,
        description=line.description,
        quantity=line.quantity,
        reason=line.reason,  # type: ignore[arg-type]  # one of REASONS
        shipment_id=line.shipment_id or None,
        received=line.received,
        inspected=line.inspected,
        replace=replaced_shape(line, who),
    )


def _inspection(one: Inspection, who: Caller, *, is_ours: bool) -> InspectionShape:
    return InspectionShape(
        inspection_id=one.inspection_id,
        warehouse_id=one.warehouse_id,
        units=[
            InspectedShape.model_validate(
                {
                    "line_id": units.line_id,
                    "sku": units.sku,
                    "quantity": units.quantity,
                    "grade": units.grade,
                    "disposition": units.disposition,
                    "responsible": units.responsible,
                    "note": units.note if is_ours else None,
                }
            )
            for units in one.units
        ],
        inspected_at=rfc3339(one.inspected_at),
        credited_at=rfc3339(one.credited_at) if one.credited_at else None,
        credit_notes=list(one.credit_notes),
        credited=MoneyShape.of(one.credited) if one.credited and who.sees_money else None,
        fee=MoneyShape.of(one.fee) if one.fee and who.sees_money else None,
    )
