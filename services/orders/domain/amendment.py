"""Amending an order: the version that a request makes of it, and everything that stands against it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Protocol

from services.kernel.bounds import MAX_LINES
from services.kernel.errors import Refused
from services.kernel.money import Money, extend
from services.kernel.tax import TaxKind
from services.orders.domain.billed import awaits_last_invoice, billed, billed_parts, charges_after
from services.orders.domain.changes import ChangeRequest, LineChange
from services.orders.domain.last_day import unsound_last_day
from services.orders.domain.masterdata import PriceAgreement, Product
from services.orders.domain.order import Address, Line, Order, PlaceLine, highest_line_id, totals
from services.orders.domain.pricing import Reference, price_line, reference_price
from services.orders.domain.projection import LineProgress, Progress, quantities
from services.orders.domain.tax_parts import ENGINE, Taxation
from services.orders.domain.unshipped import gone_units

_MEANWHILE = "a part was invoiced meanwhile, which changes the total: ask for it again"
UNTOUCHED = Progress()
"""Of an order that nobody has begun to ship."""


class LineTaxes(Protocol):
    """How what a change adds or sends elsewhere is taxed."""

    def kind_of(self, line: Line) -> TaxKind:
        """How a line is taxed."""

    def differs(self, line: Line) -> bool:
        """Whether a line would be taxed otherwise than it is."""

    def taxation_after(self, before: Taxation, *, has_moved: bool, is_billed: bool) -> Taxation:
        """How the order is taxed beside its lines."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """What new lines are made of: SKU → product, SKU → what the customer agreed to pay, and how they are taxed where the order goes.

    Without a determination all of an order has one rate: a channel has taxed it.
    """

    products: Mapping[str, Product]
    agreements: Mapping[str, tuple[PriceAgreement, ...]]
    taxes: LineTaxes | None = None


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a change cannot be made; `line_id` when it is about a line."""

    code: str
    sentence: str
    line_id: str = ""


@dataclass(frozen=True, slots=True)
class Amendment:
    """The next version; `replaced` is line that goes → line that takes its place. With obstacles it only shows the idea."""

    order: Order
    replaced: Mapping[str, str]
    obstacles: tuple[Obstacle, ...]


def amend(
    order: Order,
    request: ChangeRequest,
    catalog: Catalog,
    used_line_ids: Collection[str],
    today: date,
    progress: Progress = UNTOUCHED,
) -> Amendment:
    """The order as the request makes it, at the next version.

    A line that nothing touches stays as it is, price and all; one whose quantity changes keeps its price, unless it is today's and
    another quantity break applies; more units are held against today's price, so that rules see how far the agreed one is from it.
    A new line is priced as a placed one and gets an id that none of `used_line_ids` has had. Where nothing is left to invoice,
    discount and freight are what was billed of them. A line of which units were cancelled stays to tell so. New lines are taxed where
    the order goes, at the rates of its day; all that has not left is taxed anew when it goes elsewhere.
    """
    wanted = {asked.line_id: asked for asked in request.lines if asked.line_id}
    maker = _LineMaker(
        catalog, order.currency, today, 1 + highest_line_id((*used_line_ids, *(line.line_id for line in order.lines)))
    )
    lines: list[Line] = []
    replaced: dict[str, str] = {}
    for line in order.lines:
        is_firm = firm_units(progress.lines.get(line.line_id, LineProgress())) > 0
        changed = _changed(line, wanted.get(line.line_id), maker, is_firm=is_firm)
        if line.cancelled and (changed is None or changed.line_id != line.line_id):
            lines.append(replace(line, quantity=0, extended=Money.zero(order.currency)))
        if changed is not None:
            lines.append(changed)
            if changed.line_id != line.line_id:
                replaced[line.line_id] = changed.line_id
    lines += [maker.line(one, one.quantity) for one in request.lines if not one.line_id and one.sku and one.quantity]
    terms = retaxed(order, _terms(order, request, tuple(lines)), catalog.taxes, progress)
    amended, too_large = _sums(terms, request, progress)
    found = (
        *_unsound(order, request),
        *(Obstacle(*one) for one in unsound_last_day(order, amended, today)),
        *_unsound_lines(order, amended),
        *_unpriced(order, amended, wanted),
        *_taxed_apart(order, amended, catalog.taxes, progress),
        *too_large,
    )
    return Amendment(amended, replaced, found)


