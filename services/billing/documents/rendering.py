"""Where a document is rendered: here, or, when it is long, in a process of its own whose memory goes with it."""

from __future__ import annotations

import json
import subprocess
import sys
from threading import BoundedSemaphore, Lock

from services.billing.documents import typesetting
from services.billing.documents.content import Content
from services.kernel.errors import Conflict

LINES_HERE = 100
"""typst keeps what its last ten documents came to: 80 KB a line."""
_TIMEOUT_S = 25
_ONE = Lock()  # a document of 2,000 lines takes 0.3 GB and a second; others of its kind wait
_PLACES = BoundedSemaphore(4)  # so few wait that they never keep all threads of the server


def pdf(content: Content) -> bytes:
    """The document; the same content gives the same bytes. Conflict DOCUMENTS_BUSY while too many long ones wait."""
    written = json.dumps(content)
    if len(content["lines"]) <= LINES_HERE:
        return typesetting.typeset(written)
    if not _PLACES.acquire(blocking=False):
        raise Conflict("DOCUMENTS_BUSY", "several long documents are being made: ask again in a few seconds")
    try:
        with _ONE:
            return _apart(written)
    finally:
        _PLACES.release()


def _apart(content: str) -> bytes:
    program = [sys.executable, "-P", "-X", "utf8", typesetting.__file__]
    done = subprocess.run(  # noqa: S603  # our own file, run by the Python that runs us
        program, input=content.encode(), stdout=subprocess.PIPE, timeout=_TIMEOUT_S, check=True
    )
    return done.stdout
