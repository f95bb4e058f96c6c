"""Master data: customers, products and price agreements as values.

Their `version` counts what was stored of them, 0 before that; it makes no two of them different.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from services.kernel.errors import InvalidArgument
from services.kernel.invoicing import PER_SHIPMENT, check_policy
from services.kernel.money import UnitPrice
from services.kernel.terms import Terms
from services.orders.domain.order import STANDARD_CATEGORY, Address
from services.orders.domain.taxation import TaxExemption

AgreementKey = tuple[str, str, str, str, int, str]
"""Customer, customer group, SKU, first day (ISO), minimum quantity, currency: the order of agreements in lists."""

DUPLICATE_PO = ("allow", "warn", "hold", "block")


@dataclass(frozen=True, slots=True)
class AllowedShipTo:
    """A destination a customer may order to; blank members match everything."""

    country: str
    region: str = ""
    postal_code: str = ""

    def matches(self, country: str, region: str, postal_code: str) -> bool:
        """Whether an address lies in it."""
        pairs = ((self.country, country), (self.region, region), (self.postal_code, postal_code))
        return all(not wanted or wanted.casefold() == given.casefold() for wanted, given in pairs)


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer account: terms, tax, contacts and what it may do. Its credit limit is billing's.

    No `allowed_ship_tos` means everywhere; `free_multiple_skus` are sold to it in any quantity; `duplicate_po` says what a
    purchase order number seen before does: allow, warn, hold or block. Prices may be agreed with its `customer_group`.
    What it buys may be billed to another account, `bill_to_id`, on whose credit it then is.
    Its `tax_rate` is of goods that go where no rule says how they are taxed; its `tax_id` is as it gave it.
    `terms` is their text, empty for plain net_days; due dates move past the free days of its `calendar`, such as US-TX.
    `invoicing` says which shipments become one invoice, and when. Documents are addressed to its `billing_address`, where it has one.
    """

    customer_id: str
    name: str
    currency: str
    is_active: bool = True
    tier: str = "standard"
    net_days: int = 30
    tax_rate: Decimal = Decimal(0)
    tax_id: str = ""
    tax_exemptions: tuple[TaxExemption, ...] = ()
    contact_email: str = ""
    accounting_email: str = ""
    sales_rep: str = ""
    sales_rep_email: str = ""
    allowed_ship_tos: tuple[AllowedShipTo, ...] = ()
    free_multiple_skus: tuple[str, ...] = ()
    duplicate_po: str = "hold"
    customer_group: str = ""
    bill_to_id: str = ""
    terms: str = ""
    calendar: str = ""
    invoicing: str = PER_SHIPMENT
    billing_address: Address | None = None
    version: int = field(default=0, compare=False)

    @property
    def payment_terms(self) -> Terms:
        """When invoices of its orders on terms fall due."""
        return Terms.parse(self.terms) if self.terms else Terms.net(self.net_days)

    def __post_init__(self) -> None:
        if self.bill_to_id == self.customer_id:
            raise InvalidArgument(
                "BILLED_TO_ITSELF", "a customer that is billed itself names nobody else: leave bill_to_id out"
            )
        if self.payment_terms.days != self.net_days:
            raise InvalidArgument(
                "TERMS_CONTRADICT", f"terms {self.terms} and net_days {self.net_days} differ: name one of them"
            )
        if self.duplicate_po not in DUPLICATE_PO:
            raise InvalidArgument("DUPLICATE_PO_UNKNOWN", f"duplicate_po is one of {', '.join(DUPLICATE_PO)}")
        check_policy(self.invoicing)
        if not 0 <= self.net_days <= 365:
            raise InvalidArgument("NET_DAYS_OUT_OF_RANGE", "payment terms are from 0 to 365 days")
        if not self.tax_rate.is_finite() or not 0 <= self.tax_rate <= 1:
            raise InvalidArgument("TAX_RATE_OUT_OF_RANGE", "a tax rate is a fraction from 0 to 1, such as 0.0825")

    def may_receive_at(self, country: str, region: str, postal_code: str) -> bool:
        """Whether goods may go there for this customer."""
        if not self.allowed_ship_tos:
            return True
        return any(allowed.matches(country, region, postal_code) for allowed in self.allowed_ship_tos)


@dataclass(frozen=True, slots=True)
class Product:
    """A SKU of the catalog; `kind` is stock, build_to_order or service; sold in multiples, at least min_quantity.

    One that `is_hazardous` comes from no warehouse that excludes dangerous goods.

    `lead_days` are the plant's working days from being asked until it is ready; they matter where it is asked.
    """

    sku: str
    description: str
    kind: str = "stock"
    list_price: UnitPrice | None = None
    standard_cost: UnitPrice | None = None
    weight_grams: int = 0
    multiple: int = 1
    min_quantity: int = 1
    is_sellable: bool = True
    lead_days: int = 0
    tax_category: str = STANDARD_CATEGORY
    is_returnable: bool = True
    is_hazardous: bool = False
    version: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        if self.lead_days < 0:
            raise InvalidArgument("PRODUCT_OUT_OF_RANGE", "lead_days are at least 0")
        if self.kind not in ("stock", "build_to_order", "service"):
            raise InvalidArgument("KIND_UNKNOWN", "a product is stock, build_to_order or service")
        if self.multiple < 1 or self.min_quantity < 1 or self.weight_grams < 0:
            raise InvalidArgument(
                "PRODUCT_OUT_OF_RANGE", "multiple and min_quantity are at least 1, a weight at least 0"
            )

    @property
    def is_stocked(self) -> bool:
        """Whether units of it lie on a shelf; a service is performed."""
        return self.kind != "service"


@dataclass(frozen=True, slots=True)
class PriceAgreement:
    """What a customer, or everyone of a customer group, pays for a SKU from a day on, until a day (inclusive) or for ever.

    The price is that of a unit where a line has at least `min_quantity` of them.
    """

    customer_id: str
    sku: str
    price: UnitPrice
    valid_from: date
    valid_to: date | None = None
    min_quantity: int = 1
    customer_group: str = ""
    version: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        if bool(self.customer_id) == bool(self.customer_group):
            raise InvalidArgument("AGREEMENT_PARTY_MISSING", "name either a customer_id or a customer_group")
        if self.min_quantity < 1:
            raise InvalidArgument("AGREEMENT_QUANTITY_OUT_OF_RANGE", "min_quantity is at least 1")
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise InvalidArgument("AGREEMENT_ENDS_BEFORE_IT_BEGINS", "valid_to must not lie before valid_from")

    def is_in_force(self, on: date) -> bool:
        """Whether it holds on a day."""
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)

    def overlaps(self, other: PriceAgreement) -> bool:
        """Whether both price the same quantity on a common day, in one currency and with one party; itself does not count."""
        customer_id, group, sku, first, least, currency = self.key
        is_alike = other.key == (customer_id, group, sku, other.key[3], least, currency)
        begins = max(self.valid_from, other.valid_from)
        return is_alike and first != other.key[3] and self.is_in_force(begins) and other.is_in_force(begins)

    @property
    def key(self) -> AgreementKey:
        """What tells it from every other."""
        first = self.valid_from.isoformat()
        return self.customer_id, self.customer_group, self.sku, first, self.min_quantity, self.price.currency
