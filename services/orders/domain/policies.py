"""Policies: versioned documents of rules with the approval matrix, and what the verdicts of the rules come to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from services.kernel.calendars import ALWAYS_NAME
from services.kernel.currencies import DECIMALS
from services.kernel.errors import InvalidArgument
from services.orders.domain import policy_text
from services.orders.domain.calendar_rules import USUAL, CalendarRule, parse_calendars
from services.orders.domain.coverage import Figures
from services.orders.domain.fee_ladders import NO_FEES, FeeLadder, parse_fees
from services.orders.domain.matrix import (
    USUAL_CHANGES,
    USUAL_CONSENT,
    USUAL_DEADLINES,
    ChangesRule,
    ConsentRule,
    Deadlines,
    ReviewRule,
    parse_changes,
    parse_consent,
    parse_deadlines,
    parse_reviews,
)
from services.orders.domain.policy_text import POLICY_ERROR, SCOPES, invalid
from services.orders.domain.promises_rule import USUAL_PROMISES, PromisesRule, parse_promises
from services.orders.domain.return_policy import USUAL_RETURNS, ReturnsRule, parse_returns
from services.runtime.roles import RULE_OWNERS

BLOCK, HOLD, WARN = "BLOCK", "HOLD", "WARN"
SEVERITIES = (BLOCK, HOLD, WARN)
EXCHANGE_RATE_MISSING = "EXCHANGE_RATE_MISSING"
EXCHANGE_RATE: Final = "exchange_rate"
"""The code and the type of the hold of an order whose amounts nobody can compare with those of the policy."""
POLICY_HOLD = "policy"
"""The type of hold that a rule which cannot be evaluated comes to."""
MAX_RULES = 200
WINDOW_HOURS = 24
_DOCUMENT = (
    "version", "note", "rules", "reviews", "deadlines", "consent", "changes", "calendars", "window_hours", "currency", "cancellation_fees",
    "returns", "promises",
)  # fmt: skip
_MEMBERS = {"code", "scope", "when", "severity", "hold_type", "owner_role", "message"}


@dataclass(frozen=True, slots=True)
class Rule:
    """One check: `when` is a CEL predicate that is TRUE when the rule is violated."""

    code: str
    scope: str
    when: str
    severity: str
    message: str
    hold_type: str = ""
    owner_role: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """A version of the document; version 0 is the one built in, stored ones count from 1.

    Orders of one customer placed within `window_hours` of each other count together where a limit is held against them. Amounts
    that its predicates see are in `currency`; empty is the company's.
    """

    version: int
    rules: tuple[Rule, ...]
    reviews: tuple[ReviewRule, ...] = ()
    deadlines: Deadlines = USUAL_DEADLINES
    consent: ConsentRule = USUAL_CONSENT
    changes: ChangesRule = USUAL_CHANGES
    calendars: tuple[CalendarRule, ...] = (USUAL,)
    window_hours: int = WINDOW_HOURS
    currency: str = ""
    cancellation_fees: FeeLadder = NO_FEES
    returns: ReturnsRule = USUAL_RETURNS
    promises: PromisesRule = USUAL_PROMISES

    def calendar(self, name: str) -> CalendarRule | None:
        """The calendar of a name; None for the one that counts every hour, and for a name that is none."""
        return next((one for one in self.calendars if one.name == name), None)


@dataclass(frozen=True, slots=True)
class StoredPolicy:
    """A policy version as uploaded."""

    version: int
    document: Mapping[str, Any]
    stored_at: datetime
    stored_by: str


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that spoke, for the header (line_id empty) or for one line, and the figures that it spoke of.

    Once people have decided, the figures are those that they decided on. Rows of older releases have none.
    """

    code: str
    severity: str
    message: str
    line_id: str = ""
    hold_type: str = ""
    owner_role: str = ""
    given_for: Figures | None = None


@dataclass(frozen=True, slots=True)
class PlannedHold:
    """A hold that violations ask for: one a rule, however many lines it names."""

    code: str
    hold_type: str
    owner_role: str
    reason: str


def parse_policy(document: Mapping[str, Any], version: int) -> Policy:
    """Read a document `{rules: [{code, scope, when, severity, hold_type, owner_role, message}], reviews, deadlines, …}`.

    Everything but the rules may be left out. InvalidArgument POLICY_INVALID names the rule and what is wrong with it. The store numbers versions, so a `version` inside
    the document is a remark of its author.
    """
    rules = document.get("rules")
    if not isinstance(rules, list) or not 1 <= len(rules) <= MAX_RULES:
        raise _invalid("", f"a policy has a list `rules` of 1 to {MAX_RULES} rules")
    policy_text.members(document, "", _DOCUMENT)
    window = document.get("window_hours", WINDOW_HOURS)
    policy = Policy(
        version=version,
        rules=tuple(_parse_rule(rule, position) for position, rule in enumerate(rules, start=1)),
        reviews=parse_reviews(document.get("reviews", ())),
        deadlines=parse_deadlines(document.get("deadlines", {})),
        consent=parse_consent(document.get("consent", {})),
        changes=parse_changes(document.get("changes", {})),
        calendars=parse_calendars(document.get("calendars", {})),
        window_hours=policy_text.whole(window, "window_hours", 0, 24 * 366),
        currency=_currency(document.get("currency", "")),
        cancellation_fees=parse_fees(document.get("cancellation_fees", {})),
        returns=parse_returns(document.get("returns", {})),
        promises=parse_promises(document.get("promises", {})),
    )
    _check_whole(policy)
    return policy


