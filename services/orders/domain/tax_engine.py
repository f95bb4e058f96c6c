"""The port to an external tax engine: what it is asked, what it answers, and how an order keeps that."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Protocol

from services.kernel.money import Money, tax_on
from services.kernel.tax import UNTAXED, UNTAXED_FREIGHT, TaxKind
from services.orders.domain.order import Address, Line, Order, totals
from services.orders.domain.tax_parts import ENGINE, PENDING, Taxation, TaxedLine, tax_parts
from services.orders.domain.taxation import TaxDetermination

_RATE_DIGITS = Decimal("1e-10")


class EngineAway(Exception):  # not an error of ours: nobody knows the tax yet
    """No answer that can be used: the message says why, without what was asked. Asking again later may help."""


class EngineRefused(Exception):  # an answer
    """The engine does not tax what it is asked as it is. The message is for people; `is_address` when the address is why."""

    def __init__(self, message: str, *, is_address: bool = False) -> None:
        super().__init__(message)
        self.is_address = is_address


@dataclass(frozen=True, slots=True)
class QueriedLine:
    """A line as the engine is asked about it: its price less its share of the order's discount."""

    line_id: str
    sku: str
    quantity: int
    net: Money
    category: str


@dataclass(frozen=True, slots=True)
class TaxQuery:
    """What the engine is asked: lines that go to a place, on the day whose rates count; `freight` is None where that is known.

    `exemption` is the certificate under which the customer is not taxed, `tax_id` what it is registered as.
    """

    customer_id: str
    currency: str
    on: date
    place: Address
    lines: tuple[QueriedLine, ...]
    freight: Money | None = None
    exemption: str = ""
    tax_id: str = ""


@dataclass(frozen=True, slots=True)
class EngineTax:
    """The tax of a line, and the rate that the engine names for it."""

    tax: Money
    rate: Decimal


@dataclass(frozen=True, slots=True)
class TaxAnswer:
    """The tax of each line of a query by its id, and of its freight."""

    lines: Mapping[str, EngineTax]
    freight: EngineTax | None = None


class TaxEngine(Protocol):
    """Says what tax is. Asking changes nothing there, so that asking again is safe."""

    def ask(self, query: TaxQuery) -> TaxAnswer:
        """The tax of every line that is asked for; EngineAway or EngineRefused."""


@dataclass(frozen=True, slots=True)
class Quote:
    """What came of asking: an answer, or the problem that kept it. Without a query nothing had to be asked.

    It `is_own` where there is no engine, and our own rates count; it `is_refused` where asking the same again does not help.
    """

    query: TaxQuery | None = None
    answer: TaxAnswer | None = None
    problem: str = ""
    is_refused: bool = False
    is_address: bool = False
    is_own: bool = False

    def answers(self, query: TaxQuery) -> TaxAnswer | None:
        """The answer, if it is one to this query: what is asked may have changed since."""
        return self.answer if self.query == query else None

    def why_not(self, query: TaxQuery) -> str:
        """Why there is no answer to a query, and what to do."""
        if self.query != query:
            return "the order changed while the tax engine was asked: try again"
        if not self.is_refused:
            return f"the tax engine {self.problem}: try again in a few minutes"
        todo = "correct the address" if self.is_address else "ask an administrator to compare its settings with ours"
        return f"the tax engine refuses ({self.problem}): {todo}"


NOTHING_ASKED = Quote()
OWN = Quote(is_own=True)


class TaxDesk(Protocol):
    """Asks the engine, where there is one."""

    @property
    def is_open(self) -> bool:
        """Whether there is an engine."""

    def quote(self, query: TaxQuery, *, is_retry: bool = False) -> Quote:
        """What the engine says, within its time. One that was away a moment ago is left alone but for a retry."""


class OwnRates:
    """No engine: our own rates count."""

    @property
    def is_open(self) -> bool:
        """No."""
        return False

    def quote(self, query: TaxQuery, *, is_retry: bool = False) -> Quote:  # noqa: ARG002  # nobody is asked
        """Nobody is asked."""
        return OWN


@dataclass(frozen=True, slots=True)
class EngineTaxes:
    """How what a change adds or sends elsewhere is taxed as the engine says: line id → kind, and the rest of the order."""

    kinds: Mapping[str, TaxKind]
    taxation: Taxation

    def kind_of(self, line: Line) -> TaxKind:
        """How a line is taxed: as the engine says, if it was asked about it."""
        return self.kinds.get(line.line_id, line.tax)

    def differs(self, line: Line) -> bool:
        """Whether the rest of a line that has left in part would be taxed otherwise: it is not asked about, so that nobody knows."""
        return self.kinds.get(line.line_id) != line.tax

    def taxation_after(self, before: Taxation, *, has_moved: bool, is_billed: bool) -> Taxation:  # noqa: ARG002  # the port asks for all
        """How the order is taxed beside its lines; once something is invoiced only freight that there was none of changes it."""
        return before if is_billed and self.taxation.freight == before.freight else self.taxation


