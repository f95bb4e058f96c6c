"""The rule engine: CEL predicates compiled once a policy, run all of them, and what they may look at."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import cel
import yaml

from services.kernel.clock import business_day
from services.kernel.currencies import DECIMALS
from services.kernel.errors import InvalidArgument
from services.kernel.money import Money, UnitPrice, exchanged, share
from services.orders.domain import coverage
from services.orders.domain.coverage import Figures
from services.orders.domain.exchange import NO_RATES, Rates
from services.orders.domain.margins import Margin, margin_of
from services.orders.domain.masterdata import Customer, PriceAgreement, Product
from services.orders.domain.matrix import Hit, ReviewRule
from services.orders.domain.order import Line, Order
from services.orders.domain.policies import Policy, Rule, Violation, parse_policy, policy_error, rate_missing, spoken
from services.orders.domain.pricing import agreement_in_force, basis_points
from services.runtime.predicates import evaluator_process
from services.runtime.predicates.evaluator import Answer, shared_evaluator

BUILT_IN = Path(__file__).with_name("default_policies.yaml")
_BASIS_POINTS = 10_000
_AMOUNT = re.compile(r"\w_minor\b|\border\.(total|cumulative)\b|\.(unit_price|reference_price)\b|\bagreement\.price\b")
"""Members that are amounts of a currency."""
_CREDIT = re.compile(r"\b(exposure|limit|headroom)_minor\b")
"""Members that only billing knows."""
_LINES = re.compile(r"\blines\b")
"""The list of all lines."""


@dataclass(frozen=True, slots=True)
class Credit:
    """How the order's money stands, as billing saw it; amounts are minor units of the order's currency.

    `card` is how an order by card stands: authorized, declined, missing or unavailable; empty for others.
    """

    is_granted: bool
    exposure_minor: int
    limit_minor: int
    card: str = ""


CREDIT_NOT_ASKED = Credit(is_granted=True, exposure_minor=0, limit_minor=0)
"""While billing is not asked no rule about credit has anything to say: it has its say when the workflow asks."""


@dataclass(frozen=True, slots=True)
class CustomerHistory:
    """What the customer ordered otherwise: orders that count together with this one, earlier orders, SKU → usual quantity."""

    window_minor: int = 0
    order_count: int = 0
    usual_quantities: Mapping[str, int] = field(default_factory=dict)


NO_HISTORY = CustomerHistory()


@dataclass(frozen=True, slots=True)
class Amounts:
    """Amounts of one currency as those of another: minor units, and floats of major units as predicates read them."""

    held_in: str
    currency: str
    factor: Fraction

    def minor(self, units: int) -> int:
        """Minor units, half up."""
        return exchanged(units, self.held_in, self.currency, self.factor)

    def major(self, units: int) -> float:
        """Minor units as major ones."""
        return float(Decimal(self.minor(units)).scaleb(-DECIMALS[self.currency]))

    def price(self, price: UnitPrice) -> float:
        """A unit price, not rounded."""
        return float(Fraction(price.amount) * self.factor)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that rules may look at, amounts in `currency` by `rates` (the order's own when it is empty).

    `today` and the day of placing are business days of the company's `time_zone`; `sku_quantities` is SKU → units of all its lines.
    """

    order: Order
    customer: Customer
    products: Mapping[str, Product]
    agreements: Mapping[str, tuple[PriceAgreement, ...]]
    credit: Credit
    duplicates: Sequence[str]
    today: date
    history: CustomerHistory = NO_HISTORY
    sku_quantities: Mapping[str, int] = field(default_factory=dict)
    time_zone: str = "UTC"
    currency: str = ""
    rates: Rates = NO_RATES

    @property
    def amounts(self) -> Amounts:
        """Turns amounts of the order into what predicates compare."""
        held_in = self.order.currency
        policy_currency = self.currency or held_in
        factor = self.rates.factor(held_in, policy_currency)
        return (
            Amounts(held_in, policy_currency, factor) if factor is not None else Amounts(held_in, held_in, Fraction(1))
        )

    @property
    def has_rate(self) -> bool:
        """Whether the order's amounts can be compared with the policy's."""
        return self.rates.factor(self.order.currency, self.currency or self.order.currency) is not None


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What the rules said, and the rows of the approval matrix that the order fell under.

    Both come in the policy's order, those of one rule in line order.
    """

    violations: tuple[Violation, ...]
    hits: tuple[Hit, ...] = ()


@lru_cache(maxsize=1)
def built_in() -> Policy:
    """The policy of a system that has none of its own; version 0."""
    return parse_policy(yaml.safe_load(BUILT_IN.read_text("utf-8")), version=0)


@lru_cache(maxsize=64)
def compiled(policy: Policy) -> tuple[tuple[Rule | ReviewRule, cel.Program], ...]:
    """The rules, then the matrix, with their programs; InvalidArgument POLICY_INVALID names the one that does not compile."""
    every: list[Rule | ReviewRule] = [*policy.rules, *policy.reviews]
    return tuple((rule, _compile(rule.code, rule.when)) for rule in every)


@lru_cache(maxsize=256)
def _compile(code: str, when: str) -> cel.Program:
    try:
        return cel.compile(when)
    except ValueError as broken:
        sentence = f"rule {code}: `when` does not compile: {str(broken).splitlines()[0]}"
        raise InvalidArgument("POLICY_INVALID", sentence, rule=code) from broken


def check_compiles(policy: Policy) -> None:
    """InvalidArgument POLICY_INVALID names the predicate that does not compile."""
    compiled(policy)
    if policy.consent.when:
        _compile("consent", policy.consent.when)


@lru_cache(maxsize=64)
def reads(policy: Policy, member: str) -> bool:
    """Whether any predicate may read a member that costs a query."""
    return any(member in rule.when for rule, _program in compiled(policy))


def is_consent_needed(policy: Policy, change: Mapping[str, Any]) -> bool:
    """What the policy's own predicate says of a change; one that fails asks the customer, because silence is no consent."""
    from services.orders.policies import costs  # weighs examples, which are made with this module

    if costs.CONSENT in costs.apart(policy, 1):
        (answer,) = shared_evaluator().ask({"change": dict(change)}, ({},), (policy.consent.when,))
        return bool(answer)
    program = _compile("consent", policy.consent.when)
    return bool(evaluator_process.said(program, cel.Context(variables={"change": dict(change)})))


