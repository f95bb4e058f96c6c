"""Where a document is rendered: here, or, when it is long, in a process of its own whose memory goes with it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from threading import BoundedSemaphore, Lock

import structlog

from services.billing.documents import typesetting
from services.billing.documents.content import Content
from services.billing.documents.xmp import with_einvoice
from services.kernel.errors import Conflict, Refused

log = structlog.get_logger()

LINES_HERE = 100
"""typst keeps what its last ten documents came to: 80 KB a line, 145 to 220 KB where texts are long."""
_PROGRAM = (sys.executable, "-P", "-X", "utf8", typesetting.__file__)
_IS_PDFA = b"<pdfaid:part>"
_TURN_S = 10.0
_TIMEOUT_S = 15.0  # with the wait for a turn less than the 30 s that who asks waits
_ONE = Lock()  # a document of 2,000 lines takes 0.3 to 0.5 GB and a second or two; others of its kind wait
_PLACES = BoundedSemaphore(4)  # so few wait that they never keep all threads of the server


def pdf(content: Content) -> bytes:
    """The document; the same content gives the same bytes.

    Conflict DOCUMENTS_BUSY for a long one while others keep it waiting, or when it takes too long; Refused DOCUMENT_NOT_MADE when its
    process dies, as it does for want of memory.
    """
    made = _made(content, len(content["lines"]), typesetting.TEMPLATE)
    return with_einvoice(made) if content.get("xml") and _IS_PDFA in made else made


def label(content: Content) -> bytes:
    """The label of a return; the same content gives the same bytes."""
    return typesetting.typeset(json.dumps(content), typesetting.LABEL)


def packing_slip(content: Content) -> bytes:
    """The packing slip of a shipment; the same content gives the same bytes. Refused as pdf() is."""
    rows = sum(len(package["rows"]) for package in content["packages"])
    return _made(content, rows, typesetting.PACKING_SLIP)


def shipping_labels(content: Content) -> bytes:
    """The labels of a shipment, one a package; the same content gives the same bytes. Refused as pdf() is."""
    return _made(content, len(content["labels"]), typesetting.SHIPPING_LABEL)


def bill_of_lading(content: Content) -> bytes:
    """The bill of lading of a shipment; the same content gives the same bytes. Refused as pdf() is."""
    return _made(content, len(content["rows"]), typesetting.BILL_OF_LADING)


def pick_list(content: Content) -> bytes:
    """The pick list of a wave; the same content gives the same bytes. Refused as pdf() is."""
    return _made(content, len(content["rows"]) + len(content["shipments"]), typesetting.PICK_LIST)


def _made(content: Content, rows: int, template: Path) -> bytes:
    written = json.dumps(content)
    if rows <= LINES_HERE:
        return typesetting.typeset(written, template)
    if not _PLACES.acquire(blocking=False):
        raise _busy()
    try:
        return _in_turn(written, template)
    finally:
        _PLACES.release()


def _in_turn(content: str, template: Path) -> bytes:
    if not _ONE.acquire(timeout=_TURN_S):
        raise _busy()
    try:
        return _apart(content, template)
    finally:
        _ONE.release()


def _apart(content: str, template: Path) -> bytes:
    try:
        done = subprocess.run(  # noqa: S603  # our own file, run by the Python that runs us
            (*_PROGRAM, template.name), input=content.encode(), stdout=subprocess.PIPE, timeout=_TIMEOUT_S, check=True
        )
    except subprocess.TimeoutExpired as slow:
        log.warning("documents.too_slow", seconds=slow.timeout)
        raise _busy() from None
    except subprocess.CalledProcessError as died:
        log.exception("documents.process_died", code=died.returncode)
        raise Refused(
            "DOCUMENT_NOT_MADE",
            "the PDF of this document could not be made, and asking again will not help: read it here without one, "
            "and tell whoever runs the system its number",
        ) from None
    return done.stdout


def _busy() -> Conflict:
    return Conflict("DOCUMENTS_BUSY", "several long documents are being made: ask again in a few seconds")
