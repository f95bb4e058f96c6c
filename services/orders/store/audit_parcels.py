"""The invariants of parcels that no return announces."""

from __future__ import annotations

from services.runtime.audit import Invariant

INVARIANTS = (
    Invariant(
        "orders.parcels_become_returns",
        "What is matched of a parcel is in the returns that were made of it.",
        "SELECT p.number || ': ' || p.units || ' matched, ' || COALESCE(r.units, 0) || ' in returns' AS offender FROM ("
        "SELECT p.number, SUM(l.matched) AS units FROM parcel p JOIN parcel_line l ON l.parcel_id = p.parcel_id "
        "GROUP BY p.number) p LEFT JOIN (SELECT r.parcel_number, SUM(l.quantity) AS units FROM sales_return r "
        "JOIN sales_return_line l ON l.return_id = r.return_id WHERE r.parcel_number <> '' GROUP BY r.parcel_number) r "
        "ON r.parcel_number = p.number WHERE p.units <> COALESCE(r.units, 0)",
    ),
    Invariant(
        "orders.parcels_wait_for_something",
        "A parcel waits while something is left of it, and is matched when nothing is.",
        "SELECT p.number || ' is ' || p.state AS offender FROM parcel p JOIN parcel_line l ON l.parcel_id = p.parcel_id "
        "WHERE p.state IN ('waiting', 'matched') GROUP BY p.number, p.state "
        "HAVING (p.state = 'waiting') <> (SUM(l.quantity - l.matched) > 0)",
    ),
)
