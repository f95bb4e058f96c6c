"""A sales order: what is asked for, what is stored of it, its totals, and the phases it may pass through."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from services.kernel.errors import NotPermitted, Refused
from services.kernel.invoicing import EXCHANGE, PER_SHIPMENT
from services.kernel.money import Money, UnitPrice
from services.kernel.tax import UNTAXED, TaxKind, TaxPart
from services.kernel.terms import Terms
from services.kernel.text import fold_key
from services.orders.domain.tax_parts import (
    DEFAULT_TAXATION,
    NOTHING_BILLED,
    BilledPart,
    Taxation,
    TaxedLine,
    tax_parts,
)

CHANNELS = ("web", "phone", "in_person", "email", "partner", "edi", "amazon", "ebay", "pos")
PREPAID_CHANNELS = frozenset({"amazon", "ebay", "pos"})
"""Channels that have the buyer's money when they send the order, and set its prices."""

CARD = "card"
CASH_ON_DELIVERY = "cod"
SETTLED_ELSEWHERE = "settled_elsewhere"
EXCHANGED = "exchange"
"""Paid by what came back: nothing is asked for."""
PAYMENT_METHODS = ("terms", CARD, "prepaid", "deposit", CASH_ON_DELIVERY, SETTLED_ELSEWHERE, EXCHANGED)
_RATE_DIGITS = Decimal("1e-10")
KINDS = ("stock", "build_to_order", "service")
STANDARD_CATEGORY = "standard"

RECEIVED = "received"
IN_REVIEW = "in_review"
ACCEPTED = "accepted"
REJECTED = "rejected"
CANCELLED = "cancelled"
CLOSED = "closed"
EXPIRED = "expired"
FAILED = "failed"
PHASES = (RECEIVED, IN_REVIEW, ACCEPTED, REJECTED, CANCELLED, CLOSED, EXPIRED, FAILED)
ENDED = frozenset({REJECTED, CANCELLED, CLOSED, EXPIRED, FAILED})
NEVER_CAME = (REJECTED, CANCELLED, EXPIRED, FAILED)
"""Phases of orders that count for nothing: not as a duplicate, nor together with another, nor as sold."""

TRANSITIONS: dict[str, dict[str, str]] = {
    RECEIVED: {"hold": IN_REVIEW, "clear": ACCEPTED, "reject": REJECTED, "cancel": CANCELLED, "fail": FAILED},
    IN_REVIEW: {"clear": ACCEPTED, "reject": REJECTED, "cancel": CANCELLED, "expire": EXPIRED, "fail": FAILED},
    ACCEPTED: {"hold": IN_REVIEW, "cancel": CANCELLED, "close": CLOSED, "fail": FAILED},
    REJECTED: {},
    CANCELLED: {},
    CLOSED: {},
    EXPIRED: {},
    FAILED: {},
}
"""Phase → verb → next phase. What is not here is refused."""


def move(phase: str, verb: str) -> str:
    """The phase after a verb; Refused ILLEGAL_TRANSITION when the table does not hold it."""
    following = TRANSITIONS[phase].get(verb)
    if following is None:
        raise Refused(
            "ILLEGAL_TRANSITION",
            f"an order that is {phase.replace('_', ' ')} cannot {verb}: reload it and see what it waits for",
            phase=phase,
            verb=verb,
        )
    return following


@dataclass(frozen=True, slots=True)
class Address:
    """Where goods go, as printed on a parcel; `country` is ISO 3166-1 alpha-2, upper case."""

    name: str = ""
    street: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""

    def missing(self) -> tuple[str, ...]:
        """The fields a carrier needs and that are blank; a region is needed by no carrier everywhere."""
        needed = ("name", "street", "city", "postal_code", "country")
        return tuple(name for name in needed if not getattr(self, name).strip())


