"""Protobuf to domain: the only place that checks the shape of what billing is asked."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from google.protobuf.message import Message

from oms.billing.v1 import billing_pb2 as pb
from oms.facts.v1 import facts_pb2
from oms.orders.v1 import orders_pb2
from oms.types.v1 import types_pb2
from services.billing import header_wire
from services.billing.domain.billable import OrderToBill
from services.billing.domain.charging import Charges, OrderLine
from services.billing.domain.credit import PAYMENT_METHODS, SETTLED_ELSEWHERE, CreditRequest, CreditTerms, OverdueRule
from services.billing.domain.fitting import least_part
from services.billing.domain.invoices import BillableOrder, Settlement
from services.billing.domain.ledger import ACCOUNTS, Movement
from services.billing.domain.payments import Application, ForOrder, Instruction
from services.kernel.bounds import MAX_LINES
from services.kernel.clock import business_day, given_instant
from services.kernel.errors import InvalidArgument
from services.kernel.invoicing import AT_ORDER, policy_of
from services.kernel.money import Money, UnitPrice, extend
from services.kernel.quantity import positive
from services.kernel.tax import FREIGHT, TaxPart, parts_of_one_rate
from services.kernel.terms import Terms
from services.kernel.text import clean_key, optional_text, text
from services.runtime.business_days import check_place
from services.runtime.wire import read_tax_part, tax_rate

MAX_DESCRIPTION = 4_000
MAX_APPLICATIONS = 500
MAX_REASON = 500
MAX_FACTS = 1_000
MAX_NET_DAYS = 3_650
_MOVEMENTS = (
    facts_pb2.StockReceived, facts_pb2.StockIssued, facts_pb2.StockAdjusted, facts_pb2.StockIssueReversed,
    facts_pb2.StockReturned, facts_pb2.StockScrapped, facts_pb2.StockQuarantined, facts_pb2.DamageQuarantined,
    facts_pb2.StockReturnedToVendor, facts_pb2.QuarantineReleased, facts_pb2.QuarantineScrapped, facts_pb2.QuarantineReturnedToVendor,
)  # fmt: skip
_TOKEN = re.compile(r"pm_[A-Za-z0-9_]{1,200}")


@dataclass(frozen=True, slots=True)
class Shipped:
    """A shipment to be invoiced by its order's policy: line id → units that left, and the business day they left."""

    of: OrderToBill
    shipment_id: str
    quantities: dict[str, int]
    shipped_on: date
    policy: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """Cash to be recorded, and what its payer says that it is for. `is_dated` says whether its day was named, or is today for want of one."""

    customer_id: str
    amount: Money
    reference: str
    instruction: Instruction
    received_on: date
    is_dated: bool


def description(value: str, what: str) -> str:
    """What a line is called; it may have several lines, because a catalog's descriptions do."""
    optional_text(" ".join(value.split()), what, longest=MAX_DESCRIPTION)
    return value


def money(message: Message, field: str, *, currency: str | None = None, least: int = 0) -> Money:
    """A money field that is there, at least `least` minor units, and in `currency` when one is given."""
    if not message.HasField(field):
        raise InvalidArgument("FIELD_MISSING", f"{field} is missing: send minor_units and currency")
    sent: types_pb2.Money = getattr(message, field)
    amount = Money(sent.minor_units, sent.currency)
    if currency is not None and amount.currency != currency:
        raise InvalidArgument(
            "CURRENCY_MIXED", f"{field} is in {amount.currency}, the rest in {currency}: use one currency"
        )
    if amount.minor < least:
        raise InvalidArgument(
            "AMOUNT_TOO_SMALL", f"{field} is {amount}: it must be at least {Money(least, amount.currency)}"
        )
    return amount


def currency_of(code: str) -> str:
    """An ISO 4217 code that exists."""
    return Money.zero(code).currency


def days(count: int, what: str) -> int:
    """A number of days nobody has to laugh at."""
    if not 0 <= count <= MAX_NET_DAYS:
        raise InvalidArgument("DAYS_OUT_OF_RANGE", f"{what} must be from 0 to {MAX_NET_DAYS}")
    return count


