"""The stand-in for Prometheus says of a rule what Prometheus would."""

from __future__ import annotations

import pytest
import yaml

from tests.deploy.kept import DEPLOY
from tests.deploy.promql import History, Value


def history() -> History:
    """Two scrapes of two processes, ten seconds apart."""
    made = History()
    for made.now, calls, failed, free in ((100.0, 10, 0, 5.0), (110.0, 30, 5, 4.0)):
        for name in ("a", "b"):
            made.add("calls_count", {"instance": name, "status": "200"}, calls)
            made.add("calls_count", {"instance": name, "status": "503"}, failed)
            made.add("free", {"instance": name}, free)
            made.add("wanted", {"instance": name}, 4.5 if name == "a" else 1.0)
        for bound, count in (("0.5", 0), ("1", calls), ("+Inf", calls)):
            made.add("calls_bucket", {"le": bound}, count)
    return made


NOBODY: Value = {}
A, B = frozenset({("instance", "a")}), frozenset({("instance", "b")})
ALL: frozenset[tuple[str, str]] = frozenset()


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("free < wanted", {A: 4.0}),
        ("free == 4", {A: 4.0, B: 4.0}),
        ('free{instance!~"a.*"} > 2 * 1', {B: 4.0}),
        ('free{instance=~"a|c"} > 0 or wanted > 0', {A: 4.0, B: 1.0}),
        # 20 + 5 calls in ten seconds each
        ("sum by (instance) (rate(calls_count[5m]))", {A: 2.5, B: 2.5}),
        ('sum(rate(calls_count{status=~"5.."}[5m])) / sum(rate(calls_count[5m])) > 0.19', {ALL: 0.2}),
        ('sum(rate(calls_count{status=~"5.."}[5m])) / sum(rate(calls_count[5m])) > 0.2', NOBODY),
        ("max(delta(free[1h]))", {ALL: -1.0}),
        ("max(increase(calls_count[5s]))", NOBODY),  # one sample says nothing of a change
        # all lie between 0.5 and 1
        ("histogram_quantile(0.5, sum by (le) (rate(calls_bucket[1m])))", {ALL: 0.75}),
        ('max(nothing{kind="none"}) > 0', NOBODY),
    ],
)
def test_an_expression_is_what_prometheus_makes_of_it(expression: str, wanted: Value) -> None:
    assert history().evaluate(expression) == pytest.approx(wanted)


def test_a_counter_that_begins_again_has_not_fallen() -> None:
    made = History()
    for made.now, value in ((100.0, 10.0), (110.0, 2.0), (120.0, 5.0)):
        made.add("calls_count", {}, value)

    assert made.evaluate("increase(calls_count[1m])") == {ALL: 5.0}


def test_what_was_scraped_before_and_is_not_there_now_counts_no_more() -> None:
    made = History()
    made.now = 100.0
    made.add("free", {}, 1.0)
    made.now = 110.0

    assert made.evaluate("free > 0") == {}


def test_every_rule_is_understood_and_quiet_while_nothing_was_scraped() -> None:
    groups = yaml.safe_load((DEPLOY / "alerts.yaml").read_text())["groups"]

    assert {rule["alert"]: History().evaluate(rule["expr"]) for group in groups for rule in group["rules"]} == {
        rule["alert"]: {} for group in groups for rule in group["rules"]
    }


def test_what_is_not_understood_is_no_rule() -> None:
    with pytest.raises(AssertionError, match="not understood"):
        History().evaluate("free ^ 2")
