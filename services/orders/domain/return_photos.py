"""Photos of a return: who may add one when, and what may be taken away again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.kernel.errors import NotPermitted, Refused
from services.orders.domain.returns import AUTHORIZED, REQUESTED, Return

REQUEST, INSPECTION = "request", "inspection"
MOST_PHOTOS = 10
MOST_BYTES = 5 << 20


@dataclass(frozen=True, slots=True)
class NewPhoto:
    """A photo whose file is kept and that no return lists yet."""

    photo_id: str
    media_type: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ReturnPhoto:
    """A photo of a return's request or of its inspection; `position` is its place among those, from 1 on."""

    photo_id: str
    return_id: str
    stage: str
    position: int
    media_type: str
    size: int
    sha256: str
    added_by: str
    added_role: str
    added_at: datetime


def stage_of(role: str) -> str:
    """What a role's photos show: what the warehouse found, or what the customer has."""
    return INSPECTION if role == "warehouse" else REQUEST


def check_adding(found: Return, stage: str) -> None:
    """Refused PHOTOS_NOT_TAKEN: photos of a request until goods come, those of an inspection from its authorization on."""
    if stage == INSPECTION and found.state != AUTHORIZED and not found.received:
        raise Refused("PHOTOS_NOT_TAKEN", f"{found.number} is {found.state}: none of its goods are awaited")
    if stage == REQUEST and (not found.is_open or found.received):
        raise Refused("PHOTOS_NOT_TAKEN", f"{found.number} takes no more photos of its request: write to support")


def free_position(photos: Sequence[ReturnPhoto], stage: str) -> int:
    """The first place that is free; Refused TOO_MANY_PHOTOS when none is."""
    taken = {one.position for one in photos if one.stage == stage}
    free = next((place for place in range(1, MOST_PHOTOS + 1) if place not in taken), 0)
    if not free:
        raise Refused("TOO_MANY_PHOTOS", f"a return has at most {MOST_PHOTOS} photos: take one away first")
    return free


def check_removal(found: Return, photo: ReturnPhoto, role: str) -> None:
    """Refuse to take away what decided a return (PHOTOS_KEPT), and what somebody else's side added (PHOTO_NOT_YOURS)."""
    if found.state != REQUESTED:
        raise Refused("PHOTOS_KEPT", f"{found.number} is {found.state}: its photos stay as they are")
    if role == "customer" and photo.added_role != "customer":
        raise NotPermitted("PHOTO_NOT_YOURS", "our staff added this photo: ask them to take it away")
