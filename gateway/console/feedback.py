"""What a customer says of an order, on the order's own page."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from gateway.console.notices import leave
from gateway.console.orders import NumberOf
from gateway.console.visitor import FormOf
from services.kernel.errors import InvalidArgument
from services.orders.domain.feedback import Opinion
from services.orders.lifecycle import feedback
from services.orders.order import lookup

router = APIRouter()


@router.post("/my/orders/{number}/feedback")
def give_feedback(form: FormOf, number: NumberOf) -> Response:
    """Keep it, as the API does; a low rating or a wish for support opens a support case."""
    who, deps = form.visitor, form.visitor.deps
    with deps.database.transaction() as session:
        order_id = lookup.find_id(session, number, who.caller.scope)
        rating = form.text("rating", most=1)
        if rating and rating not in "12345":
            raise InvalidArgument("RATING_OUT_OF_RANGE", "a rating is a whole number from 1 to 5")
        opinion = Opinion(int(rating) if rating else None, form.text("comment"), form.text("support", most=3) == "yes")
        feedback.give(session, order_id, who.caller, opinion, deps.settings.support_email, deps.clock())
    return leave(RedirectResponse(f"/my/orders/{number}#feedback", 303), deps.console, "feedback_given", number)