def credit_terms(request: pb.PutCreditTermsRequest) -> CreditTerms:
    """The terms that somebody puts."""
    return CreditTerms(
        optional_text(request.parent_id, "parent_id"),
        _overdue_rule(request),
        request.ships_what_fits,
        text(request.changed_by, "changed_by"),
    )


def _overdue_rule(request: pb.PutCreditTermsRequest) -> OverdueRule | None:
    if not request.HasField("overdue_rule"):
        return None
    least = money(request.overdue_rule, "least", currency=currency_of(request.currency), least=1)
    return OverdueRule(days(request.overdue_rule.days, "days of the overdue rule"), least)


def payment_method(method: str) -> str:
    """One that orders are paid by."""
    if method not in PAYMENT_METHODS:
        raise InvalidArgument(
            "PAYMENT_METHOD_UNKNOWN",
            f"{method[:40]!r} is no payment method: use one of {', '.join(sorted(PAYMENT_METHODS))}",
        )
    return method


def account_filter(account: str) -> str:
    """An account of the books, or empty for every one."""
    if account and account not in ACCOUNTS:
        raise InvalidArgument("ACCOUNT_UNKNOWN", f"{account[:40]!r} is no account: use one of {', '.join(ACCOUNTS)}")
    return account


def one_of(value: str, allowed: Iterable[str], what: str) -> str:
    """A word of a list, or empty."""
    words = sorted(allowed)
    if value and value not in words:
        raise InvalidArgument("FILTER_UNKNOWN", f"{value[:40]!r} is no {what}: use one of {', '.join(words)}")
    return value


def quantities(lines: Iterable[types_pb2.LineQuantity]) -> dict[str, int]:
    """Line id → units; a line that is named twice is summed."""
    quantities: dict[str, int] = {}
    for line in lines:
        line_id = text(line.line_id, "line_id of a line")
        quantities[line_id] = quantities.get(line_id, 0) + positive(line.quantity, f"quantity of line {line_id}")
    return quantities


def covering(request: pb.GetCoveredUnitsRequest) -> tuple[BillableOrder, dict[str, int], dict[str, int]]:
    """An order, and line id → units of it that are released and that could be."""
    return billable_order(request.order), quantities(request.released), quantities(request.wanted)


def shipped(request: pb.IssueInvoiceRequest, time_zone: str) -> Shipped:
    """What is to be invoiced; lines named twice are summed. The invoice has the company's business day of leaving."""
    if not request.HasField("order"):
        raise InvalidArgument("FIELD_MISSING", "order is missing: send the order as placed")
    if not 1 <= len(request.lines) <= MAX_LINES:
        raise InvalidArgument("LINES_OUT_OF_RANGE", f"send from 1 to {MAX_LINES} lines that left")
    return Shipped(
        order_to_bill(request.order, time_zone),
        text(request.shipment_id, "shipment_id"),
        quantities(request.lines),
        business_day(given_instant(request.shipped_at_micros, "shipped_at_micros"), time_zone),
        policy_of(request.order.invoicing, request.order.payment_method),
    )


def order_to_bill(order: orders_pb2.Order, time_zone: str) -> OrderToBill:
    """An order whose shipments are to be invoiced, and what its invoices say of it."""
    return OrderToBill(billable_order(order), header_wire.header(order, time_zone), order.version)


def identity(request: pb.IssueInvoiceRequest) -> pb.IssueInvoiceRequest:
    """What makes two requests the same: the order document may be a newer one when a step is tried again."""
    return pb.IssueInvoiceRequest(
        request_id=request.request_id,
        order=orders_pb2.Order(order_id=request.order.order_id),
        shipment_id=request.shipment_id,
        lines=request.lines,
    )


def commitment(request: pb.CommitCreditRequest) -> CreditRequest:
    """What an order asks of its customer's money, with the least part of it that is of use where it is there."""
    asked = credit_request(request)
    if not request.HasField("order"):
        return asked
    # what is invoiced before it ships is invoiced whole, so that no part of it is of use
    is_at_order = policy_of(request.order.invoicing, asked.payment_method) == AT_ORDER
    is_whole = request.order.is_ship_complete or is_at_order
    return replace(asked, least=least_part(billable_order(request.order), is_whole=is_whole))


