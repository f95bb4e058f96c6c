"""Capture: one transaction turns what a client asks for into a sales order, once a request for ever."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlmodel import Session

from services.kernel.bounds import MAX_LINES
from services.kernel.errors import AlreadyExists, InvalidArgument
from services.kernel.ids import new_id
from services.kernel.invoicing import EXCHANGE, policy_of
from services.kernel.money import Money
from services.kernel.quantity import positive
from services.kernel.tax import TaxKind
from services.kernel.text import fold_key
from services.orders.access.matrix import Caller
from services.orders.domain import mails
from services.orders.domain.cards import check_card
from services.orders.domain.holds import remaining
from services.orders.domain.masterdata import Customer
from services.orders.domain.order import (
    CHANNELS,
    EXCHANGED,
    PAYMENT_METHODS,
    RECEIVED,
    SETTLED_ELSEWHERE,
    Line,
    Order,
    PlaceOrder,
    Totals,
    check_placer,
    ref_issuer,
    remitted_rate,
    totals,
)
from services.orders.domain.policies import BLOCK, HOLD, Violation, reasons
from services.orders.domain.pricing import price_line, reference_price
from services.orders.domain.projection import Exchange, Progress
from services.orders.domain.status import derive
from services.orders.domain.tax_engine import NOTHING_ASKED, OWN, Quote, TaxDesk, determined, query_of, undetermined
from services.orders.domain.tax_parts import DEFAULT_TAXATION, Taxation
from services.orders.lifecycle.placing_terms import check_days, discount_terms
from services.orders.masterdata import taxes
from services.orders.order import exceptions, outbox
from services.orders.store import cards, events, masterdata, orders, progress
from services.orders.store.holds import of_order, violations_of
from services.orders.store.orders import Request
from services.runtime import sessions
from services.runtime.db import Database

MAX_KEY = 200
_ADDED_MEMBERS = ("settlement", "card_token", "tax_exemption", "cancel_after", "is_exchange", "discount_minimum")
"""Members that came later: a request without them keeps the digest that it had before."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a client is told: the order as it stands, and whether this answers a repeat of the request.

    `reasons` are the codes of all rules that spoke, `blocks` of those that reject it: only these are for people outside.

    `first_answer` is what the client was told the first time, as keep_answer() stored it; None until then. A replay gives
    that back unchanged. `order` is what its workflow is started with; `intent_id` the outbox row that would start it.
    """

    order: Order
    order_id: str
    number: str
    version: int
    status: str
    phase: str
    reasons: tuple[str, ...]
    blocks: tuple[str, ...]
    totals: Totals
    is_replayed: bool
    first_answer: Mapping[str, Any] | None
    intent_id: str


def quote_order(
    database: Database, desk: TaxDesk, command: PlaceOrder, caller: Caller, now: datetime, *, takes_cards: bool = True
) -> Quote:
    """What the tax engine says of an order that is about to be placed, asked outside any transaction; refused as in place().

    A repeat of a request asks nobody, nor does an order that its channel has taxed.
    """
    if not desk.is_open:
        return OWN
    with database.reading() as session:
        check_placer(command, caller.role)
        check_card(command, takes_cards=takes_cards)
        request = Request(key_scope(caller), command.idempotency_key, request_sha256(command))
        if _replayed(session, request) is not None:
            return NOTHING_ASKED
        _check_shape(command)
        if _same_channel_ref(session, command, caller, request) is not None or _is_taxed_by_channel(command):
            return NOTHING_ASKED
        draft = _order(session, command, _customer(session, command, caller), caller, "", now)
        query = query_of(draft, sessions.business_day(session, now))
    return desk.quote(query)


def place(
    session: Session,
    command: PlaceOrder,
    caller: Caller,
    now: datetime,
    *,
    takes_cards: bool = True,
    quote: Quote = OWN,
) -> Receipt:
    """Store an order, its first event, the intent to start its workflow and the mail that it was received.

    The same key and request gives the order's receipt with is_replayed; another request under the key is AlreadyExists
    IDEMPOTENCY_KEY_REUSED; another order with the channel's reference is AlreadyExists DUPLICATE_CHANNEL_REF; a customer that
    does not exist or that the caller may not order for is InvalidArgument UNKNOWN_CUSTOMER; a discount or a prepaid channel that
    the caller may not use is NotPermitted, whatever adapter it came by; an order by card where no card is taken is Refused. Unknown SKUs and odd prices are
    stored as they are: validation names all that is wrong at once. `quote` is what quote_order() gave: where the tax engine did not
    answer, the order is stored without its tax, and waits for it.
    """
    check_placer(command, caller.role)
    check_card(command, takes_cards=takes_cards)
    request = Request(key_scope(caller), command.idempotency_key, request_sha256(command))
    earlier = _replayed(session, request)
    if earlier is not None:
        return earlier
    _check_shape(command)
    number = orders.next_number(session)
    # placing queues at the counter: a twin of this request may have been stored while this one waited
    earlier = _replayed(session, request) or _same_channel_ref(session, command, caller, request)
    if earlier is not None:
        return earlier
    customer = _customer(session, command, caller)
    order = _by_engine(session, _order(session, command, customer, caller, number, now), command, customer, quote)
    placed = _store(session, order, customer, request, caller, now)
    if command.card_token:
        cards.put(session, order.order_id, command.card_token, now)
    return placed


def key_scope(caller: Caller) -> str:
    """Nobody meets another caller's keys: issuer, subject and company."""
    principal = caller.principal
    return "\n".join((principal.issuer, principal.sub, principal.company or ""))


