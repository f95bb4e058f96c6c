"""Payment terms: when an invoice falls due, in one part or several, and the discount for paying early."""

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise

from services.kernel.errors import InvalidArgument
from services.kernel.money import Money, share

NET, END_OF_MONTH, DELIVERY, INSTALLMENTS = "net", "eom", "delivery", "installments"
MAX_DAYS = 365
MAX_INSTALLMENTS = 24
NOT_DUE = date.max
"""The due date of what waits for its goods to be delivered: beyond every other one."""
HOW = 'write terms as "net 30", "eom 15", "delivery 10" or "50%@30 50%@60", with "2/10 " before them for 2 % within 10 days'

Move = Callable[[date], date]
"""A calendar: the day itself when it is a business day, else the next one that is."""

_PERCENT = r"([0-9]{1,3}(?:\.[0-9]{1,2})?)"
_DISCOUNT = re.compile(rf"{_PERCENT}/([0-9]{{1,3}}) (.+)")
_PLAIN = re.compile(r"(net|eom|delivery) ([0-9]{1,4})")
_PART = re.compile(rf"{_PERCENT}%@([0-9]{{1,3}})")
_WHOLE = Decimal(100)


@dataclass(frozen=True, slots=True)
class Discount:
    """`percent` of the invoice's total when it is paid within `days` of the invoice date."""

    percent: Decimal
    days: int

    def of(self, total: Money) -> Money:
        """What it comes to, half up."""
        exact = Decimal(total.minor) * self.percent / _WHOLE
        return Money(int(exact.quantize(Decimal(1), ROUND_HALF_UP)), total.currency)

    @property
    def text(self) -> str:
        """Such as "2/10"."""
        return f"{_plain(self.percent)}/{self.days}"


@dataclass(frozen=True, slots=True)
class Part:
    """A percentage of an invoice that falls due so many days after the invoice date."""

    percent: Decimal
    days: int


@dataclass(frozen=True, slots=True)
class Installment:
    """An amount and the day on which it falls due; NOT_DUE while its goods are on the way."""

    due_on: date
    amount: Money


@dataclass(frozen=True, slots=True)
class Terms:
    """When an invoice falls due: `days` after its date (net), the end of its month (eom) or the delivery; or in `parts`."""

    kind: str
    days: int = 0
    parts: tuple[Part, ...] = ()
    discount: Discount | None = None

    @classmethod
    def net(cls, days: int) -> "Terms":
        """Net N."""
        return cls(NET, days)

    @classmethod
    def parse(cls, text: str) -> "Terms":
        """Read "2/10 net 30" and the like; InvalidArgument TERMS_INVALID says what is wrong and how to write it."""
        plain = " ".join(text.casefold().split())
        early = _DISCOUNT.fullmatch(plain)
        rest = early.group(3) if early else plain
        discount = Discount(Decimal(early.group(1)), int(early.group(2))) if early else None
        if one := _PLAIN.fullmatch(rest):
            return _checked(cls(one.group(1), int(one.group(2)), (), discount), text)
        found = [_PART.fullmatch(word) for word in rest.replace(",", " ").split()]
        parts = tuple(Part(Decimal(part.group(1)), int(part.group(2))) for part in found if part)
        if not parts or len(parts) != len(found):
            raise _invalid(text, HOW)
        return _checked(cls(INSTALLMENTS, parts[-1].days, parts, discount), text)

    @property
    def text(self) -> str:
        """The one way it is written: what parse() reads."""
        parts = " ".join(f"{_plain(part.percent)}%@{part.days}" for part in self.parts)
        rest = parts or f"{self.kind} {self.days}"
        return f"{self.discount.text} {rest}" if self.discount else rest

    @property
    def words(self) -> str:
        """As people read it: "2 % within 10 days, net 30 days"."""
        early = f"{_plain(self.discount.percent)} % within {_days(self.discount.days)}, " if self.discount else ""
        return early + self._rest_in_words()

    def _rest_in_words(self) -> str:
        match self.kind:
            case "eom":
                return f"end of month + {_days(self.days)}" if self.days else "end of month"
            case "delivery":
                return f"{_days(self.days)} after delivery" if self.days else "due on delivery"
            case "installments":
                return ", ".join(
                    f"{_plain(part.percent)} % {f'after {_days(part.days)}' if part.days else 'at once'}"
                    for part in self.parts
                )
        return f"net {_days(self.days)}"

    def installments(
        self, total: Money, invoiced_on: date, move: Move, delivered_on: date | None = None
    ) -> tuple[Installment, ...]:
        """What falls due when, in order of the days; the amounts sum to the total and none is zero beside others."""
        if self.kind != INSTALLMENTS:
            return (Installment(self._due_on(invoiced_on, move, delivered_on), total),)
        rows, given, before = [], Money.zero(total.currency), 0
        for part in self.parts:
            basis_points = int(part.percent * 100)
            amount = share(total, basis_points, 10_000, before=before, given=given)
            rows.append(Installment(move(invoiced_on + timedelta(days=part.days)), amount))
            given, before = given + amount, before + basis_points
        return tuple(row for row in rows if row.amount.minor) or (rows[-1],)

    def _due_on(self, invoiced_on: date, move: Move, delivered_on: date | None) -> date:
        start = {END_OF_MONTH: end_of_month(invoiced_on), DELIVERY: delivered_on}.get(self.kind, invoiced_on)
        return move(max(start + timedelta(days=self.days), invoiced_on)) if start else NOT_DUE


def end_of_month(day: date) -> date:
    """The last day of its month."""
    return day.replace(day=monthrange(day.year, day.month)[1])


def _checked(terms: Terms, text: str) -> Terms:
    """The terms themselves, when each number is one that terms may have."""
    if max(terms.days, *(part.days for part in terms.parts), 0) > MAX_DAYS:
        raise _invalid(text, f"days are from 0 to {MAX_DAYS}")
    if terms.parts:
        _check_parts(terms, text)
    early = terms.discount
    if early and not 0 < early.percent < _WHOLE:
        raise _invalid(text, "the discount is more than 0 % and less than 100 %")
    if early and early.days > (terms.days if terms.kind in {NET, INSTALLMENTS} else MAX_DAYS):
        raise _invalid(text, "the discount ends no later than the invoice falls due")
    return terms


def _check_parts(terms: Terms, text: str) -> None:
    days = [part.days for part in terms.parts]
    if not 2 <= len(days) <= MAX_INSTALLMENTS:
        raise _invalid(text, f"there are from 2 to {MAX_INSTALLMENTS} installments")
    if any(one >= other for one, other in pairwise(days)):
        raise _invalid(text, "each installment falls due later than the one before it")
    if any(not part.percent for part in terms.parts) or sum(part.percent for part in terms.parts) != _WHOLE:
        raise _invalid(text, "the installments come to 100 %, none of them to 0 %")


def _invalid(text: str, why: str) -> InvalidArgument:
    return InvalidArgument("TERMS_INVALID", f"payment terms {text[:60]!r}: {why}")


def _plain(percent: Decimal) -> str:
    """Without needless zeros: "2", "2.5"."""
    whole, point, fraction = f"{percent:f}".partition(".")
    whole, fraction = whole.lstrip("0") or "0", fraction.rstrip("0")
    return f"{whole}{point}{fraction}" if fraction else whole


def _days(count: int) -> str:
    return f"{count} day" if count == 1 else f"{count} days"
