"""Recording a payout of a marketplace or a till, inside the caller's transaction."""

from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from services.billing.domain.payouts import Payout, check_repeat, check_sum, payout_postings
from services.billing.store import ledger as ledger_store
from services.billing.store import sales
from services.kernel.ids import new_id


def record(session: Session, asked: Payout, now: datetime) -> Payout:
    """The one payout of a channel's reference: recorded now, or as it was recorded before. A line's sale may not be shipped yet."""
    check_sum(asked.amount, asked.fees, asked.lines)
    payout = replace(asked, payout_id=new_id("pout"), recorded_at=now)
    if not sales.add_payout(session, payout):
        earlier = sales.payout_of(session, asked.channel, asked.reference)
        check_repeat(earlier, asked)
        return earlier
    references = [line.reference for line in payout.lines]
    orders = sales.orders_of(session, payout.channel, payout.amount.currency, references)
    ledger_store.post(session, payout_postings(payout, orders), now)
    return payout
