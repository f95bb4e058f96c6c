"""The disk is full under load and has room again: what was acknowledged goes on by itself, at once and to the right end."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import httpx
import pytest

from tests.faults.journey import Journey, Shop
from tests.faults.load import under_load
from tests.faults.running import RunningSystem
from tests.faults.summary import Differences, differences

SIZE = "192m"
WARN_MIB = 32
FULL_BYTES = 1 << 20
"""So little is free where everything is taken but what became free just now."""
GOES_ON_WITHIN_S = 60.0


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of its own, in memory; only root may mount one."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
        timeout=30,
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True, timeout=30)


class Ballast:
    """A file that takes all room there is, and what becomes free meanwhile."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "ballast"

    def fill(self) -> None:
        with self._path.open("ab", buffering=0) as file:
            for size in (1 << 20, 4096, 1):
                try:
                    while file.write(b"\0" * size):
                        pass
                except OSError:
                    continue

    def leave(self, free: int) -> None:
        """Take all room but so many bytes."""
        with self._path.open("ab") as file:
            file.write(b"\0" * max(shutil.disk_usage(self._path.parent).free - free, 0))

    def remove(self) -> None:
        self._path.unlink()


def readiness(running: RunningSystem) -> httpx.Response:
    return httpx.get(f"{running.base_url}/readyz", timeout=10)


def changed(shop: Shop, disk: Path, orders: int, per_s: float, full_s: float, finished: int) -> list[Differences]:
    """What orders that were placed while the disk was full come to otherwise than an undisturbed one; all else is asserted here."""
    wanted = Journey(shop, shop.goods()).travel()
    ballast = Ballast(disk)
    before = {name: shop.running.restarts(name) for name in ("orders", "worker", "temporal")}
    assert readiness(shop.running).json()["warnings"] == {}

    with under_load(shop, orders, per_s) as load:
        time.sleep(orders / per_s / 3)
        ends = time.monotonic() + full_s
        free = []
        while time.monotonic() < ends:
            ballast.fill()
            free.append(shutil.disk_usage(disk).free)
            time.sleep(0.2)
        warned = readiness(shop.running).json()["warnings"]
        ballast.remove()
        began = time.monotonic()
    released = load.released()
    went_on_s = time.monotonic() - began
    for journey in released[:finished]:
        journey.ship()
        journey.finish()
    outcomes = [journey.came_to() for journey in released[:finished]]

    after = {name: shop.running.restarts(name) for name in before}
    print(
        f"answers {dict(load.answers)}, all went on within {went_on_s:.1f} s, {median(free):.0f} bytes were free, restarts {before} -> {after}"
    )
    assert median(free) < FULL_BYTES
    assert "disk" in warned
    assert load.answers[503] > 0
    assert set(load.answers) <= {201, 202, 503, "refused", "cut off", "hung"}
    assert went_on_s < GOES_ON_WITHIN_S
    shop.trade().until_audit_is_clean()
    return [found for got in outcomes if (found := differences(wanted, got))]


@pytest.mark.prove
@pytest.mark.timeout(400)
def test_what_was_acknowledged_goes_on_within_a_minute_after_the_disk_has_room_again(tmp_path: Path) -> None:
    notified = {"OMS_DISK_WARN_MIB": str(WARN_MIB)}
    with small_disk(tmp_path / "disk") as disk, RunningSystem(disk / "system", notified=notified) as running:
        assert changed(Shop(running), disk, orders=40, per_s=4, full_s=20, finished=6) == []
