"""Pictures as people send them: which kind one is and whether it is whole, told by its bytes and never by its name."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from services.kernel.errors import InvalidArgument

JPEG, PNG, WEBP = "image/jpeg", "image/png", "image/webp"
ENDINGS = {JPEG: "jpg", PNG: "png", WEBP: "webp"}
"""Media type → how the name of such a file ends."""
MOST_PIXELS = 100_000_000
"""What a browser still shows; a few kilobytes can claim far more."""

_PNG_HEAD = b"\x89PNG\r\n\x1a\n"
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_SCAN = 0xDA


def picture_type(content: bytes) -> str:
    """The media type of a whole picture; InvalidArgument PHOTO_TYPE for anything else, PHOTO_DAMAGED for a part of one."""
    if content.startswith(b"\xff\xd8\xff"):
        kind, size = JPEG, _jpeg_size(content)
    elif content.startswith(_PNG_HEAD):
        kind, size = PNG, _png_size(content)
    elif content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        kind, size = WEBP, _webp_size(content)
    else:
        raise InvalidArgument(
            "PHOTO_TYPE", "a photo is a JPEG, PNG or WebP picture: convert this file and send it again"
        )
    if size is None or not (0 < size[0] * size[1] <= MOST_PIXELS):
        raise InvalidArgument(
            "PHOTO_DAMAGED", "this picture is cut short, damaged or far too large to show: send the original file again"
        )
    return kind


def _jpeg_size(content: bytes) -> tuple[int, int] | None:
    """Walked from segment to segment up to the scan, behind which an end must come."""
    at, size = 2, None
    while at + 4 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker == 0xFF or marker in _ALONE:
            at += 1 if marker == 0xFF else 2
            continue
        length = int.from_bytes(content[at + 2 : at + 4], "big")
        if length < 2:
            return None
        if marker in _FRAMES and at + 9 <= len(content):
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            size = width, height
        at += 2 + length
        if marker == _SCAN:
            return size if content.find(b"\xff\xd9", at) > 0 else None
    return None


def _png_size(content: bytes) -> tuple[int, int] | None:
    """Every chunk up to the end is there with its checksum."""
    size, has_pixels = None, False
    for kind, body in _png_chunks(content):
        if size is None:
            if kind != b"IHDR" or len(body) != 13:
                return None
            size = struct.unpack(">II", body[:8])
        has_pixels = has_pixels or kind == b"IDAT"
        if kind == b"IEND":
            return size if has_pixels else None
    return None


def _png_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_PNG_HEAD)
    while at + 12 <= len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        kind, body = content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        at += 12 + length
        if at > len(content) or zlib.crc32(kind + body) != int.from_bytes(content[at - 4 : at], "big"):
            return
        yield kind, body


def _webp_size(content: bytes) -> tuple[int, int] | None:
    """As long as it says, each part in it too, and pixels among them."""
    end = 8 + int.from_bytes(content[4:8], "little")
    at, size, has_pixels = 12, None, False
    while at + 8 <= end <= len(content):
        kind, length = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        body = content[at + 8 : at + 8 + length]
        at += 8 + length + length % 2
        if at > end:
            return None
        size = size or _webp_canvas(kind, body)
        has_pixels = has_pixels or kind in (b"VP8 ", b"VP8L", b"ANMF")
    return size if has_pixels else None


def _webp_canvas(kind: bytes, body: bytes) -> tuple[int, int] | None:
    if kind == b"VP8X" and len(body) >= 10:
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if kind == b"VP8 " and len(body) >= 10 and body[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", body[6:10])
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L" and len(body) >= 5 and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return None
