"""Photos of returns: what the customer has, and what the warehouse found."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field
from sqlmodel import Session

from gateway.http.orders.returns import ReturnReference
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.idempotency import OnceOf
from gateway.http.plumbing.parameters import path_id
from gateway.http.plumbing.photos import as_photo
from gateway.http.plumbing.shapes import rfc3339
from gateway.http.plumbing.uploads import receive_photo
from services.kernel.pictures import ENDINGS
from services.orders.access.matrix import Caller
from services.orders.domain.return_photos import NewPhoto, ReturnPhoto
from services.orders.returns import photos, reading

router = APIRouter(tags=["returns"])

PhotoReference = Annotated[str, path_id("The photo's id.", "photo_01980000000070008000000000000000")]
_BYTES = {"schema": {"type": "string", "format": "binary", "maxLength": 5 << 20}}
_PICTURE: dict[str, Any] = dict.fromkeys(ENDINGS, _BYTES)
_BODY = {
    "required": True,
    "description": "The picture itself. Its bytes say of which kind it is; what the request or a file's name says does not count.",
    "content": {"application/octet-stream": _BYTES},
}


class ReturnPhotoShape(BaseModel):
    """A photo of a return."""

    photo_id: str
    stage: Literal["request", "inspection"] = Field(description="What it shows: what the customer has, or what came.")
    position: int = Field(description="Its place among those of its stage, from 1 to 10.")
    media_type: str
    size: int = Field(description="In bytes.")
    sha256: str
    added_at: str
    added_role: str


class ReturnPhotosShape(BaseModel):
    """The photos of a return, those of its request first."""

    rows: list[ReturnPhotoShape]


class _Sent(BaseModel):
    sha256: str


@router.post(
    "/v1/returns/{return_id}/photos",
    status_code=201,
    response_model=ReturnPhotoShape,
    openapi_extra={"requestBody": _BODY},
)
async def add_photo(
    request: Request, deps: DepsOf, who: CallerOf, once: OnceOf, return_id: ReturnReference
) -> Response:
    """Add a photo to a return: JPEG, PNG or WebP, at most 5 MiB, ten to its request and ten to its inspection.

    The warehouse's photos are the inspection's and are taken once the return is authorized; all others are the request's, until goods come. The same picture
    again is the one that is there.
    """
    await run_in_threadpool(_known, deps, who, return_id)
    photo = await receive_photo(request, deps.photos)

    def do(session: Session) -> ReturnPhotoShape:
        found, _ = reading.find_id(session, return_id, who.scope)
        added = photos.add(session, found, who, photo, deps.clock())
        listed.add(added.photo_id)
        return photo_shape(added)

    with deps.photos.unless_listed([photo]) as listed:
        return await run_in_threadpool(once.answer_here, _Sent(sha256=photo.sha256), do, 201)


def _known(deps: Deps, who: Caller, reference: str) -> None:
    """Refuse before anything is read where there is nothing to add to."""
    with deps.database.reading() as session:
        reading.find_id(session, reference, who.scope)


@router.get("/v1/returns/{return_id}/photos")
def list_photos(deps: DepsOf, who: CallerOf, return_id: ReturnReference) -> ReturnPhotosShape:
    """The photos of a return: at most ten of its request and ten of its inspection."""
    with deps.database.reading() as session:
        _, found = photos.of_return(session, return_id, who.scope)
    return ReturnPhotosShape(rows=[photo_shape(one) for one in found])


@router.get(
    "/v1/returns/{return_id}/photos/{photo_id}",
    response_class=Response,
    responses={200: {"description": "The picture.", "content": _PICTURE}},
)
def get_photo(deps: DepsOf, who: CallerOf, return_id: ReturnReference, photo_id: PhotoReference) -> Response:
    """One photo, as it was sent."""
    return photo_answer(deps, who, return_id, photo_id)


@router.delete("/v1/returns/{return_id}/photos/{photo_id}")
def discard_photo(
    deps: DepsOf, who: CallerOf, return_id: ReturnReference, photo_id: PhotoReference
) -> ReturnPhotosShape:
    """Take a photo away, as long as nobody has decided about the return; gives those that are left."""
    take_away(deps, who, return_id, photo_id)
    return list_photos(deps, who, return_id)


def photo_answer(deps: Deps, who: Caller, reference: str, photo_id: str) -> Response:
    """The bytes of a photo that the caller may see, with headers that make them nothing but a picture."""
    with deps.database.reading() as session:
        number, photo = photos.one(session, reference, photo_id, who.scope)
    return as_photo(deps.photos.read(photo.photo_id), photo, number)


def take_away(deps: Deps, who: Caller, reference: str, photo_id: str) -> str:
    """List a photo no more, then take its file away; gives the return's order number."""
    with deps.database.transaction() as session:
        found, _ = reading.find_id(session, reference, who.scope)
        photos.remove(session, found, photo_id, who)
        number = reading.one(session, found).order_number
    deps.photos.drop(photo_id)
    return number


def add_all(session: Session, return_id: str, who: Caller, sent: list[NewPhoto], deps: Deps) -> set[str]:
    """List photos of a form, all or none; gives the ids that are listed."""
    return {photos.add(session, return_id, who, one, deps.clock()).photo_id for one in sent}


def photo_shape(photo: ReturnPhoto) -> ReturnPhotoShape:
    """A photo as the API shows it."""
    return ReturnPhotoShape(
        photo_id=photo.photo_id,
        stage=photo.stage,  # type: ignore[arg-type]  # one of two
        position=photo.position,
        media_type=photo.media_type,
        size=photo.size,
        sha256=photo.sha256,
        added_at=rfc3339(photo.added_at),
        added_role=photo.added_role,
    )