@dataclass(slots=True)
class _LineMaker:
    """Makes new lines, each with the next free id."""

    catalog: Catalog
    currency: str
    today: date
    next_id: int

    def line(self, asked: LineChange, quantity: int) -> Line:
        line_id, self.next_id = str(self.next_id), self.next_id + 1
        placed = PlaceLine(asked.sku, quantity, asked.unit_price)
        product = self.catalog.products.get(asked.sku)
        return price_line(line_id, placed, product, self._today(asked.sku, quantity), self.currency)

    def at_quantity(self, line: Line, quantity: int, *, is_firm: bool) -> Line:
        """The line in another quantity, at the price it has; at another one only if a quantity break moves today's price.

        More units are held against today's price, which may be none: what was agreed was agreed for fewer.
        """
        was, now = self._today(line.sku, line.quantity), self._today(line.sku, quantity)
        is_more, has_moved = quantity > line.quantity, not is_firm and now is not None and now != was
        changed = replace(line, quantity=quantity)
        if is_more or (has_moved and was is not None and line.reference_price == was.price):
            changed = replace(changed, reference_price=now.price if now else None)
        is_at_todays = was is not None and line.price_source in ("agreement", "list") and line.unit_price == was.price
        if now is None or not has_moved or not is_at_todays:
            return changed
        return replace(changed, unit_price=now.price, price_source=now.source)

    def _today(self, sku: str, quantity: int) -> Reference | None:
        agreed = self.catalog.agreements.get(sku, ())
        return reference_price(self.catalog.products.get(sku), agreed, self.currency, self.today, quantity)


def _changed(line: Line, asked: LineChange | None, maker: _LineMaker, *, is_firm: bool) -> Line | None:
    """The line afterwards; None when it goes, another line when it is substituted. What left keeps the line's price."""
    if asked is None:
        return line
    if asked.quantity == 0:
        return None
    quantity = line.quantity if asked.quantity is None else asked.quantity
    if asked.sku and asked.sku != line.sku:
        return maker.line(asked, quantity)
    line = maker.at_quantity(line, quantity, is_firm=is_firm) if quantity != line.quantity else line
    is_repriced = asked.unit_price is not None and asked.unit_price != line.unit_price
    price = asked.unit_price if asked.unit_price is not None else line.unit_price
    source = "given" if is_repriced else line.price_source
    return replace(line, unit_price=price, extended=extend(price, quantity), price_source=source)


def _terms(order: Order, request: ChangeRequest, lines: tuple[Line, ...]) -> Order:
    return replace(
        order,
        version=order.version + 1,
        lines=lines,
        ship_to=order.ship_to if request.ship_to is None else request.ship_to,
        requested_on=order.requested_on if request.requested_on is None else request.requested_on,
        cancel_after=order.cancel_after if request.cancel_after is None else request.cancel_after,
        is_ship_complete=(order.is_ship_complete if request.is_ship_complete is None else request.is_ship_complete),
    )


def _sums(order: Order, request: ChangeRequest, progress: Progress) -> tuple[Order, tuple[Obstacle, ...]]:
    discount = order.totals.discount if request.discount is None else request.discount
    freight = order.totals.freight if request.freight is None else request.freight
    found: list[Obstacle] = []
    try:
        sums = partial(totals, order.lines, taxation=order.taxation, billed=billed_parts(order, progress))
        sums(discount, freight)
        charges = _charges(order, discount, freight, progress)
        if (request.discount or charges[0], request.freight or charges[1]) != charges:
            found.append(Obstacle("AMOUNTS_FIXED", "everything is invoiced already, so discount and freight stay"))
        return replace(order, totals=sums(*charges)), tuple(found)
    except Refused as refusal:
        return order, (Obstacle(refusal.reason, refusal.message),)


def _charges(order: Order, discount: Money, freight: Money, progress: Progress) -> tuple[Money, Money]:
    merchandise = Money.total((line.extended for line in order.lines), order.currency)
    return charges_after(merchandise, discount, freight, quantities(order, progress), billed(progress, order.currency))


def _unsound(order: Order, request: ChangeRequest) -> Iterator[Obstacle]:
    """What is wrong with the request itself."""
    known = {line.line_id for line in order.lines}
    named = Counter(asked.line_id for asked in request.lines if asked.line_id)
    for line_id, times in named.items():
        if line_id not in known:
            yield Obstacle("LINE_UNKNOWN", f"the order has no line {line_id}: reload it", line_id)
        if times > 1:
            yield Obstacle("LINE_NAMED_TWICE", f"line {line_id} is named twice: say once what it becomes", line_id)
    cancelled = {line.line_id for line in order.lines if not line.quantity}
    for asked in request.lines:
        if asked.line_id in cancelled and asked.quantity is None and (asked.sku or asked.unit_price is not None):
            sentence = f"line {asked.line_id} is canceled: add a line for what is wanted instead"
            yield Obstacle("LINE_CANCELLED", sentence, asked.line_id)
        if not asked.line_id and not (asked.sku and asked.quantity):
            yield Obstacle("LINE_INCOMPLETE", "a new line needs a SKU and a quantity of at least 1")
        if asked.line_id and asked.quantity == 0 and (asked.sku or asked.unit_price is not None):
            sentence = f"line {asked.line_id} is removed and changed at once: ask for one of them"
            yield Obstacle("LINE_CONTRADICTORY", sentence, asked.line_id)


