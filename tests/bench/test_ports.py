from __future__ import annotations

import subprocess
import sys

from bench.ports import END, FIRST, free_port, free_ports


def test_a_port_is_given_once_and_below_those_of_outgoing_connections() -> None:
    first, second = (set(free_ports().by_name().values()) for _ in range(2))

    assert len(first | second) == 2 * len(first)
    assert all(FIRST <= port < END for port in first | second)


def test_another_process_is_given_other_ports() -> None:
    mine = {free_port() for _ in range(50)}
    command = "from bench.ports import free_port; print(*(free_port() for _ in range(3000)))"

    theirs = subprocess.run(
        [sys.executable, "-c", command], check=True, capture_output=True, text=True, timeout=60
    ).stdout

    assert not mine & set(map(int, theirs.split()))
