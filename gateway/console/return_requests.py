"""The request's side of a return on the pages: its photos, its label, and the parcel that it comes in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from gateway.console.notices import leave
from gateway.console.pages import render
from gateway.console.photo_forms import PhotoFormOf
from gateway.console.returns import ReturnOf
from gateway.console.visitor import Form, FormOf, VisitorOf
from gateway.http.orders.return_photos import add_all, photo_answer, take_away
from gateway.http.orders.return_shipping import ReturnParcelInput, label_document
from gateway.http.plumbing.inputs import IDENTITY
from services.kernel.errors import InvalidArgument
from services.orders.domain.returns import Return
from services.orders.returns import on_the_way, photos, reading

router = APIRouter()

PhotoOf = Annotated[str, Path(pattern=IDENTITY, max_length=64)]


@router.get("/my/returns/{return_id}")
def my_return(who: VisitorOf, return_id: ReturnOf) -> Response:
    """A return of the customer's own company: its label, its parcel and its photos."""
    with who.deps.database.reading() as session:
        found, taken = photos.of_return(session, return_id, who.caller.scope)
    adds = found.is_open and not (found.received or found.is_intercepted)
    return render("my_return.html", who, found=found, photos=taken, adds=adds, removes=True, sends=True)


@router.post("/returns/{return_id}/photos")
@router.post("/my/returns/{return_id}/photos")
def add_photos(request: Request, form: PhotoFormOf, return_id: ReturnOf) -> Response:
    """Add photos, all that were chosen or none."""
    who = form.visitor
    with who.deps.photos.unless_listed(form.photos) as listed:
        if not form.photos:
            raise InvalidArgument("NOTHING_CHOSEN", "choose at least one photo")
        with who.deps.database.transaction() as session:
            found_id, _ = reading.find_id(session, return_id, who.caller.scope)
            listed.update(add_all(session, found_id, who.caller, form.photos, who.deps))
            found = reading.one(session, found_id)
    return _after(request, form, found, "return_photos")


@router.get("/returns/{return_id}/photos/{photo_id}")
@router.get("/my/returns/{return_id}/photos/{photo_id}")
def photo(who: VisitorOf, return_id: ReturnOf, photo_id: PhotoOf) -> Response:
    """One photo, as it was sent."""
    return photo_answer(who.deps, who.caller, return_id, photo_id)


@router.post("/returns/{return_id}/photos/{photo_id}/remove")
@router.post("/my/returns/{return_id}/photos/{photo_id}/remove")
def remove_photo(request: Request, form: FormOf, return_id: ReturnOf, photo_id: PhotoOf) -> Response:
    """Take one away while nobody has decided."""
    who = form.visitor
    take_away(who.deps, who.caller, return_id, photo_id)
    with who.deps.database.reading() as session:
        found = reading.one(session, return_id, who.caller.scope)
    return _after(request, form, found, "return_photo_removed")


@router.get("/returns/{return_id}/label.pdf")
@router.get("/my/returns/{return_id}/label.pdf")
def label(who: VisitorOf, return_id: ReturnOf) -> Response:
    """The label of a return that the visitor may see."""
    return label_document(who.deps, who.caller, return_id)


@router.post("/returns/{return_id}/in-transit")
@router.post("/my/returns/{return_id}/in-transit")
def in_transit(request: Request, form: FormOf, return_id: ReturnOf) -> Response:
    """Say in which parcel the goods are on their way."""
    who, typed = form.visitor, {name: form.text(name, most=64) for name in ("tracking_number", "carrier")}
    try:
        body = ReturnParcelInput.model_validate({name: value for name, value in typed.items() if value})
    except ValidationError as wrong:
        sentence = "enter the tracking number as it is on the receipt: letters, digits, blanks, dots and hyphens"
        raise InvalidArgument("TRACKING_NUMBER", sentence) from wrong
    with who.deps.database.transaction() as session:
        found_id, _ = reading.find_id(session, return_id, who.caller.scope)
        carrier, now = body.carrier or "", who.deps.clock()
        found = on_the_way.record(session, found_id, who.caller, carrier, body.tracking_number, who.deps.contacts, now)
    return _after(request, form, found, "return_in_transit")


def _after(request: Request, form: Form, found: Return, code: str) -> Response:
    is_own = request.url.path.startswith("/my/")
    page = f"/my/returns/{found.number}" if is_own else f"/returns/{found.number}"
    return leave(RedirectResponse(page, 303), form.visitor.deps.console, code, found.number)
