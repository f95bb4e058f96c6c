"""The invariants of inventory, and what other services' figures must agree with."""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlmodel import Session

from services.inventory.store import allocation_audit, audit_supply, bins, counts, quarantine
from services.kernel.money import Money
from services.runtime.audit import Invariant

GRACE = timedelta(minutes=15)
"""How long a queue may rest between two batches, and an order wait for news that another one is told."""

_ALWAYS = (
    Invariant(
        "inventory.allocated_within_on_hand",
        "allocated is never negative and never above on hand",
        """
        SELECT sku || ' in ' || warehouse_id || ': allocated ' || allocated || ', on hand ' || on_hand AS offender
        FROM stock WHERE allocated < 0 OR allocated > on_hand
        """,
    ),
    Invariant(
        "inventory.allocated_is_held",
        "allocated is the sum of what active reservations hold",
        """
        SELECT sku || ' in ' || warehouse_id || ': allocated ' || allocated || ', held ' || held AS offender
        FROM (SELECT s.sku, s.warehouse_id, s.allocated, COALESCE(h.held, 0) AS held
              FROM stock s LEFT JOIN (
                  SELECT a.warehouse_id, a.sku, SUM(a.held_quantity) AS held
                  FROM allocation a JOIN reservation r ON r.reservation_id = a.reservation_id AND r.state = 'active'
                  WHERE a.held_quantity > 0 GROUP BY a.warehouse_id, a.sku
              ) h ON h.warehouse_id = s.warehouse_id AND h.sku = s.sku) compared
        WHERE allocated <> held
        """,
    ),
    Invariant(
        "inventory.ended_reservations_hold_nothing",
        "a reservation that was shipped or released holds no stock",
        """
        SELECT 'order ' || r.order_id || ' holds ' || a.held_quantity || ' ' || a.sku || ' but is ' || r.state AS offender
        FROM allocation a JOIN reservation r ON r.reservation_id = a.reservation_id
        WHERE a.held_quantity > 0 AND r.state <> 'active'
        """,
    ),
    Invariant(
        "inventory.on_hand_is_moved",
        "on hand is the sum of all movements",
        """
        SELECT sku || ' in ' || warehouse_id || ': on hand ' || on_hand || ', moved ' || moved AS offender
        FROM (SELECT s.sku, s.warehouse_id, s.on_hand, COALESCE(m.moved, 0) AS moved
              FROM stock s LEFT JOIN (
                  SELECT warehouse_id, sku, SUM(quantity) AS moved FROM movement GROUP BY warehouse_id, sku
              ) m ON m.warehouse_id = s.warehouse_id AND m.sku = s.sku) compared
        WHERE on_hand <> moved
        """,
    ),
    Invariant(
        "inventory.on_hand_is_in_layers",
        "on hand is what is left of the cost layers",
        """
        SELECT sku || ' in ' || warehouse_id || ': on hand ' || on_hand || ', in layers ' || layered AS offender
        FROM (SELECT s.sku, s.warehouse_id, s.on_hand, COALESCE(l.layered, 0) AS layered
              FROM stock s LEFT JOIN (
                  SELECT warehouse_id, sku, SUM(remaining_quantity) AS layered
                  FROM cost_layer WHERE remaining_quantity > 0 GROUP BY warehouse_id, sku
              ) l ON l.warehouse_id = s.warehouse_id AND l.sku = s.sku) compared
        WHERE on_hand <> layered
        """,
    ),
    Invariant(
        "inventory.value_is_moved",
        "what is left of the cost layers is worth the sum of all movements, to the minor unit",
        """
        SELECT m.warehouse_id || ': moved ' || m.moved || ' ' || m.currency || ', in layers ' || COALESCE(l.worth, 0) AS offender
        FROM (SELECT warehouse_id, currency, SUM(value_minor) AS moved FROM movement GROUP BY warehouse_id, currency) m
        LEFT JOIN (SELECT warehouse_id, currency, SUM(remaining_value_minor) AS worth
                   FROM cost_layer GROUP BY warehouse_id, currency) l
            ON l.warehouse_id = m.warehouse_id AND l.currency = m.currency
        WHERE m.moved <> COALESCE(l.worth, 0)
        """,
    ),
    Invariant(
        "inventory.shipped_is_issued",
        "what left for an order is what its reservations say was shipped",
        """
        SELECT 'order ' || order_id || ': ' || SUM(issued) || ' issued, ' || SUM(shipped) || ' shipped of ' || sku AS offender
        FROM (SELECT order_id, sku, -quantity AS issued, 0 AS shipped FROM movement WHERE kind IN ('issued', 'reversed')
              UNION ALL
              SELECT r.order_id, a.sku, 0, a.shipped_quantity
              FROM allocation a JOIN reservation r ON r.reservation_id = a.reservation_id) moved
        GROUP BY order_id, sku HAVING SUM(issued) <> SUM(shipped)
        """,
    ),
    Invariant(
        "inventory.reversed_issues_are_back",
        "a shipment that never left has taken nothing off stock but what is back, at the same cost",
        """
        SELECT shipment_id || ': ' || SUM(units) || ' units and ' || SUM(minor) || ' are not back' AS offender
        FROM (SELECT m.shipment_id, m.quantity AS units, m.value_minor AS minor
              FROM movement m JOIN issue_reversal r ON r.shipment_id = m.shipment_id
              UNION ALL SELECT reference, quantity, value_minor FROM movement WHERE kind = 'reversed') moved
        GROUP BY shipment_id HAVING SUM(units) <> 0 OR SUM(minor) <> 0
        """,
    ),
    Invariant(
        "inventory.returned_was_issued",
        "what came back of an order had left for it, in units and in value",
        """
        SELECT 'order ' || b.order_id || ': ' || b.units || ' of ' || b.sku || ' came back, ' || COALESCE(i.units, 0) || ' left' AS offender
        FROM (SELECT order_id, sku, currency, SUM(quantity) AS units, SUM(value_minor) AS worth
              FROM returned_stock WHERE order_id <> '' GROUP BY order_id, sku, currency) b
        LEFT JOIN (SELECT order_id, sku, currency, -SUM(quantity) AS units, -SUM(value_minor) AS worth
                   FROM movement WHERE kind IN ('issued', 'reversed') GROUP BY order_id, sku, currency) i
            ON i.order_id = b.order_id AND i.sku = b.sku AND i.currency = b.currency
        WHERE b.units > COALESCE(i.units, 0) OR b.worth > COALESCE(i.worth, 0)
        """,
    ),
    Invariant(
        "inventory.restocked_is_moved",
        "what came back into stock is a movement of as many units at the same value",
        """
        SELECT b.return_id || ': ' || b.sku AS offender
        FROM returned_stock b LEFT JOIN movement m ON m.movement_id = b.movement_id
        WHERE (b.disposition = 'restock') <> (m.movement_id IS NOT NULL)
           OR (m.movement_id IS NOT NULL AND (m.quantity <> b.quantity OR m.value_minor <> b.value_minor))
        """,
    ),
    Invariant(
        "inventory.backorder_quantities_positive",
        "a backorder counts units that wait, were filled or were cancelled, never fewer than none",
        """
        SELECT backorder_id || ' of order ' || order_id AS offender FROM backorder
        WHERE waiting_quantity < 0 OR filled_quantity < 0 OR cancelled_quantity < 0
           OR waiting_quantity + filled_quantity + cancelled_quantity = 0
        """,
    ),
    Invariant(
        "inventory.waiting_belongs_to_active",
        "every waiting backorder belongs to an active reservation",
        """
        SELECT b.backorder_id || ' of order ' || b.order_id AS offender
        FROM backorder b JOIN reservation r ON r.reservation_id = b.reservation_id
        WHERE b.waiting_quantity > 0 AND r.state <> 'active'
        """,
    ),
    Invariant(
        "inventory.outages_close",
        "a warehouse is closed while its outage lasts",
        """
        SELECT w.warehouse_id || ' is open in its outage ' || o.outage_id AS offender
        FROM warehouse_outage o JOIN warehouse w ON w.warehouse_id = o.warehouse_id
        WHERE o.ended_at IS NULL AND w.is_active
        """,
    ),
    Invariant(
        "inventory.outages_are_left",
        "every order that holds units in a warehouse with an outage was asked to have them sourced again",
        """
        SELECT DISTINCT 'order ' || r.order_id || ' holds ' || a.sku || ' in ' || a.warehouse_id AS offender
        FROM warehouse_outage o
        JOIN allocation a ON a.warehouse_id = o.warehouse_id AND a.held_quantity > 0
        JOIN reservation r ON r.reservation_id = a.reservation_id
        WHERE o.ended_at IS NULL AND NOT EXISTS (
            SELECT 1 FROM sourcing_request q
            WHERE q.order_id = r.order_id AND q.warehouse_id = o.warehouse_id AND q.asked_at >= o.began_at)
        """,
    ),
)

