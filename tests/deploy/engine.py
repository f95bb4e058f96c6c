"""The proof of docker-compose.yml on a real Docker engine, by hand: `python -m tests.deploy.engine`.

It copies what the deployment needs into a folder of its own, runs `deploy/up` there as deploy/README.md says (twice, for the second run
changes nothing), takes an order from placed to paid through the published port, reads the audit, asks Prometheus for its targets and
alerts, stops it and brings it back, and removes what it has started; images stay. It builds our image and needs those of Python,
PostgreSQL, Temporal, Mailpit and Grafana; where no registry can be asked, `--stand-ins` makes what is missing (tests/deploy/images.py).
`--temporal 1.32.1` is another Temporal server than compose names. Without an engine it says why it is skipped. Never in CI: it wants ten
gigabytes, ten minutes, and the ports of no other deployment.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import compose
import yaml

from bench import company
from bench.life import Board, live
from bench.ports import free_port
from tests.console import chrome
from tests.console.provider import Provider
from tests.deploy import images
from tests.deploy.composed import CARRIER, ROOT, ProviderDoor, image_of
from tests.system.trade import eventually

PROJECT = "oms-proof"
UP_WITHIN_S, ASK_WITHIN_S = 1800.0, 120.0
HOST = "host.docker.internal"
_TEMPORAL = {"temporal": "server", "temporal-schema": "admin-tools", "temporal-namespace": "admin-tools"}


@dataclass(frozen=True, slots=True)
class Engine:
    """A copy of the checkout, and the environment of whoever runs its commands."""

    folder: Path
    variables: Mapping[str, str]

    def up(self, *arguments: str) -> None:
        """As deploy/README.md says; what it prints is shown."""
        self.run("/bin/sh", "deploy/up", *arguments)

    def run(self, *command: str) -> None:
        """A command whose output is shown; it must succeed."""
        print(f"$ {' '.join(command)}")
        subprocess.run(command, cwd=self.folder, env=dict(self.variables), check=True, timeout=UP_WITHIN_S)

    def output(self, *command: str) -> str:
        """What a command prints; it must succeed."""
        ran = subprocess.run(
            command,
            cwd=self.folder,
            env=dict(self.variables),
            capture_output=True,
            text=True,
            check=False,
            timeout=ASK_WITHIN_S,
        )
        assert ran.returncode == 0, f"{' '.join(command)}: {ran.stdout[-2000:]}{ran.stderr[-2000:]}"
        return ran.stdout

    def containers(self) -> dict[str, str]:
        """Container → since when it runs or, a job, when it was made."""
        ids = self.output("docker", "compose", "ps", "--all", "--quiet").split()
        rows = json.loads(self.output("docker", "inspect", *ids))
        return {row["Id"]: row["State"]["StartedAt"] if row["State"]["Running"] else row["Created"] for row in rows}


def environment(folder: Path) -> dict[str, str]:
    """The environment in which `docker compose` is there: an engine of Debian has none, and this checkout's tools bring it."""
    asked = ["docker", "compose", "version"]
    if shutil.which("docker") is None:
        return dict(os.environ)
    if not subprocess.run(asked, capture_output=True, check=False, timeout=ASK_WITHIN_S).returncode:
        return dict(os.environ)
    plugin = folder / "cli-plugins" / "docker-compose"
    plugin.parent.mkdir(parents=True)
    plugin.symlink_to(Path(compose.__file__).with_name("docker-compose"))
    return {**os.environ, "DOCKER_CONFIG": str(folder)}


def absent(variables: Mapping[str, str]) -> str:
    """Why there is no engine here; empty when there is one."""
    if shutil.which("docker") is None:
        return "there is no docker program here"
    for command in (["docker", "info"], ["docker", "compose", "version"]):
        asked = subprocess.run(
            command, env=dict(variables), capture_output=True, text=True, check=False, timeout=ASK_WITHIN_S
        )
        if asked.returncode:
            return f"`{' '.join(command)}` says: {asked.stderr.strip().rpartition(chr(10))[2]}"
    return ""


def checkout(folder: Path, temporal: str = "") -> Path:
    """What Dockerfile and compose read of this checkout, and no .env or secrets of it, as a clone under umask 077 has it."""
    image_of(folder)
    for name in ("Dockerfile", ".dockerignore", "docker-compose.yml"):
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / "deploy", folder / "deploy", dirs_exist_ok=True)
    services: dict[str, dict[str, Any]] = {"orders": {"extra_hosts": [f"{HOST}:host-gateway"]}}
    if temporal:
        services |= {name: {"image": f"temporalio/{image}:{temporal}"} for name, image in _TEMPORAL.items()}
    (folder / "proof.yml").write_text(yaml.safe_dump({"services": services}))
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode & ~0o077)
    return folder


def prove(engine: Engine) -> None:
    """Start, live, audit; raises what goes wrong. Everything of it but images is gone afterwards."""
    ports = {name: str(free_port()) for name in ("OMS_HTTP_PORT", "TEMPORAL_UI_PORT", "MAILPIT_PORT", "GRAFANA_PORT")}
    secret = f"whsec_{secrets.token_hex(24)}"
    variables = {
        **engine.variables,
        **ports,
        "COMPOSE_PROJECT_NAME": PROJECT,
        "COMPOSE_FILE": "docker-compose.yml:proof.yml",
        "OMS_CARRIER_SECRETS": json.dumps({CARRIER: secret}),
    }
    engine = Engine(engine.folder, variables)
    provider = Provider()
    with chrome.served(provider.app, "0.0.0.0") as address:  # the containers come over the bridge
        provider.issuer = f"http://{HOST}:{address.rpartition(':')[2]}"
        try:
            _start(engine, provider.issuer)
            door = ProviderDoor(f"http://127.0.0.1:{ports['OMS_HTTP_PORT']}", secret, engine.folder, provider)
            company.load_company(door)
            _live(door)
            _observe(engine)
            _come_back(engine, door)
        finally:
            down = ["docker", "compose", "down", "--volumes", "--timeout", "40"]
            subprocess.run(down, cwd=engine.folder, env=variables, check=False, timeout=UP_WITHIN_S)


