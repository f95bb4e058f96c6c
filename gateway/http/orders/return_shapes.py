"""Returns as the API takes and shows them."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, Field

from gateway.http.plumbing.inputs import Identity, Input, Name, Percent, Quantity, Text, example
from gateway.http.plumbing.shapes import MoneyShape, rfc3339
from services.kernel.bounds import MAX_LINES
from services.orders.access.matrix import Caller
from services.orders.domain.returnable import LineToReturn
from services.orders.domain.returns import Inspection, Return, ReturnLine

Reason = Literal["changed_mind", "ordered_wrong", "damaged", "defective", "wrong_article", "not_as_described", "other"]
Grade = Literal["A", "B", "C", "D"]
Disposition = Literal["restock", "quarantine", "scrap"]
Responsible = Literal["customer", "seller", "carrier"]
State = Literal["requested", "authorized", "denied", "cancelled", "expired", "closed"]


class LineToReturnInput(Input):
    """Units of an order line that come back."""

    line_id: Identity = Field(examples=["1"])
    quantity: Quantity
    reason: Reason = Field(description="No restocking fee is kept where the fault is ours.")
    shipment_id: Identity | None = Field(
        default=None, description="The shipment that they came with: they are credited at what its invoice billed."
    )

    def asked(self) -> LineToReturn:
        """As the domain has it."""
        return LineToReturn(self.line_id, self.quantity, self.reason, self.shipment_id or "")


class ReturnInput(Input):
    """What of an order comes back, and why."""

    order: Identity = Field(description="The order's id or its number.")
    lines: list[LineToReturnInput] = Field(min_length=1, max_length=MAX_LINES)
    reason: Text = Field(default="", description="More on why, in the customer's words.")
    override_reason: Name | None = Field(
        default=None,
        description="Why an article comes back that is not returnable (`is_returnable`); from support alone.",
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


class ReturnReceiptInput(Input):
    """What came, and where it is: whichever warehouse it had left."""

    warehouse_id: Identity = Field(examples=["wh_dallas"])
    lines: list[CountedInput] = Field(min_length=1, max_length=MAX_LINES)

    model_config = example(warehouse_id="wh_dallas", lines=[{"line_id": "1", "quantity": 2}])


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
    reason: Reason
    shipment_id: str | None
    received: int = Field(description="Counted by the warehouse so far.")
    inspected: int


class InspectedShape(BaseModel):
    """Units that were found alike."""

    line_id: str
    sku: str
    quantity: int
    grade: Grade
    disposition: Disposition
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
    waits_for: str | None = Field(description="support, customer or warehouse; null when nobody must act.")
    lines: list[ReturnLineShape]
    reason: str
    requested_at: str
    is_automatic: bool = Field(description="Whether the policy authorized it without a review.")
    decided_at: str | None
    decision_note: str
    valid_until: str | None = Field(description="Until when goods are taken.")
    fee_percent: str = Field(description="The restocking fee, of what the customer answers for.")
    inspections: list[InspectionShape]
    credited: MoneyShape | None = Field(description="What its credit notes come to; null for the warehouse.")
    fees: MoneyShape | None = Field(description="The restocking fees that are kept of it; null for the warehouse.")
    override_reason: str | None = Field(
        description="Why support takes back what is not returnable, for staff; null otherwise."
    )
    label_sent_at: str | None = Field(
        description="When its label went out by mail; null before, and without a mailbox."
    )
    in_transit_at: str | None = Field(description="When it was said that the goods are on their way.")
    carrier: str | None = Field(description="Who brings them.")
    tracking_number: str | None
    halted: str | None = Field(description="Why nobody carries it on, for staff; null while all is well.")
    ended_at: str | None


class RefundShape(BaseModel):
    """What goes back now of the cash that a return's credit notes left."""

    return_id: str
    number: str
    refunded: MoneyShape = Field(description="Zero when all has gone back before, or nothing was paid.")
    payment_ids: list[str] = Field(description="The payments that it goes back from.")


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
        lines=[_line(line) for line in found.lines],
        reason=found.reason,
        requested_at=rfc3339(found.requested_at),
        is_automatic=found.is_automatic,
        decided_at=rfc3339(found.decided_at) if found.decided_at else None,
        decision_note=found.decision_note,
        valid_until=rfc3339(found.valid_until) if found.valid_until else None,
        fee_percent=percent(found.fee.percent),
        inspections=[_inspection(one, who, is_ours=is_ours) for one in found.inspections],
        credited=MoneyShape.of(found.credited) if who.sees_money else None,
        fees=MoneyShape.of(found.fees) if who.sees_money else None,
        override_reason=(found.override_reason or None) if is_ours else None,
        label_sent_at=rfc3339(found.label_sent_at) if found.label_sent_at else None,
        in_transit_at=rfc3339(found.in_transit_at) if found.in_transit_at else None,
        carrier=found.carrier or None,
        tracking_number=found.tracking_number or None,
        halted=(found.halted or None) if is_ours else None,
        ended_at=rfc3339(found.ended_at) if found.ended_at else None,
    )


def percent(given: Decimal) -> str:
    """15, not 15.0000."""
    return f"{given.normalize():f}"


def _line(line: ReturnLine) -> ReturnLineShape:
    return ReturnLineShape(
        line_id=line.line_id,
        sku=line.sku,
        description=line.description,
        quantity=line.quantity,
        reason=line.reason,  # type: ignore[arg-type]  # one of REASONS
        shipment_id=line.shipment_id or None,
        received=line.received,
        inspected=line.inspected,
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
