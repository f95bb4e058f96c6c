"""A shipment's life: its states, the only verbs that move it, and what each verb demands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from services.fulfillment.domain import packages as packing
from services.fulfillment.domain.address import Address
from services.fulfillment.domain.interception import INTERCEPTED, Interception
from services.fulfillment.domain.packages import Package
from services.fulfillment.domain.rates import Load
from services.kernel.errors import InvalidArgument, Refused
from services.kernel.ids import shipment_number
from services.kernel.money import Money


class State(StrEnum):
    """Where a shipment stands."""

    RELEASED = "released"
    PICKED = "picked"
    PACKED = "packed"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


class Verb(StrEnum):
    """What can be done to a shipment."""

    PICK = "pick"
    PACK = "pack"
    SHIP = "ship"
    DELIVER = "deliver"
    CANCEL = "cancel"
    REVERSE = "reverse"


TRANSITIONS: Mapping[State, Mapping[Verb, State]] = {
    State.RELEASED: {Verb.PICK: State.PICKED, Verb.CANCEL: State.CANCELLED},
    State.PICKED: {Verb.PACK: State.PACKED, Verb.CANCEL: State.CANCELLED},
    State.PACKED: {Verb.SHIP: State.SHIPPED, Verb.CANCEL: State.CANCELLED},
    State.SHIPPED: {Verb.DELIVER: State.DELIVERED, Verb.REVERSE: State.CANCELLED},
    State.DELIVERED: {},
    State.CANCELLED: {},
}
"""Goods: state → verb → next state; a verb that is not listed is refused."""

SERVICE_TRANSITIONS: Mapping[State, Mapping[Verb, State]] = {
    State.RELEASED: {Verb.SHIP: State.SHIPPED, Verb.CANCEL: State.CANCELLED},
    State.SHIPPED: {Verb.DELIVER: State.DELIVERED},
    State.DELIVERED: {},
    State.CANCELLED: {},
}
"""A service visit has no shelf and no box: it is performed, which ships and delivers it at once."""

LEFT = frozenset({State.SHIPPED, State.DELIVERED})
"""States of shipments that have left the building."""

_PAST = {
    Verb.PICK: "picked",
    Verb.PACK: "packed",
    Verb.SHIP: "shipped",
    Verb.DELIVER: "delivered",
    Verb.CANCEL: "cancelled",
    Verb.REVERSE: "reversed",
}


@dataclass(frozen=True, slots=True)
class ShipmentLine:
    """Units of an order line in a shipment; `picked_quantity` of them are off the shelf."""

    line_id: str
    sku: str
    description: str
    quantity: int
    unit_weight_grams: int
    picked_quantity: int = 0


@dataclass(frozen=True, slots=True)
class Reversal:
    """A ship confirm that was a mistake: when it was said to have left, when, by whom and why that was reversed, and what has its goods."""

    shipped_at: datetime
    reversed_at: datetime
    reversed_by: str
    reason: str
    replaced_by: str


@dataclass(frozen=True, slots=True)
class Shipment:
    """What one warehouse sends to one address at once, or one service visit (`warehouse_id` empty).

    `recall_id` names the recall that waits for the warehouse's answer and asks units of it back. `exception_at` is when the carrier
    last told of a problem on the way, until it is delivered. `replaces` is the number of the shipment whose goods it has since the
    ship confirm of that was reversed. `tracking_number` is that of the first of its packages.
    """

    shipment_id: str
    serial: int
    order_id: str
    order_number: str
    warehouse_id: str
    ship_to: Address
    lines: tuple[ShipmentLine, ...]
    promised_on: date | None
    released_at: datetime
    state: State = State.RELEASED
    carrier: str = ""
    tracking_number: str = ""
    freight_cost: Money | None = None
    picker: str = ""
    picked_at: datetime | None = None
    packed_at: datetime | None = None
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None
    cancelled_at: datetime | None = None
    recall_id: str = ""
    exception_at: datetime | None = None
    reversal: Reversal | None = None
    replaces: str = ""
    interception: Interception | None = None
    packages: tuple[Package, ...] = ()

    @property
    def is_intercepted(self) -> bool:
        """Whether its carrier has stopped it on the way and brings it back."""
        return self.interception is not None and self.interception.state == INTERCEPTED

    @property
    def number(self) -> str:
        """The number on the label, e.g. "SH-1001"."""
        return shipment_number(self.serial)

    @property
    def is_service(self) -> bool:
        """Whether it is a visit instead of goods."""
        return not self.warehouse_id

    @property
    def load(self) -> Load:
        """What the carrier weighs and the warehouse handles."""
        weighed = sum(package.weight_grams for package in self.packages)
        weight = weighed or sum(line.quantity * line.unit_weight_grams for line in self.lines)
        return Load(weight, sum(line.quantity for line in self.lines))


@dataclass(frozen=True, slots=True)
class Counted:
    """What a picker reports of a line; `sku` may be empty."""

    line_id: str
    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Consignment:
    """The carrier's side of a shipment: who carries it, in which packages under which numbers, for how much."""

    carrier: str
    packages: tuple[Package, ...]
    freight_cost: Money


