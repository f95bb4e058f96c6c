"""The stand-in as a process: `python -m services.billing.fake_stripe`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

from services.billing.fake_stripe.server import FakeStripe


def main(arguments: list[str]) -> int:
    """Answer until a signal comes."""
    parser = argparse.ArgumentParser(prog="python -m services.billing.fake_stripe", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=7326, help="port to listen on")
    parser.add_argument("--file", type=Path, default=Path("var/stripe.db"), help="file that it keeps what it knows in")
    parser.add_argument("--webhook-url", default="", help="where its events go; none are sent without it")
    chosen = parser.parse_args(arguments)
    key, secret = os.environ.get("OMS_STRIPE_KEY", ""), os.environ.get("OMS_STRIPE_WEBHOOK_SECRET", "")
    try:
        fake = FakeStripe(
            chosen.file, chosen.host, chosen.port, key=key, webhook_url=chosen.webhook_url, webhook_secret=secret
        )
    except OSError as taken:
        sys.stderr.write(
            f"stripe: cannot listen on {chosen.host}:{chosen.port} ({taken.strerror}): stop what has the port\n"
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
