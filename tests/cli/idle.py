"""A system that never gets ready: `python -m tests.cli.idle`, with whatever arguments."""

import time

if __name__ == "__main__":
    time.sleep(60)