_IN_TIME = (
    Invariant(
        "inventory.nobody_waits_beside_stock",
        "no stock lies free in an open warehouse that could fill a waiting backorder, but for what the next batch soon gives; a line that ships "
        "complete asks for all of its units, one that waits for a person for none",
        """
        SELECT DISTINCT (s.on_hand - s.allocated) || ' ' || s.sku || ' free in ' || s.warehouse_id || ', order ' || b.order_id
               || ' waits for ' || b.waiting_quantity AS offender
        FROM backorder b
        JOIN reservation_candidate c ON c.reservation_id = b.reservation_id
        JOIN warehouse w ON w.warehouse_id = c.warehouse_id
        JOIN stock s ON s.warehouse_id = c.warehouse_id AND s.sku = b.sku
        WHERE b.waiting_quantity > 0 AND s.on_hand > s.allocated AND w.is_active AND NOT b.is_manual
          AND REPLACE(c.barred, '\n' || b.sku || '\n', '') = c.barred
          AND (b.delivery <> 'line_complete' OR b.waiting_quantity <= (
              SELECT SUM(t.on_hand - t.allocated) FROM stock t
              JOIN reservation_candidate d ON d.warehouse_id = t.warehouse_id AND d.reservation_id = b.reservation_id
              JOIN warehouse v ON v.warehouse_id = t.warehouse_id AND v.is_active
              WHERE t.sku = b.sku AND REPLACE(d.barred, '\n' || b.sku || '\n', '') = d.barred))
          AND NOT EXISTS (SELECT 1 FROM unfilled u WHERE u.sku = b.sku AND u.left_at >= :overdue)
        """,
    ),
    Invariant(
        "inventory.orders_hear_of_other_days",
        "every order whose expected days were moved is told within the grace of a batch",
        """
        SELECT 'order ' || order_id || ' has not heard of its other days' AS offender
        FROM unnotified WHERE left_at < :overdue
        """,
    ),
    Invariant(
        "inventory.orders_hear_of_sourcing",
        "every order that is to be sourced again is told within the grace of a batch",
        """
        SELECT 'order ' || order_id || ' has not heard: ' || why AS offender
        FROM sourcing_request WHERE notified_at IS NULL AND asked_at < :overdue
        """,
    ),
)


def invariants(now: datetime) -> tuple[Invariant, ...]:
    """Every rule of inventory, as it stands at an instant."""
    overdue = {"overdue": now - GRACE}
    timed = (*_IN_TIME, *allocation_audit.IN_TIME, *counts.IN_TIME)
    always = (
        *_ALWAYS, *quarantine.INVARIANTS, *allocation_audit.ALWAYS, *audit_supply.INVARIANTS, *counts.INVARIANTS, *bins.INVARIANTS,
    )  # fmt: skip
    return (*always, *(replace(one, instants=overdue) for one in timed))


_STOCK_VALUE = text(
    "SELECT currency, SUM(remaining_value_minor) AS worth FROM cost_layer GROUP BY currency ORDER BY currency"
)
_HOLDING = text("SELECT order_id FROM reservation WHERE state = 'active' ORDER BY order_id")


def stock_value(session: Session) -> list[Money]:
    """What all stock is worth by its layers, one a currency."""
    return [Money(int(row.worth), row.currency) for row in session.execute(_STOCK_VALUE)]


def holding_order_ids(session: Session) -> list[str]:
    """Orders that hold stock or wait for it."""
    return list(session.execute(_HOLDING).scalars())
