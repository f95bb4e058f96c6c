"""Policies: their versions, the rule engine, the dry run of a new one, and the evaluation of an order."""
