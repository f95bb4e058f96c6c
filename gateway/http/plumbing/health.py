"""Whether the process lives, and whether everything it rests on is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, Literal

import grpc
from fastapi import APIRouter
from fastapi.responses import JSONResponse
from grpc_health.v1 import health_pb2, health_pb2_grpc
from pydantic import BaseModel, Field
from sqlalchemy.exc import OperationalError

from gateway.http.plumbing.deps import Deps, DepsOf
from services.runtime.grpc_client import Unreachable

router = APIRouter(tags=["operations"])

_PROBE_S = 1.5
_ALL_S = 4.5
"""What asks us waits for five seconds, as a rule; a database may keep us waiting for half a minute."""


class Health(BaseModel):
    """The process answers."""

    status: str = Field(examples=["ok"])


class Readiness(BaseModel):
    """What the process rests on."""

    is_ready: bool
    status: Literal["ok", "degraded", "down"] = Field(
        description="degraded: something named here is away or short, and orders are still read; down: the database does not answer."
    )
    warnings: dict[str, str] = Field(description="Name → what will be wrong soon, while all still works: the disk.")
    checks: dict[str, str] = Field(description="Name → ok, or why not.")


@router.get("/healthz")
def check_health() -> Health:
    """Liveness: it says nothing about what stands behind."""
    return Health(status="ok")


@router.get(
    "/readyz",
    response_model=Readiness,
    responses={503: {"model": Readiness, "description": "Something it rests on is away."}},
)
def check_readiness(deps: DepsOf) -> JSONResponse:
    """Readiness: the database, Temporal and every service; 503 names what is away. A disk that fills is a warning."""
    outcomes = ask_all({"database": lambda: _database(deps), **deps.probes})
    is_ready = all(outcome == "ok" for outcome in outcomes.values())
    warnings = {"disk": said} if (said := deps.disk.warning()) else {}
    readiness = Readiness(is_ready=is_ready, status=_status(outcomes, warnings), warnings=warnings, checks=outcomes)
    return JSONResponse(readiness.model_dump(), 200 if is_ready else 503)


def _status(outcomes: Mapping[str, str], warnings: Mapping[str, str]) -> Literal["ok", "degraded", "down"]:
    if outcomes["database"] != "ok":
        return "down"
    return "degraded" if warnings or any(outcome != "ok" for outcome in outcomes.values()) else "ok"


def ask_all(probes: Mapping[str, Callable[[], None]], within_s: float = _ALL_S) -> dict[str, str]:
    """Name → ok, or why not, all asked together. One that does not come back in time is not waited for."""
    pool = ThreadPoolExecutor(max_workers=len(probes))
    asked = {name: pool.submit(_probe, probe) for name, probe in probes.items()}
    wait(asked.values(), timeout=within_s)
    pool.shutdown(wait=False)
    return {name: each.result() if each.done() else "no answer in time" for name, each in asked.items()}


def grpc_probe(channel: grpc.Channel) -> Callable[[], None]:
    """A probe that asks the standard health service of a gRPC server."""
    stub: Any = health_pb2_grpc.HealthStub(channel)  # its published types lack the methods

    def probe() -> None:
        answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=_PROBE_S)
        if answer.status != health_pb2.HealthCheckResponse.SERVING:
            raise Unreachable("it runs but does not serve")

    return probe


def _database(deps: Deps) -> None:
    with deps.database.reading() as session:
        session.connection()


def _probe(probe: Callable[[], None]) -> str:
    try:
        probe()
    except Unreachable as away:
        return str(away)[:200] or "away"
    except OperationalError:
        return "the database does not answer"
    return "ok"
