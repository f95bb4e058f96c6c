"""Payouts and the sales they settle: protobuf to domain and back."""

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime

from oms.billing.v1 import billing_pb2 as pb
from services.billing import wire
from services.billing.domain.payouts import Payout, PayoutLine, Sale
from services.kernel.bounds import MAX_LINES
from services.kernel.clock import micros
from services.kernel.errors import DomainError, InvalidArgument
from services.kernel.text import clean_key, fold_key, text
from services.runtime.wire import money

CHANNELS = ("amazon", "ebay", "pos")
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def channel(given: str) -> str:
    """A channel that takes its buyers' money."""
    return wire.one_of(text(given, "channel"), CHANNELS, "channel that pays out")


def payout(request: pb.RecordPayoutRequest) -> Payout:
    """A payout as it is asked for, without identity and moment."""
    amount = wire.money(request, "amount")
    if not 1 <= len(request.lines) <= MAX_LINES:
        raise InvalidArgument("LINES_OUT_OF_RANGE", f"a payout has from 1 to {MAX_LINES} sales")
    lines = tuple(_line(line, amount.currency) for line in request.lines)
    if len({fold_key(line.reference) for line in lines}) != len(lines):
        raise InvalidArgument("SALE_REPEATED", "a payout names each sale once: add up what it pays of one")
    return Payout(
        "",
        channel(request.channel),
        text(clean_key(request.reference), "reference"),
        amount,
        wire.money(request, "fees", currency=amount.currency),
        lines,
        _NEVER,
    )


def _line(line: pb.PayoutLine, currency: str) -> PayoutLine:
    reference = text(clean_key(line.reference), "reference of a sale")
    amount, fees = (wire.money(line, part, currency=currency) for part in ("amount", "fees"))
    if not (amount + fees).minor:
        raise InvalidArgument("AMOUNT_TOO_SMALL", f"sale {reference} has neither cash nor fees: leave it out")
    return PayoutLine(reference, amount, fees)


def payout_message(paid: Payout) -> pb.Payout:
    """A payout as recorded."""
    return pb.Payout(
        payout_id=paid.payout_id,
        channel=paid.channel,
        reference=paid.reference,
        amount=money(paid.amount),
        fees=money(paid.fees),
        lines=[
            pb.PayoutLine(reference=each.reference, amount=money(each.amount), fees=money(each.fees))
            for each in paid.lines
        ],
        recorded_at_micros=micros(paid.recorded_at),
    )


def sale_message(sale: Sale) -> pb.MarketplaceSale:
    """A sale as it stands."""
    return pb.MarketplaceSale(
        order_id=sale.order_id,
        order_number=sale.order_number,
        customer_id=sale.customer_id,
        channel=sale.channel,
        reference=sale.reference,
        due=money(sale.due),
        paid_out=money(sale.paid_out),
        fees=money(sale.fees),
        open=money(sale.open),
        status=sale.status,
        announced_fees=money(sale.announced_fees) if sale.announced_fees is not None else None,
        sold_at_micros=micros(sale.sold_at),
    )


def named_sales(references: Sequence[str]) -> tuple[str, ...]:
    """The keys of a filter's references, each once."""
    if len(references) > MAX_LINES:
        raise InvalidArgument("SALES_TOO_MANY", f"name at most {MAX_LINES} sales at once")
    return tuple(sorted({fold_key(text(one, "reference of a sale")) for one in references}))


def sales_cursor(given: str) -> tuple[str, str, str]:
    """Channel, reference key and currency of the last sale of the page before; empty at the start."""
    if not given:
        return "", "", ""
    try:
        parts = json.loads(base64.b64decode(given, altchars=b"-_", validate=True))
        of_channel, key, currency = (text(part, "cursor") for part in parts)
    except (ValueError, TypeError, AttributeError, RecursionError, DomainError) as unreadable:
        raise InvalidArgument("CURSOR_INVALID", "send back the next_cursor of the last page, or none") from unreadable
    return of_channel, key, currency


def cursor_after(sale: Sale) -> str:
    """The cursor behind a sale: letters and digits alone, whatever its reference has."""
    key = json.dumps([sale.channel, fold_key(sale.reference), sale.due.currency], ensure_ascii=False)
    return base64.urlsafe_b64encode(key.encode()).decode()