def _currency(value: object) -> str:
    if not isinstance(value, str) or (value and value not in DECIMALS):
        raise invalid("currency", "currency is an ISO 4217 code such as USD; leave it out for the company's own")
    return value


def _check_whole(policy: Policy) -> None:
    """What only shows when the parts are seen together."""
    codes = [*(rule.code for rule in policy.rules), *(row.code for row in policy.reviews)]
    twice = sorted({code for code in codes if codes.count(code) > 1})
    if twice:
        raise _invalid(twice[0], "the code is used twice")
    name = policy.deadlines.calendar
    if name != ALWAYS_NAME and policy.calendar(name) is None:
        raise invalid("deadlines", f"there is no calendar {name}: name one of the policy's, business or always")


def _parse_rule(rule: object, position: int) -> Rule:
    if not isinstance(rule, Mapping):
        raise _invalid(f"rule {position}", "a rule is an object")
    name = str(rule.get("code", "")) or f"rule {position}"
    code = policy_text.code(rule.get("code"), f"rule {name}" if not name.startswith("rule ") else name)
    if set(rule) - _MEMBERS:
        raise _invalid(name, f"unknown members: {', '.join(sorted(map(str, set(rule) - _MEMBERS)))}")
    for member in _MEMBERS & set(rule):
        if not isinstance(rule[member], str):
            raise _invalid(name, f"{member} must be text")
    parsed = Rule(
        code=code,
        scope=rule.get("scope", "header"),
        when=rule.get("when", ""),
        severity=rule.get("severity", ""),
        message=rule.get("message", ""),
        hold_type=rule.get("hold_type", ""),
        owner_role=rule.get("owner_role", ""),
    )
    _check_rule(parsed)
    return parsed


def _check_rule(rule: Rule) -> None:
    if rule.scope not in SCOPES:
        raise _invalid(rule.code, "scope is header or line")
    if rule.severity not in SEVERITIES:
        raise _invalid(rule.code, f"severity is one of {', '.join(SEVERITIES)}")
    if not rule.when.strip() or len(rule.when) > 2000:
        raise _invalid(rule.code, "`when` is a CEL predicate of at most 2000 characters")
    if not rule.message.strip():
        raise _invalid(rule.code, "a message tells people what is wrong")
    if rule.severity == HOLD and (not rule.hold_type or rule.owner_role not in RULE_OWNERS):
        raise _invalid(rule.code, f"a HOLD names its hold_type and an owner_role of {', '.join(RULE_OWNERS)}")


def _invalid(rule: str, why: str) -> InvalidArgument:
    return invalid(rule if not rule or rule.startswith("rule ") else f"rule {rule}", why, rule=rule)


def policy_error(code: str, line_id: str, why: str) -> Violation:
    """What a predicate that fails while it runs comes to: a hold for an administrator, never a crash and never a pass."""
    message = f"rule {code} could not be evaluated: {why}"
    return Violation(POLICY_ERROR, HOLD, message, line_id, hold_type=POLICY_HOLD, owner_role="admin")


def rate_missing(order_currency: str, policy_currency: str, on: date) -> Violation:
    """What an order comes to whose amounts cannot be compared with the policy's: a hold, never a comparison of bare numbers."""
    message = (
        f"The order is in {order_currency} and the limits of the policy are in {policy_currency}: no exchange rate between them "
        f"is known up to {on}. Enter one, then release this hold."
    )
    return Violation(EXCHANGE_RATE_MISSING, HOLD, message, hold_type=EXCHANGE_RATE, owner_role="accounting")


def hold_types(policy: Policy) -> frozenset[str]:
    """The types of hold that the policy's rules place."""
    return frozenset(rule.hold_type for rule in policy.rules if rule.severity == HOLD)


def spoken(rule: Rule, line_id: str) -> Violation:
    """The violation of a rule."""
    return Violation(rule.code, rule.severity, rule.message, line_id, rule.hold_type, rule.owner_role)


def outcome(violations: Sequence[Violation]) -> str:
    """rejected when any blocks, else held when any holds, else cleared."""
    severities = {violation.severity for violation in violations}
    if BLOCK in severities:
        return "rejected"
    return "held" if HOLD in severities else "cleared"


def reasons(violations: Sequence[Violation]) -> tuple[str, ...]:
    """Codes of the rules that spoke, each once: BLOCK first, then HOLD, then WARN, else in the policy's order."""
    ordered = sorted(violations, key=lambda violation: SEVERITIES.index(violation.severity))
    return tuple(dict.fromkeys(violation.code for violation in ordered))


def planned_holds(violations: Iterable[Violation]) -> tuple[PlannedHold, ...]:
    """One hold for each rule that holds, its reason naming the lines it concerns."""
    of_code: dict[str, list[Violation]] = {}
    for violation in violations:
        if violation.severity == HOLD:
            of_code.setdefault(violation.code, []).append(violation)
    return tuple(_planned(found) for found in of_code.values())


def _planned(found: Sequence[Violation]) -> PlannedHold:
    """Rules that cannot be evaluated share a code: the reason has what each of them says."""
    first, line_ids = found[0], dict.fromkeys(one.line_id for one in found if one.line_id)
    where = f" (line {', '.join(line_ids)})" if line_ids else ""
    said = " ".join(dict.fromkeys(one.message for one in found))
    return PlannedHold(first.code, first.hold_type, first.owner_role, said + where)
