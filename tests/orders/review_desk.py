"""An order desk whose company reviews: the matrix of scenario A4, its people, and every action of a review in one line."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from oms.orders.v1 import orders_pb2 as pb
from services.kernel.clock import from_micros, micros
from services.orders.access.matrix import Caller
from services.orders.domain.clearance import Deadline
from services.orders.domain.people import Delegation, Person
from services.orders.domain.reviews import Step
from services.orders.lifecycle import decide as decisions
from services.orders.lifecycle.decide import Decided, Wanted
from services.orders.masterdata import people
from services.orders.policies import engine, versions
from services.orders.store import reviews as review_store
from services.runtime.db import Database
from tests.orders.desk import ANY, CONTACTS, NOON, Desk, caller

MANAGER = {"level": 1, "role": "approver", "position": "manager"}
DIRECTOR = {"level": 2, "role": "approver", "position": "finance_director"}
OVER_5000 = {
    "code": "OVER_5000",
    "when": "order.cumulative_minor > 500000",
    "message": "The order is over 5,000.",
    "tiers": [MANAGER],
}
OVER_25000 = {
    "code": "OVER_25000",
    "when": "order.cumulative_minor > 2500000",
    "message": "The order is over 25,000.",
    "tiers": [MANAGER, DIRECTOR],
}
AROUND_THE_CLOCK = {"calendar": "always"}

PEOPLE = (
    Person("fay", "Fay", "fay@company.example", ("approver",), ("finance_director",), limits={"USD": 100_000_00}),
    Person("max", "Max", "max@company.example", ("approver",), ("manager",), manager="fay", limits={"USD": 25_000_00}),
    Person("dan", "Dan", "dan@company.example", ("approver",)),
    Person("rita", "Rita", "rita@company.example", ("sales_rep", "approver"), ("manager",), limits={"USD": 25_000_00}),
    Person("sue", "Sue", "sue@company.example", ("support",)),
    Person("root", "Root", "root@company.example", ("admin",), limits={"USD": 1_000_000_00}),
    Person(
        "peg", "Peg", "peg@acme.example", ("customer",), ("purchase_manager",), "cus_acme", limits={"USD": 9_000_00}
    ),
    Person("ann", "Ann", "ann@acme.example", ("customer",), (), "cus_acme"),
)
MAX = caller("max", "approver")
FAY = caller("fay", "approver")
DAN = caller("dan", "approver")
ROOT = caller("root", "admin")
RITA_THE_MANAGER = caller("rita", "sales_rep", "approver", reach="all")
PEG = caller("peg", "customer", company="cus_acme", reach="own")


def review(code: str, when: str, *tiers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"code": code, "when": when, "message": f"{code} asks.", "tiers": list(tiers), **more}


class ReviewDesk(Desk):
    """A desk with people and a matrix."""

    def __init__(self, database: Database, **policy: Any) -> None:
        super().__init__(database)
        with database.transaction() as session:
            for person in PEOPLE:
                people.put_person(session, person, "root", NOON)
        self.policy(**{"reviews": [OVER_5000, OVER_25000], "deadlines": AROUND_THE_CLOCK, **policy})

    def policy(self, **members: Any) -> None:
        known = [
            {"code": rule.code, "scope": rule.scope, "when": rule.when, "severity": rule.severity}
            | {"message": rule.message, "hold_type": rule.hold_type, "owner_role": rule.owner_role}
            for rule in engine.built_in().rules
            if rule.code not in ("ORDER_OVER_THRESHOLD", "MARGIN_BELOW_FLOOR")
        ]
        with self.database.transaction() as session:
            versions.put_policy(session, {"rules": known, **members}, "root", self.now)

    def person(self, person: Person) -> None:
        with self.database.transaction() as session:
            people.put_person(session, person, "root", self.now)

    def reviewed(self, pumps: int, by: Caller | None = None, **changes: Any) -> str:
        """An order of so many pumps at 129.00 plus 7.25 % tax (138.35 each, about), validated."""
        order_id = (
            self.place(("PUMP", pumps), by=by, **changes) if by else self.place(("PUMP", pumps), **changes)
        ).order_id
        self.validate(order_id)
        return order_id

    def steps(self, order_id: str) -> tuple[Step, ...]:
        asked = self.read(order_id).asked
        return asked.reviews[-1].steps if asked.reviews else ()

    def all_steps(self, order_id: str) -> tuple[Step, ...]:
        """Steps of the newest review, whether or not it stands."""
        with self.database.reading() as session:
            found = review_store.of_order(session, order_id)
        return found[-1].steps if found else ()

    def open_step(self, order_id: str, position: str = "") -> Step:
        return next(step for step in self.steps(order_id) if step.is_open and position in ("", step.position))

    def decide(
        self,
        order_id: str,
        by: Caller,
        decision: str = "approve",
        *,
        step: Step | None = None,
        version: int = 1,
        note: str = "seen",
        ready_on: date | None = None,
    ) -> Decided:
        self.now += timedelta(seconds=1)
        chosen = step or self.open_step(order_id)
        wanted = Wanted(chosen.step_id, decision, version, note, ready_on)
        return decisions.take_decision(self.database, order_id, wanted, by, CONTACTS, lambda: self.now)

    def delegate(self, giver: str, taker: str, *, hours: int = 24, **more: Any) -> Delegation:
        wanted = Delegation("", giver, taker, self.now, self.now + timedelta(hours=hours), **more)
        with self.database.transaction() as session:
            return people.delegate(session, wanted, caller(giver, "approver", reach="own"), self.now)

    def deadline(self, order_id: str) -> Deadline:
        found = self.servicer.GetClearance(pb.GetClearanceRequest(order_id=order_id), ANY).clearance
        at = from_micros(found.deadline_micros)
        return Deadline(at, found.deadline, found.subject_id)

    def pass_deadline(self, order_id: str, due: Deadline | None = None) -> pb.PassDeadlineResponse:
        passed = due or self.deadline(order_id)
        self.now = max(self.now, passed.at) + timedelta(seconds=1)
        request = pb.PassDeadlineRequest(
            request_id=f"{order_id}/{passed.what}/{passed.subject_id}/{self.now.isoformat()}",
            order_id=order_id,
            deadline=passed.what,
            subject_id=passed.subject_id,
            deadline_micros=micros(passed.at),
        )
        return self.servicer.PassDeadline(request, ANY)

    def whats(self, order_id: str) -> list[str]:
        return [event.what for event in self.events(order_id)]

    def at(self, moment: datetime) -> None:
        self.now = moment