def evaluate(policy: Policy, evidence: Evidence) -> Verdicts:
    """Run every rule, line rules on every line; a predicate that fails, or gives no boolean, is a POLICY_ERROR hold.

    Without an exchange rate those that read an amount are not run: the order is held for the rate, then evaluated again. While
    billing is not asked, rules that read figures of credit are not run; the matrix asks all the same.
    """
    programs = compiled(policy)
    if not evidence.has_rate:
        programs = tuple((rule, program) for rule, program in programs if not _AMOUNT.search(rule.when))
    if evidence.credit is CREDIT_NOT_ASKED:
        programs = tuple(each for each in programs if not (isinstance(each[0], Rule) and _CREDIT.search(each[0].when)))
    spoken_by = [verdict for verdicts in _verdicts(policy, programs, evidence) for verdict in verdicts]
    if not evidence.has_rate:
        spoken_by.insert(0, rate_missing(evidence.order.currency, evidence.currency, evidence.today))
    return Verdicts(
        _with_figures(policy, evidence, [verdict for verdict in spoken_by if isinstance(verdict, Violation)]),
        tuple(verdict for verdict in spoken_by if isinstance(verdict, Hit)),
    )


_Asked = tuple[Rule | ReviewRule, cel.Program, list[Violation | Hit]]
"""A rule, its program and the list that takes what it says."""


def _verdicts(
    policy: Policy, programs: Sequence[tuple[Rule | ReviewRule, cel.Program]], evidence: Evidence
) -> list[list[Violation | Hit]]:
    """What each rule says, in the order of the rules, line rules in line order.

    Rules of a scope look at one context: turning facts into what CEL reads costs hundreds of times what a predicate does. A context
    is turned anew as a whole once it was updated, so that line rules have the list of all lines only where they name it.
    """
    facts = header_context(evidence)
    asked: list[_Asked] = [(rule, program, []) for rule, program in programs]
    here = _speak_apart(policy, asked, facts, evidence)
    _speak([each for each in here if each[0].scope == "header"], "", cel.Context(variables=facts))
    of_lines = [each for each in here if each[0].scope == "line"]
    naming_lines = [each for each in of_lines if _LINES.search(each[0].when)]
    others = [each for each in of_lines if not _LINES.search(each[0].when)]
    for chosen, seen in ((others, {**facts, "lines": []}), (naming_lines, facts)):
        context = cel.Context(variables=seen)
        for line in evidence.order.lines if chosen else ():
            context.update(line_context(line, evidence))
            _speak(chosen, line.line_id, context)
    return [verdicts for _, _, verdicts in asked]


