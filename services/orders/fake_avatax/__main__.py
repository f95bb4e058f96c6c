"""The stand-in as a process: `python -m services.orders.fake_avatax`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading

from services.orders.fake_avatax.server import FakeAvaTax


def main(arguments: list[str]) -> int:
    """Answer until a signal comes."""
    parser = argparse.ArgumentParser(prog="python -m services.orders.fake_avatax", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=7327, help="port to listen on")
    chosen = parser.parse_args(arguments)
    try:
        fake = FakeAvaTax(chosen.host, chosen.port, key=os.environ.get("OMS_TAX_ENGINE_KEY", ""))
    except OSError as taken:
        sys.stderr.write(
            f"avatax: cannot listen on {chosen.host}:{chosen.port} ({taken.strerror}): stop what has the port\n"
        )
        return 78
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    fake.start()
    stop.wait()
    fake.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
