"""The embedded system: which processes make it up on one machine, and what each is told."""

from __future__ import annotations

import secrets
import shutil
import sys
from pathlib import Path

from cli.ports import Ports
from cli.processes import ProcessSpec
from cli.readiness import beating, grpc_serving, http_refused, smtp_greeting
from cli.refusals import CommandRefused

SERVICES = ("orders", "inventory", "fulfillment", "billing", "notifications")
_TEMPORAL_FRONTEND = "temporal.api.workflowservice.v1.WorkflowService"
SEARCH_ATTRIBUTES = (
    "OmsNumber=Keyword",
    "OmsCustomer=Keyword",
    "OmsChannel=Keyword",
    "OmsPO=Keyword",
    "OmsTotalMinor=Int",
    "OmsPhase=Keyword",
)
"""As the Temporal server is told them; said again here because importing them from the workflows would slow every command."""
_WORKER_GRACE_S = 35.0  # the worker gives its running steps 30 s
_CHECKPOINT = '"5s"'
_TEMPORAL_SETTINGS = {
    "matching.numTaskqueueReadPartitions": "1",
    "matching.numTaskqueueWritePartitions": "1",
    "matching.updateAckInterval": _CHECKPOINT,
    "history.shardUpdateMinInterval": _CHECKPOINT,
    "history.transferProcessorUpdateAckInterval": _CHECKPOINT,
    "history.timerProcessorUpdateAckInterval": _CHECKPOINT,
    "history.timerProcessorMaxTimeShift": '"20ms"',
    "history.visibilityProcessorUpdateAckInterval": _CHECKPOINT,
    "system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute": "2",
}
"""One server needs no partitions of a queue, between which tasks and polls seek each other. It writes down every five seconds how far
it is, instead of every five minutes: what it did since then it does again when it starts, and new work waits behind that. It has one
clock: with the allowance of a second for those of other servers no timer fires within that second, however short it is. A workflow
whose step failed twice is listed as having a problem, by which the sweep finds what a bug keeps."""


class TemporalMissing(CommandRefused):
    """There is no `temporal` program; the message says how to get one."""


def specs(var: Path, ports: Ports) -> list[ProcessSpec]:
    """Every process of the system, in an order that people find natural; dependencies are in `after`."""
    env = environment(var, ports)
    python = sys.executable
    migrations = ProcessSpec("migrations", (python, "-m", "cli.migrate", str(var)), env=env, runs_once=True)
    mail = ProcessSpec(
        "mail",
        (python, "-m", "services.notifications.sink", "--port", str(ports.mail), "--mail-dir", str(var / "mail")),
        is_ready=smtp_greeting(ports.mail),
        env=env,
        port=ports.mail,
    )
    services = [_service(name, var, ports, env) for name in SERVICES]
    ready = var / "run" / "worker.ready"
    worker = ProcessSpec(
        "worker",
        (python, "-m", "workflows"),
        is_ready=beating(ready),
        ready_file=ready,
        after=("temporal",),
        # it finishes its running turns while the services still answer
        uses=SERVICES,
        env=env,
        grace_s=_WORKER_GRACE_S,
    )
    return [_temporal(var, ports), mail, _stripe(var, ports, env), migrations, *services, worker]


def _stripe(var: Path, ports: Ports, env: dict[str, str]) -> ProcessSpec:
    """The stand-in for Stripe, whose events go to the API."""
    webhook = f"http://127.0.0.1:{ports.http}/v1/webhooks/payments/stripe"
    options = ("--port", str(ports.stripe), "--file", str(var / "stripe.db"), "--webhook-url", webhook)
    return ProcessSpec(
        "stripe",
        (sys.executable, "-m", "services.billing.fake_stripe", *options),
        is_ready=http_refused(f"http://127.0.0.1:{ports.stripe}/v1/refunds"),
        env=env,
        port=ports.stripe,
    )