def _speak(asked: Sequence[_Asked], line_id: str, context: cel.Context) -> None:
    """Run rules of one scope and add what each says to its own list."""
    for rule, program, verdicts in asked:
        if spoken_now := evaluator_process.said(program, context):
            verdicts.append(_verdict(rule, line_id, spoken_now))


def _speak_apart(
    policy: Policy, asked: Sequence[_Asked], facts: Mapping[str, Any], evidence: Evidence
) -> Sequence[_Asked]:
    """Run those that may cost too much in the evaluator process, which may die of them; the others are left to be run here."""
    from services.orders.policies import costs  # weighs examples, which are made with this module

    lines = evidence.order.lines
    apart = costs.apart(policy, costs.size_of(len(lines)))
    if not apart:
        return asked
    for scope in ("header", "line"):
        chosen = [each for each in asked if each[0].code in apart and each[0].scope == scope]
        line_ids = [line.line_id for line in lines] if scope == "line" else [""]
        each = [line_context(line, evidence) for line in lines] if scope == "line" and chosen else [{}]
        found = shared_evaluator().ask(facts, each, [rule.when for rule, _program, _verdicts in chosen])
        for (rule, _program, verdicts), answer in zip(chosen, found, strict=True):
            verdicts.extend(_heard(rule, answer, line_ids))
    return [each for each in asked if each[0].code not in apart]


def _heard(rule: Rule | ReviewRule, answer: Answer, line_ids: Sequence[str]) -> list[Violation | Hit]:
    if isinstance(answer, str):
        return [policy_error(rule.code, "", answer)]
    return [_verdict(rule, line_ids[place], spoken_now) for place, spoken_now in answer]


def _with_figures(policy: Policy, evidence: Evidence, said: Sequence[Violation]) -> tuple[Violation, ...]:
    """The violations with the figures that their predicates read."""
    predicates = {rule.code: rule.when for rule in policy.rules}
    lines = {line.line_id: line for line in evidence.order.lines} if said else {}

    def figures(one: Violation) -> Figures:
        predicate, line = predicates.get(one.code, ""), lines.get(one.line_id)
        if line is not None:
            return coverage.of_line(line, predicate)
        order = evidence.order
        margin = _margin_bp(order, margin_of(order, evidence.products)) if "margin" in predicate else None
        return coverage.of_header(order, predicate, margin)

    return tuple(replace(one, given_for=figures(one)) for one in said)


def _verdict(rule: Rule | ReviewRule, line_id: str, spoken_now: bool | str) -> Violation | Hit:
    if isinstance(spoken_now, str):
        return policy_error(rule.code, line_id, spoken_now)
    return spoken(rule, line_id) if isinstance(rule, Rule) else Hit(rule, line_id)


def header_context(evidence: Evidence) -> dict[str, Any]:
    """What every predicate may look at: variable → its members."""
    order, customer, credit, amounts = evidence.order, evidence.customer, evidence.credit, evidence.amounts
    return {
        "order": _order_context(evidence),
        "customer": {
            "customer_id": customer.customer_id,
            "is_active": customer.is_active,
            "tier": customer.tier,
            "currency": customer.currency,
            "duplicate_po": customer.duplicate_po,
            "has_allow_list": bool(customer.allowed_ship_tos),
            "order_count": evidence.history.order_count,
        },
        "credit": {
            "is_granted": credit.is_granted,
            "exposure_minor": amounts.minor(credit.exposure_minor),
            "limit_minor": amounts.minor(credit.limit_minor),
            "headroom_minor": amounts.minor(credit.limit_minor - credit.exposure_minor),
            "card": credit.card,
        },
        "duplicates": {"po_count": len(evidence.duplicates), "po_orders": list(evidence.duplicates)},
        "lines": [
            {"line_id": line.line_id, "sku": line.sku, "kind": line.kind, "quantity": line.quantity}
            for line in order.lines
        ],
    }