def credit_request(request: pb.CommitCreditRequest | pb.AdjustCreditRequest) -> CreditRequest:
    """What an order asks of its customer's money; only one that asks for a deposit names what it is."""
    amount = money(request, "amount")
    method = payment_method(request.payment_method)
    deposit = Money.zero(amount.currency)
    if request.HasField("deposit"):
        deposit = money(request, "deposit", currency=amount.currency)
    return CreditRequest(
        text(request.order_id, "order_id"), text(request.customer_id, "customer_id"), amount, method, deposit
    )


def receipt(request: pb.RecordPaymentRequest, today: date) -> Receipt:
    """Cash that arrived, today unless it says when; not in the future."""
    amount = money(request, "amount", least=1)
    return Receipt(
        text(request.customer_id, "customer_id"),
        amount,
        text(clean_key(request.reference), "reference"),
        instruction(request, amount.currency),
        _received_on(request.received_on, today),
        bool(request.received_on),
    )


def _received_on(given: str, today: date) -> date:
    try:
        day = date.fromisoformat(given) if given else today
    except ValueError:
        day = date.max
    if day > today:
        raise InvalidArgument(
            "RECEIVED_ON_INVALID", f"received_on is {given[:20]!r}: name a day such as {today}, today at the latest"
        )
    return day


def instruction(request: pb.RecordPaymentRequest | pb.ReapplyPaymentRequest, currency: str) -> Instruction:
    """What a payment is for; an empty currency takes that of its first part."""
    if len(request.applications) + len(request.orders) > MAX_APPLICATIONS:
        raise InvalidArgument(
            "APPLICATIONS_TOO_MANY", f"a payment is applied to at most {MAX_APPLICATIONS} invoices and orders at once"
        )
    applications = tuple(
        Application(
            text(application.invoice_id, "invoice_id of an application"),
            money(application, "amount", currency=currency or None, least=1),
        )
        for application in request.applications
    )
    orders = tuple(
        ForOrder(text(part.order_id, "order_id of a part"), money(part, "amount", currency=currency or None, least=1))
        for part in request.orders
    )
    return Instruction(applications, orders, request.is_on_account)


def reason(given: str) -> str:
    """Why somebody corrects a payment."""
    return text(given, "reason", longest=MAX_REASON)


def card_token(given: str) -> str:
    """The provider's token of a card, or none; never a card's number."""
    if given and not _TOKEN.fullmatch(given):
        raise InvalidArgument("CARD_TOKEN_UNKNOWN", "card_token is the provider's token of a card, such as pm_…")
    return given


def movements(facts: Iterable[facts_pb2.Fact]) -> list[Movement]:
    """Stock movements, sorted by fact id so that two deliveries never wait for each other in a circle."""
    detail = [_movement(fact) for fact in facts]
    if len(detail) > MAX_FACTS:
        raise InvalidArgument("FACTS_TOO_MANY", f"send at most {MAX_FACTS} facts at once")
    return sorted(detail, key=lambda movement: movement.fact_id)


def _movement(fact: facts_pb2.Fact) -> Movement:
    fact_id, kind = text(fact.fact_id, "fact_id"), fact.WhichOneof("detail") or ""
    detail = getattr(fact, kind, None)
    if not isinstance(detail, _MOVEMENTS):
        raise InvalidArgument("MOVEMENT_KIND_UNKNOWN", f"fact {fact_id} is no movement of stock")
    return Movement(
        fact_id,
        kind,
        optional_text(fact.order_id, "order_id"),
        text(detail.warehouse_id, f"warehouse_id of fact {fact_id}"),
        text(detail.sku, f"sku of fact {fact_id}"),
        detail.quantity,
        Money(detail.value_minor, text(detail.currency, f"currency of fact {fact_id}")),
    )


def billable_order(order: orders_pb2.Order) -> BillableOrder:
    """What billing needs of an order, its shape checked."""
    currency = currency_of(order.currency)
    if not 1 <= len(order.lines) <= MAX_LINES:
        raise InvalidArgument("LINES_OUT_OF_RANGE", f"an order has from 1 to {MAX_LINES} lines")
    charges = _charges(order, currency)
    parts = _parts(order, charges)
    billable = BillableOrder(
        text(order.order_id, "order_id"),
        text(order.number, "number of the order"),
        text(order.bill_to_id or order.customer_id, "customer_id of the order"),
        payment_method(order.payment_method),
        days(order.net_days, "net_days"),
        parts,
        tuple(_order_line(line, parts, currency) for line in order.lines),
        charges,
        _settlement(order, currency) if order.payment_method == SETTLED_ELSEWHERE else None,
        Terms.parse(order.terms) if order.terms else None,
        order.calendar,
        money(order, "discount_minimum", least=1, currency=currency) if order.HasField("discount_minimum") else None,
    )
    check_place(order.calendar)
    _check_lines(billable)
    return billable


