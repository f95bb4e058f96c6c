"""Whose orders a caller may know of; every query passes through a Scope."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """Exactly one member is set: everything, one company, one sales representative's customers, or what one placed."""

    is_everything: bool = False
    company: str | None = None
    sales_rep: str | None = None
    placed_by: str | None = None


EVERYTHING = Scope(is_everything=True)