def _order_context(evidence: Evidence) -> dict[str, Any]:
    order = evidence.order
    ship_to, totals, amounts = order.ship_to, order.totals, evidence.amounts
    margin, cumulative = margin_of(order, evidence.products), totals.total.minor + evidence.history.window_minor
    plain = ("number", "channel", "channel_ref", "po_number", "currency", "payment_method", "is_ship_complete")
    minor = {
        f"{name}_minor": amounts.minor(getattr(totals, name).minor)
        for name in ("merchandise", "discount", "freight", "tax", "total")
    }
    return {
        **{name: getattr(order, name) for name in plain},
        **minor,
        "total": amounts.major(totals.total.minor),
        "cumulative_minor": amounts.minor(cumulative),
        "cumulative": amounts.major(cumulative),
        "cost_minor": amounts.minor(margin.cost.minor),
        "has_cost": margin.cost.minor > 0,
        "margin_bp": _margin_bp(order, margin),
        "discount_bp": basis_points(totals.discount.minor, totals.merchandise.minor),
        "line_count": len(order.lines),
        "unit_count": sum(line.quantity for line in order.lines),
        "entered_by_role": order.placed_by_role,
        "has_goods": order.has_goods,
        "has_requested_date": order.requested_on is not None,
        "requested_in_days": (order.requested_on - evidence.today).days if order.requested_on else 0,
        "ship_to": {"country": ship_to.country, "region": ship_to.region, "postal_code": ship_to.postal_code},
        "ship_to_missing": list(ship_to.missing()),
        "is_ship_to_allowed": evidence.customer.may_receive_at(ship_to.country, ship_to.region, ship_to.postal_code),
    }


def _margin_bp(order: Order, margin: Margin) -> int:
    """Of the lines whose cost is known, less their share of the discount; rounded down."""
    zero, merchandise = Money.zero(order.currency), order.totals.merchandise.minor
    net = margin.sold - share(order.totals.discount, margin.sold.minor, merchandise, before=0, given=zero)
    return (net - margin.cost).minor * _BASIS_POINTS // net.minor if net.minor else 0


def line_context(line: Line, evidence: Evidence) -> dict[str, Any]:
    """What a predicate of lines may look at beside that."""
    product, amounts = evidence.products.get(line.sku), evidence.amounts
    agreed = agreement_in_force(
        evidence.agreements.get(line.sku, ()),
        evidence.order.currency,
        business_day(evidence.order.placed_at, evidence.time_zone),
        line.quantity,
    )
    reference = line.reference_price
    return {
        "line": {
            "line_id": line.line_id,
            "sku": line.sku,
            "kind": line.kind,
            "quantity": line.quantity,
            "sku_quantity": evidence.sku_quantities.get(line.sku, line.quantity),
            "unit_price": amounts.price(line.unit_price),
            "extended_minor": amounts.minor(line.extended.minor),
            "price_source": line.price_source,
            "has_price": line.price_source != "none",
            "has_reference_price": reference is not None,
            "reference_price": amounts.price(reference) if reference else 0.0,
            "price_deviation_bp": _deviation(line),
            "is_multiple_free": line.sku in evidence.customer.free_multiple_skus,
            "usual_quantity": evidence.history.usual_quantities.get(line.sku, 0),
        },
        "product": _product_context(product),
        "agreement": {"exists": agreed is not None, "price": amounts.price(agreed.price) if agreed else 0.0},
    }


def _deviation(line: Line) -> int:
    """How far the price is from what it was held against, in basis points; any price is all of one that was free."""
    reference = line.reference_price
    if reference is None:
        return 0
    if not reference.amount:
        return _BASIS_POINTS if line.unit_price.amount else 0
    return basis_points(abs(line.unit_price.amount - reference.amount), reference.amount)


def _product_context(product: Product | None) -> dict[str, Any]:
    return {
        "is_known": product is not None,
        "is_sellable": product.is_sellable if product else False,
        "kind": product.kind if product else "",
        "multiple": product.multiple if product else 1,
        "min_quantity": product.min_quantity if product else 1,
    }