def _start(engine: Engine, issuer: str) -> None:
    engine.up(issuer)
    states = engine.output("docker", "compose", "ps", "--all", "--format", "{{.State}} {{.Health}}").splitlines()
    print(
        f"deploy/up built our image; {states.count('running healthy')} of {len(states)} containers are healthy, the others ended well"
    )
    before, ran = (engine.folder / ".env").read_bytes(), engine.containers()
    engine.up()
    assert (engine.folder / ".env").read_bytes() == before, "the second run changed .env"
    assert engine.containers() == ran, "the second run started containers anew"
    left = ("docker", "images", "--quiet", "--filter", "dangling=true", "--filter")
    assert not engine.output(*left, f"label=com.docker.compose.project={PROJECT}"), "images without a name are left"
    print(f"the second deploy/up changed neither .env nor any of the {len(ran)} containers")


def _live(door: ProviderDoor) -> None:
    with Board(door) as board:
        lived = live(door, board, 3)
    print(f"{lived.number}: placed to paid in {lived.life_s:.1f} s")
    eventually(lambda: _is_clean(door))
    print("the audit is clean")


def _is_clean(door: ProviderDoor) -> None:
    audit = door.get("auditor", "/v1/audit/invariants")
    assert audit["is_clean"], [row for row in audit["rows"] if row["violations"]]


def _observe(engine: Engine) -> None:
    """What README and runbooks look at: Prometheus has every target and alert, a mail came, and the shell of each is to be had."""
    alerts = len((ROOT / "deploy" / "alerts.yaml").read_text().split("- alert:")) - 1
    eventually(lambda: _is_scraped(engine, alerts))
    mails = _json(f"http://127.0.0.1:{engine.variables['MAILPIT_PORT']}/api/v1/messages")["total"]
    assert mails > 0, "no mail came"
    eventually(lambda: _is_listed(engine))
    count = ("docker", "compose", "exec", "-T", "postgres", "psql", "--username", "postgres", "orders", "--command")
    engine.output(*count, "SELECT 1")
    print(f"Prometheus has every target and {alerts} alerts, {mails} mails came, Temporal lists the order")


def _is_listed(engine: Engine) -> None:
    listed = ("docker", "compose", "run", "--rm", "--entrypoint", "temporal", "temporal-namespace", "workflow", "list")
    assert "Completed" in engine.output(*listed), "Temporal lists no order that is done"


def _is_scraped(engine: Engine, alerts: int) -> None:
    asked = ("docker", "compose", "exec", "-T", "telemetry", "curl", "--silent", "http://127.0.0.1:9090/api/v1/")
    targets = json.loads(engine.output(*asked[:-1], f"{asked[-1]}targets"))["data"]["activeTargets"]
    assert {each["health"] for each in targets} == {"up"}, [each["lastError"] for each in targets]
    groups = json.loads(engine.output(*asked[:-1], f"{asked[-1]}rules"))["data"]["groups"]
    assert [rule["health"] for group in groups for rule in group["rules"]] == ["ok"] * alerts


def _come_back(engine: Engine, door: ProviderDoor) -> None:
    """Ours end well in the time they are given, `docker compose down` keeps everything, and deploy/up brings it back."""
    orders = door.get("auditor", "/v1/orders")["rows"]
    engine.run("docker", "compose", "stop")
    ended = engine.output("docker", "compose", "ps", "--all", "--format", "{{.Image}} {{.Service}} {{.ExitCode}}")
    ours = [line for line in ended.splitlines() if line.startswith("oms:")]
    assert ours
    assert all(line.endswith(" 0") for line in ours), ours
    engine.run("docker", "compose", "down")
    engine.up()
    assert [row["order_id"] for row in door.get("auditor", "/v1/orders")["rows"]] == [row["order_id"] for row in orders]
    print("stopped and started again, everything is kept")
    _live(door)


def _json(address: str) -> Any:
    with urllib.request.urlopen(address, timeout=ASK_WITHIN_S) as answer:
        return json.load(answer)


def _names(temporal: str) -> dict[str, str]:
    """Repository → tag of every image that the proof needs and does not build."""
    names = images.named()
    if temporal:
        names |= {f"temporalio/{image}": temporal for image in _TEMPORAL.values()}
    return names


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when it is proved or skipped, with the reason."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--stand-ins", action="store_true", help="make the images that are missing")
    parser.add_argument("--temporal", default="", metavar="VERSION", help="another version than compose names")
    asked = parser.parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # what it runs writes to the same place
    with tempfile.TemporaryDirectory(prefix="oms-engine-") as made:
        variables = environment(Path(made, "docker"))
        if reason := absent(variables):
            print(f"skipped: {reason}. `make prove` starts the same processes without Docker (tests/deploy).")
            return 0
        names = _names(asked.temporal)
        if asked.stand_ins:
            images.make(names)
        prove(Engine(checkout(Path(made, "oms"), asked.temporal), variables))
    for name in (f"{repository}:{tag}" for repository, tag in names.items()):
        print(f"{name}: {images.stand_in(name) or 'its own image'}")
    print("proved on this engine")
    return 0


if __name__ == "__main__":
    sys.exit(main())
