"""Returns: why goods come back, and the life of a return."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from services.kernel.errors import Refused
from services.kernel.money import Money
from services.orders.domain.replacements import Replacement, units_for

REQUESTED, AUTHORIZED, DENIED, CANCELLED, EXPIRED, CLOSED = (
    "requested", "authorized", "denied", "cancelled", "expired", "closed",
)  # fmt: skip
STATES = (REQUESTED, AUTHORIZED, DENIED, CANCELLED, EXPIRED, CLOSED)
OPEN = (REQUESTED, AUTHORIZED)
TRANSITIONS: Mapping[str, Mapping[str, str]] = {
    REQUESTED: {"authorize": AUTHORIZED, "deny": DENIED, "cancel": CANCELLED},
    AUTHORIZED: {"cancel": CANCELLED, "expire": EXPIRED, "close": CLOSED},
    DENIED: {},
    CANCELLED: {},
    EXPIRED: {},
    CLOSED: {},
}
"""State → what may happen to it → its next state; what is not here is refused."""
_PAST = {"authorize": "authorized", "deny": "denied", "cancel": "canceled", "expire": "expired", "close": "closed"}

OURS = ("damaged", "defective", "wrong_article", "not_as_described")
REASONS = ("changed_mind", "ordered_wrong", *OURS, "other")
"""Why a customer sends goods back; for those of OURS no fee is kept, whatever an inspection says."""
INTERCEPTED = "intercepted"
"""Why goods come back that their carrier has stopped on the way; no customer says so."""
CUSTOMER, SELLER = "customer", "seller"
KEEP, IN_ADVANCE = "keep", "in_advance"
"""Dispositions of units that are credited without goods: they never come, or come later and are not credited again."""

IN_TRANSIT = "in_transit"


@dataclass(frozen=True, slots=True)
class ReturnLine:
    """Units of an order line that are to come back, and how many have; of one shipment where that is named.

    They are replaced by `replace_quantity` units of `replace_sku`, at `replace_price` each where that is another SKU; without one they
    are credited.
    """

    line_id: str
    sku: str
    description: str
    quantity: int
    reason: str
    shipment_id: str = ""
    received: int = 0
    inspected: int = 0
    replace_sku: str = ""
    replace_quantity: int = 0
    replace_price: str = ""

    @property
    def is_documented(self) -> bool:
        """Whether another SKU replaces it: it is credited, and that one invoiced."""
        return bool(self.replace_sku) and self.replace_sku != self.sku


@dataclass(frozen=True, slots=True)
class InspectedUnits:
    """Units that came back and are alike."""

    line_id: str
    sku: str
    quantity: int
    grade: str
    disposition: str
    responsible: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a warehouse found, and once it is credited the credit notes, what they come to, and the fee that was kept of that.

    From `netted_at` on its credit pays what replaces its goods.
    """

    inspection_id: str
    warehouse_id: str
    units: tuple[InspectedUnits, ...]
    inspected_by: str
    inspected_at: datetime
    credited_at: datetime | None = None
    credit_notes: tuple[str, ...] = ()
    credited: Money | None = None
    fee: Money | None = None
    netted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FeeRule:
    """The restocking fee of units for which the customer answers: a percentage of what is credited before tax, or so much a unit."""

    percent: Decimal = Decimal(0)
    of_unit: Money | None = None


