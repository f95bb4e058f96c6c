"""An order, its customer and our mailboxes, as mails are tested with them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from services.kernel.money import UnitPrice, extend
from services.orders.domain.mails import Contacts
from services.orders.domain.masterdata import Customer
from services.orders.domain.order import Address, Line, Order, totals
from services.orders.domain.tax_parts import DEFAULT_TAXATION
from tests.orders.desk import amount

CONTACTS = Contacts("warehouse@oms.example", "accounting@oms.example", "help@oms.example", "", "https://oms.example")
CUSTOMER = Customer(
    "cus_acme", "ACME", "USD", contact_email="ann@acme.example", sales_rep="sam", sales_rep_email="sam@oms.example"
)
_PRICE = UnitPrice.parse("8800.00", "USD")
LINE = Line("lin_1", "SKID-40", "Pump skid", "build_to_order", 3, _PRICE, extend(_PRICE, 3), None, "given")
ORDER = Order(
    order_id="ord_1",
    number="SO-1001",
    version=2,
    phase="received",
    customer_id="cus_acme",
    customer_name="ACME",
    channel="web",
    channel_ref="",
    po_number="PO-7781",
    currency="USD",
    payment_method="terms",
    net_days=30,
    tax_rate=Decimal(0),
    ship_to=Address("Dock 4", "1 Main Street", "Dallas", "TX", "75001", "US"),
    requested_on=date(2026, 12, 15),
    is_ship_complete=False,
    placed_at=datetime(2026, 11, 23, 9, tzinfo=UTC),
    placed_by="ann",
    placed_by_role="customer",
    on_behalf_of="",
    note="",
    lines=(LINE,),
    totals=totals((LINE,), amount("0.00"), amount("0.00"), DEFAULT_TAXATION),
)
