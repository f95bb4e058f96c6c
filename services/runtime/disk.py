"""How much room there is on the disk that holds our data, and when that is too little."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Disk:
    """The file system of a folder; without a folder nothing is known, as where a database server keeps the data elsewhere."""

    folder: Path | None = None
    warn_below_bytes: int = 0

    def free_bytes(self) -> int | None:
        """What a process without special rights may still write."""
        return shutil.disk_usage(self.folder).free if self.folder is not None else None

    def warning(self) -> str:
        """What to do when it is too little; empty while there is enough."""
        free = self.free_bytes()
        if free is None or free >= self.warn_below_bytes:
            return ""
        return (
            f"{free / _MIB:,.0f} MiB are free on the disk of {self.folder} and {self.warn_below_bytes / _MIB:,.0f} MiB should be: "
            "make room before it is full, for then nothing is taken any more"
        )
