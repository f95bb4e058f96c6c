"""Sales orders: customers, catalog, price agreements, orders with their holds, events and projection, and policies.

Owns what was ordered, at which prices and terms, who decided what about it and why, and the word that says where it stands.
Its invariants: one client request is one order; a phase changes only through TRANSITIONS; the event log of an order has no
gaps; total = lines + tax + freight - discount; the cached status words are what the facts derive to; an order that has ended
has no open hold. It refuses an illegal transition, a stale version, and a decision by the wrong person.
"""
