"""The proof on a real engine, as far as it goes without one: what it copies, and that it says why it is skipped."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.deploy.composed import ROOT
from tests.deploy.engine import checkout


def test_without_an_engine_it_is_skipped_with_the_reason(tmp_path: Path) -> None:
    stub = tmp_path / "docker"
    stub.write_text("#!/bin/sh\necho 'Cannot connect to the Docker daemon' >&2\nexit 1\n")
    stub.chmod(0o755)
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}

    ran = subprocess.run(
        [sys.executable, "-m", "tests.deploy.engine"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert ran.stdout.startswith("skipped: `docker info` says: Cannot connect to the Docker daemon.")


def test_it_works_on_a_copy_that_holds_all_that_is_read_and_no_secret(tmp_path: Path) -> None:
    made = checkout(tmp_path / "oms")

    mounted = ["deploy/up", "deploy/postgres/10-databases.sh", "deploy/temporal/namespace.sh", "deploy/alerts.yaml"]
    assert all(
        (made / name).exists() for name in ("Dockerfile", "docker-compose.yml", "requirements/runtime.lock", *mounted)
    )
    assert not (made / ".env").exists()
    assert not (made / "secrets").exists()
