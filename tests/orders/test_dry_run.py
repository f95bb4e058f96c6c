from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.errors import InvalidArgument
from services.orders.domain.policies import parse_policy
from services.orders.policies import dry_run, engine, versions
from tests.conftest import ROOT
from tests.orders.desk import Desk


def ruled(when: str, scope: str = "header", **members: Any) -> dict[str, Any]:
    rule = {"code": "BIG", "scope": scope, "when": when, "severity": "WARN", "message": "big"}
    return {"rules": [rule], **members}


def tried(document: dict[str, Any]) -> None:
    policy = parse_policy(document, 1)
    engine.check_compiles(policy)
    dry_run.check(policy)


def why_refused(document: dict[str, Any]) -> str:
    """Why a policy is refused; empty for one that is not."""
    try:
        tried(document)
    except InvalidArgument as refused:
        return str(refused)
    return ""


@pytest.mark.parametrize(
    ("when", "scope", "why"),
    [
        ("order.unit_count", "header", "must give true or false, and gives int"),
        ("order.has_goods ? order.number : 'x'", "header", "must give true or false, and gives str"),
        (
            "total > 5.0",
            "header",
            "names total, but a header predicate may look at order, customer, credit, duplicates, lines",
        ),
        ("line.quantity > 1", "header", "names line, but a header predicate"),
        (
            "product.color == 'red'",
            "line",
            "names product.color, but product has is_known, is_sellable, kind, multiple",
        ),
        ("false && order.nonsense > 1", "header", "names order.nonsense, but order has number, channel"),
        ("has(order.ship_to.street)", "header", "names order.ship_to.street, but order.ship_to has country, region"),
        ("lines.exists(one, one.color == 'red')", "header", "fails whatever the order is like: KeyError: 'color'"),
        ("order.number > 5", "header", "fails whatever the order is like: TypeError"),
        ("1 / 0 == 1", "header", "fails whatever the order is like"),
    ],
)
def test_a_predicate_that_cannot_evaluate_an_order_is_refused_by_its_rule_with_what_there_is(
    when: str, scope: str, why: str
) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        tried(ruled(when, scope))

    assert refusal.value.reason == "POLICY_INVALID"
    assert refusal.value.detail["rule"] == "BIG"
    assert str(refusal.value).startswith("rule BIG: `when` ")
    assert why in str(refusal.value)


@pytest.mark.parametrize(
    ("when", "scope"),
    [
        ("lines.exists(order, order.quantity > 1)", "header"),
        ("customer.tier == 'order.nonsense' // nobody.knows", "header"),
        ("order.channel.startsWith('e') || size(order.ship_to_missing) > 0", "header"),
        ("order.discount_minor / order.merchandise_minor > 1", "header"),
        ("lines[1].sku == 'PUMP'", "header"),
        ("line.quantity > 1 && product.kind == 'service' && agreement.exists && credit.is_granted", "line"),
    ],
)
def test_a_predicate_that_can_evaluate_some_order_is_kept(when: str, scope: str) -> None:
    assert why_refused(ruled(when, scope)) == ""


@pytest.mark.parametrize(
    ("when", "why"),
    [
        ("change.delta", "names change.delta, but change has kinds, delta_minor"),
        ("order.total > 1.0", "names order, but a change predicate may look at change"),
        ("change.delta_minor", "gives int"),
    ],
)
def test_a_consent_predicate_looks_at_the_change_alone(when: str, why: str) -> None:
    assert why_refused(ruled("true", consent={"when": "'price' in change.kinds || change.days_later > 3"})) == ""

    with pytest.raises(InvalidArgument, match="consent: `when`") as refusal:
        tried(ruled("true", consent={"when": when}))
    assert why in str(refusal.value)


@pytest.mark.parametrize("path", [engine.BUILT_IN, ROOT / "samples" / "policies.yaml"], ids=lambda path: path.name)
def test_the_policies_that_come_with_the_system_pass(path: Path) -> None:
    document = yaml.safe_load(path.read_text("utf-8"))

    assert why_refused(document.get("policy", document)) == ""


@given(st.text(alphabet="ab.'\"/() ,[]{}&|!<>=1", max_size=30))
def test_no_predicate_breaks_the_dry_run_but_by_being_refused(when: str) -> None:
    why = why_refused(ruled(when))

    assert not why or why.startswith("rule BIG: `when` ")


@pytest.mark.on_postgres
def test_a_policy_that_asks_for_what_is_not_there_is_never_stored(desk: Desk) -> None:
    rule = {"code": "BAD", "when": "order.totl > 1.0", "severity": "BLOCK", "message": "never"}

    with (
        pytest.raises(InvalidArgument, match=r"rule BAD: `when` names order\.totl"),
        desk.database.transaction() as session,
    ):
        versions.put_policy(session, {"rules": [rule]}, "root", desk.now)

    with desk.database.reading() as session:
        assert versions.list_policies(session) == []