def _settlement(order: orders_pb2.Order, currency: str) -> Settlement:
    if not order.HasField("settlement"):
        raise InvalidArgument("FIELD_MISSING", "settlement is missing: say where the order's buyer has paid")
    said = order.settlement
    fees = money(said, "fees", currency=currency) if said.HasField("fees") else None
    reference = text(clean_key(said.reference), "reference of the settlement")
    return Settlement(text(order.channel, "channel of the order"), reference, said.is_tax_remitted, fees)


def _order_line(line: orders_pb2.OrderLine, parts: Sequence[TaxPart], currency: str) -> OrderLine:
    line_id = text(line.line_id, "line_id of an order line")
    if line.quantity < 0:
        raise InvalidArgument("QUANTITY_OUT_OF_RANGE", f"quantity of order line {line_id} is negative")
    return OrderLine(
        line_id,
        text(line.sku, f"sku of order line {line_id}"),
        description(line.description, f"description of order line {line_id}"),
        line.quantity,
        UnitPrice.parse(line.unit_price, currency),
        _tax_key(line, parts),
    )


def _tax_key(line: orders_pb2.OrderLine, parts: Sequence[TaxPart]) -> str:
    """The part that a line is taxed with; the first where an order of before there were parts names none."""
    if line.tax_key and line.tax_key not in {part.key for part in parts}:
        raise InvalidArgument("TAX_PART_UNKNOWN", f"line {line.line_id} is of no tax part of the order: send them all")
    return line.tax_key or parts[0].key


def _charges(order: orders_pb2.Order, currency: str) -> Charges:
    """The order's figures, which must add up: every invoice is a share of them."""
    merchandise, discount, freight, tax, total = (
        money(order, part, currency=currency) for part in ("merchandise", "discount", "freight", "tax", "total")
    )
    charges = Charges(merchandise, discount, freight, tax)
    if discount > merchandise:
        raise InvalidArgument(
            "DISCOUNT_TOO_LARGE", f"a discount of {discount} exceeds the merchandise of {merchandise}"
        )
    if charges.total != total:
        raise InvalidArgument("ORDER_TOTAL_WRONG", f"the order's parts come to {charges.total}, its total says {total}")
    return charges


def _parts(order: orders_pb2.Order, charges: Charges) -> tuple[TaxPart, ...]:
    """The order by tax parts, which sum to it. One without any has its goods at one rate, and freight that is not taxed."""
    currency = charges.merchandise.currency
    if not order.tax_parts:
        amounts = (charges.merchandise, charges.discount, charges.freight, charges.tax)
        return parts_of_one_rate(*amounts, tax_rate(order.tax_rate))
    parts = tuple(read_tax_part(part, currency) for part in order.tax_parts)
    keys = [part.key for part in parts]
    if len(set(keys)) != len(keys) or FREIGHT in keys[:-1] or keys == [FREIGHT]:
        raise InvalidArgument("TAX_PART_UNKNOWN", "name each tax part once, freight last")
    if Charges.sum(map(Charges.of, parts), currency) != charges:
        raise InvalidArgument("ORDER_TOTAL_WRONG", "the order's tax parts do not come to what it does")
    return parts


def _check_lines(order: BillableOrder) -> None:
    """Lines are named once and come to no more than the merchandise; less is possible after a cancellation."""
    if len({line.line_id for line in order.lines}) != len(order.lines):
        raise InvalidArgument("LINE_REPEATED", f"order {order.number} names a line twice")
    lines = Money.total((extend(line.unit_price, line.quantity) for line in order.lines), order.currency)
    if lines > order.charges.merchandise:
        raise InvalidArgument(
            "ORDER_TOTAL_WRONG", f"the order's lines come to {lines}, its merchandise says {order.charges.merchandise}"
        )