def request_sha256(command: PlaceOrder) -> str:
    """A digest of what is asked for, without the key."""
    asked = asdict(replace(command, idempotency_key=""))
    for name in _ADDED_MEMBERS:
        if not asked[name]:
            del asked[name]
    return hashlib.sha256(json.dumps(asked, sort_keys=True, default=str, ensure_ascii=False).encode()).hexdigest()


def receipt(session: Session, order_id: str) -> Receipt:
    """The receipt of an order as it stands now."""
    return _receipt(session, order_id, is_replayed=False, intent_id=orders.start_fact_id(session, order_id))


def keep_answer(session: Session, order_id: str, answer: Mapping[str, Any]) -> dict[str, Any]:
    """Store what the client is told, unless it was told before; gives what it was told first, so all repeats read alike."""
    return orders.keep_answer(session, order_id, answer)


def mark_started(session: Session, receipt: Receipt) -> None:
    """The workflow runs: the relay need not start it."""
    outbox.mark_done(session, receipt.intent_id)


def _replayed(session: Session, request: Request) -> Receipt | None:
    found = orders.find_request(session, request.scope, request.key)
    if found is None:
        return None
    order_id, sha256 = found
    if sha256 != request.sha256:
        raise AlreadyExists(
            "IDEMPOTENCY_KEY_REUSED", "this Idempotency-Key was used for another order: send a new key for a new order"
        )
    return _receipt(session, order_id, is_replayed=True, intent_id=orders.start_fact_id(session, order_id))


def _same_channel_ref(session: Session, command: PlaceOrder, caller: Caller, request: Request) -> Receipt | None:
    """A channel resends with a new key what it sent before: the same request is a replay, another one a duplicate.

    An order that was refused or withdrawn gives its reference back, so that a corrected one is taken.
    """
    key = fold_key(command.channel_ref)
    if not key:
        return None
    issuer = ref_issuer(command.channel, command.customer_id, caller.principal.sub, caller.role)
    found = orders.find_channel_ref(session, command.channel, issuer, key)
    if found is None:
        return None
    order_id, scope, sha256 = found
    if (scope, sha256) != (request.scope, request.sha256):
        raise AlreadyExists(
            "DUPLICATE_CHANNEL_REF",
            f"channel {command.channel} has already sent an order {command.channel_ref!r}: send a change, or a new reference",
        )
    return _receipt(session, order_id, is_replayed=True, intent_id=orders.start_fact_id(session, order_id))


