"""The facts that a decision rests on, as a page shows them: what this visitor may see, and who did not answer."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.console.visitor import Visitor
from gateway.http.orders.decision_facts import NeighborFacts, Sight, ask_neighbors, sight_of
from services.orders.overview.decision_facts import DecisionFacts


@dataclass(frozen=True, slots=True)
class KnownFacts:
    """Ours, the neighbors', and which of them are shown."""

    ours: DecisionFacts
    said: NeighborFacts
    sight: Sight


def known_facts(who: Visitor, ours: DecisionFacts) -> KnownFacts:
    """Asks the neighbors; the caller has closed its transaction."""
    sight = sight_of(who.deps, who.caller)
    return KnownFacts(ours, ask_neighbors(who.deps, ours, sight), sight)