def moved(shipment: Shipment, verb: Verb) -> State:
    """The state after the verb. Refuses ILLEGAL_TRANSITION and names the state and what is possible in it."""
    table = SERVICE_TRANSITIONS if shipment.is_service else TRANSITIONS
    allowed = table.get(shipment.state, {})
    if verb in allowed:
        return allowed[verb]
    possible = " or ".join(f"be {_PAST[next_verb]}" for next_verb in allowed)
    kind = "service visit" if shipment.is_service else "shipment"
    raise Refused(
        "ILLEGAL_TRANSITION",
        f"{kind} {shipment.number} is {shipment.state} and cannot be {_PAST[verb]}; "
        + (f"it can {possible}" if possible else "nothing more can be done with it"),
        state=shipment.state.value,
        verb=verb.value,
    )


def pick(shipment: Shipment, counted: Sequence[Counted], picker: str, now: datetime) -> Shipment:
    """Take all units off the shelf. An empty count means all of them; a count must name every line in full.

    Refuses PICK_INCOMPLETE and PICK_EXCEEDS_SHIPMENT; a line or SKU the shipment does not hold is an InvalidArgument.
    """
    state = moved(shipment, Verb.PICK)
    if counted:
        _check_count(shipment, counted)
    lines = tuple(replace(line, picked_quantity=line.quantity) for line in shipment.lines)
    return replace(shipment, state=state, lines=lines, picker=picker, picked_at=_not_earlier(shipment, now))


def pack(shipment: Shipment, now: datetime, given: Sequence[Package] = ()) -> Shipment:
    """Put the picked units into their packages, `given` or one with everything; refuses as packages.packed() does."""
    state, packages = moved(shipment, Verb.PACK), packing.packed(shipment, given)
    return replace(shipment, state=state, packed_at=_not_earlier(shipment, now), packages=packages)


def ship(shipment: Shipment, consignment: Consignment, now: datetime) -> Shipment:
    """Hand packed goods to the carrier."""
    return replace(
        shipment,
        state=moved(shipment, Verb.SHIP),
        carrier=consignment.carrier,
        tracking_number=consignment.packages[0].tracking_number,
        packages=consignment.packages,
        freight_cost=consignment.freight_cost,
        shipped_at=_not_earlier(shipment, now),
    )


def perform(visit: Shipment, carrier: str, now: datetime) -> Shipment:
    """The first half of a performed service: shipped. `deliver` is the second half, in the same transaction."""
    if carrier:
        raise InvalidArgument("SERVICE_HAS_NO_CARRIER", f"{visit.number} is a service visit: leave the carrier empty")
    return replace(visit, state=moved(visit, Verb.SHIP), shipped_at=_not_earlier(visit, now))


