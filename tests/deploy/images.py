"""Stand-ins for the images of docker-compose.yml, where no registry of images can be asked: `python -m tests.deploy.images`.

Debian's packages on a base of debootstrap, and Temporal, its UI, Mailpit and Prometheus built through the Go proxy, each under the name
that compose asks for, labeled with what it is. It needs root, a Docker engine, debootstrap, Go, and half an hour the first time. What
is there is left alone, an image of the registry too.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.deploy.composed import ROOT
from tests.temporal import temporal_binary

LABEL = "oms.stand-in"
FILES = Path(__file__).with_name("stand_ins")
KEPT = ROOT / ".tools" / "stand_ins"
STEP_WITHIN_S = 3600.0
SERVER, UI = "go.temporal.io/server", "github.com/temporalio/ui-server/v2"
MAILPIT, MAILPIT_VERSION = "github.com/axllent/mailpit", "v1.27.11"
"""The version nearest to v1.27.0 that the Go proxy has; the pages are not among a module's files."""
PROMETHEUS, PROMETHEUS_VERSION = "github.com/prometheus/prometheus", "v0.302.1"
"""Prometheus 3.2.1, which grafana/otel-lgtm 0.11.0 holds."""
_CERTIFICATES, _PIP = "etc/ssl/certs/ca-certificates.crt", "etc/pip.conf"


@dataclass(frozen=True, slots=True)
class Image:
    """One to build: by which Dockerfile, on what, with which files beside it (name there → here), and what it is in a sentence."""

    recipe: str
    base: str
    says: str
    files: Mapping[str, Path] = field(default_factory=dict)
    arguments: Mapping[str, str] = field(default_factory=dict)


