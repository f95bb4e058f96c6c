"""The proof of docker-compose.yml on a real Docker engine, by hand: `python -m tests.deploy.engine`.

It copies what the deployment needs into a folder of its own, runs `deploy/up` there as deploy/README.md says (twice, for the second run
changes nothing), takes an order from placed to paid through the published port, reads the audit, and removes all it has made. It
builds the image and needs the images of PostgreSQL, Temporal, Mailpit and Grafana; without an engine it says why it is skipped.
Never in CI: it wants ten gigabytes, ten minutes, and the ports of no other deployment.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from bench import company
from bench.life import Board, live
from bench.ports import free_port
from tests.console import chrome
from tests.console.provider import Provider
from tests.deploy.composed import CARRIER, ROOT, ProviderDoor, image_of
from tests.system.trade import eventually

PROJECT = "oms-proof"
UP_WITHIN_S, ASK_WITHIN_S = 1800.0, 120.0
HOST = "host.docker.internal"
_OVER = """services:
  orders:
    extra_hosts: ["host.docker.internal:host-gateway"]
"""


def absent() -> str:
    """Why there is no engine here; empty when there is one."""
    if shutil.which("docker") is None:
        return "there is no docker program here"
    for command in (["docker", "info"], ["docker", "compose", "version"]):
        asked = subprocess.run(command, capture_output=True, text=True, check=False, timeout=ASK_WITHIN_S)
        if asked.returncode:
            return f"`{' '.join(command)}` says: {asked.stderr.strip().rpartition(chr(10))[2]}"
    return ""


def checkout(folder: Path) -> Path:
    """What Dockerfile and compose read of this checkout, and no .env or secrets of it."""
    image_of(folder)
    for name in ("Dockerfile", ".dockerignore", "docker-compose.yml"):
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / "deploy", folder / "deploy", dirs_exist_ok=True)
    (folder / "proof.yml").write_text(_OVER)
    return folder


def prove(folder: Path) -> None:
    """Start, live, audit; raises what goes wrong. Everything of it is gone afterwards."""
    ports = {name: str(free_port()) for name in ("OMS_HTTP_PORT", "TEMPORAL_UI_PORT", "MAILPIT_PORT", "GRAFANA_PORT")}
    secret = f"whsec_{secrets.token_hex(24)}"
    variables = {
        **os.environ,
        **ports,
        "COMPOSE_PROJECT_NAME": PROJECT,
        "COMPOSE_FILE": "docker-compose.yml:proof.yml",
        "OMS_CARRIER_SECRETS": json.dumps({CARRIER: secret}),
    }
    provider = Provider()
    with chrome.served(provider.app, "0.0.0.0") as address:  # the containers come over the bridge
        provider.issuer = f"http://{HOST}:{address.rpartition(':')[2]}"
        try:
            up(folder, variables, provider.issuer)
            before = (folder / ".env").read_bytes()
            up(folder, variables)
            assert (folder / ".env").read_bytes() == before, "the second run changed .env"
            url = f"http://127.0.0.1:{ports['OMS_HTTP_PORT']}"
            _live(ProviderDoor(url, secret, folder, provider))
        finally:
            down = ["docker", "compose", "down", "--volumes", "--timeout", "40"]
            subprocess.run(down, cwd=folder, env=variables, check=False, timeout=UP_WITHIN_S)


def up(folder: Path, variables: Mapping[str, str], *arguments: str) -> None:
    """As deploy/README.md says; what it prints is shown."""
    subprocess.run(
        ["/bin/sh", "deploy/up", *arguments], cwd=folder, env=dict(variables), check=True, timeout=UP_WITHIN_S
    )


def _live(door: ProviderDoor) -> None:
    company.load_company(door)
    with Board(door) as board:
        lived = live(door, board, 3)
    print(f"{lived.number}: placed to paid in {lived.life_s:.1f} s")
    eventually(lambda: _is_clean(door))
    print("the audit is clean")


def _is_clean(door: ProviderDoor) -> None:
    audit = door.get("auditor", "/v1/audit/invariants")
    assert audit["is_clean"], [row for row in audit["rows"] if row["violations"]]


def main() -> int:
    """0 when it is proved or skipped, with the reason."""
    if reason := absent():
        print(f"skipped: {reason}. `make prove` starts the same processes without Docker (tests/deploy).")
        return 0
    with tempfile.TemporaryDirectory(prefix="oms-engine-") as made:
        prove(checkout(Path(made) / "oms"))
    print("proved on this engine")
    return 0


if __name__ == "__main__":
    sys.exit(main())
