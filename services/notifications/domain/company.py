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
