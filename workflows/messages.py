"""What crosses a workflow's boundary: ids, totals and words, never documents, so a history does not grow with the order.

Annotations are types here, not text: the SDK reads them for every message that comes in, and text it would compile each time.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class OrderRef:
    """Starts an order's life: who, how much, and the few terms that choose its path.

    It `clears_releases` when the rules are asked again before each release later than its acceptance, and `reads_truth` when its
    workflow asks the services before it ends, as of all that are placed now; those placed before ended by what they were told. It
    `pays_by_card` when a card is authorized for it and captured with each invoice; those by card from before there was a provider
    count against credit. `resumption` counts the runs that went on for one that was lost, itself included; 0 for the first.
    `bill_to_id` is the account that is billed where it is another than the customer's.
    """

    order_id: str
    number: str
    version: int
    customer_id: str
    customer_name: str
    channel: str
    po_number: str
    total_minor: int
    currency: str
    total_text: str
    payment_method: str
    is_ship_complete: bool = False
    clears_releases: bool = False
    reads_truth: bool = False
    pays_by_card: bool = False
    resumption: int = 0
    bill_to_id: str = ""

    @property
    def payer_id(self) -> str:
        """The account that is billed."""
        return self.bill_to_id or self.customer_id


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to placing an order, or how it has ended. `outcome`: accepted, held, rejected or failed; a refusal is no error."""

    outcome: str
    reasons: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class FactNote:
    """A fact that changes what an order does next; the fact itself stays in the orders database."""

    fact_id: str
    subject_id: str = ""
    is_complete: bool = False


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """A cancellation that the orders database has allowed and recorded; the id is all that is needed to find it."""

    cancellation_id: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CancelOutcome:
    """What became of a cancellation: done, or the reason why not."""

    is_cancelled: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ClearanceRefresh:
    """Somebody has decided: the id of a decision or a change. What was decided is read from the orders database.

    `who` and `what` are for the reader of the history; nothing believes them.
    """

    subject_id: str
    who: str = ""
    what: str = ""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What the workflow then found: waiting, cleared, rejected, expired or ended."""

    state: str


@dataclass(frozen=True, slots=True)
class OrderOutcome:
    """How the order ended: completed, rejected, expired or cancelled."""

    outcome: str


# Steps: what a workflow asks of a service, and what it needs of the answer.


@dataclass(frozen=True, slots=True)
class CreditStep:
    """Commit the order's total to the customer's credit, or another total than before.

    Only the latter may be `is_forced`: somebody released the credit hold. With a `change_id` the total is the one that the change will make.
    """

    request_id: str
    order_id: str
    customer_id: str
    amount_minor: int
    currency: str
    payment_method: str
    is_forced: bool = False
    change_id: str = ""


@dataclass(frozen=True, slots=True)
class Credit:
    """Whether there was room, and what the account said, in minor units; `card` is how an order by card stands."""

    is_granted: bool
    exposure_minor: int
    limit_minor: int
    card: str = ""


@dataclass(frozen=True, slots=True)
class ValidateStep:
    """Run the rules, knowing how credit stands."""

    request_id: str
    order_id: str
    credit: Credit
    currency: str


@dataclass(frozen=True, slots=True)
class Clearance:
    """What stands between an order and its warehouses. `state`: waiting, cleared, rejected, expired or ended.

    `change_id` is a change that is agreed and must be settled first; `deadline` (remind, escalate, expire_review,
    expire_consent or resume_release) happens to `subject_id` at `deadline_micros` unless somebody acts before; 0 for never.
    `waiting_for` says whom a waiting order waits for and for what, empty for nobody; `deadline_about` what the deadline is about.
    `withholding_change_id` is a change that holds back the lines it touches. `cancellation_id` is a request to cancel that waits
    to be carried out; only what was read for its own sake has one.
    """

    state: str
    change_id: str = ""
    deadline_micros: int = 0
    deadline: str = ""
    subject_id: str = ""
    waiting_for: str = ""
    deadline_about: str = ""
    withholding_change_id: str = ""
    cancellation_id: str = ""


@dataclass(frozen=True, slots=True)
class Validation:
    """`outcome`: cleared, held or rejected; `reasons` are rule codes, BLOCK first; a held order alone has a clearance."""

    outcome: str
    reasons: list[str] = field(default_factory=list)
    clearance: Clearance | None = None


@dataclass(frozen=True, slots=True)
class DeadlineStep:
    """A deadline has passed by the workflow's clock: remind, escalate or expire."""

    request_id: str
    order_id: str
    deadline: str
    subject_id: str
    deadline_micros: int


@dataclass(frozen=True, slots=True)
class ChangeStep:
    """Anything asked for an agreed change; `verb` and `reason` where its fate is recorded."""

    request_id: str
    order_id: str
    change_id: str
    verb: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Recall:
    """Whether the warehouses must give something back. `state`: nothing_to_recall, pending, refused with the reason, or not_asked
    where it is not true that they should. One that `may_be_withdrawn` is for a cancellation.
    """

    state: str
    reason: str = ""
    may_be_withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class ApplyStep:
    """Make an agreed change the next version, knowing how credit stands towards it."""

    request_id: str
    order_id: str
    change_id: str
    credit: Credit
    currency: str


