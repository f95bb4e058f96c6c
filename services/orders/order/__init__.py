"""The order aggregate, and the outbox rows that it owes others."""
