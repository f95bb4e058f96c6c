"""What predicates may look at: variable → its members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.kernel.clock import business_day
from services.kernel.money import Money, share
from services.orders.domain.margins import Margin, margin_of
from services.orders.domain.masterdata import Product
from services.orders.domain.order import Line, Order
from services.orders.domain.pricing import agreement_in_force, basis_points

if TYPE_CHECKING:
    from services.orders.policies.engine import Evidence

_BASIS_POINTS = 10_000


def header_context(evidence: Evidence) -> dict[str, Any]:
    """What every predicate may look at: variable → its members."""
    order, customer, credit, amounts = evidence.order, evidence.customer, evidence.credit, evidence.amounts
    return {
        "order": _order_context(evidence),
        "customer": {
            "customer_id": customer.customer_id,
            "is_active": customer.is_active,
            "tier": customer.tier,
            "currency": customer.currency,
            "duplicate_po": customer.duplicate_po,
            "has_allow_list": bool(customer.allowed_ship_tos),
            "order_count": evidence.history.order_count,
        },
        "credit": {
            "is_granted": credit.is_granted,
            "exposure_minor": amounts.minor(credit.exposure_minor),
            "limit_minor": amounts.minor(credit.limit_minor),
            "headroom_minor": amounts.minor(credit.limit_minor - credit.exposure_minor),
            "card": credit.card,
        },
        "duplicates": {"po_count": len(evidence.duplicates), "po_orders": list(evidence.duplicates)},
        "lines": [
            {"line_id": line.line_id, "sku": line.sku, "kind": line.kind, "quantity": line.quantity}
            for line in order.lines
        ],
    }


def _order_context(evidence: Evidence) -> dict[str, Any]:
    order = evidence.order
    ship_to, totals, amounts = order.ship_to, order.totals, evidence.amounts
    margin, cumulative = margin_of(order, evidence.products), totals.total.minor + evidence.history.window_minor
    plain = ("number", "channel", "channel_ref", "po_number", "currency", "payment_method", "is_ship_complete")
    minor = {
        f"{name}_minor": amounts.minor(getattr(totals, name).minor)
        for name in ("merchandise", "discount", "freight", "tax", "total")
    }
    return {
        **{name: getattr(order, name) for name in plain},
        **minor,
        "total": amounts.major(totals.total.minor),
        "cumulative_minor": amounts.minor(cumulative),
        "cumulative": amounts.major(cumulative),
        "cost_minor": amounts.minor(margin.cost.minor),
        "has_cost": margin.cost.minor > 0,
        "margin_bp": margin_bp(order, margin),
        "discount_bp": basis_points(totals.discount.minor, totals.merchandise.minor),
        "line_count": len(order.lines),
        "unit_count": sum(line.quantity for line in order.lines),
        "entered_by_role": order.placed_by_role,
        "has_goods": order.has_goods,
        "has_requested_date": order.requested_on is not None,
        "requested_in_days": (order.requested_on - evidence.today).days if order.requested_on else 0,
        "ship_to": {"country": ship_to.country, "region": ship_to.region, "postal_code": ship_to.postal_code},
        "ship_to_missing": list(ship_to.missing()),
        "is_ship_to_allowed": evidence.customer.may_receive_at(ship_to.country, ship_to.region, ship_to.postal_code),
    }


def margin_bp(order: Order, margin: Margin) -> int:
    """Of the lines whose cost is known, less their share of the discount; rounded down."""
    zero, merchandise = Money.zero(order.currency), order.totals.merchandise.minor
    net = margin.sold - share(order.totals.discount, margin.sold.minor, merchandise, before=0, given=zero)
    return (net - margin.cost).minor * _BASIS_POINTS // net.minor if net.minor else 0


def line_context(line: Line, evidence: Evidence) -> dict[str, Any]:
    """What a predicate of lines may look at beside that."""
    product, amounts = evidence.products.get(line.sku), evidence.amounts
    agreed = agreement_in_force(
        evidence.agreements.get(line.sku, ()),
        evidence.order.currency,
        business_day(evidence.order.placed_at, evidence.time_zone),
        line.quantity,
    )
    reference = line.reference_price
    return {
        "line": {
            "line_id": line.line_id,
            "sku": line.sku,
            "kind": line.kind,
            "quantity": line.quantity,
            "sku_quantity": evidence.sku_quantities.get(line.sku, line.quantity),
            "unit_price": amounts.price(line.unit_price),
            "extended_minor": amounts.minor(line.extended.minor),
            "price_source": line.price_source,
            "has_price": line.price_source != "none",
            "has_reference_price": reference is not None,
            "reference_price": amounts.price(reference) if reference else 0.0,
            "price_deviation_bp": _deviation(line),
            "is_multiple_free": line.sku in evidence.customer.free_multiple_skus,
            "usual_quantity": evidence.history.usual_quantities.get(line.sku, 0),
        },
        "product": _product_context(product),
        "agreement": {"exists": agreed is not None, "price": amounts.price(agreed.price) if agreed else 0.0},
    }


def _deviation(line: Line) -> int:
    """How far the price is from what it was held against, in basis points; any price is all of one that was free."""
    reference = line.reference_price
    if reference is None:
        return 0
    if not reference.amount:
        return _BASIS_POINTS if line.unit_price.amount else 0
    return basis_points(abs(line.unit_price.amount - reference.amount), reference.amount)


def _product_context(product: Product | None) -> dict[str, Any]:
    return {
        "is_known": product is not None,
        "is_sellable": product.is_sellable if product else False,
        "kind": product.kind if product else "",
        "multiple": product.multiple if product else 1,
        "min_quantity": product.min_quantity if product else 1,
    }
