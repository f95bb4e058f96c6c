"""Alerts that can fire, each with a runbook whose commands name what exists."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.ports import Ports
from tests.cli.fake_api import serving
from tests.deploy.composed import image_of

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
SUFFIXES = r"(_bucket|_count|_sum)$"
OF_THE_SDK = {"temporal_workflow_task_execution_failed"}
"""What the worker tells without a word of ours."""


def _alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load((DEPLOY / "alerts.yaml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def _compose() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    return services


@cache
def _runbooks() -> dict[str, str]:
    """Heading → text."""
    parts = re.split(r"^## (.+)$", (DEPLOY / "runbooks.md").read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@cache
def _sources() -> str:
    return "\n".join(path.read_text() for room in ("services", "gateway") for path in (ROOT / room).rglob("*.py"))


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    alerts = {alert["alert"]: alert["annotations"]["runbook"] for alert in _alerts()}

    assert alerts == {name: f"deploy/runbooks.md#{name.lower()}" for name in _runbooks()}
    assert {alert["labels"]["severity"] for alert in _alerts()} == {"page", "ticket"}
    assert [path for path in DEPLOY.rglob("*.y*ml") if path.parent != DEPLOY and "alert:" in path.read_text()] == []


@pytest.mark.parametrize("alert", _alerts(), ids=lambda alert: str(alert["alert"]))
def test_an_alert_speaks_of_metrics_that_our_processes_tell(alert: dict[str, Any]) -> None:
    metrics = set(re.findall(r"\b(?:oms|temporal)_[a-z_]+", alert["expr"])) or set(re.findall(r"^up\b", alert["expr"]))

    assert metrics
    assert [name for name in metrics - OF_THE_SDK - {"up"} if f'"{re.sub(SUFFIXES, "", name)}"' not in _sources()] == []


@pytest.mark.parametrize("name", _runbooks())
def test_a_runbook_has_commands_on_what_exists(name: str) -> None:
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", _runbooks()[name], re.MULTILINE | re.DOTALL)
    text = "\n".join(blocks)

    services = re.findall(
        r"docker compose (?:exec(?: --env \S+)?|logs(?: --\w+ \w+)*|restart) ([a-z-]+)", _runbooks()[name]
    )
    routes = set(re.findall(r'"(/(?:v1/[^"]+|readyz|metrics))"', _sources()))
    paths = {re.sub(r"[?\"].*", "", path) for path in re.findall(r"\$OMS(/[^\s|'\"]+)", text)}
    known = {re.sub(r"\{[^}]+\}", "X", route) for route in routes}
    assert blocks
    assert set(services) <= _compose().keys()
    assert {re.sub(r"\b(SOURCE|ID)\b", "X", path) for path in paths} <= known


def test_the_repair_of_a_runbook_works_with_what_is_in_the_image(tmp_path: Path) -> None:
    (command,) = re.findall(
        r"^docker compose exec (.* -m cli .*?)(?: +#.*)?$", _runbooks()["OmsOrdersWithoutWorkflow"], re.MULTILINE
    )
    option, variable, service, python, *arguments = shlex.split(command)
    app = image_of(tmp_path / "app")

    with serving() as api:
        api.on("POST /v1/repairs", {"rows": [], "checked": 0, "next_cursor": None})
        named = dict([variable.replace("$TOKEN", "a-token").split("=", 1)])
        environment = {
            **named,
            "OMS_URL": api.url,
            "PYTHONPATH": f"{app}:{app}/proto/gen",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        run = subprocess.run(
            [sys.executable, *arguments],
            cwd=app,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    assert (option, service, python) == ("--env", "orders", "python")
    assert (run.returncode, run.stdout) == (0, "nothing to repair: every open order has its workflow\n"), run.stderr
    assert api.asked[0].headers["Authorization"] == "Bearer a-token"


def test_the_command_line_in_the_container_finds_the_api() -> None:
    # without OMS_URL, and with a token of one's own, it asks the usual port of its machine
    assert _compose()["orders"]["environment"]["OMS_HTTP_LISTEN"] == f"0.0.0.0:{Ports().http}"


def test_every_process_of_ours_is_scraped_where_it_tells_its_metrics() -> None:
    jobs = yaml.safe_load((DEPLOY / "prometheus.yaml").read_text())["scrape_configs"]
    targets = {job["job_name"]: set(job["static_configs"][0]["targets"]) for job in jobs}
    ours = {name for name, each in _compose().items() if "OMS_METRICS_LISTEN" in each.get("environment", {})}

    assert targets == {"oms": {f"{name}:9464" for name in ours}, "oms-api": {"orders:8000"}}
    assert len(ours) == 6


def test_the_telemetry_container_reads_what_these_tests_read() -> None:
    mounted = {volume.split(":")[0] for volume in _compose()["telemetry"]["volumes"]}

    assert {"./deploy/prometheus.yaml", "./deploy/alerts.yaml"} <= mounted