def _unsound_lines(before: Order, after: Order) -> Iterator[Obstacle]:
    """What is wrong with the lines that it would make."""
    known = {line.line_id for line in before.lines}
    if not any(line.quantity for line in after.lines):
        yield Obstacle("NO_LINE_LEFT", "nothing of the order would be left: cancel it instead")
    if len(after.lines) > MAX_LINES:
        yield Obstacle("TOO_MANY_LINES", f"an order has at most {MAX_LINES} lines: place another one")
    for line in after.lines:
        if line.line_id in known:
            continue
        if not line.is_known:
            yield Obstacle("SKU_UNKNOWN", f"{line.sku} is not in the catalog: check the SKU", line.line_id)
        elif line.price_source == "none":
            sentence = f"neither an agreement nor the catalog has a price of {line.sku}: our sales must give one"
            yield Obstacle("PRICE_MISSING", sentence, line.line_id)


def _unpriced(before: Order, after: Order, wanted: Mapping[str, LineChange]) -> Iterator[Obstacle]:
    """Lines of which there are to be more although nothing says what one costs today, and nobody names a price."""
    units = {line.line_id: line.quantity for line in before.lines}
    for line in after.lines:
        is_named = line.line_id in wanted and wanted[line.line_id].unit_price is not None
        if line.quantity > units.get(line.line_id, line.quantity) and line.reference_price is None and not is_named:
            sentence = f"neither an agreement nor the catalog has a price of {line.sku} for more units: our sales must give one"
            yield Obstacle("PRICE_MISSING", sentence, line.line_id)


def below_minimum(before: Order, after: Order, progress: Progress) -> Iterator[Obstacle]:
    """What has been done already and cannot be taken back: picked, packed or shipped units, and what was released."""
    becomes = {line.line_id: line for line in after.lines}
    for line in before.lines:
        done = progress.lines.get(line.line_id, LineProgress())
        if firm_units(done):
            yield from _below_minimum_of_line(
                line, becomes.get(line.line_id), firm_units(done), picked_units(before, done)
            )
    is_released = any(line.released or picked_units(before, line) for line in progress.lines.values())
    if progress.bills and after.taxation != before.taxation:
        yield Obstacle(
            "TAX_FIXED", "a part was invoiced meanwhile, so how its freight is taxed stays: ask for the change again"
        )
    if after.ship_to != before.ship_to and _is_address_fixed(after, progress):
        sentence = "the order is with the warehouse already, so its address stays: ask support to redirect the parcel"
        yield Obstacle("ADDRESS_FIXED", sentence)
    if after.is_ship_complete and not before.is_ship_complete and is_released:
        yield Obstacle("SPLIT_FIXED", "a part is with the warehouse already, so the order cannot wait to ship complete")
    yield from _invoiced_meanwhile(after, progress)


def _is_address_fixed(after: Order, progress: Progress) -> bool:
    """Whether a warehouse has units that it has not shipped, or none are left to ship: what is still to come may go elsewhere."""
    lines = [(line.quantity, progress.lines.get(line.line_id, LineProgress())) for line in after.lines]
    is_at_warehouse = any(
        max(line.released, picked_units(after, line)) > line.shipped for line in progress.lines.values()
    )
    return is_at_warehouse or all(line.shipped >= wanted for wanted, line in lines)


def _below_minimum_of_line(line: Line, becomes: Line | None, at_least: int, picked: int) -> Iterator[Obstacle]:
    if at_least > picked and (becomes is None or becomes.quantity < at_least):
        keep = f"keep at least {at_least}, or cancel the order before it ships, which credits its invoice"
        sentence = f"line {line.line_id} ({line.sku}): {at_least} units are invoiced, so {keep}"
        yield Obstacle("BELOW_INVOICED", sentence, line.line_id)
        return
    what = "invoiced" if at_least > picked else "picked or shipped"
    where = f"line {line.line_id} ({line.sku}): {at_least} units are {what}"
    if becomes is None:
        yield Obstacle("LINE_PICKED", f"{where}, so it keeps its SKU and at least {at_least}", line.line_id)
        return
    if becomes.quantity < at_least:
        yield Obstacle("BELOW_PICKED", f"{where}, so keep at least {at_least}", line.line_id)
    if becomes.unit_price != line.unit_price:
        yield Obstacle("PRICE_FIXED", f"{where}, so its price stays: add a line for more", line.line_id)
    if becomes.tax != line.tax:
        yield Obstacle("TAX_FIXED", f"{where}, so its tax stays: ask for the change again", line.line_id)


