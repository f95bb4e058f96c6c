"""Who acts on what waits: its owner role, and that role's fallback where the owner resolves to nobody."""

from __future__ import annotations

from collections.abc import Sequence

from services.orders.domain.people import Person
from services.orders.domain.reviews import BUYER, Step
from services.runtime.roles import fallback

SALES = "sales_rep"
SPOKEN_BY = "support"
"""The role that takes a customer's word for a buyer's step when the customer has nobody in the directory who could."""


def owner_of(role: str, sales_rep: str) -> str:
    """The role that something new waits for: the fallback of sales for a customer whom nobody sells to."""
    return fallback(role) if role == SALES and not sales_rep else role


def fallbacks(role: str) -> tuple[str, ...]:
    """The roles that act for one which resolves to nobody, the nearest first."""
    following = fallback(role)
    return (following, *fallbacks(following)) if following else ()


def is_somebody(role: str, staff: Sequence[Person], sales_rep: str) -> bool:
    """Whether a role resolves to somebody; `staff` are our active people, `sales_rep` who sells to the customer.

    A company whose directory has none of its own people knows them by their tokens alone: then every role is somebody.
    """
    if role == SALES and not sales_rep:
        return False
    return not staff or any(role in person.roles and (role != SALES or person.sub == sales_rep) for person in staff)


def acting_roles(role: str, staff: Sequence[Person], sales_rep: str) -> tuple[str, ...]:
    """The roles that may act on what waits for one: itself, and its fallbacks up to the first that is somebody."""
    if is_somebody(role, staff, sales_rep) or not fallback(role):
        return (role,)
    return (role, *acting_roles(fallback(role), staff, sales_rep))


def substitutes(step: Step, everybody: Sequence[Person], company: str) -> tuple[Person, ...]:
    """Who may take a step that asks nobody any more: others with its authority, or the people of a fallback role.

    `everybody` are active people of ours and of the customer, without those who are barred.
    """
    if step.chain == BUYER:
        buyers = tuple(one for one in everybody if one.company == company and "customer" in one.roles)
        return buyers or tuple(one for one in everybody if not one.company and SPOKEN_BY in one.roles)
    ours = [one for one in everybody if not one.company]
    for role in (step.taken_by, *fallbacks(step.taken_by)):
        found = tuple(one for one in ours if role in one.roles and role != SALES)
        if found:
            return found
    return ()
