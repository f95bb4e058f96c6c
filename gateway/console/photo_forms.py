"""Forms with photos: fields bounded as in every other form, photos written to files while they come."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from gateway.console.forms import MAX_BYTES, MAX_FIELDS, checked, read_form
from gateway.console.visitor import Form, VisitorOf
from gateway.http.plumbing.problems import ApiError
from gateway.http.plumbing.uploads import chunks, written
from services.kernel.errors import DomainError, InvalidArgument, NotPermitted, Refused
from services.orders.domain.return_photos import MOST_BYTES, MOST_PHOTOS, NewPhoto
from services.orders.returns.photo_files import IncomingPhoto, PhotoFiles

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

PHOTOS = "photos"
_WHOLE = MOST_PHOTOS * MOST_BYTES + 2 * MAX_BYTES


@dataclass(frozen=True, slots=True)
class PhotoForm(Form):
    """A form and the photos that came with it: kept, and listed by nobody yet."""

    photos: list[NewPhoto]


class _Reading:
    """A form as its parts come. A file that nobody chose has no name and no bytes, and is none."""

    def __init__(self, files: PhotoFiles, boundary: bytes) -> None:
        self.pairs: list[tuple[str, str]] = []
        self.photos: list[NewPhoto] = []
        self.is_whole = False
        self._files = files
        self._header = bytearray()
        self._value = bytearray()
        self._disposition = b""
        self._name = ""
        self._text = bytearray()
        self._text_bytes = 0
        self._photo: IncomingPhoto | None = None
        callbacks: MultipartCallbacks = {
            "on_part_begin": self._begin,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": self._part_data,
            "on_part_end": self._part_end,
            "on_end": self._end,
        }
        self._parser = MultipartParser(boundary, callbacks)

    def write(self, chunk: bytes) -> None:
        """Take the next bytes. InvalidArgument for what no page of ours sends, and for what is no photo."""
        try:
            self._parser.write(chunk)
        except (MultipartParseError, UnicodeDecodeError) as unreadable:
            raise _unreadable() from unreadable

    def close(self) -> None:
        """Leave nothing of a photo that has not come whole."""
        if self._photo is not None:
            self._photo.__exit__(None, None, None)
            self._photo = None

    def _begin(self) -> None:
        self._disposition, self._name = b"", ""
        self._text.clear()

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if bytes(self._header).lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._name = options.get(b"name", b"").decode()
        if b"filename" in options:
            if self._name != PHOTOS:
                raise _unreadable()
            self._photo = self._files.incoming()
        elif len(self.pairs) >= MAX_FIELDS:
            raise _unreadable()

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._photo is not None:
            if len(self.photos) >= MOST_PHOTOS:
                raise Refused("TOO_MANY_PHOTOS", f"a return has at most {MOST_PHOTOS} photos: choose fewer")
            self._photo.write(data[start:end])
            return
        self._text += data[start:end]
        self._text_bytes += end - start
        if self._text_bytes > MAX_BYTES:
            raise ApiError(413, "FORM_TOO_LARGE", f"a form has at most {MAX_BYTES // 1024} KiB of text: write less")

    def _part_end(self) -> None:
        if self._photo is None:
            self.pairs.append((self._name, self._text.decode()))
            return
        if self._photo.size:
            self.photos.append(self._photo.keep())
        self.close()

    def _end(self) -> None:
        self.is_whole = True


async def form_with_photos(request: Request, who: VisitorOf) -> PhotoForm:
    """The posted form with its photos, all of them or none; NotPermitted when it does not carry this login's token."""
    media, options = parse_options_header(request.headers.get("Content-Type", ""))
    files, refusal = who.deps.photos, None
    if media != b"multipart/form-data":
        fields, photos = await read_form(request), list[NewPhoto]()
    else:
        fields, photos, refusal = await _read(request, files, options.get(b"boundary", b""))
    token = fields.pop("csrf", "")
    if hmac.compare_digest(token.encode(), who.csrf.encode()):
        request.state.form = fields
    elif refusal is None:
        refusal = NotPermitted(
            "FORM_OUT_OF_DATE", "this form belongs to another login: reload the page and send it again"
        )
    if refusal is not None:
        for one in photos:
            files.drop(one.photo_id)
        raise refusal
    return PhotoForm(who, fields, photos)


async def _read(
    request: Request, files: PhotoFiles, boundary: bytes
) -> tuple[dict[str, str], list[NewPhoto], DomainError | ApiError | None]:
    """Fields, photos, and why they are refused; a form that is refused is read on, so that its browser hears why."""
    reading, size = _Reading(files, boundary or b"none"), 0
    refusal: DomainError | ApiError | None = None
    try:
        async for chunk in chunks(request):
            size += len(chunk)
            if size > _WHOLE:
                refusal = refusal or ApiError(413, "FORM_TOO_LARGE", "these photos are too large: choose fewer")
                break
            if refusal is None:
                refusal = await run_in_threadpool(_written, reading, chunk)
    except ApiError as broken:
        refusal = broken
    finally:
        reading.close()
    if refusal is None and not reading.is_whole:
        refusal = _unreadable()
    try:
        return checked(reading.pairs), reading.photos, refusal
    except InvalidArgument as unreadable:
        return {}, reading.photos, refusal or unreadable


def _written(reading: _Reading, chunk: bytes) -> DomainError | ApiError | None:
    try:
        with written():
            reading.write(chunk)
    except (DomainError, ApiError) as refused:
        return refused
    return None


def _unreadable() -> InvalidArgument:
    return InvalidArgument("FORM_UNREADABLE", "the form could not be read: reload the page and send it again")


PhotoFormOf = Annotated[PhotoForm, Depends(form_with_photos)]