def named() -> dict[str, str]:
    """Repository → tag of every image that is not ours."""
    text = (ROOT / "docker-compose.yml").read_text()
    base = re.findall(r"^ARG BASE=(\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    names = {*base, *re.findall(r"^ +image: ([a-z][^\s$]+)$", text, re.MULTILINE)}
    return dict(name.split(":") for name in sorted(names))


def missing(names: Mapping[str, str]) -> list[str]:
    """Those of the images that the engine does not have."""
    return [repository for repository, tag in names.items() if not is_there(f"{repository}:{tag}")]


def is_there(name: str) -> bool:
    """Whether the engine has an image of this name."""
    asked = ["docker", "image", "inspect", name]
    return subprocess.run(asked, capture_output=True, check=False, timeout=STEP_WITHIN_S).returncode == 0


def stand_in(name: str) -> str:
    """What an image says it stands in with; empty for one of a registry."""
    asked = ["docker", "image", "inspect", "--format", f'{{{{index .Config.Labels "{LABEL}"}}}}', name]
    return subprocess.run(asked, capture_output=True, text=True, check=True, timeout=STEP_WITHIN_S).stdout.strip()


def make(names: Mapping[str, str]) -> None:
    """Build those of the images that are missing; SystemExit says what it needs for that, or which step failed."""
    for program in ("docker", "debootstrap", "go"):
        if shutil.which(program) is None:
            sys.exit(f"stand-ins need {program}, and there is none here")
    for repository in missing(names):
        _build(f"{repository}:{names[repository]}", RECIPES[repository](names[repository]))


def _python(tag: str) -> Image:
    suite = tag.rpartition("-")[2]
    return Image("python", _debian(suite), f"Python of Debian {suite}")


def _postgres(tag: str) -> Image:
    major = tag.partition(".")[0]
    return Image(
        "postgres",
        _debian("trixie"),
        f"PostgreSQL {major} of Debian trixie, its entrypoint in short",
        {"postgres-entrypoint.sh": FILES / "postgres-entrypoint.sh"},
        {"MAJOR": major},
    )


def _server(tag: str) -> Image:
    files = {
        "temporal-server": _program(SERVER, f"v{tag}", "cmd/server"),
        "entrypoint.sh": _module(SERVER, f"v{tag}") / "docker" / "scripts" / "sh" / "entrypoint.sh",
    }
    return Image("temporal-server", _alpine(), f"{SERVER} v{tag} and its entrypoint, on Debian with busybox", files)


def _admin_tools(tag: str) -> Image:
    files = {
        "temporal": Path(temporal_binary()),
        "temporal-sql-tool": _program(SERVER, f"v{tag}", "cmd/tools/sql"),
        "schema": _module(SERVER, f"v{tag}") / "schema",
    }
    says = f"the SQL tool and schema of {SERVER} v{tag}, and this checkout's temporal command, on Debian with busybox"
    return Image("temporal-admin-tools", _alpine(), says, files)


def _ui(tag: str) -> Image:
    module = _module(UI, f"v{tag}")
    files = {
        "ui-server": _program(UI, f"v{tag}", "cmd/server"),
        "start-ui-server.sh": module / "docker" / "start-ui-server.sh",
        "docker.yaml": module / "config" / "docker.yaml",
    }
    return Image("temporal-ui", _alpine(), f"{UI} v{tag}, its entrypoint and settings, on Debian with busybox", files)


def _mailpit(tag: str) -> Image:
    says = f"{MAILPIT} {MAILPIT_VERSION} without its pages, for {tag}"
    return Image("mailpit", _alpine(), says, {"mailpit": _program(MAILPIT, MAILPIT_VERSION, "")})


def _telemetry(tag: str) -> Image:
    files = {
        "prometheus": _program(PROMETHEUS, PROMETHEUS_VERSION, "cmd/prometheus"),
        "telemetry.sh": FILES / "telemetry.sh",
    }
    says = f"{PROMETHEUS} {PROMETHEUS_VERSION} alone, no collector, Grafana, Tempo or Loki, for {tag}"
    return Image("telemetry", _alpine(), says, files)


def _alpine() -> str:
    name = "oms-stand-in/alpine:1"
    if not is_there(name):
        _build(name, Image("alpine", _debian("bookworm"), "Debian bookworm with busybox"))
    return name


def _debian(suite: str) -> str:
    """A base with this machine's certificates and what pip is told here, so that packages can be had in it as they can here."""
    name = f"oms-stand-in/debian:{suite}"
    if is_there(name):
        return name
    with tempfile.TemporaryDirectory(prefix="oms-debian-") as files:
        made = str(Path(files, "root"))
        _run(["debootstrap", "--variant=minbase", "--include=ca-certificates", suite, made], quietly=True)
        for path in (_CERTIFICATES, _PIP):
            if Path("/", path).exists():
                shutil.copy(Path("/", path), Path(made, path))
        archive = Path(files, "debian.tar")
        _run(["tar", "--directory", made, "--create", "--file", str(archive), "."], quietly=True)
        label = f"LABEL {LABEL}={json.dumps(f'Debian {suite}')}"
        _run(["docker", "import", "--change", label, str(archive), name], quietly=True)
    return name


def _build(name: str, image: Image) -> None:
    print(f"{name}: {image.says}", flush=True)
    with tempfile.TemporaryDirectory(prefix="oms-image-") as made:
        shutil.copy(FILES / f"{image.recipe}.Dockerfile", Path(made, "Dockerfile"))
        for there, here in image.files.items():
            (shutil.copytree if here.is_dir() else shutil.copy)(here, Path(made, there))
            Path(made, there).chmod(0o755)
        arguments = {"BASE": image.base, **image.arguments}
        options = [option for key, value in arguments.items() for option in ("--build-arg", f"{key}={value}")]
        _run(["docker", "build", "--tag", name, "--label", f"{LABEL}={image.says}", *options, made], quietly=True)


def _module(path: str, version: str) -> Path:
    """A module's own files, read only."""
    asked = ["go", "mod", "download", "-json", f"{path}@{version}"]
    with _go_module() as folder:
        answered = subprocess.run(asked, cwd=folder, capture_output=True, check=True, timeout=STEP_WITHIN_S)
    return Path(json.loads(answered.stdout)["Dir"])


def _program(path: str, version: str, package: str) -> Path:
    """A program of a module, linked statically; built once."""
    program = KEPT / version / re.sub(r"\W", "-", f"{path}/{package}".rstrip("/"))
    if program.exists():
        return program
    print(f"building {path}/{package} {version}", flush=True)
    with _go_module() as folder:
        whole = f"{path}/{package}".rstrip("/")
        _run(["go", "get", f"{whole}@{version}"], folder, quietly=True)
        draft = program.with_suffix(".draft")
        _run(["go", "build", "-trimpath", "-ldflags=-s -w", "-o", str(draft), whole], folder)
        draft.rename(program)
    return program


@contextmanager
def _go_module() -> Iterator[Path]:
    """A module that depends on whatever is asked for, for a program of another module cannot always be installed by itself."""
    with tempfile.TemporaryDirectory(prefix="oms-go-") as made:
        Path(made, "go.mod").write_text("module standin\n\ngo 1.26\n")
        yield Path(made)


def _run(command: list[str], folder: Path | None = None, *, quietly: bool = False) -> None:
    """A step; what a quiet one says is shown when it fails."""
    out = subprocess.PIPE if quietly else None
    ran = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "CGO_ENABLED": "0"},
        stdout=out,
        stderr=subprocess.STDOUT if quietly else None,
        text=True,
        check=False,
        timeout=STEP_WITHIN_S,
    )
    if ran.returncode:
        sys.exit(f"{' '.join(command)} failed: {(ran.stdout or '')[-3000:]}")


RECIPES: Mapping[str, Callable[[str], Image]] = {
    "python": _python,
    "postgres": _postgres,
    "temporalio/server": _server,
    "temporalio/admin-tools": _admin_tools,
    "temporalio/ui": _ui,
    "axllent/mailpit": _mailpit,
    "grafana/otel-lgtm": _telemetry,
}
"""Repository → what stands in for its image of a tag."""


def main() -> int:
    """Build what is missing of what compose names."""
    make(named())
    return 0


if __name__ == "__main__":
    sys.exit(main())
