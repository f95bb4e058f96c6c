"""How an order becomes the shape that a caller may see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway.http.orders import redaction
from gateway.http.orders.cancellation_shapes import consequence_shape
from gateway.http.orders.change_shapes import change_shape
from gateway.http.orders.exchange_shapes import replaces_shape
from gateway.http.orders.order_shapes import (
    AxesShape,
    HoldShape,
    LinePromise,
    OrderCancellation,
    OrderDocument,
    OrderInvoice,
    OrderLine,
    OrderLinks,
    OrderPackage,
    OrderShipment,
    OrderShipmentLine,
    Quantities,
    SettlementShape,
    ViolationShape,
    WaitingForShape,
)
from gateway.http.orders.review_shapes import review_shapes
from gateway.http.plumbing.shapes import AddressShape, MoneyShape, TotalsShape, day_or_instant, rfc3339
from services.kernel.money import Money
from services.orders.access.matrix import Caller
from services.orders.domain.cancellation import Cancellation
from services.orders.domain.facts import Invoice, Shipment
from services.orders.domain.holds import Hold
from services.orders.domain.mails import Promise
from services.orders.domain.order import Line, Order, Settlement
from services.orders.domain.policies import BLOCK
from services.orders.domain.projection import LineQuantities
from services.orders.domain.status import Standing
from services.orders.domain.waiting import WaitingFor
from services.orders.order.aggregate import OrderPage


def links(order_id: str) -> OrderLinks:
    """Where an order is read and changed."""
    base = f"/v1/orders/{order_id}"
    return OrderLinks(
        order=base, history=f"{base}/history", stream=f"{base}/stream", cancellation=f"{base}/cancellation"
    )


def waiting_shape(waiting: WaitingFor | None) -> WaitingForShape | None:
    """Whom an order waits for, as the API shows it."""
    if waiting is None:
        return None
    due = day_or_instant(waiting.due) if waiting.due else None
    return WaitingForShape(who=waiting.who, what=waiting.what, since=rfc3339(waiting.since), due=due)


def axes_shape(standing: Standing) -> AxesShape:
    """The axes as the API shows them."""
    axes = standing.axes
    return AxesShape(
        review=axes.review,
        fulfilment=axes.fulfilment,
        billing=axes.billing,
        payment=axes.payment,
        holds=list(axes.holds),
        returns=axes.returns,
    )


def standing_for(standing: Standing, who: Caller) -> Standing:
    """Where an order stands, as this caller may see it."""
    return redaction.standing(standing) if redaction.is_redacted(who) else standing


def hold_shape(hold: Hold, who: Caller, currency: str) -> HoldShape:
    """A hold as the API shows it; a customer reads nothing of it but when it was placed and released.

    Who sees no money reads no amount up to which it was released.
    """
    shown = redaction.hold(hold) if redaction.is_redacted(who) else hold
    return HoldShape(
        hold_id=shown.hold_id,
        code=shown.code,
        hold_type=shown.hold_type,
        owner_role=shown.owner_role,
        reason=shown.reason,
        placed_at=rfc3339(shown.placed_at),
        released_at=rfc3339(shown.released_at) if shown.released_at else None,
        released_by=shown.released_by or None,
        up_to=Money(shown.up_to_minor, currency).text if shown.up_to_minor is not None and who.sees_money else None,
        until=shown.valid_until.isoformat() if shown.valid_until else None,
    )


def order_document(page: OrderPage, who: Caller) -> OrderDocument:
    """The whole order as this caller may see it: a customer is not told what we hold, check and note of it.

    Who sees no money (the warehouse, the plant) reads empty amounts and no invoices.
    """
    document = _document(page, who)
    return document if who.sees_money else _without_money(document)


def _without_money(document: OrderDocument) -> OrderDocument:
    none = MoneyShape(amount="", currency=document.currency)
    lines = [line.model_copy(update={"unit_price": "", "extended": none}) for line in document.lines]
    totals = TotalsShape(merchandise=none, discount=none, freight=none, tax=none, total=none)
    return document.model_copy(update={"totals": totals, "discount_minimum": None, "lines": lines, "invoices": []})


def _document(page: OrderPage, who: Caller) -> OrderDocument:
    order, standing = page.aggregate.order, standing_for(page.aggregate.standing, who)
    is_customer = redaction.is_redacted(who)
    reached = page.aggregate.lines()
    promises = _promises(page.aggregate.promises)
    progress = page.aggregate.progress
    return OrderDocument(
        **_header(order, who),
        note="" if is_customer and order.placed_by_role not in ("customer", "channel") else order.note,
        status=standing.status,
        axes=axes_shape(standing),
        waiting_for=waiting_shape(standing.waiting_for),
        lines=[_line(line, reached[line.line_id], promises.get(line.line_id, [])) for line in order.lines],
        holds=[hold_shape(hold, who, page.aggregate.order.currency) for hold in page.aggregate.holds],
        violations=[
            ViolationShape.model_validate(each, from_attributes=True)
            for each in page.violations
            if each.severity == BLOCK or not is_customer
        ],
        reviews=review_shapes(page.reviews, who),
        change=change_shape(page.aggregate.asked.change, who) if page.aggregate.asked.change else None,
        versions=order.version,
        cancellations=[_cancellation(each, who) for each in page.cancellations],
        shipments=[_shipment(each) for each in sorted(progress.shipments.values(), key=lambda each: each.number)],
        invoices=[_invoice(each) for each in sorted(progress.invoices.values(), key=lambda each: each.number)],
        returns=[one.number for one in page.returns],
        replaces=replaces_shape(page.replaces),
        event_sequence=page.event_sequence,
    )


def _promises(promises: Sequence[Promise]) -> dict[str, list[LinePromise]]:
    by_line: dict[str, list[LinePromise]] = {}
    for promise in promises:
        shown = LinePromise(quantity=promise.quantity, promised_on=promise.promised_on or None)
        by_line.setdefault(promise.line_id, []).append(shown)
    return by_line


def _cancellation(asked: Cancellation, who: Caller) -> OrderCancellation:
    """A request to cancel; a customer is not told what of its credit becomes free, nor why a fee is waived."""
    came = asked.consequence if who.sees_money else None
    if came is not None and redaction.is_redacted(who):
        came = redaction.consequence(came)
    return OrderCancellation(
        cancellation_id=asked.cancellation_id,
        state=asked.state,
        reason=asked.reason,
        requested_at=rfc3339(asked.requested_at),
        settled_at=rfc3339(asked.settled_at) if asked.settled_at else None,
        settled_reason=asked.settled_reason,
        consequences=consequence_shape(came) if came is not None else None,
    )


def _settlement(settlement: Settlement, who: Caller) -> SettlementShape:
    """What took the money; its fees are between it and us."""
    is_shown = who.sees_money and not redaction.is_redacted(who)
    fees = MoneyShape.of(settlement.fees) if settlement.fees is not None and is_shown else None
    return SettlementShape(reference=settlement.reference, tax_remitted=settlement.tax is not None, fees=fees)


def _header(order: Order, who: Caller) -> dict[str, Any]:
    return {
        "order_id": order.order_id,
        "number": order.number,
        "version": order.version,
        "phase": order.phase,
        "customer_id": order.customer_id,
        "customer_name": order.customer_name,
        "channel": order.channel,
        "channel_ref": order.channel_ref,
        "po_number": order.po_number,
        "currency": order.currency,
        "payment_method": order.payment_method,
        "net_days": order.net_days,
        "bill_to_id": order.bill_to_id,
        "settlement": _settlement(order.settlement, who) if order.settlement else None,
        "terms": order.payment_terms.text,
        "tax_on": order.taxation.tax_on.isoformat() if order.taxation.tax_on else None,
        "tax_exemption": order.taxation.exemption,
        "tax_source": order.taxation.source or "rates",
        "invoicing": order.invoicing,
        "ship_to": AddressShape.model_validate(order.ship_to, from_attributes=True),
        "requested_on": order.requested_on.isoformat() if order.requested_on else None,
        "cancel_after": order.cancel_after.isoformat() if order.cancel_after else None,
        "ship_complete": order.is_ship_complete,
        "placed_at": rfc3339(order.placed_at),
        "placed_by": order.placed_by,
        "on_behalf_of": order.on_behalf_of,
        "totals": TotalsShape.of(order.totals),
        "discount_minimum": MoneyShape.of(order.discount_minimum) if order.discount_minimum else None,
        "claws_back": order.claws_back,
        "links": links(order.order_id),
    }


def _line(line: Line, reached: LineQuantities, promises: Sequence[LinePromise]) -> OrderLine:
    return OrderLine(
        line_id=line.line_id,
        sku=line.sku,
        description=line.description,
        kind=line.kind,
        quantity=line.quantity,
        unit_price=line.unit_price.text,
        extended=MoneyShape.of(line.extended),
        price_source=line.price_source,
        tax_category=line.tax_category,
        tax_rate=f"{line.tax.rate:f}",
        quantities=Quantities.model_validate(reached, from_attributes=True),
        expected_on=(reached.expected_on or None) if reached.backordered else None,
        promises=list(promises),
    )


def _shipment(shipment: Shipment) -> OrderShipment:
    return OrderShipment(
        shipment_id=shipment.shipment_id,
        number=shipment.number,
        state=shipment.state,
        warehouse_id=shipment.warehouse_id or None,
        carrier=shipment.carrier or None,
        tracking_number=shipment.tracking_number or None,
        packages=[
            OrderPackage(
                number=number,
                sscc=package.sscc or None,
                tracking_number=package.tracking_number,
                weight_grams=package.weight_grams,
            )
            for number, package in enumerate(shipment.packages, start=1)
        ],
        promised_on=shipment.promised_on or None,
        is_service=shipment.is_service,
        shipped_at=rfc3339(shipment.shipped_at) if shipment.shipped_at else None,
        delivered_at=rfc3339(shipment.delivered_at) if shipment.delivered_at else None,
        exception_at=rfc3339(shipment.exception_at) if shipment.exception_at else None,
        intercepted_at=rfc3339(shipment.intercepted_at) if shipment.intercepted_at else None,
        lines=[
            OrderShipmentLine(line_id=line.line_id, sku=line.sku, quantity=line.quantity) for line in shipment.lines
        ],
    )


def _invoice(invoice: Invoice) -> OrderInvoice:
    return OrderInvoice(
        invoice_id=invoice.invoice_id,
        number=invoice.number,
        shipment_id=invoice.shipment_id,
        shipment_ids=list(invoice.bills),
        fee_id=invoice.fee_id,
        total=MoneyShape.of_minor(invoice.total_minor, invoice.currency),
        paid=MoneyShape.of_minor(invoice.paid_minor, invoice.currency),
        discount_taken=MoneyShape.of_minor(invoice.discount_taken_minor, invoice.currency),
        credited=MoneyShape.of_minor(invoice.credited_minor, invoice.currency),
        written_off=MoneyShape.of_minor(invoice.written_off_minor, invoice.currency),
        invoiced_on=invoice.invoiced_on,
        due_on=invoice.due_on or None,
        status=invoice.status,
    )