@dataclass(frozen=True, slots=True)
class UnknownTaxes:
    """Nobody has said yet how new lines are taxed: they have no tax, and the order is not let go."""

    def kind_of(self, line: Line) -> TaxKind:  # noqa: ARG002  # all are alike
        """No tax yet."""
        return UNTAXED

    def differs(self, line: Line) -> bool:  # noqa: ARG002  # the port asks for all
        """Not that anybody knows."""
        return False

    def taxation_after(self, before: Taxation, *, has_moved: bool, is_billed: bool) -> Taxation:  # noqa: ARG002  # the port asks for all
        """As it was."""
        return before


def undetermined(order: Order) -> Order:
    """An order whose tax nobody knows yet: it has none, and waits."""
    lines = tuple(replace(line, tax=UNTAXED) for line in order.lines)
    taxation = replace(order.taxation, freight=UNTAXED_FREIGHT, is_per_line=True, source=PENDING)
    sums = totals(lines, order.totals.discount, order.totals.freight, taxation)
    return replace(order, lines=lines, taxation=taxation, totals=sums)


def query_of(order: Order, on: date, line_ids: Collection[str] | None = None, *, asks_freight: bool = True) -> TaxQuery:
    """What to ask about an order, or about some of its lines."""
    nets = _nets(order)
    lines = tuple(
        QueriedLine(line.line_id, line.sku, line.quantity, nets[line.line_id], line.tax_category)
        for line in order.lines
        if line.quantity and (line_ids is None or line.line_id in line_ids)
    )
    freight = order.totals.freight if asks_freight and order.totals.freight.minor else None
    exemption, tax_id = order.taxation.exemption, order.customer_tax_id
    return TaxQuery(order.customer_id, order.currency, on, order.ship_to, lines, freight, exemption, tax_id)


def _nets(order: Order) -> dict[str, Money]:
    """Line id → its price less its share of the discount, as its own tax part has it."""
    taxation = Taxation(is_per_line=True)
    lines = [TaxedLine(line.line_id, line.quantity, line.extended, UNTAXED) for line in order.lines if line.quantity]
    parts = tax_parts(lines, order.totals.discount, Money.zero(order.currency), taxation)
    return {line.line_id: part.net for line, part in zip(lines, parts, strict=True)}


def determined(order: Order, query: TaxQuery, answer: TaxAnswer, own: TaxDetermination) -> Order:
    """An order of which all was asked, taxed to the engine's cents; what the engine does not tax is told as our own rules tell it."""
    kinds = kinds_of(order, query, answer, own)
    lines = tuple(replace(line, tax=kinds.get(line.line_id, UNTAXED)) for line in order.lines)
    taxation = engine_taxation(order.taxation, query, answer)
    sums = totals(lines, order.totals.discount, order.totals.freight, taxation)
    return replace(order, lines=lines, taxation=taxation, totals=sums)


def taxed_by(order: Order, own: TaxDetermination) -> Order:
    """An order that waited for an engine which is no more: our own rates tax it."""
    lines = tuple(replace(line, tax=own.kind_of(line)) for line in order.lines)
    sums = totals(lines, order.totals.discount, order.totals.freight, own.taxation)
    return replace(order, lines=lines, taxation=own.taxation, totals=sums)


def kinds_of(order: Order, query: TaxQuery, answer: TaxAnswer, own: TaxDetermination) -> dict[str, TaxKind]:
    """Line id → how a line is taxed that was asked about."""
    by_id = {line.line_id: line for line in order.lines}
    return {
        asked.line_id: kind_at(asked.net, answer.lines[asked.line_id], own.kind_of(by_id[asked.line_id]))
        for asked in query.lines
    }


def engine_taxation(before: Taxation, query: TaxQuery, answer: TaxAnswer) -> Taxation:
    """How the order is taxed beside its lines; freight that was not asked for stays as it was."""
    freight = before.freight
    if query.freight is not None and answer.freight is not None:
        freight = kind_at(query.freight, answer.freight, UNTAXED_FREIGHT)
    return replace(before, freight=freight, is_per_line=True, tax_on=query.on, exemption=query.exemption, source=ENGINE)


def kind_at(net: Money, found: EngineTax, own: TaxKind) -> TaxKind:
    """The rate at which the engine's tax comes out to the cent on what it was asked about: its own, where that does.

    Where it taxes a part alone, or rounds each authority's share, it is the one that the tax comes to. What it does not tax keeps the
    reason that our `own` rules have for it: a certificate, a supply abroad.
    """
    if not found.tax.minor:
        return UNTAXED if own.rate else own
    if 0 < found.rate <= 1 and tax_on(net, found.rate) == found.tax:
        return TaxKind.at(found.rate)
    return TaxKind.at((Decimal(found.tax.minor) / net.minor).quantize(_RATE_DIGITS))
