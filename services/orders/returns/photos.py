"""Photos of a return: added to its request or its inspection, read, and taken away while nobody has decided."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlmodel import Session

from services.orders.access.matrix import Caller
from services.orders.changes.propose import actor_of
from services.orders.domain.access import Scope
from services.orders.domain.return_photos import (
    NewPhoto,
    ReturnPhoto,
    check_adding,
    check_removal,
    free_position,
    stage_of,
)
from services.orders.domain.returns import Return
from services.orders.returns.changing import take
from services.orders.returns.photo_files import PhotoFiles
from services.orders.store import return_photos as store
from services.orders.store import returns
from services.runtime.audit import Finding, finding_of
from services.runtime.db import Database

_PAGE = 500
_RULE = "Every photo of a return has its file, as large as it was sent."


def add(session: Session, return_id: str, caller: Caller, photo: NewPhoto, now: datetime) -> ReturnPhoto:
    """List a photo; the same picture again is the one that is listed. Refused PHOTOS_NOT_TAKEN, TOO_MANY_PHOTOS."""
    found, actor = take(session, return_id).found, actor_of(caller)
    stage = stage_of(actor.role)
    listed = store.of_returns(session, [return_id]).get(return_id, [])
    for one in listed:
        if (one.stage, one.sha256) == (stage, photo.sha256):
            return one
    check_adding(found, stage)
    added = ReturnPhoto(
        photo.photo_id, return_id, stage, free_position(listed, stage), photo.media_type, photo.size, photo.sha256,
        actor.who, actor.role, now,
    )  # fmt: skip
    store.add(session, added)
    return added


def remove(session: Session, return_id: str, photo_id: str, caller: Caller) -> None:
    """List a photo no more; who calls takes its file away after the commit. Refused PHOTOS_KEPT, NotPermitted PHOTO_NOT_YOURS."""
    found = take(session, return_id).found
    photo = store.one(session, return_id, photo_id)
    check_removal(found, photo, actor_of(caller).role)
    store.remove(session, photo_id)


def of_return(session: Session, reference: str, scope: Scope) -> tuple[Return, list[ReturnPhoto]]:
    """A return within the scope with its photos, those of the request first."""
    return_id, _ = returns.find_id(session, reference, scope)
    return returns.get(session, return_id), store.of_returns(session, [return_id]).get(return_id, [])


def of_returns(session: Session, found: Sequence[Return]) -> dict[str, list[ReturnPhoto]]:
    """Return id → its photos, of returns that the caller has read."""
    return store.of_returns(session, [one.return_id for one in found])


def one(session: Session, reference: str, photo_id: str, scope: Scope) -> tuple[str, ReturnPhoto]:
    """The return's number and one of its photos; NotFound RETURN_UNKNOWN, PHOTO_UNKNOWN."""
    return_id, _ = returns.find_id(session, reference, scope)
    return returns.get(session, return_id).number, store.one(session, return_id, photo_id)


def files_finding(database: Database, files: PhotoFiles) -> Finding:
    """Whose file is missing or of another size; one that is taken away meanwhile is none."""
    broken = dict(_broken(database, files))
    with database.reading() as session:
        still = store.known(session, broken) if broken else set()
    return finding_of("orders.photos_have_their_files", _RULE, sorted(broken[one] for one in still))


def _broken(database: Database, files: PhotoFiles) -> Iterator[tuple[str, str]]:
    after, page = "", [("", 0)]
    while page:
        with database.reading() as session:
            page = store.sizes(session, after, _PAGE)
        for photo_id, size in page:
            after = photo_id
            if (there := files.size(photo_id)) != size:
                yield photo_id, f"{photo_id}: {'no file' if there is None else f'{there} of {size} bytes'}"
