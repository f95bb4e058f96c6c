"""Asking people: who a step asks at this moment, opening it in their hours, and the mail that tells them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from sqlmodel import Session

from services.kernel.calendars import ALWAYS, Calendar, after_working_days
from services.kernel.clock import business_day
from services.orders.approvals import limits
from services.orders.domain import mails
from services.orders.domain.cases import Case, Parties
from services.orders.domain.changes import ChangeOrder
from services.orders.domain.holds import Hold
from services.orders.domain.mails import Contacts, Recipient
from services.orders.domain.order import Line, Order
from services.orders.domain.owners import SALES, acting_roles, substitutes
from services.orders.domain.people import STRANGER, Delegation, Person, called
from services.orders.domain.policies import Policy
from services.orders.domain.review_plan import MANUFACTURING, is_candidate, opened
from services.orders.domain.reviews import BUYER, Review, Step
from services.orders.domain.segregation_of_duties import barred
from services.orders.order import outbox
from services.orders.policies import calendars
from services.orders.store import changes, masterdata, parties, people, reviews


@dataclass(frozen=True, slots=True)
class EligibleApprovers:
    """Everybody who may be asked about an order, and who may not decide on it."""

    order: Order
    parties: Parties
    delegations: tuple[Delegation, ...]
    staff: tuple[Person, ...]
    buyers: tuple[Person, ...]
    names: Mapping[str, str] = field(default_factory=dict)
    """Subject → name of everybody whom a sentence about the order may name, who left included."""

    def asked(self, step: Step, now: datetime) -> tuple[Person, ...]:
        """The active people whom a step asks, without those who are barred from it, by subject."""
        out = self.out(step, now)
        everybody = self.buyers if step.chain == BUYER else self.staff
        company, sales_rep = self.order.customer_id, self.parties.sales_rep
        found = (person for person in everybody if is_candidate(person, step, company, sales_rep))
        return tuple(person for person in found if person.sub not in out)

    def substitutes(self, step: Step, now: datetime) -> tuple[Person, ...]:
        """Who acts on a step that asks nobody any more, neither directly nor through a delegate; nobody while it asks somebody."""
        out = self.out(step, now)
        everybody = (*self.staff, *self.buyers)
        stand_in = {one.to_sub for one in self.delegations if one.is_in_force(now) and one.covers(step.position)} - out
        if self.asked(step, now) or (stand_in and self._is_handed_over(step, stand_in, now)):
            return ()
        free = [person for person in everybody if person.sub not in out]
        return substitutes(step, free, self.order.customer_id)

    def _is_handed_over(self, step: Step, stand_in: Collection[str], now: datetime) -> bool:
        company, sales_rep = self.order.customer_id, self.parties.sales_rep
        known = {person.sub: person for person in (*self.staff, *self.buyers)}
        return any(
            one.to_sub in stand_in
            and one.is_in_force(now)
            and one.from_sub in known
            and is_candidate(known[one.from_sub], step, company, sales_rep)
            for one in self.delegations
        )

    def out(self, step: Step, now: datetime) -> set[str]:
        """Who may not decide a step: parties of the order and who stands in for them."""
        return set(barred(self.parties.of(step), self.delegations, now))

    def submitted_by(self) -> str:
        """Who placed the order, and for whom: by name, else by company, channel or role, never by login."""
        order = self.order
        names = {person.sub: person.name for person in (*self.staff, *self.buyers)}
        placed_by = names.get(order.placed_by) or submitter(order)
        return f"{placed_by} for {order.on_behalf_of}" if order.on_behalf_of else placed_by

    def standing_in(self, step: Step, now: datetime) -> tuple[tuple[str, str], ...]:
        """(delegate, delegator) of the people whom a step asks, by name where the directory has one."""
        names = {person.sub: person.name or STRANGER for person in (*self.staff, *self.buyers)}
        asked = {person.sub for person in self.asked(step, now)}
        return tuple(
            (called(one.to_sub, names), names[one.from_sub])
            for one in self.delegations
            if one.from_sub in asked and one.is_in_force(now) and one.covers(step.position)
        )

    def notified(self, asked: Iterable[Person], step: Step, now: datetime) -> tuple[Person, ...]:
        """Those who are asked, and who stands in for them now."""
        subs = {person.sub: person for person in asked}
        everybody = {person.sub: person for person in (*self.staff, *self.buyers)}
        standing_in = {
            one.to_sub
            for one in self.delegations
            if one.from_sub in subs and one.is_in_force(now) and one.covers(step.position)
        }
        return (*subs.values(), *(everybody[sub] for sub in sorted(standing_in - set(subs)) if sub in everybody))


def submitter(order: Order) -> str:
    """Who placed an order, where the directory has no name: the customer, the channel, or a role of staff."""
    if order.placed_by_role == "customer":
        return order.customer_name
    if order.placed_by_role == "channel":
        return f"channel {order.channel}"
    return order.placed_by_role.replace("_", " ")


def eligible_of(session: Session, order: Order, now: datetime) -> EligibleApprovers:
    """Read the people, the delegations and the parties of an order."""
    return eligible_by_order(session, [order], now)[order.order_id]


def eligible_by_order(session: Session, orders: Sequence[Order], now: datetime) -> dict[str, EligibleApprovers]:
    """Order id → its eligible approvers, in as many queries as for one order."""
    involved = _parties(session, orders)
    delegations = people.standing_delegations(session, now)
    by_company = people.of_companies(session, {"", *(order.customer_id for order in orders)})
    names = _names(session, orders, involved, by_company)
    reaching = limits.in_currencies(session, by_company, {order.currency for order in orders}, now)
    return {
        order.order_id: EligibleApprovers(
            order=order,
            parties=involved[order.order_id],
            delegations=delegations,
            staff=reaching[order.currency].get("", ()),
            buyers=reaching[order.currency].get(order.customer_id, ()),
            names=names,
        )
        for order in orders
    }


def _names(
    session: Session,
    orders: Sequence[Order],
    involved: Mapping[str, Parties],
    by_company: Mapping[str, Sequence[Person]],
) -> dict[str, str]:
    """Those who are there, the parties, and who has decided."""
    there = {person.sub: person.name for found in by_company.values() for person in found}
    parties = {sub for each in involved.values() for sub in each.subs()}
    decided = reviews.deciders_of(session, [order.order_id for order in orders])
    others = people.of_subs(session, (parties | decided) - set(there))
    return there | {sub: person.name for sub, person in others.items()}


def case_of(eligible: EligibleApprovers, review: Review, step: Step, change: ChangeOrder | None, now: datetime) -> Case:
    """A step of an order with everything that bounds a decision on it."""
    acting = frozenset(person.sub for person in eligible.substitutes(step, now))
    return Case(
        order=eligible.order,
        review=review,
        step=step,
        change=change,
        parties=eligible.parties,
        delegations=eligible.delegations,
        now=now,
        substitutes=acting,
        names=eligible.names,
        asked=eligible.asked(step, now),
    )


def sales_rep_of(session: Session, order: Order) -> str:
    """Who sells to the order's customer and has not left; empty for nobody."""
    sub = parties.sales_reps(session, [order.customer_id]).get(order.customer_id, "")
    person = people.find(session, sub) if sub else None
    has_left = person is not None and not (person.is_active and SALES in person.roles)
    return "" if has_left else sub