@dataclass(frozen=True, slots=True)
class PlaceLine:
    """One line as asked for. Without a unit price the customer's agreement, else the catalog, sets it."""

    sku: str
    quantity: int
    unit_price: UnitPrice | None = None


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a marketplace or a till says of the money it has taken: its reference, and what it keeps of it.

    `tax` is what it charged and remits itself; None where the tax is ours to remit. `fees` are those it has announced.
    """

    reference: str
    tax: Money | None = None
    fees: Money | None = None


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """An order as a client asks for it; every adapter of every channel makes this one command.

    `idempotency_key` is not part of what is asked for: two commands that differ only there ask for the same.
    `on_behalf_of` names the person a member of staff enters the order for. `card_token` is the payment provider's token of a card;
    `tax_exemption` names one of the customer's certificates; the discount is given from `discount_minimum` of goods on. What has not shipped on the day `cancel_after` is canceled. An order that
    `is_exchange` replaces goods of a return without documents; only a return asks for it.
    """

    idempotency_key: str
    channel: str
    customer_id: str
    currency: str
    lines: tuple[PlaceLine, ...]
    ship_to: Address = field(default_factory=Address)
    channel_ref: str = ""
    po_number: str = ""
    payment_method: str = "terms"
    deposit_terms: str = ""
    settlement: Settlement | None = None
    card_token: str = ""
    requested_on: date | None = None
    is_ship_complete: bool = False
    discount: Money | None = None
    freight: Money | None = None
    cancel_after: date | None = None
    on_behalf_of: str = ""
    note: str = ""
    tax_exemption: str = ""
    is_exchange: bool = False
    discount_minimum: Money | None = None


def check_placer(command: PlaceOrder, role: str) -> None:
    """A customer gives itself no discount, and does not order as a marketplace or a till: NotPermitted.

    Those have agreed prices of their own, which the rules do not compare with the customer's agreement.
    """
    if command.payment_method == EXCHANGED and not command.is_exchange:
        raise NotPermitted("EXCHANGE_NOT_PERMITTED", "goods are exchanged by a return: ask for that")
    if command.payment_method == SETTLED_ELSEWHERE and command.channel not in PREPAID_CHANNELS:
        raise NotPermitted(
            "SETTLED_ELSEWHERE_NOT_PERMITTED",
            f"only {', '.join(sorted(PREPAID_CHANNELS))} take the buyer's money themselves: say how a {command.channel} order is paid",
        )
    if role != "customer":
        return
    if command.channel in PREPAID_CHANNELS:
        raise NotPermitted(
            "CHANNEL_NOT_PERMITTED",
            f"orders of {command.channel} come from its own connection: say how you order, such as web or edi",
        )
    if command.discount is not None:
        raise NotPermitted("DISCOUNT_NOT_PERMITTED", "leave the discount out: only our staff or a channel may give one")


def ref_issuer(channel: str, customer_id: str, placed_by: str, role: str) -> str:
    """Who gives the references of a channel: the partner on its own website, else the customer."""
    return f"partner/{placed_by}" if channel == "partner" and role == "channel" else f"customer/{customer_id}"


@dataclass(frozen=True, slots=True)
class Line:
    """A line as stored: a snapshot of catalog and price at placing.

    `reference_price` is what the agreement or the catalog said at that moment, None when neither knew a price;
    `price_source` is agreement, list, given or none. A SKU that the catalog did not know has is_known False. `tax` is how its
    category was taxed where it goes. `quantity` is what is wanted of it still; `cancelled` units were asked for beside that, `closed` of
    them given up by closing the line.
    """

    line_id: str
    sku: str
    description: str
    kind: str
    quantity: int
    unit_price: UnitPrice
    extended: Money
    reference_price: UnitPrice | None
    price_source: str
    unit_weight_grams: int = 0
    is_known: bool = True
    tax_category: str = STANDARD_CATEGORY
    tax: TaxKind = UNTAXED
    cancelled: int = 0
    closed: int = 0
    is_hazardous: bool = False

    @property
    def ordered(self) -> int:
        """What was asked for."""
        return self.quantity + self.cancelled


def highest_line_id(line_ids: Iterable[str]) -> int:
    """The highest number among the ids of lines; 0 without any."""
    return max((int(line_id) for line_id in line_ids if line_id.isdigit()), default=0)


@dataclass(frozen=True, slots=True)
class Totals:
    """What an order comes to, in all and by tax parts; discount and freight are positive amounts."""

    merchandise: Money
    discount: Money
    freight: Money
    tax: Money
    total: Money
    parts: tuple[TaxPart, ...] = ()


def totals(
    lines: Iterable[Line],
    discount: Money,
    freight: Money,
    taxation: Taxation,
    billed: Mapping[str, BilledPart] = NOTHING_BILLED,
) -> Totals:
    """Add an order up: the tax of each part on its goods net of discount, rounded once; `billed` is key → part, of its invoices.

    A discount larger than the merchandise is Refused: it would turn the order into a debt of ours.
    """
    taxed = [TaxedLine(line.line_id, line.quantity, line.extended, line.tax) for line in lines if line.quantity]
    merchandise = Money.total((line.extended for line in taxed), discount.currency)
    if discount > merchandise:
        raise Refused(
            "DISCOUNT_TOO_LARGE", f"the discount {discount} is more than the merchandise {merchandise}: lower it"
        )
    parts = tax_parts(taxed, discount, freight, taxation, billed)
    tax = Money.total((part.tax for part in parts), discount.currency)
    return Totals(merchandise, discount, freight, tax, merchandise - discount + freight + tax, parts)


def remitted_rate(net: Money, tax: Money) -> Decimal:
    """The rate at which a marketplace's own tax comes out to the cent on an order's net; a tax beyond the net is Refused."""
    if not 0 <= tax.minor <= net.minor:
        raise Refused("TAX_TOO_LARGE", f"the marketplace's tax {tax} is more than the goods it is on, {net}: check it")
    return (Decimal(tax.minor) / max(net.minor, 1)).quantize(_RATE_DIGITS)


def deposit_of(terms: str, total: Money) -> Money:
    """What deposit terms come to: "30%" of the total, half up, or "300.00" as far as the total goes; zero without terms."""
    if not terms:
        return Money.zero(total.currency)
    if not terms.endswith("%"):
        return min(Money.parse(terms, total.currency), total)
    exact = Decimal(total.minor) * Decimal(terms[:-1]) / 100
    return Money(int(exact.quantize(Decimal(1), ROUND_HALF_UP)), total.currency)


@dataclass(frozen=True, slots=True)
class OrderHead:
    """What an order is called, and whose it is."""

    order_id: str
    number: str
    customer_id: str
    customer_name: str


@dataclass(frozen=True, slots=True)
class Order:
    """A sales order as stored: prices, address and terms are snapshots of the moment it was placed."""

    order_id: str
    number: str
    version: int
    phase: str
    customer_id: str
    customer_name: str
    channel: str
    channel_ref: str
    po_number: str
    currency: str
    payment_method: str
    net_days: int
    tax_rate: Decimal
    ship_to: Address
    requested_on: date | None
    is_ship_complete: bool
    placed_at: datetime
    placed_by: str
    placed_by_role: str
    on_behalf_of: str
    note: str
    lines: tuple[Line, ...]
    totals: Totals
    cleared_at: datetime | None = None
    accepted_at: datetime | None = None
    ended_at: datetime | None = None
    is_backorder_notified: bool = False
    deposit_terms: str = ""
    settlement: Settlement | None = None
    bill_to_id: str = ""
    terms: str = ""
    calendar: str = ""
    taxation: Taxation = DEFAULT_TAXATION
    customer_tax_id: str = ""
    invoicing: str = PER_SHIPMENT
    cancel_after: date | None = None
    discount_minimum_minor: int = 0
    claws_back: bool = False

    @property
    def discount_minimum(self) -> Money | None:
        """From what of goods on it has its discount; whether it `claws_back` that below it was decided when it was placed."""
        return Money(self.discount_minimum_minor, self.currency) if self.discount_minimum_minor else None

    def tax_key(self, line: Line) -> str:
        """The key of the tax part that a line belongs to."""
        return self.taxation.tax_key(line.line_id, line.tax)

    @property
    def payer_id(self) -> str:
        """The account that is billed, on whose credit it is: its customer's own, unless another one was agreed."""
        return self.bill_to_id or self.customer_id

    @property
    def payment_terms(self) -> Terms:
        """When its invoices fall due, as its customer's terms were when it was placed."""
        return Terms.parse(self.terms) if self.terms else Terms.net(self.net_days)

    @property
    def deposit(self) -> Money:
        """What must be here before goods leave, by its deposit terms; zero for an order without any."""
        return deposit_of(self.deposit_terms, self.totals.total)

    @property
    def is_paid_at_till(self) -> bool:
        """Whether the channel has taken its money, so that no credit and no cash of the customer's is asked for."""
        return self.channel in PREPAID_CHANNELS and self.payment_method not in ("terms", CASH_ON_DELIVERY)

    @property
    def is_paid_ahead(self) -> bool:
        """Whether cash of its own, all of it or a deposit, is to be here before its goods leave."""
        return self.payment_method in ("prepaid", "deposit")

    @property
    def is_exchange(self) -> bool:
        """Whether it replaces goods of a return without documents."""
        return self.invoicing == EXCHANGE

    @property
    def pays_by_card(self) -> bool:
        """Whether a card is authorized for it and captured with its invoices."""
        return self.payment_method == CARD and not self.is_paid_at_till

    @property
    def has_ended(self) -> bool:
        """Whether nothing more can happen to it but late facts."""
        return self.phase in ENDED

    @property
    def po_key(self) -> str:
        """What the purchase order number is compared by; empty without one."""
        return fold_key(self.po_number)

    @property
    def channel_key(self) -> str:
        """What the channel's reference is compared by; empty without one."""
        return fold_key(self.channel_ref)

    @property
    def ref_issuer(self) -> str:
        """Who numbers the orders of its channel, within which a reference is unique."""
        return ref_issuer(self.channel, self.customer_id, self.placed_by, self.placed_by_role)

    def units_by_sku(self) -> dict[str, int]:
        """SKU → units of all its lines together."""
        units: Counter[str] = Counter()
        for line in self.lines:
            units[line.sku] += line.quantity
        return dict(units)

    @property
    def has_goods(self) -> bool:
        """Whether anything of it is shipped; an order of services alone needs no address."""
        return any(line.kind != "service" and line.quantity for line in self.lines)
