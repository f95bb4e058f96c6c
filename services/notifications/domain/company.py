"""The selling company as the reader of a mail sees it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Company:
    """The company's name, and the lines of its address and of its signature."""

    name: str
    address: tuple[str, ...] = ()
    signature: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """What stands below the name at the end of each mail."""
        return (*self.address, *self.signature)


def split_lines(setting: str) -> tuple[str, ...]:
    """The lines of a setting that separates them by "|"; blank lines are left out."""
    return tuple(line.strip() for line in setting.split("|") if line.strip())
