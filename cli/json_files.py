"""JSON documents in files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cli.refusals import CommandRefused


def read_json(path: Path) -> Any:
    """The document in a file; CommandRefused for what cannot be read, or not be sent as JSON."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        json.dumps(document, ensure_ascii=False, allow_nan=False).encode()  # what cannot be sent is no JSON either
    except OSError as absent:
        raise CommandRefused(f"{path} cannot be read as JSON: {absent.strerror}") from absent
    except RecursionError as deep:
        raise CommandRefused(f"{path} is no JSON document: it is nested too deep") from deep
    except ValueError as bad:
        raise CommandRefused(f"{path} is no JSON document: {bad}") from bad
    return document
