"""What crosses between an order's workflow and the step that sources it again.

Annotations are types here, not text, as in messages.py.
"""

from dataclasses import dataclass

from workflows.messages import Release


@dataclass(frozen=True, slots=True)
class SourceStep:
    """Source again what is open; released to the warehouses unless the order is held, but for the lines that a change holds back."""

    request_id: str
    order_id: str
    version: int
    is_released: bool
    withholding_change_id: str = ""


@dataclass(frozen=True, slots=True)
class SourcedAgain:
    """Whether anything was asked to be sourced again, why the units come from where they do now, and what was released.

    It `is_to_be_repeated` once a recall of something else is answered.
    """

    is_asked: bool
    why: str = ""
    release: Release | None = None
    is_to_be_repeated: bool = False
