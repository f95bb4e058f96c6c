"""Cancelling or closing units of an order that goes on: a change that nobody need agree to, made as far as the warehouses let it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from sqlmodel import Session

from services.kernel.errors import Conflict
from services.orders.approvals.holds import lift_idle
from services.orders.approvals.money import with_money
from services.orders.changes.consent import end
from services.orders.changes.make_version import make, owe_signals
from services.orders.changes.next_version import decided
from services.orders.changes.propose import change_of, logged
from services.orders.changes.rereview import rereviewed
from services.orders.domain import differences, mails
from services.orders.domain.amendment import invoiced_unheard, needs_recall
from services.orders.domain.billed import awaits_last_invoice
from services.orders.domain.cancellation import DONE, CancellationPreview
from services.orders.domain.cancelled_units import (
    cancelled_between,
    kept_by_warehouse,
    still_unshipped,
    without,
)
from services.orders.domain.changes import AGREED, ChangeOrder, ChangeRequest, LineChange
from services.orders.domain.consequence import Consequence, settled
from services.orders.domain.mails import Contacts
from services.orders.domain.order import IN_REVIEW, Order
from services.orders.domain.policies import Violation
from services.orders.domain.projection import Progress
from services.orders.domain.proposals import Proposal
from services.orders.domain.verdicts import beyond, carried, held_codes
from services.orders.order import outbox
from services.orders.order.acts import act_of
from services.orders.order.aggregate import Actor, OrderAggregate, note_event, read_asked, read_for_change, restate
from services.orders.order.change_orders import find_change
from services.orders.policies import evaluate
from services.orders.policies.engine import Credit
from services.orders.policies.evaluate import Evaluation
from services.orders.store import changes as store
from services.orders.store import holds as hold_store
from services.orders.store import masterdata, versions

WORKFLOW = Actor("workflow", "service")
KEPT = "the warehouse keeps all that was to be canceled or closed"


def put_on_its_way(
    session: Session, before: OrderAggregate, preview: CancellationPreview, actor: Actor, reason: str, now: datetime
) -> tuple[OrderAggregate, ChangeOrder, str]:
    """Store the change that cancels what was previewed, agreed at once; also gives the intent that shows it to the workflow.

    The caller has checked that nothing stands against it.
    """
    order, becomes = before.order, preview.becomes
    assert becomes is not None, "a whole order is cancelled without a change"
    units = cancelled_between(order, becomes)
    lines = tuple(LineChange(line.line_id, quantity=line.quantity) for line in becomes.lines if line.line_id in units)
    is_closing, keeps_cash = preview.consequence.is_closing, preview.consequence.keeps_cash
    request = ChangeRequest(reason, lines, is_cancellation=True, is_closing=is_closing, keeps_cash=keeps_cash)
    change = change_of(before, request, _proposal(order, becomes, before.progress), actor, timedelta(), now)
    act = act_of(session, actor, order, "closed lines" if is_closing else "canceled a part")
    intent_id = outbox.refresh(session, order.order_id, "amend", change.change_id, act, now)
    store.add(session, change, order, becomes, intent_id)
    after = replace(before, asked=read_asked(session, order.order_id))
    what = "closing_requested" if is_closing else "cancellation_requested"
    note_event(session, before, after, actor, what, now, why=reason, more=logged(change))
    return restate(session, after, now), change, intent_id


def _proposal(order: Order, becomes: Order, progress: Progress) -> Proposal:
    rows = differences.difference(order, becomes, {})
    return Proposal(
        before=order,
        after=becomes,
        difference=rows,
        kinds=differences.kinds(order, rows),
        is_material=False,
        is_favorable=False,
        needs_consent=False,
        needs_recall=needs_recall(order, becomes, progress),
        obstacles=(),
    )


def keep_units(
    session: Session, order_id: str, change_id: str, carried_units: Mapping[str, int], contacts: Contacts, now: datetime
) -> ChangeOrder:
    """Cancel no more than what no shipment carries: `carried_units` is line id → units, those that have left included.

    Where nothing is left to cancel the change ends. A change that is not being made stays as it is.
    """
    before = read_for_change(session, order_id)
    change = find_change(session, order_id, change_id)
    if change.state != AGREED:
        return change
    asked = cancelled_between(before.order, versions.becomes(session, before.order, change_id))
    units = kept_by_warehouse(before.order, asked, carried_units)
    if not units:
        restate(session, _ended(session, before, change, contacts, now), now)
    elif units != asked:
        becomes = without(before.order, before.progress, units, is_closing=change.is_closing)
        _rewritten(session, change, before.order, becomes)
    return find_change(session, order_id, change_id)


def _ended(
    session: Session, before: OrderAggregate, change: ChangeOrder, contacts: Contacts, now: datetime
) -> OrderAggregate:
    return end(session, before, change, "reject", KEPT, WORKFLOW, contacts, now, customer_reason=KEPT)


def _rewritten(session: Session, change: ChangeOrder, order: Order, becomes: Order) -> ChangeOrder:
    """The change as it makes another version than was asked for."""
    rows = differences.difference(order, becomes, {})
    total, kinds = becomes.totals.total, differences.kinds(order, rows)
    after = replace(change, difference=rows, total_after=total, kinds=kinds)
    if after != change:
        store.rewrite(session, after, becomes)
    return after


def apply(
    session: Session,
    before: OrderAggregate,
    change: ChangeOrder,
    credit: Credit,
    contacts: Contacts,
    now: datetime,
    *,
    invoiced: Mapping[str, int],
    invoice_count: int | None,
) -> tuple[OrderAggregate, str]:
    """Make the version without the units that have not left by now; also says why where none are left.

    No rule stops it, and none holds the order for being less. Conflict INVOICE_PENDING where an invoice that is to come, or has come
    and is not heard of, decides what becomes of discount and freight: `invoice_count` is how many billing has posted, None when it
    was not asked, and `invoiced` (line id → units) what it has of an order that it does not invoice per shipment.
    """
    order = before.order
    proposed = cancelled_between(order, versions.becomes(session, order, change.change_id))
    units = still_unshipped(order, before.progress, proposed)
    if not units:
        return restate(session, _ended(session, before, change, contacts, now), now), KEPT
    becomes = without(order, before.progress, units, is_closing=change.is_closing)
    _check_invoices(becomes, before.progress, invoiced, invoice_count)
    change = _rewritten(session, change, order, becomes)
    before, credit = with_money(before, credit, becomes.totals.total)
    evaluation = evaluate.evaluate(session, becomes, credit, now)
    after = _made(session, before, change, becomes, evaluation, contacts, now)
    after = restate(session, after, now)
    what = "units_closed" if change.is_closing else "units_cancelled"
    note_event(session, before, after, WORKFLOW, what, now, why=change.request.reason, more=logged(change))
    owe_signals(session, before, after, change, now)
    came = _settle(session, before, after, change, units, now)
    mail = mails.units_dropped(
        after.order,
        masterdata.customer(session, after.order.customer_id),
        contacts,
        came,
        reason=change.request.reason,
        is_at_warehouse=any(line.released for line in before.progress.lines.values()),
    )
    outbox.mail(session, after.order, mail, now)
    return after, ""


def _made(
    session: Session,
    before: OrderAggregate,
    change: ChangeOrder,
    becomes: Order,
    evaluation: Evaluation,
    contacts: Contacts,
    now: datetime,
) -> OrderAggregate:
    """What the rules have come to say since is asked at the next release, as ever; an order in review is asked about again."""
    known = decided(session, before.order)
    codes = [rule.code for rule in evaluation.policy.rules]
    said = carried(evaluation.violations, known, held_codes(before.holds, codes))
    if before.order.phase == IN_REVIEW:
        after = make(session, before, change, becomes, evaluation.policy.version, said, now)
        return rereviewed(session, after, change, evaluation, known, contacts, now)
    after = make(session, before, change, becomes, evaluation.policy.version, _not_new(said, known), now)
    return lift_idle(session, after, now)


def _not_new(said: tuple[Violation, ...], known: tuple[Violation, ...]) -> tuple[Violation, ...]:
    new = beyond(said, known)
    return tuple(one for one in said if one not in new)


def _check_invoices(becomes: Order, progress: Progress, invoiced: Mapping[str, int], invoice_count: int | None) -> None:
    is_counted = invoice_count is not None and invoice_count <= len(progress.invoices)
    is_unheard = any(invoiced_unheard(progress, invoiced))
    if is_unheard or (awaits_last_invoice(becomes, progress) and not is_counted):
        raise Conflict("INVOICE_PENDING", "what has shipped is being invoiced: try again in a moment")


def _settle(
    session: Session,
    before: OrderAggregate,
    after: OrderAggregate,
    change: ChangeOrder,
    units: Mapping[str, int],
    now: datetime,
) -> Consequence:
    """The request is done, and keeps what it has come to: what a warehouse kept is named."""
    asked = next(
        one for one in hold_store.cancellations_of(session, before.order_id) if one.change_id == change.change_id
    )
    assert asked.consequence is not None, "a part is cancelled with its consequence"
    done = settled(asked.consequence, before.order, after.order, before.progress, units)
    kept = [f"{line.kept} of line {line.line_id}" for line in done.lines if line.kept]
    word = "closed" if change.is_closing else "canceled"
    why = f"not {word}, for the warehouse keeps them: {', '.join(kept)}" if kept else ""
    hold_store.settle_cancellation(session, before.order_id, DONE, why, now, done)
    return done
