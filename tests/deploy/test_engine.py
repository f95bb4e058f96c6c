"""The proof on a real engine, as far as it goes without one: what it copies, and that it says why it is skipped."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import compose
import pytest

from tests.deploy import images
from tests.deploy.composed import ROOT, stand_ins
from tests.deploy.engine import checkout, environment


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


def test_an_engine_without_compose_is_given_that_of_this_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub = tmp_path / "docker"
    stub.write_text("#!/bin/sh\nexit 1\n")
    stub.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    plugins = Path(environment(tmp_path / "config")["DOCKER_CONFIG"], "cli-plugins")

    asked = [str(plugins / "docker-compose"), "version"]
    assert "v2." in subprocess.run(asked, capture_output=True, text=True, timeout=60, check=True).stdout


def test_it_works_on_a_copy_that_holds_all_that_is_read_and_no_secret(tmp_path: Path) -> None:
    made = checkout(tmp_path / "oms")

    mounted = ["deploy/up", "deploy/postgres/10-databases.sh", "deploy/temporal/namespace.sh", "deploy/alerts.yaml"]
    assert all(
        (made / name).exists() for name in ("Dockerfile", "docker-compose.yml", "requirements/runtime.lock", *mounted)
    )
    assert not (made / ".env").exists()
    assert not (made / "secrets").exists()


def test_another_temporal_is_the_only_thing_that_differs_from_the_compose_file(tmp_path: Path) -> None:
    made = checkout(tmp_path / "oms", "1.32.1")
    program = Path(compose.__file__).with_name("docker-compose")

    def images_of(*files: str) -> dict[str, str]:
        named = [argument for name in files for argument in ("--file", name)]
        read = subprocess.run(
            [program, "--env-file", "/dev/null", *named, "config", "--format=json"],
            cwd=made,
            env={**stand_ins(), "HOME": "/"},
            capture_output=True,
            check=True,
            timeout=60,
        )
        return {name: each["image"] for name, each in json.loads(read.stdout)["services"].items()}

    before, after = images_of("docker-compose.yml"), images_of("docker-compose.yml", "proof.yml")
    assert {name: image for name, image in after.items() if image != before[name]} == {
        "temporal": "temporalio/server:1.32.1",
        "temporal-schema": "temporalio/admin-tools:1.32.1",
        "temporal-namespace": "temporalio/admin-tools:1.32.1",
    }


def test_every_image_that_is_not_ours_has_a_stand_in_of_its_tag() -> None:
    names = images.named()

    assert names.keys() == images.RECIPES.keys()
    assert names["temporalio/server"] == names["temporalio/admin-tools"]
    assert all(tag and ":" not in tag for tag in names.values())


def test_a_base_that_the_engine_does_not_take_is_told_in_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stubs = {
        "docker": '[ "$1" = import ] && echo "no space left"; exit 1',
        "debootstrap": "mkdir -p $4/etc/ssl/certs",
    }
    for name, text in stubs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    with pytest.raises(SystemExit, match=r"docker import .* oms-stand-in/debian:trixie failed: no space left"):
        images.RECIPES["postgres"]("17.2")
