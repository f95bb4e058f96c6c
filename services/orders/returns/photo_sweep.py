"""Takes away files of photos that no return lists: what a crash left between the file and its row, or the row and its file."""

from __future__ import annotations

from datetime import timedelta

import structlog

from services.kernel.clock import Clock, utc_now
from services.orders.returns.photo_files import PhotoFiles
from services.orders.store import return_photos as store
from services.runtime.background import BackgroundThread
from services.runtime.db import Database

log = structlog.get_logger()

EVERY_S = 3600.0
AGE = timedelta(hours=1)
"""Younger files may be about to be listed."""
_MOST = 500


class PhotoSweep(BackgroundThread):
    """A thread that looks when the process starts and every hour."""

    def __init__(self, database: Database, files: PhotoFiles, clock: Clock = utc_now) -> None:
        super().__init__("photo-sweep")
        self._database = database
        self._files = files
        self._clock = clock

    def _run(self) -> None:
        while not self._wake.is_stopped():
            try:
                self.sweep()
            except Exception:  # a disk or a database that is briefly away must not end the thread
                log.exception("photo_sweep.failed")
            self._wake.wait(EVERY_S)

    def sweep(self) -> int:
        """Take away what is old and not listed; how many files."""
        old = list(self._files.older_than((self._clock() - AGE).timestamp()))
        swept = 0
        for begin in range(0, len(old), _MOST):
            part = old[begin : begin + _MOST]
            with self._database.reading() as session:
                known = store.known(session, part)
            for name in (one for one in part if one not in known):
                self._files.sweep(name)
                swept += 1
        if swept:
            log.info("photo_sweep.swept", files=swept)
        return swept
