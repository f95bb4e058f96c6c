"""What rules say of a version to come that nobody has decided: what it brings about, and what goes beyond what was decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from services.orders.domain.amendment import Obstacle
from services.orders.domain.order import ACCEPTED, Order
from services.orders.domain.policies import BLOCK, HOLD, PlannedHold, Violation, planned_holds
from services.orders.domain.verdicts import beyond, figured
from services.orders.policies import evaluate
from services.orders.policies.engine import CREDIT_NOT_ASKED
from services.orders.policies.evaluate import Evaluation
from services.orders.store import holds


@dataclass(frozen=True, slots=True)
class NextVersion:
    """A version to come with its one evaluation, and `new`: the blocks and holds that nobody has decided yet."""

    order: Order
    evaluation: Evaluation
    new: tuple[Violation, ...]

    @property
    def holds(self) -> tuple[PlannedHold, ...]:
        """The holds that must be asked about before it is made."""
        return planned_holds(self.new)

    def is_reviewed(self, *, is_material: bool) -> bool:
        """Whether people are asked before it is made: for a hold that is new, or of a material change by the matrix."""
        return bool(self.holds) or (is_material and bool(self.evaluation.hits))

    def obstacles(self, *, is_material: bool) -> list[Obstacle]:
        """What a BLOCK of the rules keeps from being made: what is new, and of a material change all that is said of the header."""
        new = frozenset(self.new)
        return [
            Obstacle(one.code, f"line {one.line_id}: {one.message}" if one.line_id else one.message, one.line_id)
            for one in self.evaluation.violations
            if one.severity == BLOCK and (one in new or (is_material and not one.line_id))
        ]


def next_version(session: Session, standing: Order, becomes: Order, now: datetime) -> NextVersion:
    """Evaluate the version to come; credit is asked when it is applied.

    Holds of an order in review are placed when it is applied, so that only blocks are looked at before.
    """
    evaluation = evaluate.evaluate(session, becomes, CREDIT_NOT_ASKED, now)
    severities = (BLOCK, HOLD) if standing.phase == ACCEPTED else (BLOCK,)
    said = [one for one in evaluation.violations if one.severity in severities]
    return NextVersion(becomes, evaluation, undecided(session, standing, said, decided(session, standing), now))


def decided(session: Session, standing: Order) -> tuple[Violation, ...]:
    """What the rules said of the version that stands, each with the figures that were decided on."""
    return figured(holds.violations_of(session, standing.order_id), standing)


def undecided(
    session: Session, standing: Order, said: Sequence[Violation], known: Sequence[Violation], now: datetime
) -> tuple[Violation, ...]:
    """Of what is said of a version to come that which neither `known` covers nor the version that stands.

    The latter is evaluated only if something is left to ask: it stands as it is, whatever the rules say of it by now.
    """
    left = beyond(said, known)
    return left and beyond(left, evaluate.evaluate(session, standing, CREDIT_NOT_ASKED, now).violations)