def _invoiced_meanwhile(after: Order, progress: Progress) -> Iterator[Obstacle]:
    """Invoices share discount and freight over what ships: nothing moves while the last one is on its way or has just come."""
    sums = after.totals
    if awaits_last_invoice(after, progress):
        yield Obstacle("INVOICE_PENDING", "what has shipped is being invoiced: try again in a moment")
        return
    try:
        charges = _charges(after, sums.discount, sums.freight, progress)
    except Refused as refusal:
        yield Obstacle(refusal.reason, refusal.message)
        return
    if charges != (sums.discount, sums.freight):
        yield Obstacle("INVOICED_MEANWHILE", _MEANWHILE)


def invoiced_unheard(progress: Progress, invoiced: Mapping[str, int]) -> Iterator[Obstacle]:
    """What billing has `invoiced`, line id → units, beyond what was heard of: the change was agreed without it."""
    if any(units > progress.lines.get(line_id, LineProgress()).invoiced for line_id, units in invoiced.items()):
        yield Obstacle("INVOICED_MEANWHILE", _MEANWHILE)


def retaxed(before: Order, after: Order, taxes: LineTaxes | None, progress: Progress) -> Order:
    """The order with its new lines taxed, and when it goes elsewhere all that has not left. A corrected street changes no tax."""
    wanted = lines_to_tax(before, after, progress)

    def taxed(line: Line) -> Line:
        if line.line_id not in wanted:
            return line
        return replace(line, tax=TaxKind.at(before.tax_rate) if taxes is None else taxes.kind_of(line))

    has_moved, is_billed = not is_taxed_alike(before.ship_to, after.ship_to), bool(progress.bills)
    taxation = taxes.taxation_after(before.taxation, has_moved=has_moved, is_billed=is_billed) if taxes else None
    return replace(after, lines=tuple(taxed(line) for line in after.lines), taxation=taxation or before.taxation)


def lines_to_tax(before: Order, after: Order, progress: Progress) -> frozenset[str]:
    """Ids of the lines whose tax a change determines: new ones, what has not left and goes elsewhere, and what an engine was not asked
    about because nothing of it was wanted.
    """
    has_moved = not is_taxed_alike(before.ship_to, after.ship_to)
    known = {line.line_id: line for line in before.lines}

    def is_determined(line: Line) -> bool:
        if line.line_id not in known:
            return True
        if firm_units(progress.lines.get(line.line_id, LineProgress())):
            return False
        is_wanted_again = bool(line.quantity) and not known[line.line_id].quantity
        return has_moved or (is_wanted_again and before.taxation.source == ENGINE)

    return frozenset(line.line_id for line in after.lines if is_determined(line))


def asks_freight(before: Order, after: Order, progress: Progress) -> bool:
    """Whether an engine must say how the freight is taxed: it goes elsewhere, or there was none before."""
    is_new = bool(after.totals.freight.minor) and not before.totals.freight.minor
    return is_new or (not progress.bills and not is_taxed_alike(before.ship_to, after.ship_to))


def is_taxed_alike(one: Address, other: Address) -> bool:
    """Whether two addresses are one place for taxes: a corrected street changes none."""
    return (one.country, one.region, one.postal_code) == (other.country, other.region, other.postal_code)


def _taxed_apart(before: Order, after: Order, taxes: LineTaxes | None, progress: Progress) -> Iterator[Obstacle]:
    """Lines that have left in part, and whose rest would be taxed otherwise where it is to go: a line has one rate."""
    if taxes is None or is_taxed_alike(before.ship_to, after.ship_to):
        return
    for line in after.lines:
        left = firm_units(progress.lines.get(line.line_id, LineProgress()))
        if 0 < left < line.quantity and taxes.differs(line):
            yield Obstacle(
                "TAX_DIFFERS",
                f"{left} units of line {line.line_id} ({line.sku}) have left, and the rest would be taxed otherwise there: "
                "cancel the rest of it, and add it as a line of its own",
                line.line_id,
            )


def firm_units(line: LineProgress) -> int:
    """Units that no change takes back."""
    return max(line.picked, line.packed, line.shipped, line.invoiced)


def picked_units(order: Order, line: LineProgress) -> int:
    """Units that the warehouse has begun with, those that have left included."""
    return max(line.picked, line.packed, gone_units(order, line))


def needs_recall(before: Order, after: Order, progress: Progress) -> bool:
    """Whether the warehouse must give back units that were released to it."""
    becomes = {line.line_id: line.quantity for line in after.lines}
    return any(
        progress.lines.get(line.line_id, LineProgress()).released > becomes.get(line.line_id, 0)
        for line in before.lines
    )
