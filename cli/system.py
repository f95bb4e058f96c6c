"""`oms up`, `oms down`, `oms status`: the system on this machine."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import httpx
import psutil
import typer

from cli import running, statefile
from cli.output import console, print_json, table
from cli.ports import Ports
from cli.refusals import NotRunning

VarOption = Annotated[
    Path, typer.Option("--var", envvar="OMS_VAR", help="Folder with databases, keys, logs and mails.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")]
OffsetOption = Annotated[int, typer.Option("--port-offset", help="Add this to every default port: a second system.")]
HttpPortOption = Annotated[int | None, typer.Option("--http-port", help="Port of the public API (8000).")]

_ROW = (
    ("Process", "name"), ("PID", "pid"), ("State", "state"), ("Restarts", "restarts>"), ("Uptime", "uptime>"),
    ("Memory", "memory>"), ("Port", "port"),
)  # fmt: skip

_WELL = frozenset({"ready", "done"})
_ASKED_FOR_S = 6.0  # /readyz waits up to 4.5 s for what it rests on


def up(
    var: VarOption = Path("var"),
    http_port: HttpPortOption = None,
    port_offset: OffsetOption = 0,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Return when the system is ready.")] = False,
    ports: Annotated[str, typer.Option("--ports", hidden=True)] = "",
) -> None:
    """Start the system on this machine: Temporal, five services, the worker, a mail sink and a stand-in for Stripe."""
    chosen = Ports.parse(ports) if ports else Ports.shifted(port_offset, http_port)
    out = console()
    if not detach:
        running.serve(var, chosen, lambda line: out.print(line, soft_wrap=True))
        return
    state = running.start_detached(var, chosen)
    out.print(f"ready in {state['ready_at'] - state['started_at']:.1f} s (pid {state['pid']})")
    out.print(f"console  {state['url']}\nAPI      {state['url']}/docs\nTemporal {state['temporal_ui']}")
    out.print(f"stop it with `oms down{statefile.option(var)}`", soft_wrap=True)


def down(var: VarOption = Path("var")) -> None:
    """Stop the system. Running work is finished first."""
    console().print("stopped" if running.stop(var) else "the system was not running")


def status(var: VarOption = Path("var"), as_json: JsonOption = False) -> None:
    """Show every process, and what the API says of the parts it rests on. Exit code 1 when not all is up and ready."""
    state = running.current(var)
    if state is None:
        if as_json:
            print_json({"is_running": False, "is_ready": False, "processes": []})
            raise typer.Exit(1)
        raise NotRunning
    report = combined(describe(state), asked(state["url"]))
    if as_json:
        print_json(report)
    else:
        _print(report, var / "log")
    if not report["is_ready"]:
        raise typer.Exit(1)


def describe(state: dict[str, Any]) -> dict[str, Any]:
    """The state file together with what the kernel knows now: memory and uptime of each process, in bytes and seconds."""
    processes = [_measured(entry) for entry in state["processes"]]
    own = _measured({"name": "supervisor", "state": "ready", "pid": state["pid"], "port": None, "restarts": 0,
                     "started_at": state["started_at"]})  # fmt: skip
    return {
        "is_running": True,
        "is_ready": state["ready_at"] is not None and all(entry["state"] in _WELL for entry in processes),
        "started_in_s": round(state["ready_at"] - state["started_at"], 2) if state["ready_at"] else None,
        "url": state["url"],
        "temporal_ui": state["temporal_ui"],
        "rss_bytes": sum(entry["rss_bytes"] or 0 for entry in [own, *processes]),
        "processes": [own, *processes],
    }


def asked(url: str) -> dict[str, Any]:
    """What the API says of its readiness: its status, its checks and warnings; that it does not answer is one of them."""
    try:
        answer = httpx.get(f"{url}/readyz", timeout=_ASKED_FOR_S, trust_env=False).json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return {"is_ready": False, "status": "down", "checks": {"api": "it does not answer"}, "warnings": {}}
    return {"is_ready": False, "status": "down", "checks": {}, "warnings": {}, **answer}


def combined(report: dict[str, Any], readiness: dict[str, Any]) -> dict[str, Any]:
    """The report with a status (ok, degraded or down) and, part by part, what is wrong: a process, or what the API misses."""
    parts = {entry["name"]: f"it is {entry['state']}" for entry in report["processes"] if entry["state"] not in _WELL}
    parts |= {name: said for name, said in readiness["checks"].items() if said != "ok" and name not in parts}
    parts |= readiness["warnings"]
    status = "degraded" if parts and readiness["status"] == "ok" else readiness["status"]
    return {**report, "is_ready": report["is_ready"] and readiness["is_ready"], "status": status, "parts": parts}


def _measured(entry: dict[str, Any]) -> dict[str, Any]:
    is_up = entry["pid"] is not None and statefile.created_at(entry["pid"]) is not None
    return {
        **entry,
        "uptime_s": round(time.time() - entry["started_at"], 1) if is_up and entry["started_at"] else None,
        "rss_bytes": _rss(entry["pid"]) if is_up else None,
    }


def _rss(pid: int) -> int | None:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return None


def _print(report: dict[str, Any], logs: Path) -> None:
    rows = [
        {
            **entry,
            "pid": _digits(entry["pid"]),
            "port": _digits(entry["port"]),
            "uptime": _span(entry["uptime_s"]),
            "memory": f"{entry['rss_bytes'] / 2**20:,.0f} MiB" if entry["rss_bytes"] else "",
        }
        for entry in report["processes"]
    ]
    out = console()
    out.print(table(rows, _ROW))
    for name, said in report["parts"].items():
        out.print(f"{name}: {said}", soft_wrap=True)
    word = "ready" if report["status"] == "ok" else f"{report['status']}: see {logs}"
    out.print(
        f"\n{word} · {report['rss_bytes'] / 2**20:,.0f} MiB in all · console {report['url']} · API {report['url']}/docs · Temporal {report['temporal_ui']}"
    )


def _digits(number: int | None) -> str:
    """A number that names something and counts nothing."""
    return "" if number is None else str(number)


def _span(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"
