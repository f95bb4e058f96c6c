"""The selling company as the reader of a mail sees it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Company:
    """The company's name, and the lines of its address, of its signature and of where goods are returned to."""

    name: str
    address: tuple[str, ...] = ()
    signature: tuple[str, ...] = ()
    returns_to: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """What stands below the name at the end of each mail."""
        return (*self.address, *self.signature)
