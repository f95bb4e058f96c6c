"""What the runbooks ask of Docker, done to the processes of tests/deploy/kept.py: `docker compose logs orders` and the like.

Put on the PATH as `docker`. OMS_STAND_IN names the folder that tells of the processes: NAME.pid, NAME.log, and deployment.json.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ["OMS_STAND_IN"])
TAIL = 2000
GRACE_S = 5.0
BACK_WITHIN_S = 60.0
NEEDS_AN_ENGINE = ("inspect", "stats", "system")
"""They speak of containers, and there are none here."""


def main(words: list[str]) -> int:
    """Do what the words say; the exit code."""
    if words[0] in NEEDS_AN_ENGINE:
        print(f"docker {words[0]}: only with an engine")
        return 0
    assert words[0] == "compose", words
    options = [word for word in words[2:] if word.startswith("--")]
    return {"ps": ps, "logs": logs, "restart": restart, "exec": execute}[words[1]](words[2:], options)


def ps(words: list[str], options: list[str]) -> int:
    """Each process, or those that are named, and whether it runs."""
    named = [word for word in words if word not in options]
    for name in named or sorted(file.stem for file in FOLDER.glob("*.pid")):
        print(f"{name}\t{_state(_pid(name))}")
    return 0


def _state(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return "exited"
    return "running" if stat.rpartition(")")[2].split()[0] != "T" else "running (unhealthy)"


def logs(words: list[str], _options: list[str]) -> int:
    """The end of a log; `--since` takes it all."""
    most = int(words[words.index("--tail") + 1]) if "--tail" in words else TAIL
    text = (FOLDER / f"{words[-1]}.log").read_text(errors="replace")
    print("\n".join(text.splitlines()[-most:]))
    return 0


def restart(words: list[str], _options: list[str]) -> int:
    """End the process, by force when it does not listen, and wait until another is there."""
    name = words[-1]
    pid = _pid(name)
    _send(pid, signal.SIGTERM)
    ends_at = time.monotonic() + GRACE_S
    while _pid(name) == pid and time.monotonic() < ends_at:
        time.sleep(0.1)
    if _pid(name) == pid:
        _send(pid, signal.SIGKILL)
    ends_at = time.monotonic() + BACK_WITHIN_S
    while _pid(name) == pid:
        assert time.monotonic() < ends_at, f"{name} does not come back"
        time.sleep(0.1)
    return 0


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def execute(words: list[str], _options: list[str]) -> int:
    """A command in a container: psql beside the databases, python with the image's files."""
    stated: dict[str, Any] = json.loads((FOLDER / "deployment.json").read_text())
    given: dict[str, str] = {}
    while words[0] == "--env":
        given |= dict([words[1].split("=", 1)])
        words = words[2:]
    name, program, *arguments = words
    if name == "postgres":
        env = {**os.environ, "PGHOST": stated["socket"], "PATH": f"{stated['tools']}:{os.environ['PATH']}"}
        return subprocess.run([program, *arguments], env=env, check=False, timeout=60).returncode
    assert program == "python", words
    env = {**os.environ, **given, "OMS_URL": stated["url"], "PYTHONPATH": f"{stated['app']}:{stated['app']}/proto/gen"}
    return subprocess.run([sys.executable, *arguments], cwd=stated["app"], env=env, check=False, timeout=60).returncode


def _pid(name: str) -> int:
    return int((FOLDER / f"{name}.pid").read_text())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
