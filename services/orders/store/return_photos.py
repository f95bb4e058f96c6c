"""Photos of returns: listed, found, added and taken away. Their bytes are files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from sqlalchemy import bindparam, delete, insert, select
from sqlmodel import Session

from services.kernel.errors import NotFound
from services.orders.domain.return_photos import ReturnPhoto
from services.orders.models import ReturnPhotoRow
from services.runtime.db import table_of

_photo = table_of(ReturnPhotoRow)
_OF_RETURNS = (
    select(_photo)
    .where(_photo.c.return_id.in_(bindparam("ids", expanding=True)))
    .order_by(_photo.c.return_id, _photo.c.stage.desc(), _photo.c.position)
)
_KNOWN = select(_photo.c.photo_id).where(_photo.c.photo_id.in_(bindparam("ids", expanding=True)))
_SIZES = (
    select(_photo.c.photo_id, _photo.c.size).where(_photo.c.photo_id > bindparam("after")).order_by(_photo.c.photo_id)
)


def add(session: Session, photo: ReturnPhoto) -> None:
    """List a photo."""
    session.execute(insert(_photo), asdict(photo))


def remove(session: Session, photo_id: str) -> None:
    """List it no more."""
    session.execute(delete(_photo).where(_photo.c.photo_id == photo_id))


def of_returns(session: Session, return_ids: Iterable[str]) -> dict[str, list[ReturnPhoto]]:
    """Return id → its photos, those of the request first; only of returns that have any."""
    found: dict[str, list[ReturnPhoto]] = {}
    for row in session.execute(_OF_RETURNS, {"ids": list(return_ids)}).mappings():
        found.setdefault(row["return_id"], []).append(ReturnPhoto(**row))
    return found


def one(session: Session, return_id: str, photo_id: str) -> ReturnPhoto:
    """A photo of a return; NotFound PHOTO_UNKNOWN."""
    for photo in of_returns(session, [return_id]).get(return_id, []):
        if photo.photo_id == photo_id:
            return photo
    raise NotFound("PHOTO_UNKNOWN", "this return has no such photo: look it up in its list")


def known(session: Session, photo_ids: Iterable[str]) -> set[str]:
    """Those of these ids that a return lists."""
    return set(session.scalars(_KNOWN, {"ids": list(photo_ids)}))


def sizes(session: Session, after: str, limit: int) -> list[tuple[str, int]]:
    """Id and size of photos behind `after`, by id."""
    return [(row.photo_id, row.size) for row in session.execute(_SIZES.limit(limit), {"after": after})]
