"""Limits of people in the currency of what they decide on, by the latest rate up to the business day."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from services.orders.domain.cases import Decider
from services.orders.domain.exchange import NO_RATES, Rates
from services.orders.domain.people import Delegation, Person
from services.orders.store import exchange
from services.runtime import sessions


def in_currencies(
    session: Session, persons: Mapping[str, Sequence[Person]], currencies: Collection[str], now: datetime
) -> dict[str, dict[str, tuple[Person, ...]]]:
    """Currency → company → its people, whose limits say what they reach to in it.

    Without a rate a limit in another currency reaches to nothing. Rates are read once, and only where somebody has limits and none in
    one of the currencies.
    """
    everybody = [person for found in persons.values() for person in found]
    foreign = {one for one in currencies if any(person.limits and one not in person.limits for person in everybody)}
    rates = _rates(session, foreign, now) if foreign else NO_RATES
    return {
        currency: {
            company: tuple(_person(person, currency, rates) for person in found) for company, found in persons.items()
        }
        for currency in currencies
    }


def decider_in(session: Session, decider: Decider, currency: str, now: datetime) -> Decider:
    """The decider, and who handed decisions over, with their limits and maxima in this currency."""
    persons = (*([decider.person] if decider.person else []), *decider.delegators.values())
    is_foreign = any(one.max_minor is not None and one.currency != currency for one in decider.delegated)
    if not is_foreign and not any(person.limits and currency not in person.limits for person in persons):
        return decider
    rates = _rates(session, [currency], now)
    return replace(
        decider,
        person=_person(decider.person, currency, rates) if decider.person else None,
        delegators={sub: _person(giver, currency, rates) for sub, giver in decider.delegators.items()},
        delegated=tuple(_delegation(one, currency, rates) for one in decider.delegated),
    )


def _rates(session: Session, currencies: Collection[str], now: datetime) -> Rates:
    return exchange.rates_of(session, currencies, sessions.business_day(session, now))


def _person(person: Person, currency: str, rates: Rates) -> Person:
    if not person.limits or currency in person.limits:
        return person
    return replace(person, limits={**person.limits, currency: rates.limit_in(person.limits, currency)})


def _delegation(one: Delegation, currency: str, rates: Rates) -> Delegation:
    if one.max_minor is None or one.currency == currency or rates.factor(one.currency, currency) is None:
        return one
    return replace(one, max_minor=rates.limit_in({one.currency: one.max_minor}, currency), currency=currency)
