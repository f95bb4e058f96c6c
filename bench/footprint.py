"""(c) How soon the system is ready, and how much memory all its processes need together."""

from __future__ import annotations

from typing import Any

from bench.cpu import memory
from bench.system import System

TARGET_READY_S = 10.0
TARGET_MEMORY_MB = 1200


def at_start(system: System) -> dict[str, Any]:
    """Seconds to readiness and memory of the fresh system."""
    return {
        "ready_s": round(system.started_in_s, 2),
        "target_ready_s": TARGET_READY_S,
        "fresh": _memory(system),
        "target_memory_mb": TARGET_MEMORY_MB,
    }


def after_work(system: System) -> dict[str, Any]:
    """Memory once the other parts have run."""
    return {"after_work": _memory(system)}


def _memory(system: System) -> dict[str, Any]:
    """MB by process: PSS counts a page that several share once in all, RSS once for each."""
    found = memory(system.processes())
    return {
        "pss_mb": round(sum(each["pss"] for each in found.values()) / 1e6),
        "rss_mb": round(sum(each["rss"] for each in found.values()) / 1e6),
        "pss_mb_by_process": {name: round(each["pss"] / 1e6) for name, each in found.items()},
    }
