"""A warehouse that answers a recall with neither yes nor no: whom its silence goes to, and when."""

from __future__ import annotations

from datetime import datetime, timedelta

WAREHOUSE, REMINDER, SUPPORT = "warehouse", "reminder", "support"
STEPS = (WAREHOUSE, REMINDER, SUPPORT)
"""Whom each time without an answer goes to: the warehouse's manager, who is reminded, and then support."""


def next_step(steps_done: int) -> str:
    """What follows when the time to answer passes once more; empty when all has been done."""
    return STEPS[steps_done] if steps_done < len(STEPS) else ""


def due_at(asked_at: datetime, span: timedelta, steps_done: int) -> datetime | None:
    """When the next of the steps is due; None without a span, and after the last."""
    return asked_at + span * (steps_done + 1) if span and next_step(steps_done) else None


def is_with_support(steps_done: int) -> bool:
    """Whether support has been asked to find out."""
    return SUPPORT in STEPS[:steps_done]
