"""Protobuf ↔ domain: the only place that checks the shape of requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from oms.notifications.v1 import notifications_pb2 as pb
from services.kernel.errors import InvalidArgument
from services.kernel.text import ascii_mailbox, json_object, optional_text, text
from services.notifications import domain
from services.notifications.domain import Attachment, Delivery, Notice, Recipient
from services.runtime.wire import number_cursor, page_size

MAX_NOTICES = 100
MAX_RECIPIENTS = 50
MAX_VARIABLES = 512 * 1024
_STATES = frozenset(["", domain.WAITING, domain.SENT, domain.DEAD])


def notices(request: pb.NotifyAllRequest) -> list[Notice]:
    """The notices, in the order of the request."""
    if not 1 <= len(request.notices) <= MAX_NOTICES:
        raise InvalidArgument("NOTICES_MISSING", f"send 1 to {MAX_NOTICES} notices per call")
    return [notice(each) for each in request.notices]


def notice(request: pb.NotifyRequest) -> Notice:
    """The notice. Variables that are not a JSON object are not refused: the mails become dead letters that say so."""
    domain.check_kind(request.kind)
    if not 1 <= len(request.recipients) <= MAX_RECIPIENTS:
        raise InvalidArgument("RECIPIENTS_MISSING", f"name 1 to {MAX_RECIPIENTS} recipients")
    variables, fault = _variables(request.variables_json)
    of_order = optional_text if request.kind in domain.ABOUT_NO_ORDER else text
    return Notice(
        event_id=text(request.event_id, "event_id"),
        kind=request.kind,
        order_id=of_order(request.order_id, "order_id"),
        order_number=of_order(request.order_number, "order_number"),
        recipients=tuple(_recipient(request.kind, each) for each in request.recipients),
        variables=variables,
        fault=fault,
        attachment=_attachment(request),
    )


def _attachment(request: pb.NotifyRequest) -> Attachment | None:
    if not request.HasField("attachment"):
        return None
    named = request.attachment
    found = Attachment(named.document, text(named.reference, "attachment.reference"), named.name)
    domain.check_attachment(found)
    return found


def _recipient(kind: str, message: pb.Recipient) -> Recipient:
    domain.check_role(kind, message.role)
    name = domain.one_line(message.name)[:200]
    return Recipient(email=_deliverable(domain.one_line(message.email).lower()[:300]), name=name, role=message.role)


def _deliverable(email: str) -> str:
    """An address with a domain of any script as every mail server takes it; one that has no such form fails by itself."""
    try:
        return ascii_mailbox(email)
    except ValueError:
        return email


def _variables(document: str) -> tuple[dict[str, Any], str]:
    """The variables, or none and a sentence that says why they are unusable."""
    try:
        return json_object(document or "{}", MAX_VARIABLES), ""
    except ValueError as fault:
        return {}, f"the variables of this mail cannot be read: {domain.one_line(str(fault))[:200]}"


def page(request: pb.ListDeliveriesRequest) -> tuple[int, int]:
    """(position after which the page begins, how many rows it may have)."""
    if request.state not in _STATES:
        raise InvalidArgument("UNKNOWN_STATE", "state is waiting, sent or dead")
    return number_cursor(request.cursor), page_size(request.limit)


def notify_response(delivery_ids: Sequence[str]) -> pb.NotifyResponse:
    """One id per recipient, in their order."""
    return pb.NotifyResponse(delivery_ids=delivery_ids)


def notify_all_response(kept: Iterable[Notice]) -> pb.NotifyAllResponse:
    """One id per event, in their order."""
    return pb.NotifyAllResponse(event_ids=[each.event_id for each in kept])


def list_deliveries_response(deliveries: Sequence[Delivery], *, has_more: bool) -> pb.ListDeliveriesResponse:
    """The page and the cursor of the next one."""
    next_cursor = str(deliveries[-1].position) if deliveries and has_more else ""
    return pb.ListDeliveriesResponse(deliveries=[delivery(each) for each in deliveries], next_cursor=next_cursor)


def delivery(one: Delivery) -> pb.Delivery:
    """A delivery as callers see it."""
    return pb.Delivery(
        delivery_id=one.delivery_id,
        event_id=one.event_id,
        order_id=one.order_id,
        kind=one.kind,
        email=one.recipient.email,
        subject=one.subject,
        state=domain.shown_state(one.state),
        attempts=one.attempts,
        last_error=one.last_error,
        order_number=one.order_number,
        role=one.recipient.role,
        attachment=None if one.attachment is None else pb.Attachment(**asdict(one.attachment)),
    )


def list_templates_response(audiences: Mapping[str, Iterable[str]]) -> pb.ListTemplatesResponse:
    """`audiences` is kind → roles; both come sorted by name."""
    kinds = [pb.Template(kind=kind, roles=sorted(audiences[kind])) for kind in sorted(audiences)]
    return pb.ListTemplatesResponse(templates=kinds)
