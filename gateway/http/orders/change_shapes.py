"""Shapes of change orders and of the versions that they leave behind, and how they are made."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, Field

from gateway.http.plumbing.shapes import AddressShape, MoneyShape, TotalsShape, rfc3339
from services.orders.access.matrix import Caller
from services.orders.domain.changes import STATES, ChangeOrder, Difference, SpokenConsent
from services.orders.domain.differences import MONEY_KINDS
from services.orders.domain.order import Line, Order
from services.orders.domain.proposals import CUSTOMER, Proposal
from services.orders.domain.versions import KeptVersion


class DifferenceShape(BaseModel):
    """A row of the difference, as people read it."""

    kind: str = Field(
        description="line_added, line_removed, substituted, quantity, price, address, date, split, discount, freight, total."
    )
    what: str
    before: str = Field(description="Empty for what is new.")
    after: str = Field(description="Empty for what is gone.")
    line_id: str = Field(description="Empty when it is about the whole order.")


class ChangeObstacle(BaseModel):
    """Why a change cannot be made."""

    code: str
    detail: str
    line_id: str = Field(description="Empty when it is about the whole order.")


class ProposalShape(BaseModel):
    """A change as it was put on its way, or only previewed: what it comes to and what follows."""

    change_id: str | None = Field(description="Null for a preview.")
    state: str = Field(description=f"preview; or, once proposed, {', '.join(STATES)}")
    from_version: int
    to_version: int
    difference: list[DifferenceShape]
    totals_before: TotalsShape
    totals_after: TotalsShape
    is_material: bool = Field(description="Approvals of the version before say nothing of the one after.")
    needs_consent: bool
    voids_approvals: bool
    needs_recall: bool = Field(description="The warehouse must give back what was released to it.")
    consequences: list[str]
    obstacles: list[ChangeObstacle] = Field(description="With any, the change would be refused.")


class SpokenConsentShape(BaseModel):
    """Who of the customer agreed, when, and how."""

    given_by: str
    given_at: str
    how: str


class ChangeShape(BaseModel):
    """A change order."""

    change_id: str
    state: str = Field(description=", ".join(STATES))
    from_version: int
    to_version: int
    reason: str
    kinds: list[str] = Field(description="The kinds of its rows, each once.")
    difference: list[DifferenceShape]
    total_before: MoneyShape
    total_after: MoneyShape
    is_material: bool
    needs_consent: bool
    proposed_by: str = Field(description="A customer reads the role, unless it was one of its own people.")
    proposed_role: str
    proposed_at: str
    consent_expires_at: str | None = Field(description="Until when the customer may answer; null when it need not.")
    withholds_until: str | None = Field(
        description="Until when lines that it touches are held back, unless it is settled before; null when it holds back none."
    )
    resumed_at: str | None = Field(description="When the warehouse went on without it; null when it did not.")
    consented_by: str | None
    consented_at: str | None
    ended_at: str | None
    ended_reason: str = Field(
        description="Why it ended so; of its own change a customer reads what is neither credit nor internal, of ours none."
    )
    consent: SpokenConsentShape | None = Field(
        description="The agreement that one of ours heard before proposing it; null where none was recorded."
    )


class VersionLine(BaseModel):
    """A line of a version; amounts are null for who does not see prices."""

    line_id: str
    sku: str
    description: str
    quantity: int
    unit_price: str | None
    extended: MoneyShape | None


class OrderVersionShape(BaseModel):
    """The order as it was, or is, at a version; totals are null for who does not see prices."""

    version: int
    is_current: bool
    lines: list[VersionLine]
    totals: TotalsShape | None
    ship_to: AddressShape
    requested_on: str | None
    cancel_after: str | None = Field(description="The last day to ship; null without one.")
    ship_complete: bool
    replaced_at: str | None
    replaced_by: str | None = Field(description="The change that replaced it.")


class VersionList(BaseModel):
    """Every version of an order, oldest first; the last one is in force."""

    rows: list[OrderVersionShape]


def proposal_shape(given: Proposal, change: ChangeOrder | None) -> ProposalShape:
    """A proposal, stored or not."""
    return ProposalShape(
        change_id=change.change_id if change else None,
        state=change.state if change else "preview",
        from_version=given.before.version,
        to_version=given.after.version,
        difference=difference_shapes(given.difference),
        totals_before=TotalsShape.of(given.before.totals),
        totals_after=TotalsShape.of(given.after.totals),
        is_material=given.is_material,
        needs_consent=given.needs_consent,
        voids_approvals=given.voids_approvals,
        needs_recall=given.needs_recall,
        consequences=list(given.consequences),
        obstacles=[ChangeObstacle(code=one.code, detail=one.sentence, line_id=one.line_id) for one in given.obstacles],
    )


def difference_shapes(rows: Sequence[Difference], *, sees_money: bool = True) -> list[DifferenceShape]:
    """The rows; without those about money for who does not see prices."""
    shown = (row for row in rows if sees_money or row.kind not in MONEY_KINDS)
    return [DifferenceShape.model_validate(row, from_attributes=True) for row in shown]


def change_shape(change: ChangeOrder, who: Caller) -> ChangeShape:
    """A change as this caller sees it: a customer reads a role of ours, not a name, and no reason of ours for its end."""
    is_customer = who.reach == "own"

    def named(sub: str, role: str) -> str:
        return role if is_customer and sub != who.principal.sub else sub

    is_own_end = change.state in ("declined", "expired", "applied") or not is_customer
    is_own_change = change.proposed_role == CUSTOMER
    return ChangeShape(
        change_id=change.change_id,
        state=change.state,
        from_version=change.from_version,
        to_version=change.to_version,
        reason=change.request.reason,
        kinds=list(change.kinds),
        difference=difference_shapes(change.difference),
        total_before=MoneyShape.of(change.total_before),
        total_after=MoneyShape.of(change.total_after),
        is_material=change.is_material,
        needs_consent=change.needs_consent,
        proposed_by=named(change.proposed_by, change.proposed_role),
        proposed_role=change.proposed_role,
        proposed_at=rfc3339(change.proposed_at),
        consent_expires_at=rfc3339(change.consent_expires_at) if change.consent_expires_at else None,
        withholds_until=rfc3339(change.withholds_until) if change.withholds_until else None,
        resumed_at=rfc3339(change.resumed_at) if change.resumed_at else None,
        consented_by=(change.consented_by and named(change.consented_by, "customer")) or None,
        consented_at=rfc3339(change.consented_at) if change.consented_at else None,
        ended_at=rfc3339(change.ended_at) if change.ended_at else None,
        ended_reason=change.ended_reason if is_own_end else change.customer_reason if is_own_change else "",
        consent=_consent(change.request.consent),
    )


def _consent(consent: SpokenConsent | None) -> SpokenConsentShape | None:
    if consent is None:
        return None
    return SpokenConsentShape(given_by=consent.given_by, given_at=rfc3339(consent.given_at), how=consent.how)


def version_list(current: Order, kept: Sequence[KeptVersion], who: Caller) -> VersionList:
    """Every version; amounts only for who sees prices."""
    earlier = [_version(one.order, who, one) for one in kept]
    return VersionList(rows=[*earlier, _version(current, who, None)])


def _version(order: Order, who: Caller, kept: KeptVersion | None) -> OrderVersionShape:
    return OrderVersionShape(
        version=order.version,
        is_current=kept is None,
        lines=[_line(line, sees_money=who.sees_money) for line in order.lines],
        totals=TotalsShape.of(order.totals) if who.sees_money else None,
        ship_to=AddressShape.model_validate(order.ship_to, from_attributes=True),
        requested_on=order.requested_on.isoformat() if order.requested_on else None,
        cancel_after=order.cancel_after.isoformat() if order.cancel_after else None,
        ship_complete=order.is_ship_complete,
        replaced_at=rfc3339(kept.replaced_at) if kept else None,
        replaced_by=kept.change_id if kept else None,
    )


def _line(line: Line, *, sees_money: bool) -> VersionLine:
    return VersionLine(
        line_id=line.line_id,
        sku=line.sku,
        description=line.description,
        quantity=line.quantity,
        unit_price=line.unit_price.text if sees_money else None,
        extended=MoneyShape.of(line.extended) if sees_money else None,
    )
