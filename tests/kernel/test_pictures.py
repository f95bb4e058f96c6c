"""Pictures: told by their bytes, whole or not at all."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.errors import InvalidArgument
from services.kernel.pictures import picture_type
from tests.pictures import JPEG, WEBP, archive, png

WHOLE = {"image/jpeg": JPEG, "image/png": png(), "image/webp": WEBP}


def _reason(content: bytes) -> str:
    with pytest.raises(InvalidArgument) as refused:
        picture_type(content)
    return refused.value.reason


@pytest.mark.parametrize("kind", WHOLE)
def test_a_whole_picture_is_known_by_its_bytes(kind: str) -> None:
    assert picture_type(WHOLE[kind]) == kind


@pytest.mark.parametrize(
    "content",
    [b"", b"GIF89a\1\0\1\0", archive(), b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7", b"\xff\xd8"],
)
def test_anything_else_is_no_photo(content: bytes) -> None:
    assert _reason(content) == "PHOTO_TYPE"


@pytest.mark.parametrize("kind", WHOLE)
def test_no_part_of_a_picture_is_a_picture(kind: str) -> None:
    whole = WHOLE[kind]

    for length in range(len(whole)):
        assert _reason(whole[:length]) in ("PHOTO_TYPE", "PHOTO_DAMAGED"), length


def test_a_thumbnail_within_a_picture_is_not_its_end() -> None:
    thumbnail = b"\xff\xe1" + struct.pack(">H", 2 + len(JPEG)) + JPEG
    whole = JPEG[:2] + thumbnail + JPEG[2:]

    assert picture_type(whole) == "image/jpeg"
    assert _reason(whole[:-2]) == "PHOTO_DAMAGED"


def test_a_picture_of_more_pixels_than_a_browser_shows_is_refused() -> None:
    huge = png().replace(struct.pack(">II", 2, 2), struct.pack(">II", 60_000, 60_000))

    assert _reason(huge) == "PHOTO_DAMAGED"


@given(st.sampled_from(sorted(WHOLE)), st.data())
def test_whatever_is_spoiled_in_a_picture_it_is_taken_or_refused_and_nothing_else(
    kind: str, data: st.DataObject
) -> None:
    content = bytearray(WHOLE[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))

    try:
        found = picture_type(bytes(content))
    except InvalidArgument as refused:
        found = refused.reason

    assert found in {*WHOLE, "PHOTO_TYPE", "PHOTO_DAMAGED"}
