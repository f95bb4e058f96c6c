"""Why a workflow ends although its order has not: a sentence for the exception that somebody must act on."""

from __future__ import annotations

from workflows.steps import refusal_of


def reason_of(interruption: BaseException) -> str:
    """What stopped it: the reason word of the service that refused, never its sentence, which may name people or prices."""
    refusal = refusal_of(interruption)
    if refusal is None:
        return "Somebody stopped its workflow by hand."
    return f"A step of its workflow was refused: {(refusal.type or 'without a reason').replace('_', ' ').lower()}."
