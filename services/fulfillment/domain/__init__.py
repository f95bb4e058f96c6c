"""Decisions of fulfillment as pure functions: rates, calendar, shipments, releases, carrier events, facts."""
