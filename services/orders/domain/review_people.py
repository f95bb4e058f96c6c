"""Whether there are enough people for a review: each approval asks another person, so its steps are matched with who may take them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from services.orders.domain.cases import Attempt, Authority, Case, Decider
from services.orders.domain.people import Person
from services.orders.domain.reviews import ALL, ANY, APPROVE, OPEN, Review, Step
from services.orders.domain.segregation_of_duties import may_approve

CaseOf = Callable[[Step], Case]
"""A step with everything that bounds a decision on it."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What a step still needs: so many more of these people (subjects), each another one.

    `is_exclusive` where authority is asked for: whoever decides such a step decides no other one of the review.
    """

    step: Step
    needed: int
    able: tuple[str, ...]
    is_exclusive: bool


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Steps that ask for more people than can act: `needed` in all, `able` are the subjects of those who can."""

    steps: tuple[Step, ...]
    needed: int
    able: tuple[str, ...]

    def sentence(self, names: Mapping[str, str]) -> str:
        """Whom is missing, people by name: "2 of finance director needed, 1 can act: Fay"."""
        asked = " and ".join(dict.fromkeys(step.asks for step in self.steps))
        who = ", ".join(names.get(sub, "somebody without a name in the directory") for sub in self.able)
        can = f"{len(self.able)} can act: {who}" if self.able else "nobody can act"
        if len(self.steps) > 1:
            return f"{asked} together: {self.needed} different people needed, {can}"
        more = " more" if any(not one.is_void for one in self.steps[0].decisions) else ""
        return f"{self.needed}{more} of {asked} needed, {can}"


def asks_of(
    review: Review, case_of: CaseOf, everybody: Sequence[Person], asked_by: Callable[[Step], int]
) -> tuple[Ask, ...]:
    """What each undecided step of a review still needs; `asked_by` says how many people a step asks, for who needs all of them.

    A delegate adds nobody: whoever decides for somebody uses up both.
    """
    used = {
        sub
        for step in review.steps
        if step.is_approval
        for one in step.decisions
        if not one.is_void
        for sub in (one.decided_by, one.acting_for)
        if sub
    }
    return tuple(_ask(step, case_of(step), everybody, used, asked_by) for step in review.steps if step.is_undecided)


def _ask(
    step: Step, case: Case, everybody: Sequence[Person], used: Collection[str], asked_by: Callable[[Step], int]
) -> Ask:
    standing = [one for one in step.decisions if not one.is_void]
    decided = {sub for one in standing for sub in (one.decided_by, one.acting_for) if sub}
    approved = sum(one.decision == APPROVE for one in standing)
    gone = decided | (set(used) if step.is_approval else set())
    opened = case if step.is_open else replace(case, step=replace(step, state=OPEN))
    able = tuple(person.sub for person in everybody if person.sub not in gone and _may_take(opened, person))
    return Ask(step, max(0, _needed(step, asked_by) - approved), able, step.is_approval)


def _needed(step: Step, asked_by: Callable[[Step], int]) -> int:
    """How many must approve: what opening the step says for modes any and all."""
    if step.is_open or step.mode not in (ANY, ALL):
        return step.needed
    return 1 if step.mode == ANY else max(1, asked_by(step))


def _may_take(case: Case, person: Person) -> bool:
    decider = Decider(person.sub, frozenset(person.roles), person.company, person)
    return may_approve(Attempt(case, decider, Authority(person.sub, person), APPROVE))


def shortfall(asks: Sequence[Ask]) -> Shortfall | None:
    """The first steps that cannot all be filled by different people; None when the review can be finished.

    A maximum matching of places with people. Where a place stays empty, the places that the search for it has reached are too many
    for the people that it has reached, who are all that could take them (Hall's theorem).
    """
    for ask in asks:
        if not ask.is_exclusive and len(ask.able) < ask.needed:
            return Shortfall((ask.step,), ask.needed, ask.able)
    places = [ask for ask in asks if ask.is_exclusive for _ in range(ask.needed)]
    matched = _Matched({}, {})
    for place in range(len(places)):
        reached = _seat(place, places, matched)
        if reached is not None:
            return _too_few([place, *(matched.place_of[sub] for sub in reached)], places, tuple(reached))
    return None


@dataclass(frozen=True, slots=True)
class _Matched:
    """Who has which place; both sides say the same."""

    place_of: dict[str, int]
    sub_at: dict[int, str]


def _seat(place: int, places: Sequence[Ask], matched: _Matched) -> dict[str, int] | None:
    """Give a place to somebody free, or to somebody whose own place goes to another; else everybody that was tried."""
    found_from: dict[str, int] = {}
    front = [place]
    for at in front:
        for sub in places[at].able:
            if sub in found_from:
                continue
            found_from[sub] = at
            if sub not in matched.place_of:
                _move_up(sub, place, found_from, matched)
                return None
            front.append(matched.place_of[sub])
    return found_from


def _move_up(free: str, place: int, found_from: Mapping[str, int], matched: _Matched) -> None:
    """Along the path that was found everybody takes the place that they were found from."""
    sub = free
    while True:
        at = found_from[sub]
        before = matched.sub_at.get(at, "")
        matched.place_of[sub], matched.sub_at[at] = at, sub
        if at == place:
            return
        sub = before


def _too_few(short: Sequence[int], places: Sequence[Ask], able: tuple[str, ...]) -> Shortfall:
    asks = {places[index].step.step_id: places[index] for index in sorted(short)}.values()
    return Shortfall(tuple(ask.step for ask in asks), sum(ask.needed for ask in asks), able)
