"""The buttons of a return whose credit does not wait for its goods."""

from __future__ import annotations

from fastapi import APIRouter, Response

from gateway.console.returns import ReturnOf, after, decided, note_of
from gateway.console.visitor import FormOf
from services.orders.returns import keep

router = APIRouter()


@router.post("/returns/{return_id}/keep")
def credit_kept(form: FormOf, return_id: ReturnOf) -> Response:
    """Credit what has not come; the customer keeps it."""
    done = decided(form, return_id, note_of(form), keep.keep)
    return after(form, done, "return_kept" if done.is_kept else "return_keep_asked")


@router.post("/returns/{return_id}/credit")
def credit_early(form: FormOf, return_id: ReturnOf) -> Response:
    """Credit what is awaited before it comes."""
    return after(form, decided(form, return_id, note_of(form), keep.credit_early), "return_credited_early")


@router.post("/returns/{return_id}/give-up")
def give_up(form: FormOf, return_id: ReturnOf) -> Response:
    """Await no more goods."""
    return after(form, decided(form, return_id, note_of(form), keep.give_up), "return_given_up")