def deliver_package(shipment: Shipment, package: Package, delivered_at: datetime, now: datetime) -> Shipment:
    """The customer has one of its packages; the shipment is delivered with the last of them, when that was."""
    at = _not_earlier(shipment, min(delivered_at, now))
    packages = tuple(packing.delivered(each, at) if each == package else each for each in shipment.packages)
    after = replace(shipment, packages=packages)
    arrived = [each.delivered_at for each in packages if each.delivered_at]
    if len(arrived) == len(packages):
        return deliver(after, max(arrived), now)
    problems = [each.exception_at for each in packages if each.exception_at]
    return replace(after, exception_at=max(problems, default=None))


def deliver(shipment: Shipment, delivered_at: datetime, now: datetime) -> Shipment:
    """The customer has it. A carrier's clock may be off: the instant is kept between shipping and now."""
    state = moved(shipment, Verb.DELIVER)
    delivered = _not_earlier(shipment, min(delivered_at, now))
    return replace(shipment, state=state, delivered_at=delivered, exception_at=None)


def note_exception(
    shipment: Shipment, package: Package, reported_at: datetime, now: datetime, problem: str = ""
) -> Shipment:
    """The carrier has a `problem` with a package of it. Its clock may be off, and its events out of turn: the newest is kept."""
    newest = _not_earlier(shipment, min(max(reported_at, shipment.exception_at or reported_at), now))
    of_package = _not_earlier(shipment, min(max(reported_at, package.exception_at or reported_at), now))
    is_newest = package.exception_at is None or of_package > package.exception_at
    noted = replace(package, exception_at=of_package, problem=problem if is_newest else package.problem)
    packages = tuple(noted if each == package else each for each in shipment.packages)
    return replace(shipment, exception_at=newest, packages=packages)


def intercepted(shipment: Shipment) -> Shipment:
    """The carrier brings all of it back: what was a problem on the way is none any more."""
    packages = tuple(replace(each, exception_at=None, problem="") for each in shipment.packages)
    return replace(shipment, exception_at=None, packages=packages)


def cancel(shipment: Shipment, now: datetime) -> Shipment:
    """Stop what has not left."""
    return replace(shipment, state=moved(shipment, Verb.CANCEL), cancelled_at=now)


def can_cancel(shipment: Shipment) -> bool:
    """Whether the shipment can still be stopped."""
    return Verb.CANCEL in TRANSITIONS[shipment.state]


def _not_earlier(shipment: Shipment, now: datetime) -> datetime:
    """Now, or the shipment's last step when a clock was set back since."""
    known = (shipment.released_at, shipment.picked_at, shipment.packed_at, shipment.shipped_at)
    return max(now, *(instant for instant in known if instant))


def _check_count(shipment: Shipment, counted: Sequence[Counted]) -> None:
    known = {(line.line_id, sku) for line in shipment.lines for sku in ("", line.sku)}
    for count in counted:
        if (count.line_id, count.sku) not in known:
            what = f"line {count.line_id}" + (f" with SKU {count.sku}" if count.sku else "")
            raise InvalidArgument("UNKNOWN_LINE", f"{shipment.number} has no {what}: pick what is on its list")
    wanted, found = Counter[str](), Counter[str]()
    for line in shipment.lines:
        wanted[line.line_id] += line.quantity
    for count in counted:
        found[count.line_id] += count.quantity
    for line_id, quantity in wanted.items():
        _check_line(shipment.number, line_id, quantity, found[line_id])


def _check_line(number: str, line_id: str, wanted: int, found: int) -> None:
    if found < wanted:
        raise Refused(
            "PICK_INCOMPLETE",
            f"{number} needs {wanted} of line {line_id} and {found} were picked: pick the rest, or report what is short",
            line_id=line_id,
        )
    if found > wanted:
        raise Refused(
            "PICK_EXCEEDS_SHIPMENT",
            f"{number} needs {wanted} of line {line_id} and {found} were picked: put {found - wanted} back",
            line_id=line_id,
        )
