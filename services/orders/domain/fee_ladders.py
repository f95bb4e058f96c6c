"""The policy's fee ladder: what cancelling costs of what is built to order, by how far production is."""

from __future__ import annotations

from dataclasses import dataclass

from services.orders.domain import policy_text as read

NOT_STARTED, STARTED, FINISHED = "not_started", "started", "finished"


@dataclass(frozen=True, slots=True)
class FeeLadder:
    """Percent of the cancelled amount by how far production is; `is_taxed` taxes a fee as the goods that it is for."""

    not_started: int = 0
    started: int = 0
    finished: int = 0
    is_taxed: bool = False

    @property
    def is_none(self) -> bool:
        """Whether no fee is due at any stage."""
        return not (self.not_started or self.started or self.finished)


NO_FEES = FeeLadder()


def parse_fees(value: object) -> FeeLadder:
    """The ladder of a policy document; none where it names none."""
    row = read.members(value, "cancellation_fees", tuple(FeeLadder.__dataclass_fields__))
    percents = {
        name: read.whole(row.get(name, 0), f"cancellation_fees: {name}", 0, 100)
        for name in (NOT_STARTED, STARTED, FINISHED)
    }
    is_taxed = row.get("is_taxed", False)
    if not isinstance(is_taxed, bool):
        raise read.invalid("cancellation_fees: is_taxed", "must be true or false")
    return FeeLadder(**percents, is_taxed=is_taxed)