def environment(var: Path, ports: Ports) -> dict[str, str]:
    """What every process is told: where the others are, and where keys and mail go. The keys to Stripe's stand-in are new each time."""
    root = Path(__file__).resolve().parent.parent
    targets = {f"OMS_{name.upper()}_TARGET": f"127.0.0.1:{ports.by_name()[name]}" for name in SERVICES}
    return {
        **targets,
        "OMS_MODE": "embedded",
        "OMS_METRICS_LISTEN": "",  # one address cannot serve seven processes; the API's own /metrics is on
        "OMS_TEMPORAL_TARGET": f"127.0.0.1:{ports.temporal}",
        "OMS_TEMPORAL_NAMESPACE": "default",
        "OMS_TEMPORAL_UI_URL": f"http://127.0.0.1:{ports.temporal_ui}",
        "OMS_KEYS_DIR": str(var / "keys"),
        "OMS_SMTP_HOST": "127.0.0.1",
        "OMS_SMTP_PORT": str(ports.mail),
        "OMS_CARRIERS": "sandbox",
        "OMS_STRIPE_URL": f"http://127.0.0.1:{ports.stripe}",
        "OMS_STRIPE_KEY": f"sk_test_{secrets.token_hex(16)}",
        "OMS_STRIPE_WEBHOOK_SECRET": f"whsec_{secrets.token_hex(24)}",
        "PYTHONPATH": f"{root}:{root / 'proto' / 'gen'}",
        "PYTHONUNBUFFERED": "1",
    }


def database_url(var: Path, service: str) -> str:
    """Each service has a SQLite file of its own."""
    return f"sqlite:///{var / service}.db"


def _service(name: str, var: Path, ports: Ports, env: dict[str, str]) -> ProcessSpec:
    port = ports.by_name()[name]
    own = {**env, "OMS_DATABASE_URL": database_url(var, name), "OMS_LISTEN": f"127.0.0.1:{port}"}
    if name == "orders":
        own["OMS_HTTP_LISTEN"] = f"127.0.0.1:{ports.http}"
        own["OMS_PUBLIC_URL"] = f"http://127.0.0.1:{ports.http}"
    return ProcessSpec(
        name,
        (sys.executable, "-m", f"services.{name}"),
        is_ready=grpc_serving(port),
        # only orders knows Temporal; the others need nothing but their tables
        after=("migrations", "temporal") if name == "orders" else ("migrations",),
        uses={
            "orders": ("inventory", "fulfillment", "billing", "notifications"),
            "notifications": ("mail",),
            "billing": ("stripe",),
        }.get(name, ()),
        env=own,
        port=port,
    )


def _temporal(var: Path, ports: Ports) -> ProcessSpec:
    command = [temporal_program(), "server", "start-dev", "--db-filename", str(var / "temporal.db")]
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL"):
        command += ["--sqlite-pragma", pragma]
    command += [
        "--ip",
        "127.0.0.1",
        "--port",
        str(ports.temporal),
        "--ui-port",
        str(ports.temporal_ui),
        "--log-level",
        "warn",
    ]
    command += temporal_settings()
    for attribute in SEARCH_ATTRIBUTES:
        command += ["--search-attribute", attribute]
    return ProcessSpec(
        "temporal",
        tuple(command),
        is_ready=grpc_serving(ports.temporal, _TEMPORAL_FRONTEND),
        port=ports.temporal,
    )


def temporal_settings() -> list[str]:
    """What our Temporal is told beyond its ports, as arguments of the dev server."""
    return [
        word for name, value in _TEMPORAL_SETTINGS.items() for word in ("--dynamic-config-value", f"{name}={value}")
    ]


def temporal_program() -> str:
    """The `temporal` on the PATH, or the one installed beside this Python."""
    beside = Path(sys.executable).with_name("temporal")
    found = shutil.which("temporal") or (str(beside) if beside.exists() else None)
    if found is None:
        raise TemporalMissing("there is no `temporal` program here: run `make setup`, which installs one")
    return found
