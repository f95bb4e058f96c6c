"""How much one document holds: the same wherever it is placed, changed, reserved, picked, shipped, invoiced or shown."""

MAX_LINES = 2_000
"""Lines of an order, of a change to it, of a shipment and of an invoice."""