@dataclass(frozen=True, slots=True)
class Return:
    """A return of an order. `closing` is why no more goods are wanted, and `is_closed` says that the warehouse takes none.

    `arrived_in` is the warehouse in which its goods were before anybody had asked. `is_kept` says that the customer keeps what has not
    come; `keep_asked_by` is who wants that, while another person has yet to agree.
    `override_reason` is why it takes an article that is not returnable.
    What replaces its goods leaves when they are inspected, or at once where it `is_advance`.
    """

    return_id: str
    number: str
    order_id: str
    order_number: str
    state: str
    lines: tuple[ReturnLine, ...]
    reason: str
    requested_by: str
    requested_role: str
    requested_at: datetime
    currency: str
    fee: FeeRule = FeeRule()
    is_automatic: bool = False
    decided_by: str = ""
    decided_role: str = ""
    decided_at: datetime | None = None
    decision_note: str = ""
    valid_until: datetime | None = None
    is_announced: bool = False
    closing: str = ""
    is_closed: bool = False
    halted: str = ""
    ended_at: datetime | None = None
    arrived_in: str = ""
    received_by: str = ""
    parcel_number: str = ""
    keep_asked_by: str = ""
    is_kept: bool = False
    inspections: tuple[Inspection, ...] = field(default=())
    override_reason: str = ""
    label_sent_at: datetime | None = None
    in_transit_at: datetime | None = None
    carrier: str = ""
    tracking_number: str = ""
    is_advance: bool = False
    replacements: tuple[Replacement, ...] = field(default=())

    @property
    def is_open(self) -> bool:
        """Whether anything is still to happen."""
        return self.state in OPEN

    @property
    def is_intercepted(self) -> bool:
        """Whether its goods were stopped on their way: nobody sends them."""
        return any(line.reason == INTERCEPTED for line in self.lines)

    @property
    def is_to_be_sent(self) -> bool:
        """Whether its customer is still to send goods of it; those of a parcel that was stopped its carrier brings back."""
        is_awaited = self.state == AUTHORIZED and not (self.closing or self.is_closed or self.is_intercepted)
        return is_awaited and self.received < self.announced

    @property
    def announced(self) -> int:
        """Units that were announced."""
        return sum(line.quantity for line in self.lines)

    @property
    def received(self) -> int:
        """Units that have come."""
        return sum(line.received for line in self.lines)

    @property
    def inspected(self) -> int:
        """Units that were inspected."""
        return sum(line.inspected for line in self.lines)

    @property
    def credited(self) -> Money:
        """What its credit notes come to, fees not taken off."""
        return Money.total((one.credited for one in self.inspections if one.credited), self.currency)

    @property
    def fees(self) -> Money:
        """The fees that were kept."""
        return Money.total((one.fee for one in self.inspections if one.fee), self.currency)

    @property
    def stage(self) -> str:
        """One word for people: its state, and while goods come how far that is."""
        if self.state != AUTHORIZED:
            return self.state
        if not self.received:
            return IN_TRANSIT if self.in_transit_at else self.state
        if self.inspected == self.received and all(one.credited_at for one in self.inspections):
            return "part_credited"
        if self.inspected < self.received:
            return "received" if self.received == self.announced or self.is_closed else "part_received"
        return "inspected"

    @property
    def waits_for(self) -> str:
        """Whose turn it is: support, customer, carrier, warehouse, or nobody's."""
        if self.halted and self.is_open:
            return "support"
        if self.state == REQUESTED or (self.keep_asked_by and not self.closing):
            return "support"
        if self.state != AUTHORIZED:
            return ""
        if self.received > self.inspected:
            return "warehouse"
        if self.closing or self.is_closed or self.received >= self.announced:
            return ""
        if self.is_intercepted:
            return "carrier"
        return "warehouse" if self.in_transit_at and not self.received else "customer"

    def replaced(self, inspection: Inspection) -> dict[str, int]:
        """Line id → units that replace what an inspection found; all inspections together give what all that came earns."""
        earlier = self.inspections[: self.inspections.index(inspection)]
        found: dict[str, int] = {}
        for line in self.lines:
            before, now = (
                sum(units.quantity for one in those for units in one.units if units.line_id == line.line_id)
                for those in (earlier, (*earlier, inspection))
            )
            units = units_for(line.replace_quantity, line.quantity, now)
            units -= units_for(line.replace_quantity, line.quantity, before)
            if units:
                found[line.line_id] = units
        return found

    def charged(self, one: Replacement) -> dict[str, int]:
        """Line id of an order in advance → its units in place of goods that have not come; none of what all came for."""
        earned: Counter[str] = Counter()
        for inspection in self.inspections:
            earned.update(self.replaced(inspection))
        return {
            one.order_lines[line_id]: units - earned[line_id]
            for line_id, units in one.units.items()
            if units > earned[line_id]
        }

    def is_netted(self, inspection: Inspection) -> bool:
        """Whether no credit of an inspection is still to pay what another SKU costs that replaces its goods."""
        if inspection.netted_at:
            return True
        earned = self.replaced(inspection)
        looked = {units.line_id for units in inspection.units}
        return not any(
            line.is_documented and (line.line_id in earned or (self.is_advance and line.line_id in looked))
            for line in self.lines
        )

    @property
    def has_all(self) -> bool:
        """Whether no more goods come, and all that came are inspected and credited."""
        is_over = self.is_closed or self.received >= self.announced
        return is_over and self.inspected >= self.received and all(one.credited_at for one in self.inspections)

    def taken(self, line: ReturnLine) -> int:
        """Units of a line that no other return may have: that came or are kept, and no fewer than are credited."""
        gone = max(line.received + self.without_goods(line.line_id, KEEP), self.credited_early(line.line_id))
        if self.state in (DENIED, CANCELLED, EXPIRED):
            return gone
        return gone if self.state == CLOSED or self.is_closed else max(line.quantity, gone)

    def credited_early(self, line_id: str) -> int:
        """Units of a line for which nothing more is credited: the rest was in advance, after those inspected before; 0 without an advance."""
        units = early = 0
        for each in (each for one in self.inspections for each in one.units if each.line_id == line_id):
            units += each.quantity
            early = units if each.disposition == IN_ADVANCE else early
        return early

    def without_goods(self, line_id: str, disposition: str) -> int:
        """Units of a line that are credited in advance, or that the customer keeps."""
        return sum(
            units.quantity
            for one in self.inspections
            for units in one.units
            if (units.line_id, units.disposition) == (line_id, disposition)
        )


