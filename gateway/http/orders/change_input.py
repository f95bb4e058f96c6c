"""The document of POST /v1/orders/{order_id}/changes and the request it becomes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from gateway.http.orders.order_input import ShipTo
from gateway.http.plumbing.inputs import (
    MAX_QUANTITY,
    Amount,
    Day,
    Input,
    Instant,
    Name,
    Price,
    Sku,
    Switch,
    Text,
    Version,
    example,
)
from services.kernel.bounds import MAX_LINES
from services.kernel.money import Money, UnitPrice
from services.orders.domain.changes import ChangeRequest, LineChange, SpokenConsent
from services.orders.domain.order import Address

LineId = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,5}$", max_length=6), Field(examples=["2"])]
LineQuantity = Annotated[int, Field(strict=True, ge=0, le=MAX_QUANTITY)]


class LineChangeInput(Input):
    """One line: with `line_id` what it becomes, without it a new line."""

    line_id: LineId | None = Field(default=None, description="Leave it out to add a line.")
    sku: Sku | None = Field(default=None, description="Of a new line, or another one that takes the line's place.")
    quantity: LineQuantity | None = Field(default=None, description="What it becomes; 0 removes the line.")
    unit_price: Price | None = Field(default=None, description="By sales only; otherwise the agreement or the catalog.")


class SpokenConsentInput(Input):
    """The customer's agreement as one of ours heard it."""

    given_by: Name = Field(description="Who of the customer agreed.")
    given_at: Instant = Field(description="When.")
    how: Name = Field(description="By phone, by mail, at the counter, …")


class ChangeInput(Input):
    """What is to change; whatever is left out stays as it is."""

    reason: Name = Field(description="Why, as the customer may read it.")
    lines: Annotated[list[LineChangeInput], Field(max_length=MAX_LINES)] = []
    ship_to: ShipTo | None = None
    requested_on: Day | None = None
    cancel_after: Day | None = Field(
        default=None, description="Another last day to ship: what has not shipped by its end is canceled."
    )
    ship_complete: Switch | None = Field(default=None, description="false: ship what there is, in parts.")
    discount: Amount | None = Field(default=None, description="In the order's currency; by sales only.")
    freight: Amount | None = Field(default=None, description="In the order's currency; by sales only.")
    consent: SpokenConsentInput | None = Field(
        default=None, description="By sales or support: the customer has agreed already, so it is not asked again."
    )
    version: Version | None = Field(default=None, description="The order's version that you have seen; stale is 409.")

    model_config = example(
        reason="PUMP-100 is short until January; PUMP-110 fits the same flange",
        lines=[
            {"line_id": "1", "sku": "PUMP-110", "unit_price": "141.55"},
            {"line_id": "2", "quantity": 0},
            {"sku": "SEAL-9", "quantity": 4},
        ],
        requested_on="2026-12-04",
        version=1,
    )


class ConsentInput(Input):
    """The customer's answer; our support writes in the note who gave it, and how."""

    answer: Literal["accept", "decline"]
    note: Text = Field(default="", description="Why; needed of our support, which answers in the customer's name.")
    version: Version | None = Field(default=None, description="The order's version that you have seen; stale is 409.")

    model_config = example(answer="accept", note="agreed by phone with Ann", version=1)


class WithdrawalInput(Input):
    """Why the proposal is taken back."""

    note: Text = ""

    model_config = example(note="the customer keeps the pump it ordered")


def change_request(body: ChangeInput, currency: str) -> ChangeRequest:
    """What the document asks for, in the order's currency."""
    return ChangeRequest(
        reason=body.reason,
        lines=tuple(_line(line, currency) for line in body.lines),
        ship_to=Address(**body.ship_to.model_dump()) if body.ship_to is not None else None,
        requested_on=body.requested_on,
        cancel_after=body.cancel_after,
        is_ship_complete=body.ship_complete,
        discount=Money.parse(body.discount, currency) if body.discount is not None else None,
        freight=Money.parse(body.freight, currency) if body.freight is not None else None,
        consent=SpokenConsent(**body.consent.model_dump()) if body.consent is not None else None,
    )


def _line(line: LineChangeInput, currency: str) -> LineChange:
    price = UnitPrice.parse(line.unit_price, currency) if line.unit_price is not None else None
    return LineChange(line.line_id or "", line.sku or "", line.quantity, price)