def _check_shape(command: PlaceOrder) -> None:
    if not command.idempotency_key or len(command.idempotency_key) > MAX_KEY:
        raise InvalidArgument("IDEMPOTENCY_KEY_MISSING", f"send an Idempotency-Key of 1 to {MAX_KEY} characters")
    if command.channel not in CHANNELS:
        raise InvalidArgument("CHANNEL_UNKNOWN", f"a channel is one of {', '.join(CHANNELS)}")
    if command.payment_method not in PAYMENT_METHODS:
        raise InvalidArgument("PAYMENT_METHOD_UNKNOWN", f"pay by one of {', '.join(PAYMENT_METHODS)}")
    if (command.payment_method == SETTLED_ELSEWHERE) != (command.settlement is not None):
        raise InvalidArgument(
            "SETTLEMENT_MISSING", "an order that is settled elsewhere, and no other, has the settlement's reference"
        )
    if not 1 <= len(command.lines) <= MAX_LINES:
        raise InvalidArgument("LINES_OUT_OF_RANGE", f"an order has 1 to {MAX_LINES} lines")
    for line in command.lines:
        positive(line.quantity, f"the quantity of {line.sku}")
    for amount in (command.discount, command.freight, command.discount_minimum):
        if amount is not None and amount.minor < 0:
            raise InvalidArgument("AMOUNT_NEGATIVE", "discount, its minimum and freight are positive amounts")


def _customer(session: Session, command: PlaceOrder, caller: Caller) -> Customer:
    customer = masterdata.find_customer(session, command.customer_id, caller.scope)
    if customer is None:
        raise InvalidArgument("UNKNOWN_CUSTOMER", "there is no such customer that you may order for: check customer_id")
    if customer.currency != command.currency:
        raise InvalidArgument("CURRENCY_NOT_AGREED", f"{customer.customer_id} orders in {customer.currency}")
    return customer


def _order(
    session: Session, command: PlaceOrder, customer: Customer, caller: Caller, number: str, now: datetime
) -> Order:
    zero, today = Money.zero(command.currency), sessions.business_day(session, now)
    check_days(command, today)
    lines, discount = _lines(session, command, today), command.discount or zero
    lines, taxation, tax_rate = _taxed(session, command, customer, lines, today)
    sums = totals(lines, discount, command.freight or zero, taxation)
    names = (
        "customer_id",
        "channel",
        "channel_ref",
        "po_number",
        "currency",
        "payment_method",
        "deposit_terms",
        "settlement",
        "ship_to",
    )
    return Order(
        **{name: getattr(command, name) for name in names},
        order_id=new_id("ord"),
        number=number,
        version=1,
        phase=RECEIVED,
        customer_name=customer.name,
        net_days=customer.net_days,
        bill_to_id=customer.bill_to_id,
        terms=customer.terms,
        calendar=customer.calendar,
        invoicing=EXCHANGE if command.is_exchange else policy_of(customer.invoicing, command.payment_method),
        tax_rate=tax_rate,
        taxation=taxation,
        customer_tax_id=customer.tax_id,
        requested_on=command.requested_on,
        cancel_after=command.cancel_after,
        is_ship_complete=command.is_ship_complete,
        placed_at=now,
        placed_by=caller.principal.sub,
        placed_by_role=caller.role,
        on_behalf_of=command.on_behalf_of,
        note=command.note,
        lines=lines,
        totals=sums,
        **discount_terms(session, command, sums),
    )


def _taxed(
    session: Session, command: PlaceOrder, customer: Customer, lines: tuple[Line, ...], today: date
) -> tuple[tuple[Line, ...], Taxation, Decimal]:
    """The lines taxed, how the rest of the order is, and the rate of what no rule taxes: a channel's own, else the customer's."""
    if command.settlement is not None and command.settlement.tax is not None:
        net = Money.total((line.extended for line in lines), command.currency) - (
            command.discount or Money.zero(command.currency)
        )
        kind = TaxKind.at(remitted_rate(net, command.settlement.tax))
        return tuple(replace(line, tax=kind) for line in lines), DEFAULT_TAXATION, kind.rate
    found = taxes.determination(session, customer, command.ship_to, today, command.tax_exemption)
    taxed = (replace(line, tax=found.kind(line.tax_category, is_service=line.kind == "service")) for line in lines)
    return tuple(taxed), found.taxation, customer.tax_rate