@dataclass(frozen=True, slots=True)
class Applied:
    """The order after a change, or as it stays; totals as OrderRef has them."""

    is_applied: bool
    version: int
    total_minor: int
    total_text: str
    is_ship_complete: bool
    clearance: Clearance


@dataclass(frozen=True, slots=True)
class OrderStep:
    """Anything asked for one order; `subject_id` names the shipment, the cancellation or the withholding change, if any.

    `version` is the one in force; 0 where nobody knows, so that what is needed of the order is read again.
    """

    request_id: str
    order_id: str
    subject_id: str = ""
    reason: str = ""
    version: int = 0


@dataclass(frozen=True, slots=True)
class ReleaseCleared:
    """Whether anything may go to the warehouses; the clearance names the change that holds back lines of it."""

    is_clear: bool
    clearance: Clearance


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop an order's shipments; `is_all_or_nothing` when nothing is to be stopped once a shipment has left.

    With a `cancellation_id` nothing is stopped unless the orders service knows that request and it still waits.
    """

    request_id: str
    order_id: str
    reason: str = ""
    is_all_or_nothing: bool = False
    cancellation_id: str = ""


@dataclass(frozen=True, slots=True)
class Reservation:
    """Units held and units that wait for supply; `is_undeliverable` when no carrier serves the address: nothing was asked for.

    `sources`, `missing` and `why` are for the reader of the history: where the units come from and what is missing, a few rows each,
    and why those warehouses, in a sentence.
    """

    held: int
    backordered: int
    is_undeliverable: bool = False
    sources: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    why: str = ""


@dataclass(frozen=True, slots=True)
class Release:
    """How many new shipments the warehouses got; `what` names a few of them for the reader of the history.

    `backordered` is what inventory says still waits for supply; -1 where nobody asked. `uncovered` units could leave and wait for
    room under the customer's credit limit.
    """

    shipments: int
    what: list[str] = field(default_factory=list)
    backordered: int = -1
    uncovered: int = 0


@dataclass(frozen=True, slots=True)
class Stopped:
    """Shipments that were stopped and shipments that had left; without `is_asked` nobody had asked for it, and nothing was done.

    `never_left` are those whose ship confirm was reversed.
    """

    cancelled: int
    shipped: int
    is_asked: bool = True
    never_left: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RecordStep:
    """Record a milestone in the orders database; `is_backordered` unless the reservation has just said that nothing waits.

    `waiting_for` says who must act after undeliverable and failed, and why a workflow was interrupted; the orders service itself
    decides whom an order waits for.
    """

    request_id: str
    order_id: str
    version: int
    milestone: str
    waiting_for: str = ""
    subject_id: str = ""
    is_backordered: bool = True


@dataclass(frozen=True, slots=True)
class Recorded:
    """The status word that people see now."""

    status: str
    is_complete: bool


@dataclass(frozen=True, slots=True)
class Done:
    """A step whose answer nobody needs, but whether it was done: not when what the step was asked for is not true."""

    note: str = ""
    is_done: bool = True


@dataclass(frozen=True, slots=True)
class Completeness:
    """What is true of an order that is about to end: all delivered, all settled. `left` are shipments that left without an invoice."""

    is_delivered: bool
    is_settled: bool
    left: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an order stands, as the services say: what a run needs that goes on for a lost one.

    `phase` is the order's; `was_held` when people had to clear it; `is_accepted` once its dates are promised; `has_credit` once an
    amount was committed; `is_reserved` once inventory heard of it; `invoiced` are the shipments that have left and have an invoice.
    An order by card `is_on_credit` when billing counts it against credit, as those from before cards were taken. `unpaid_hold_id`
    is the hold that stands because a payment was reversed. `never_left` are shipments whose ship confirm was reversed.
    It `is_sourcing_asked` when what is open is to be sourced again.
    """

    phase: str
    clearance: Clearance
    completeness: Completeness
    was_held: bool = False
    is_accepted: bool = False
    has_credit: bool = False
    is_reserved: bool = False
    invoiced: list[str] = field(default_factory=list)
    is_on_credit: bool = False
    unpaid_hold_id: str = ""
    never_left: list[str] = field(default_factory=list)
    is_sourcing_asked: bool = False


@dataclass(frozen=True, slots=True)
class OrderIds:
    """A handful of orders."""

    order_ids: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Halted:
    """Open orders that have no running workflow, and those whose workflow cannot take its next step; `is_all` of them, or the first.

    Every order that was placed before `searched_micros` was looked at after it.
    """

    lost: list[str] = field(default_factory=list)
    failing: list[str] = field(default_factory=list)
    is_all: bool = True
    searched_micros: int = 0


@dataclass(frozen=True, slots=True)
class AuditCount:
    """Broken invariants of one service: name → violations."""

    violations: dict[str, int] = field(default_factory=dict)
