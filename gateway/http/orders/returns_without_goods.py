"""Credit of a return that does not wait for its goods: in advance, or because the customer keeps them; and returns of which no more comes."""

from __future__ import annotations

from fastapi import APIRouter, Response

from gateway.http.orders.return_shapes import ReturnDecisionInput, ReturnShape
from gateway.http.orders.returns import ReturnReference, decided
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import DepsOf
from gateway.http.plumbing.idempotency import OnceWithKey
from services.orders.returns import keep

router = APIRouter(tags=["returns"])


@router.post("/v1/returns/{return_id}/keep", response_model=ReturnShape)
def credit_kept_goods(
    deps: DepsOf, who: CallerOf, once: OnceWithKey, return_id: ReturnReference, body: ReturnDecisionInput
) -> Response:
    """Credit what has not come of a return: the customer keeps it, and the warehouse awaits nothing.

    Worth more than the policy authorizes by itself, the first call asks and another person's call agrees (`keep_asked_by`).
    Goods that are replaced (`RETURN_REPLACED`) or were stopped on their way (`RETURN_INTERCEPTED`) are not kept.
    """
    return decided(deps, who, once, return_id, body, keep.keep)


@router.post("/v1/returns/{return_id}/credit", response_model=ReturnShape)
def credit_in_advance(
    deps: DepsOf, who: CallerOf, once: OnceWithKey, return_id: ReturnReference, body: ReturnDecisionInput
) -> Response:
    """Credit an authorized return before its goods come, with no fee: they are awaited, inspected and not credited again.

    Worth more than the policy authorizes by itself, another person does it than who authorized the return.
    """
    return decided(deps, who, once, return_id, body, keep.credit_early)


@router.post("/v1/returns/{return_id}/give-up", response_model=ReturnShape)
def close_return(
    deps: DepsOf, who: CallerOf, once: OnceWithKey, return_id: ReturnReference, body: ReturnDecisionInput
) -> Response:
    """Close a return at what has come of it: nothing more is awaited, and what has come is credited as ever."""
    return decided(deps, who, once, return_id, body, keep.give_up)
