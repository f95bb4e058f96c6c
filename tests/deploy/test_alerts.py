"""Alerting rules: each is a rule that Prometheus can read, and says where its runbook is."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.doors.test_code_rules import ROOT

RULES = [
    rule
    for path in sorted((ROOT / "deploy" / "alerts").glob("*.yml"))
    for group in yaml.safe_load(path.read_text())["groups"]
    for rule in group["rules"]
]


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_an_alert_says_what_to_do_in_the_readme(rule: dict[str, Any]) -> None:
    readme = (ROOT / "deploy" / "README.md").read_text()

    assert rule["expr"]
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert f"\n### {rule['annotations']['runbook']}\n" in readme