def owners_of(session: Session, order: Order, hold: Hold) -> tuple[str, ...]:
    """The roles that may release a hold now: its owner, and the fallbacks of one that resolves to nobody."""
    sales_rep = sales_rep_of(session, order)
    return acting_roles(hold.owner_role, people.of_company(session, ""), sales_rep)


def parties_of(session: Session, order: Order) -> Parties:
    """Who has to do with one order."""
    return _parties(session, [order])[order.order_id]


def _parties(session: Session, orders: Sequence[Order]) -> dict[str, Parties]:
    ids = [order.order_id for order in orders]
    pending = changes.pending_of(session, ids)
    editors = parties.last_editors(session, ids)
    sales_reps = parties.sales_reps(session, {order.customer_id for order in orders})
    return {
        order.order_id: Parties(
            creator=order.placed_by,
            on_behalf_of=order.on_behalf_of,
            last_editor=editors.get(order.order_id, ""),
            proposer=pending[order.order_id].proposed_by if order.order_id in pending else "",
            sales_rep=sales_reps.get(order.customer_id, ""),
        )
        for order in orders
    }


def open_step(eligible: EligibleApprovers, policy: Policy, step: Step, now: datetime) -> Step:
    """The step as it opens: in the hours of the one person it asks, else in the policy's; it names who acts for nobody."""
    asked = eligible.asked(step, now)
    acting = tuple(person.sub for person in eligible.substitutes(step, now))
    return replace(opened(step, asked, calendar_of(policy, step, asked), policy.deadlines, now), escalated_to=acting)


