"""The files of photos: written beside the database under a temporary name, and named once they are whole and on the disk."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from services.kernel.errors import InvalidArgument, NotFound
from services.kernel.ids import new_id
from services.kernel.pictures import picture_type
from services.orders.domain.return_photos import MOST_BYTES, NewPhoto

_PHOTO = re.compile(r"photo_[0-9a-f]{32}")
_COMING = ".coming"


class IncomingPhoto:
    """A photo that is being sent. One that is not kept leaves no file when its block ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._photo_id = new_id("photo")
        self._path = folder / f"{self._photo_id}{_COMING}"
        self._file: BinaryIO = self._path.open("xb")
        self._hash = hashlib.sha256()
        self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # of what is kept all is written before; a full disk takes no rest of what is not
            self._file.close()
        self._path.unlink(missing_ok=True)

    def write(self, chunk: bytes) -> None:
        """Take the next bytes; InvalidArgument PHOTO_TOO_LARGE as soon as there are too many."""
        self.size += len(chunk)
        if self.size > MOST_BYTES:
            raise InvalidArgument("PHOTO_TOO_LARGE", f"a photo has at most {MOST_BYTES >> 20} MiB: send a smaller one")
        self._hash.update(chunk)
        self._file.write(chunk)

    def keep(self) -> NewPhoto:
        """Give it its name once it is a whole picture and on the disk. InvalidArgument PHOTO_TYPE, PHOTO_DAMAGED."""
        self._file.flush()
        media_type = picture_type(self._path.read_bytes())
        os.fsync(self._file.fileno())
        self._file.close()
        self._path.rename(self._folder / self._photo_id)
        _sync(self._folder)
        return NewPhoto(self._photo_id, media_type, self.size, self._hash.hexdigest())


class PhotoFiles:
    """The folder of all photos, one file each by its id; the database lists them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def incoming(self) -> IncomingPhoto:
        """A file for a photo that begins to come."""
        self._folder.mkdir(parents=True, exist_ok=True)
        return IncomingPhoto(self._folder)

    def read(self, photo_id: str) -> bytes:
        """The bytes of a photo; NotFound PHOTO_LOST when its file is gone."""
        try:
            return self._path(photo_id).read_bytes()
        except FileNotFoundError as gone:
            sentence = "the file of this photo is not there any more: ask whoever runs the system for a backup"
            raise NotFound("PHOTO_LOST", sentence) from gone

    def size(self, photo_id: str) -> int | None:
        """How many bytes its file has; None when there is none."""
        try:
            return self._path(photo_id).stat().st_size
        except FileNotFoundError:
            return None

    def drop(self, photo_id: str) -> None:
        """Take its file away, if there is one."""
        self._path(photo_id).unlink(missing_ok=True)

    def older_than(self, before_s: float) -> Iterator[str]:
        """The ids whose files, whole or still coming, were last written before that second of the epoch."""
        if not self._folder.is_dir():
            return
        for entry in os.scandir(self._folder):
            name = entry.name.removesuffix(_COMING)
            if _PHOTO.fullmatch(name) and entry.stat().st_mtime < before_s:
                yield entry.name

    def sweep(self, name: str) -> None:
        """Take a file away by the name that older_than() gave."""
        (self._folder / name).unlink(missing_ok=True)

    @contextmanager
    def unless_listed(self, photos: list[NewPhoto]) -> Iterator[set[str]]:
        """Take the files of these photos away again when the block ends, but for those whose ids it puts into the set."""
        listed: set[str] = set()
        try:
            yield listed
        finally:
            for one in photos:
                if one.photo_id not in listed:
                    self.drop(one.photo_id)

    def _path(self, photo_id: str) -> Path:
        if not _PHOTO.fullmatch(photo_id):
            raise NotFound("PHOTO_UNKNOWN", "this return has no such photo: look it up in its list")
        return self._folder / photo_id


def _sync(folder: Path) -> None:
    """Have the folder's own entry on the disk."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
