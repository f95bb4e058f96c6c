"""The document of POST /v1/orders and the command it becomes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from gateway.http.plumbing.inputs import (
    PRINTABLE,
    TIDY,
    TYPED_KEY,
    Amount,
    Currency,
    Day,
    Identity,
    Input,
    Price,
    Quantity,
    Sku,
    Switch,
    Text,
    example,
)
from services.kernel.bounds import MAX_LINES
from services.kernel.money import Money, UnitPrice
from services.orders.domain.order import Address, PlaceLine, PlaceOrder, Settlement

_ShortText = Annotated[str, StringConstraints(max_length=64, pattern=PRINTABLE), TIDY]
_LongText = Annotated[str, StringConstraints(max_length=200, pattern=PRINTABLE), TIDY]
_TypedKey = Annotated[str, StringConstraints(max_length=64, pattern=PRINTABLE), TYPED_KEY]


class ShipTo(Input):
    """Where the goods go; what is missing is found by validation, and services need none."""

    name: _LongText = ""
    street: _LongText = ""
    city: _LongText = ""
    region: _ShortText = ""
    postal_code: Annotated[str, StringConstraints(max_length=20, pattern=PRINTABLE), TIDY] = ""
    country: Annotated[str, StringConstraints(pattern=r"^([A-Z]{2})?$", max_length=2)] = ""


class PaymentTerms(Input):
    """How the order is paid."""

    method: Literal["terms", "card", "prepaid", "deposit", "cod", "settled_elsewhere"] = Field(
        default="terms",
        description="A prepaid order waits until payments that name it cover it, one with a deposit until they cover that and "
        "credit the rest; it goes on by itself then. One on terms or by card needs credit, cash on delivery (cod) none: its "
        "goods are handed over for their money. What amazon, ebay or a till (pos) has taken the money for is settled_elsewhere: "
        "it is not billed again, and a payout settles it.",
    )
    percent: Annotated[str, StringConstraints(pattern=r"^([1-9][0-9]?(\.[0-9]{1,2})?|0\.[0-9]{1,2}|100)$")] | None = (
        Field(default=None, description="Of a deposit: its share of the order's total.", examples=["30"])
    )
    token: Annotated[str, StringConstraints(pattern=r"^pm_[A-Za-z0-9_]{1,200}$", max_length=203)] | None = Field(
        default=None,
        description="Of a card: the payment provider's token, never a number. It is authorized before the order is accepted and "
        "captured with each invoice; without one the order waits for its card. No answer gives it back.",
        examples=["pm_card_visa"],
    )
    amount: Amount | None = Field(default=None, description="Of a deposit: what it is, in the order's currency.")
    reference: _TypedKey = Field(
        default="",
        description="Of what is settled elsewhere: the marketplace's or the till's own, by which its payout names it.",
    )
    tax: Amount | None = Field(
        default=None,
        description="Of what is settled elsewhere: the tax that the marketplace charged and remits itself; without it the "
        "order's tax is reckoned, and owed, by us.",
    )
    fees: Amount | None = Field(default=None, description="Of what is settled elsewhere: the fees it has announced.")

    @model_validator(mode="after")
    def _names_its_deposit(self) -> PaymentTerms:
        given = [one for one in (self.percent, self.amount) if one is not None]
        if len(given) != (self.method == "deposit"):
            raise ValueError("a deposit names its percent or its amount, one of the two; no other method has any")
        if self.token is not None and self.method != "card":
            raise ValueError("only a card has a token")
        return self

    @model_validator(mode="after")
    def _names_its_settlement(self) -> PaymentTerms:
        is_elsewhere = self.method == "settled_elsewhere"
        if is_elsewhere and not self.reference:
            raise ValueError("what is settled elsewhere names the marketplace's or the till's reference")
        if not is_elsewhere and (self.reference or self.tax is not None or self.fees is not None):
            raise ValueError("reference, tax and fees are of what is settled elsewhere; no other method has any")
        return self

    @property
    def deposit_terms(self) -> str:
        """As the order keeps it: "30%" or "300.00"; empty without a deposit."""
        return f"{self.percent}%" if self.percent is not None else self.amount or ""

    def settlement(self, currency: str) -> Settlement | None:
        """What is settled elsewhere, with amounts in the order's currency."""
        if self.method != "settled_elsewhere":
            return None
        amounts = (Money.parse(given, currency) if given is not None else None for given in (self.tax, self.fees))
        return Settlement(self.reference, *amounts)


