"""Become a command that the kernel ends when the process that started it ends: `parent_watch.py PARENT COMMAND…`.

Run as a script by the supervisor, with the standard library only. Where the kernel has no such signal (it is Linux's),
the command runs all the same, and the next `oms up` ends what was left behind.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_STARTER_GONE = 75


def main(arguments: list[str]) -> None:
    """Tie this process to its parent, then become the command."""
    parent, command = int(arguments[0]), arguments[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        # the parent may have died before the line above: then no signal will ever come
        if os.getppid() != parent:
            sys.exit(_STARTER_GONE)
    try:
        os.execvp(command[0], command)  # noqa: S606  # the command comes from the supervisor, not from a shell
    except OSError as refusal:
        sys.exit(f"cannot run {command[0]}: {refusal.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
