"""Policies: the versioned document of validation rules, the approval matrix, deadlines, consent and calendars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import Field, StringConstraints
from sqlmodel import Session

from gateway.http.masterdata.calendar_shapes import CalendarInput, Name40, NamedCalendar
from gateway.http.masterdata.cancellation_fees import CancellationFees
from gateway.http.masterdata.policy_shapes import PolicyShape, StoredPolicyShape, policy_shape, stored_shape
from gateway.http.masterdata.promises_rule import PromisesRuleInput
from gateway.http.masterdata.returns_rule import ReturnsRuleInput
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import DepsOf
from gateway.http.plumbing.editing import ETAG, SeenVersion, merged, on_newest, partial, tag
from gateway.http.plumbing.expected_version import IfMatch, expected_version
from gateway.http.plumbing.idempotency import OnceOf
from gateway.http.plumbing.inputs import PRINTABLE, TIDY, Currency, Input, Text, example
from gateway.http.plumbing.paging import Page, PagingOf, cut
from services.kernel.errors import InvalidArgument
from services.orders.approvals import enough_people
from services.orders.domain.policies import parse_policy
from services.orders.policies import engine
from services.orders.policies import versions as policy_versions
from services.runtime.roles import RULE_OWNERS, SELLER_DECIDERS

router = APIRouter(tags=["master data"])


Code = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{1,63}$", max_length=64)]
Predicate = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=PRINTABLE), TIDY]
Message = Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=PRINTABLE), TIDY]
Word = Annotated[str, StringConstraints(pattern=r"^([a-z][a-z0-9_]{0,39})?$", max_length=40)]
if TYPE_CHECKING:
    HoldOwner = str
    Decider = str
else:
    HoldOwner = Literal[("", *RULE_OWNERS)]
    Decider = Literal[("customer", *SELLER_DECIDERS)]
Hours = Annotated[int, Field(strict=True, ge=0, le=8760)]


class RuleInput(Input):
    """One check; `when` is a CEL predicate that is true when the rule is violated."""

    code: Code
    scope: Literal["header", "line"] = "header"
    when: Predicate
    severity: Literal["BLOCK", "HOLD", "WARN"] = Field(
        description="BLOCK rejects the order, HOLD makes it wait, WARN is recorded."
    )
    message: Message
    hold_type: Annotated[str, StringConstraints(pattern=r"^([a-z][a-z_]{0,31})?$", max_length=32)] = Field(
        default="", description="What the hold is about, with HOLD alone."
    )
    owner_role: HoldOwner = Field(default="", description="Who may release the hold, with HOLD alone.")


class TierInput(Input):
    """Who is asked at one level; levels of a chain open one after the other."""

    level: Annotated[int, Field(strict=True, ge=1, le=20)] = 1
    role: Decider
    position: Word = ""
    mode: Literal["any", "all", "n_of"] = Field(default="any", description="How many of them must approve.")
    count: Annotated[int, Field(strict=True, ge=1, le=20, description="How many, with mode n_of.")] = 1
    limit: Literal["final", "always", "none"] | None = Field(
        default=None,
        description="Whether the limit must cover the order; final: of who has the last word in the chain.",
    )


class ReviewInput(Input):
    """A row of the approval matrix: orders, or lines, for which `when` is true are asked about, tier after tier."""

    code: Code
    scope: Literal["header", "line"] = "header"
    when: Predicate
    message: Message
    chain: Literal["seller", "buyer"] = Field(default="seller", description="buyer: the customer's own approval.")
    tiers: Annotated[list[TierInput], Field(min_length=1, max_length=10)]


class DeadlinesInput(Input):
    """Business hours from the opening of a step; 0 of the first two: never. The end is never an approval."""

    remind_after_hours: Hours = 4
    escalate_after_hours: Hours = 24
    expire_after_hours: Annotated[int, Field(strict=True, ge=1, le=8760)] = 120
    on_expiry: Literal["reject", "hold"] = "hold"
    calendar: Word = "business"


class ConsentRuleInput(Input):
    """Which proposed changes the customer must agree to, and for how many hours the answer is awaited."""

    when: Annotated[str, StringConstraints(max_length=2000, pattern=PRINTABLE), TIDY] = Field(
        default="", description="A CEL predicate over `change`; empty for the company's own rule."
    )
    expires_after_hours: Annotated[int, Field(strict=True, ge=1, le=8760)] = 48
    on_expiry: Literal["review", "cancel"] = "review"


class ChangesRuleInput(Input):
    """How long a change that waits for people holds back the lines it touches, and a warehouse may leave a recall unanswered."""

    hold_release_hours: Hours = Field(
        default=24, description="Elapsed hours since it was proposed, then the order goes on; 0: it holds back nothing."
    )
    recall_answer_hours: Hours = Field(
        default=2,
        description="Elapsed hours until a recall that its warehouse has not answered goes to the warehouse's manager, twice that until "
        "a reminder, three times until support; 0: never.",
    )


class PolicyInput(Input):
    """The whole document; it becomes the next version and is in force for orders validated from then on."""

    rules: Annotated[list[RuleInput], Field(min_length=1, max_length=200)]
    reviews: Annotated[list[ReviewInput], Field(max_length=100)] = []
    deadlines: DeadlinesInput = DeadlinesInput()
    consent: ConsentRuleInput = ConsentRuleInput()
    changes: ChangesRuleInput = ChangesRuleInput()
    cancellation_fees: CancellationFees = CancellationFees()
    returns: ReturnsRuleInput = ReturnsRuleInput()
    promises: PromisesRuleInput = PromisesRuleInput()
    calendars: (
        Annotated[dict[Name40, CalendarInput], Field(max_length=50)]
        | Annotated[list[NamedCalendar], Field(max_length=50)]
    ) = Field(
        default={},
        description="By name, or a list of named ones; `business` is Monday to Friday 9 to 17 UTC unless told, `always` every hour.",
    )
    window_hours: Annotated[int, Field(strict=True, ge=0, le=8784)] = Field(
        default=24, description="Orders of a customer placed so near each other count together against limits."
    )
    currency: Currency | None = Field(
        default=None, description="What amounts in predicates are in; without one the company's currency."
    )
    note: Text = ""
    version: SeenVersion = None
    warnings: Annotated[list[Text], Field(max_length=500)] = Field(
        default=[], description="As the answer to an upload gave them; nothing looks at them."
    )

    model_config = example(
        note="company rules",
        currency="USD",
        rules=[
            {
                "code": "PRICE_OUT_OF_TOLERANCE",
                "scope": "line",
                "when": "line.has_reference_price && line.price_deviation_bp > 200",
                "severity": "HOLD",
                "hold_type": "price",
                "owner_role": "sales_rep",
                "message": "The unit price differs by more than 2 % from the agreement or the catalog.",
            }
        ],
        reviews=[
            {
                "code": "LARGE_ORDER",
                "when": "order.total_minor > 2000000",
                "message": "The order is over 20,000.",
                "tiers": [{"role": "approver", "position": "sales_manager"}],
            }
        ],
    )


if TYPE_CHECKING:
    PolicyPatch = Input
else:
    PolicyPatch = partial("PolicyPatch", PolicyInput, (), window_hours=48, note="orders of two days count together")


@router.get("/v1/policies")
def list_policies(deps: DepsOf, _who: CallerOf, paging: PagingOf) -> Page[PolicyShape]:
    """Versions, newest first; the last one is the policy built in."""
    below = paging.after_number() or None
    with deps.database.reading() as session:
        found = policy_versions.list_policies(session, below=below, limit=paging.limit + 1)
    versions = [stored_shape(row) for row in found]
    if len(versions) <= paging.limit:
        versions.append(policy_shape(engine.built_in()))
    page, next_cursor = cut(versions, paging.limit, lambda row: str(row.version))
    return Page(rows=list(page), next_cursor=next_cursor)


@router.post("/v1/policies", response_model=StoredPolicyShape, status_code=201)
def add_policy(deps: DepsOf, who: CallerOf, body: PolicyInput, once: OnceOf, if_match: IfMatch) -> Response:
    """Add a version; it is in force at once. A predicate that does not compile, asks for what is not there or is no yes or no is refused.

    With a version it replaces that one alone; the version in force, sent as the list gives it, adds none. A row of the approval
    matrix that nobody could finish is stored, and warned of.

    A predicate that costs too much is refused: its cost is summed over its text for the largest order, and it is tried on such an
    order. 422 POLICY_INVALID names the rule, its cost and the limit.
    """
    document = document_of(body)
    policy_versions.check(parse_policy(document, 0))

    def put(session: Session) -> StoredPolicyShape:
        expected = expected_version(body.version, if_match)
        stored = policy_versions.put_policy(session, document, who.principal.sub, deps.clock(), expected)
        short = enough_people.short_rows(session, policy_versions.parsed(stored), deps.clock())
        return StoredPolicyShape(**stored_shape(stored).model_dump(), warnings=list(short))

    return once.answer_here(body, put, 201)


@router.patch("/v1/policies", responses=ETAG)
def change_policy(deps: DepsOf, who: CallerOf, body: PolicyPatch, if_match: IfMatch, response: Response) -> PolicyShape:
    """Add a version that is the one in force with other rules, reviews, deadlines, consent, calendars or window, as far as named."""
    expected = expected_version(body.model_dump(exclude_unset=True).get("version"), if_match)

    def made(session: Session) -> tuple[PolicyShape, dict[str, Any]]:
        stands = policy_shape(policy_versions.policy_in_force(session))
        return stands, document_of(merged(stands, body, PolicyInput))

    def edit() -> PolicyShape:
        with deps.database.reading() as session:
            _stands, whole = made(session)
        policy_versions.check(parse_policy(whole, 0))
        with deps.database.transaction() as session:
            stands, whole = made(session)
            seen = stands.version if expected is None else expected
            return stored_shape(policy_versions.put_policy(session, whole, who.principal.sub, deps.clock(), seen))

    changed = on_newest(edit, expected)
    tag(response, changed.version)
    return changed


def document_of(body: PolicyInput) -> dict[str, Any]:
    """The policy as it is stored. InvalidArgument POLICY_INVALID for a calendar that is there twice."""
    document = body.model_dump(mode="json", exclude_none=True, exclude={"version", "warnings"})
    calendars = document["calendars"]
    if isinstance(calendars, list):
        names = [one["name"] for one in calendars]
        twice = next((name for name in names if names.count(name) > 1), "")
        if twice:
            raise InvalidArgument("POLICY_INVALID", f"calendar {twice} is there twice: leave one out")
        document["calendars"] = {one.pop("name"): one for one in calendars}
    return document