class LineInput(Input):
    """A line; without a unit price the customer's agreement, else the catalog, sets it."""

    sku: Sku
    quantity: Quantity
    unit_price: Price | None = Field(default=None, description="Checked against the agreement when given.")


class OrderInput(Input):
    """An order as a client asks for it."""

    channel: Literal["web", "phone", "in_person", "email", "partner", "edi", "amazon", "ebay", "pos"]
    channel_ref: _TypedKey = Field(
        default="",
        description="The channel's own number: once among the living orders of a customer, or of the partner who sends it.",
    )
    customer_id: Identity
    po_number: _TypedKey = Field(default="", description="The customer's purchase order number.")
    currency: Currency
    payment: PaymentTerms = PaymentTerms()
    ship_to: ShipTo = ShipTo()
    fulfilment: Literal["ship"] = "ship"
    requested_on: Day | None = Field(default=None, description="The day the customer wants it to arrive.")
    cancel_after: Day | None = Field(
        default=None, description="The last day to ship: what has not shipped by its end is canceled."
    )
    ship_complete: Switch = Field(default=False, description="Ship only when everything can leave together.")
    lines: Annotated[list[LineInput], Field(min_length=1, max_length=MAX_LINES)]
    discount: Amount | None = Field(default=None, description="Off the merchandise, in the order's currency; by staff.")
    discount_minimum: Amount | None = Field(
        default=None,
        description="The discount is given from so much of goods on, before discount and tax. Where the policy says so "
        "(`returns.claw_back`), a return after which less is kept takes it back.",
    )
    freight: Amount | None = Field(
        default=None, description="Charged for carriage, in the order's currency; none when left out."
    )
    tax_exemption: Identity | Literal[""] = Field(
        default="",
        description="One of the customer's exemption certificates, which must cover where it goes today; without it the "
        "first that does is taken.",
    )
    on_behalf_of: _LongText = Field(default="", description="Whom a member of staff enters the order for.")
    note: Text = Field(
        default="", description="What whoever places it wants to say; a customer reads its own, none of ours."
    )

    model_config = example(
        channel="web",
        channel_ref="WEB-10231",
        customer_id="cus_acme",
        po_number="PO-7781",
        currency="USD",
        payment={"method": "terms"},
        ship_to={
            "name": "ACME Receiving",
            "street": "1 Main Street",
            "city": "Dallas",
            "region": "TX",
            "postal_code": "75001",
            "country": "US",
        },
        requested_on="2026-12-01",
        ship_complete=False,
        lines=[{"sku": "PUMP-100", "quantity": 4, "unit_price": "129.00"}, {"sku": "INSTALL-8H", "quantity": 1}],
    )


def command(body: OrderInput, key: str) -> PlaceOrder:
    """The command of a document."""
    return PlaceOrder(
        idempotency_key=key,
        channel=body.channel,
        customer_id=body.customer_id,
        currency=body.currency,
        lines=tuple(_line(line, body.currency) for line in body.lines),
        ship_to=Address(**body.ship_to.model_dump()),
        channel_ref=body.channel_ref,
        po_number=body.po_number,
        payment_method=body.payment.method,
        deposit_terms=body.payment.deposit_terms,
        settlement=body.payment.settlement(body.currency),
        card_token=body.payment.token or "",
        requested_on=body.requested_on,
        cancel_after=body.cancel_after,
        is_ship_complete=body.ship_complete,
        discount=Money.parse(body.discount, body.currency) if body.discount is not None else None,
        discount_minimum=Money.parse(body.discount_minimum, body.currency)
        if body.discount_minimum is not None
        else None,
        freight=Money.parse(body.freight, body.currency) if body.freight is not None else None,
        on_behalf_of=body.on_behalf_of,
        note=body.note,
        tax_exemption=body.tax_exemption,
    )


def _line(line: LineInput, currency: str) -> PlaceLine:
    price = UnitPrice.parse(line.unit_price, currency) if line.unit_price is not None else None
    return PlaceLine(line.sku, line.quantity, price)