def move(found: Return, verb: str) -> str:
    """The state that follows. Refused RETURN_STATE for what may not happen to it."""
    following = TRANSITIONS[found.state].get(verb)
    if following is None:
        raise Refused("RETURN_STATE", f"{found.number} is {found.state} and cannot be {_PAST[verb]}: reload it")
    return following


def check_cancel(found: Return, *, is_customer: bool) -> None:
    """A return of which goods have come is not cancelled, nor by a customer one of a parcel that was stopped.

    Refused RETURN_RECEIVED, RETURN_CREDITED, RETURN_STATE or RETURN_INTERCEPTED.
    """
    move(found, "cancel")
    if is_customer and found.is_intercepted:
        raise Refused("RETURN_INTERCEPTED", f"goods of {found.number} were stopped on their way: ask us about them")
    if any(found.without_goods(line.line_id, IN_ADVANCE) for line in found.lines):
        raise Refused("RETURN_CREDITED", f"goods of {found.number} are credited in advance: they are awaited")
    if found.received:
        raise Refused(
            "RETURN_RECEIVED", f"{found.received} units of {found.number} have come: they are inspected first"
        )


def with_received(found: Return, received: Mapping[str, int]) -> Return:
    """The return as its warehouse counts it; counts only rise, and no further than what was announced."""
    lines = tuple(
        replace(line, received=max(line.received, min(received.get(line.line_id, 0), line.quantity)))
        for line in found.lines
    )
    return replace(found, lines=lines)


def with_inspection(found: Return, inspection: Inspection) -> Return:
    """The return after an inspection; one that is known changes nothing."""
    if any(one.inspection_id == inspection.inspection_id for one in found.inspections):
        return found
    units: dict[str, int] = {}
    for one in inspection.units:
        units[one.line_id] = units.get(one.line_id, 0) + one.quantity
    inspected = {line.line_id: min(line.inspected + units.get(line.line_id, 0), line.quantity) for line in found.lines}
    lines = tuple(replace(line, inspected=inspected[line.line_id]) for line in found.lines)
    return with_received(replace(found, lines=lines, inspections=(*found.inspections, inspection)), inspected)


def bears_fee(found: Return, units: InspectedUnits) -> bool:
    """Whether a fee is kept of these units: where the customer answers for it, and did not say that the fault is ours."""
    reason = next(line.reason for line in found.lines if line.line_id == units.line_id)
    return units.responsible == CUSTOMER and reason not in OURS


def returned_units(returns: Iterable[Return]) -> dict[str, int]:
    """Order line → units that have come back."""
    units: dict[str, int] = {}
    for one in returns:
        for line in one.lines:
            units[line.line_id] = units.get(line.line_id, 0) + line.received
    return units


def open_count(returns: Sequence[Return]) -> int:
    """Returns on which anything is still to happen."""
    return sum(one.is_open for one in returns)