def calendar_of(policy: Policy, step: Step, asked: Sequence[Person]) -> Calendar:
    """Whose hours count for a step."""
    if len(asked) == 1 and asked[0].calendar:
        return calendars.named(policy, asked[0].calendar)
    return (
        calendars.of_plant(policy) if step.role == MANUFACTURING else calendars.named(policy, policy.deadlines.calendar)
    )


def notify_opened(
    session: Session, eligible: EligibleApprovers, policy: Policy, step: Step, contacts: Contacts, now: datetime
) -> None:
    """Tell those who are asked that a step waits for them."""
    asked = eligible.asked(step, now)
    readers = readers_of(step, eligible.notified(asked or eligible.substitutes(step, now), step, now), contacts)
    line = next((line for line in eligible.order.lines if line.line_id == step.line_id), None)
    if step.role == MANUFACTURING and line is not None:
        mail = mails.manufacturing_asked(
            line,
            readers,
            requested_on=eligible.order.requested_on,
            earliest_on=earliest_on(session, policy, line, step, now),
            due=due_of(policy, step, asked, now),
            link=mails.review_page(contacts, step.step_id),
        )
    else:
        mail = mails.approval_requested(eligible.order, readers, question(eligible, policy, step, contacts, now))
    outbox.mail(session, eligible.order, mail, now)


def question(eligible: EligibleApprovers, policy: Policy, step: Step, contacts: Contacts, now: datetime) -> mails.Asked:
    """A step as its readers see it."""
    return mails.Asked(
        step=step.question,
        reasons=(*step.reasons, *(f"{who} decides for {whom}." for who, whom in eligible.standing_in(step, now))),
        submitted_by=eligible.submitted_by(),
        due=due_of(policy, step, eligible.asked(step, now), now),
        link=mails.review_page(contacts, step.step_id),
    )


def due_of(policy: Policy, step: Step, asked: Sequence[Person], now: datetime) -> datetime:
    """When something else happens unless it is decided, on the clock that its people go by; in UTC where no calendar has one."""
    due = (step.escalate_at if not step.escalated_at else None) or step.expires_at or now
    calendar = calendar_of(policy, step, asked)
    return due if calendar is ALWAYS else due.astimezone(calendars.zone_of(calendar))


def readers_of(step: Step, asked: Iterable[Person], contacts: Contacts) -> tuple[Recipient, ...]:
    """Who is told of a step; when nobody in the directory is asked, the company's mailbox of the role, if it has one."""
    found = tuple(mails.reader(person.email, person.name, step.role) for person in asked if person.email)
    if found or step.chain == BUYER:
        return found
    mailbox = {"accounting": contacts.accounting, "warehouse": contacts.warehouse_manager}.get(
        step.role, contacts.support
    )
    team = {"accounting": "Accounting", "warehouse": "Warehouse"}.get(step.role, "Support")
    return (mails.reader(mailbox, team, step.role),) if mailbox else ()


def earliest_on(session: Session, policy: Policy, line: Line, step: Step, now: datetime) -> date:
    """The day the plant's calendar allows: the lead time counted from the day it was asked, from today once that is past."""
    calendar = calendars.of_plant(policy)
    today = business_day(now, calendar.time_zone)
    product = masterdata.products_of(session, [line.sku]).get(line.sku)
    lead_days = product.lead_days if product else 0
    computed = after_working_days(calendar, step.asked_on or today, lead_days)
    return computed if computed >= today else after_working_days(calendar, today, lead_days)


def renewed(step: Step, review_id: str, step_id: str) -> Step:
    """The same question once more, not asked yet."""
    blank = Step(
        step_id=step_id,
        review_id=review_id,
        order_id=step.order_id,
        order_version=step.order_version,
        chain=step.chain,
        level=step.level,
        role=step.role,
        position=step.position,
        mode=step.mode,
        needed=step.needed,
        limit=step.limit,
        codes=step.codes,
        reasons=step.reasons,
    )
    return replace(blank, line_id=step.line_id)
