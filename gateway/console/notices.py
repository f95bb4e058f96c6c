"""What an act did, said once on the page that follows: a code in a short-lived cookie, never a sentence from outside."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import Request, Response

from gateway.http.plumbing.deps import ConsoleSettings

SENTENCES: Mapping[str, str] = {
    "hold_released": "The hold of {subject} is released.",
    "cancelled": "{subject} is canceled.",
    "units_cancelled": "A part of {subject} is canceled. The rest goes on.",
    "units_closed": "Lines of {subject} are closed at what has shipped.",
    "closing_requested": "Lines of {subject} are being closed. The warehouse may already have shipped more; you will be told.",
    "cancellation_requested": "The cancellation of {subject} is requested. The warehouse may already have shipped it; you will be told.",
    "interception_intercepted": "The carrier stops {subject}. It comes back by a return, which appears in a moment.",
    "interception_refused": "The carrier does not stop {subject}. It stays shipped; a return is possible.",
    "interception_too_late": "{subject} had arrived first. It stays shipped; a return is possible.",
    "shipment_reversed": "The ship confirm of {subject} is reversed. Its goods are packed again; stock and invoice follow in a moment.",
    "cancellation_withdrawn": "The cancellation of {subject} is withdrawn. What was given back goes to the warehouse again.",
    "closing_withdrawn": "The closing of {subject} is withdrawn. What was given back goes to the warehouse again.",
    "change_submitted": "The change of {subject} is submitted.",
    "change_withdrawn": "The change of {subject} is withdrawn.",
    "change_accepted": "The change of {subject} is accepted.",
    "change_declined": "The change of {subject} is declined. The order stays as it was.",
    "resubmitted": "{subject} is back in review.",
    "approve": "You approved {subject}.",
    "request_changes": "You requested changes to {subject}.",
    "reject": "You rejected {subject}. The customer is notified.",
    "exception_resolved": "The exception of {subject} is resolved.",
    "repaired": "{subject} is repaired. Its workflow goes on where goods and money are.",
    "retried": "The retry is under way. What fails again comes back to this list.",
    "dismissed": "The message is dismissed. Your reason is kept under Recent actions.",
    "delegated": "Your approvals are delegated. They end by themselves on the last day.",
    "delegation_ended": "The delegation has ended.",
    "payment_recorded": "The payment is recorded.",
    "correction_waits": "It is over the limit: another one in accounting decides under Corrections. Until then the payment is as it was.",
    "correction_approved": "The correction is made.",
    "correction_declined": "The correction is declined. Everything stays as it was.",
    "invoice_correction_waits": "It is over the limit: another one in accounting decides under Corrections. Until then {subject} is as it was.",
    "invoice_credited": "{subject} is credited. The credit note is below.",
    "invoice_written_off": "What was open of {subject} is written off.",
    "payment_reversed": "The payment is reversed. What it paid is open again.",
    "payment_reapplied": "The payment is put to its new use.",
    "refund_retried": "The payment provider is asked again. The result appears here.",
    "refund_proposed": "It is over the limit: another one in accounting confirms the same reference here. Until then it stays open.",
    "refund_paid": "The refund is recorded as paid.",
    "payment_refunded": "The refund is recorded.",
    "invoice_posted": "Invoice {subject} is posted.",
    "draft_made": "The draft of {subject} is made. It holds its shipments until it is posted or discarded.",
    "draft_approved": "The draft of {subject} is approved. Post it to give it its number.",
    "draft_discarded": "The draft of {subject} is discarded. Its shipments wait again.",
    "wave_created": "{subject} is made. Scan its shipments as you pick them.",
    "wave_cancelled": "{subject} is canceled. What is not picked is free for another wave.",
    "bin_put": "The bin is saved. Pick lists show it.",
    "bin_taken_away": "The SKU lies in no bin any more.",
    "payout_recorded": "The payout is recorded. It settles the sales that it names.",
    "card_accepted": "Your card is accepted. {subject} goes on.",
    "card_declined": "Your card was declined. Enter another one for {subject}.",
    "card_asked": "Your bank has not answered yet. {subject} goes on by itself when it does.",
    "card_kept": "Nothing of {subject} is to be paid right now. Your card is kept for it.",
    "card_unused": "{subject} needs no card any more. Your card is not charged for it.",
    "invoice_paid": "Invoice {subject} is paid by card. Thank you.",
    "invoice_settled": "Invoice {subject} has nothing open any more. Your card is not charged for it.",
    "return_requested": "Return {subject} is requested. We look at it first; its status is below.",
    "return_authorized": "Return {subject} is authorized. Its goods are expected.",
    "return_in_transit": "Thank you. We expect the goods of {subject}.",
    "return_photos": "The photos of {subject} are saved.",
    "return_photo_removed": "The photo is removed.",
    "return_denied": "Return {subject} is denied.",
    "return_cancelled": "Return {subject} is being canceled.",
    "return_received": "The goods of {subject} are counted. Inspect them next.",
    "return_inspected": "The inspection of {subject} is recorded. Stock and credit follow in a moment.",
    "return_refunded": "What was paid for {subject} goes back.",
    "return_settled": "Nothing of {subject} is left to be refunded.",
    "parcel_recorded": "Parcel {subject} is recorded. Support finds out whose it is.",
    "parcel_matched": "Return {subject} is made of the parcel. Its goods are received; inspect them next.",
    "parcel_decided": "Parcel {subject} is decided.",
    "return_kept": "The customer keeps the goods of {subject}. They are credited in a moment.",
    "return_credited_early": "{subject} is credited in a moment. Its goods are awaited all the same.",
    "return_keep_asked": "{subject} is worth more than one person may credit without its goods: somebody else must agree.",
    "return_given_up": "No more goods of {subject} are awaited.",
    "backorder_released": "The backorder is released. It is filled in its turn.",
    "order_expedited": "The order is urgent. Its backorders come before others of their class.",
    "order_not_expedited": "The order is urgent no longer. It waits in its turn.",
    "receipt_changed": "The expected receipt is changed. Orders whose promised day moves are told in a moment.",
    "receipt_cancelled": "Nothing more is expected of it. Orders that waited for it are told in a moment.",
    "shipment_picked": "{subject} is picked. Pack it next.",
    "shipment_short": "{subject} is picked. What was short comes from elsewhere, or waits; the order is told.",
    "shipment_empty": "Nothing is left of {subject}. Its goods come from elsewhere, or wait; the order is told.",
    "shipment_packed": "{subject} is packed. Print its packing slip and hand it to the carrier.",
    "shipment_shipped": "{subject} has left. Stock, invoice and mail follow in a moment.",
    "counted": "The count is recorded.",
    "counted_with_losses": "The count is recorded. The orders that lose goods wait again and are told.",
    "quarantine_decided": "The decision is recorded. Stock and books follow in a moment.",
    "schedule_put": "{subject} has a new schedule. It holds from now on.",
    "outage_declared": "The warehouse is closed. What nobody has picked there is sourced again in a moment.",
    "outage_ended": "The warehouse is open again.",
    "return_repaired": "Return {subject} is repaired. It goes on where goods and money are.",
    "feedback_given": "Thank you for your feedback on {subject}.",
}
"""Code → sentence; `subject` is the number of the order, the invoice or the shipment."""

_SUBJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Notice:
    """What was done, and to which order; empty where it concerns none."""

    code: str
    subject: str

    @property
    def sentence(self) -> str:
        """For whoever did it."""
        return SENTENCES[self.code].format(subject=self.subject)


def notice_cookie(settings: ConsoleSettings) -> str:
    """The cookie's name; over https the browser itself ties it to this host."""
    return "__Host-oms_notice" if settings.is_secure else "oms_notice"


def leave(answer: Response, settings: ConsoleSettings, code: str, subject: str = "") -> Response:
    """Leave a notice for the page that this answer leads to; KeyError for a code that is none."""
    value = f"{Notice(code, subject).code}:{subject}" if SENTENCES[code] else ""
    answer.set_cookie(
        notice_cookie(settings), value, max_age=_SECONDS, path="/", secure=settings.is_secure, httponly=True,
        samesite="lax",
    )  # fmt: skip
    return answer


def take(request: Request, settings: ConsoleSettings) -> Notice | None:
    """The notice that waits for this page; None for what we never left, and for the parts that a page fetches by itself."""
    code, _, subject = request.cookies.get(notice_cookie(settings), "").partition(":")
    is_whole_page = request.method == "GET" and request.headers.get("HX-Request") != "true"
    if not is_whole_page or code not in SENTENCES or (subject and not _SUBJECT.fullmatch(subject)):
        return None
    return Notice(code, subject)


def drop(answer: Response, settings: ConsoleSettings) -> None:
    """Say it only once."""
    answer.delete_cookie(notice_cookie(settings), path="/", secure=settings.is_secure, httponly=True, samesite="lax")
