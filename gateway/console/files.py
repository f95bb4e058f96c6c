"""Static files: read once, served by name from a fixed list, addressed with a digest so that browsers may keep them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Response

from services.kernel.errors import NotFound

router = APIRouter()

FOLDER = Path(__file__).parent / "static"
_KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class File:
    """A static file as it is sent."""

    content: bytes
    kind: str
    digest: str


@cache
def shipped() -> dict[str, File]:
    """Name below static/ → file, for every kind that pages use."""
    found = sorted(path for path in FOLDER.rglob("*") if path.suffix in _KINDS)
    return {path.relative_to(FOLDER).as_posix(): _read(path) for path in found}


def _read(path: Path) -> File:
    content = path.read_bytes()
    return File(content, _KINDS[path.suffix], hashlib.sha256(content).hexdigest()[:16])


def address(name: str) -> str:
    """Where a file is; it changes with the content. KeyError for a name that is not shipped."""
    return f"/static/{name}?v={shipped()[name].digest}"


@router.get("/static/{name:path}")
def static_file(name: str) -> Response:
    """One file."""
    file = shipped().get(name)
    if file is None:
        raise NotFound("FILE_UNKNOWN", "there is no such file")
    return Response(file.content, headers={"Content-Type": file.kind, "Cache-Control": _FOR_EVER})