def _is_taxed_by_channel(command: PlaceOrder) -> bool:
    return command.settlement is not None and command.settlement.tax is not None


def _by_engine(session: Session, order: Order, command: PlaceOrder, customer: Customer, quote: Quote) -> Order:
    """The order taxed as the engine says, where there is one; without its answer to what is placed now nobody knows the tax."""
    on = order.taxation.tax_on
    if quote.is_own or on is None or _is_taxed_by_channel(command):
        return order
    query = query_of(order, on)
    answer = quote.answers(query)
    if answer is None:
        return undetermined(order)
    return determined(
        order, query, answer, taxes.determination(session, customer, order.ship_to, on, order.taxation.exemption)
    )


def _lines(session: Session, command: PlaceOrder, today: date) -> tuple[Line, ...]:
    known = masterdata.known_skus(session, [line.sku for line in command.lines])
    wanted = [replace(line, sku=known[line.sku]) for line in command.lines]
    skus = [line.sku for line in wanted]
    products = masterdata.products_of(session, skus)
    agreements = masterdata.agreements_of(session, command.customer_id, skus)
    lines = []
    for position, asked in enumerate(wanted, start=1):
        product = products.get(asked.sku)
        reference = reference_price(product, agreements.get(asked.sku, ()), command.currency, today, asked.quantity)
        lines.append(price_line(str(position), asked, product, reference, command.currency))
    return tuple(lines)


def _store(
    session: Session, order: Order, customer: Customer, request: Request, caller: Caller, now: datetime
) -> Receipt:
    intent_id = outbox.start(session, order, now)
    orders.add(session, order, request, intent_id)
    first = Progress(exchange=Exchange(order.payment_method != EXCHANGED) if order.is_exchange else None)
    standing = derive(order, first, (), now)
    progress.add(session, order.order_id, first, standing, now)
    after = {"phase": order.phase, "status": "received", "total": order.totals.total.text, "lines": len(order.lines)}
    why = f"placed over {order.channel}" + (f" on behalf of {order.on_behalf_of}" if order.on_behalf_of else "")
    who, role = caller.principal.sub, caller.role
    events.append(session, order.order_id, who=who, role=role, what="order_placed", why=why, after=after, now=now)
    placed_on = sessions.business_day(session, order.placed_at)
    outbox.mail(session, order, mails.order_received(order, customer, placed_on), now)
    exceptions.note_reachable(session, order, customer, now)
    return _receipt_of(order, standing.status, (), None, is_replayed=False, intent_id=intent_id)


def _receipt(session: Session, order_id: str, *, is_replayed: bool, intent_id: str) -> Receipt:
    kept = progress.load(session, order_id)
    held = remaining(of_order(session, order_id)) if kept.has_holds else ()
    return _receipt_of(
        orders.load(session, order_id),
        kept.standing.status,
        (*violations_of(session, order_id), *(Violation(hold.code, HOLD, hold.reason) for hold in held)),
        orders.first_answer(session, order_id),
        is_replayed=is_replayed,
        intent_id=intent_id,
    )


def _receipt_of(
    order: Order,
    status: str,
    violations: tuple[Violation, ...],
    first_answer: Mapping[str, Any] | None,
    *,
    is_replayed: bool,
    intent_id: str,
) -> Receipt:
    return Receipt(
        order=order,
        order_id=order.order_id,
        number=order.number,
        version=order.version,
        status=status,
        phase=order.phase,
        reasons=reasons(violations),
        blocks=reasons([one for one in violations if one.severity == BLOCK]),
        totals=order.totals,
        is_replayed=is_replayed,
        first_answer=first_answer,
        intent_id=intent_id,
    )
