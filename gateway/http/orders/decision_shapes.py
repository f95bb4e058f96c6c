"""Shapes of the facts that a decision rests on, each as far as the caller may see it."""

from __future__ import annotations

from pydantic import BaseModel, Field

from gateway.http.orders.decision_facts import NeighborFacts, Sight
from gateway.http.plumbing.shapes import MoneyShape
from services.orders.domain.availability import LineAvailability
from services.orders.domain.credit_check import CreditCheck
from services.orders.domain.price_check import LinePrices
from services.orders.overview.combined import Combined
from services.orders.overview.decision_facts import DecisionFacts


class InboundSupplyShape(BaseModel):
    """An expected receipt that has not come yet."""

    expected_on: str = Field(description="YYYY-MM-DD.")
    quantity: int
    reference: str = Field(description="The purchase order, transfer or work order it comes from.")


class LineAvailabilityShape(BaseModel):
    """What is there for a line at all open warehouses together."""

    line_id: str
    sku: str
    to_ship: int = Field(description="Units that are still to ship.")
    held: int = Field(description="Units that are allocated to this order.")
    on_hand: int = Field(description="Units in the buildings.")
    available: int = Field(description="Units that are free to promise (ATP).")
    short: int = Field(description="Units that neither what is held nor what is free covers.")
    waiting: int = Field(description="Units that other orders wait for; what comes first is theirs.")
    inbound: list[InboundSupplyShape] = Field(description="The earliest expected receipts, the first to come first.")
    inbound_quantity: int = Field(description="Units of all expected receipts.")


class CreditCheckShape(BaseModel):
    """The customer's credit, and what this order makes of it."""

    limit: MoneyShape
    exposure: MoneyShape = Field(description="committed + receivable.")
    committed: MoneyShape = Field(description="Accepted orders not yet invoiced.")
    receivable: MoneyShape = Field(description="Open invoices less unapplied cash.")
    overdue: MoneyShape | None = Field(
        description="Open invoices past their day; null for who may not read receivables."
    )
    overdue_since: str | None = Field(description="The day on which the oldest of them fell due.")
    available: MoneyShape = Field(description="limit - exposure; negative when over it.")
    this_order: MoneyShape = Field(description="What this order counts for: its total less what is invoiced of it.")
    counted: MoneyShape = Field(description="What of it is in committed already.")
    exposure_after: MoneyShape = Field(description="The exposure once this order counts.")
    available_after: MoneyShape = Field(description="limit - exposure_after.")
    share_percent: str | None = Field(description="This order's part of exposure_after.", examples=["38.7"])


class LinePricesShape(BaseModel):
    """What a line was sold at, what it was held against when it was captured, and what applies today."""

    line_id: str
    sku: str
    unit_price: str
    captured: str | None = Field(description="Agreement or list price of the moment the line was captured.")
    list_price: str | None = Field(description="Today's.")
    agreed_price: str | None = Field(description="Of the agreement in force today.")
    deviation_percent: str | None = Field(description="From `captured`.")
    margin_percent: str | None = Field(description="Over the standard cost; null for who sees no margin.")


class CombinedOrderShape(BaseModel):
    """An order that counts together with this one."""

    number: str
    total: MoneyShape


class DecisionFactsShape(BaseModel):
    """The facts that a decision rests on, as they are now; null is what the caller may not see or nobody could say."""

    away: list[str] = Field(description="Services that did not answer: inventory, billing. Their part is missing.")
    facts_changed: str = Field(
        description="What rules said when they were asked again and facts had changed; else empty."
    )
    price_changes: list[str] = Field(
        description="Lines whose captured price stands while another applies today, in words."
    )
    availability: list[LineAvailabilityShape] | None
    credit: CreditCheckShape | None
    prices: list[LinePricesShape] | None
    margin_percent: str | None
    combined: list[CombinedOrderShape] | None = Field(
        description="The customer's other orders within the policy's window."
    )
    same_po_number: list[str] = Field(description="The customer's other orders under this purchase order number.")


def facts_shape(
    facts: DecisionFacts, said: NeighborFacts, sight: Sight, combined: Combined | None = None
) -> DecisionFactsShape:
    """Everything that this caller may see."""
    knows_stock = sight.stock and "inventory" not in said.away
    return DecisionFactsShape(
        away=list(said.away),
        facts_changed=facts.changed,
        price_changes=[line.sentence for line in facts.changed_prices] if sight.money else [],
        availability=[_availability(line) for line in said.availability] if knows_stock else None,
        credit=_credit(said.credit, sees_overdue=sight.overdue) if said.credit else None,
        prices=[_prices(line, sees_margin=sight.margin) for line in facts.prices] if sight.money else None,
        margin_percent=str(facts.margin.percent) if sight.margin and facts.margin.percent is not None else None,
        combined=_combined(combined) if combined and sight.money else None,
        same_po_number=list(facts.same_po),
    )


def _availability(line: LineAvailability) -> LineAvailabilityShape:
    inbound = [
        InboundSupplyShape(expected_on=one.expected_on.isoformat(), quantity=one.quantity, reference=one.reference)
        for one in line.inbound
    ]
    plain = ("line_id", "sku", "to_ship", "held", "on_hand", "available", "short", "waiting", "inbound_quantity")
    return LineAvailabilityShape(inbound=inbound, **{name: getattr(line, name) for name in plain})


def _credit(credit: CreditCheck, *, sees_overdue: bool) -> CreditCheckShape:
    since = credit.overdue_since.isoformat() if credit.overdue_since and sees_overdue else None
    return CreditCheckShape(
        limit=MoneyShape.of(credit.limit),
        exposure=MoneyShape.of(credit.exposure),
        committed=MoneyShape.of(credit.committed),
        receivable=MoneyShape.of(credit.receivable),
        overdue=MoneyShape.of(credit.overdue) if sees_overdue else None,
        overdue_since=since,
        available=MoneyShape.of(credit.available),
        this_order=MoneyShape.of(credit.order_open),
        counted=MoneyShape.of(credit.counted),
        exposure_after=MoneyShape.of(credit.exposure_after),
        available_after=MoneyShape.of(credit.available_after),
        share_percent=str(credit.share_percent) if credit.share_percent is not None else None,
    )


def _prices(line: LinePrices, *, sees_margin: bool) -> LinePricesShape:
    deviation, margin = line.deviation_percent, line.margin_percent if sees_margin else None
    return LinePricesShape(
        line_id=line.line_id,
        sku=line.sku,
        unit_price=line.price.text,
        captured=line.captured.text if line.captured else None,
        list_price=line.listed.text if line.listed else None,
        agreed_price=line.agreed.text if line.agreed else None,
        deviation_percent=str(deviation) if deviation is not None else None,
        margin_percent=str(margin) if margin is not None else None,
    )


def _combined(combined: Combined) -> list[CombinedOrderShape]:
    return [CombinedOrderShape(number=row.number, total=MoneyShape.of(row.total)) for row in combined.rows]
