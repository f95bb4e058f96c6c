"""Which mail goes to whom, with what it says, by noun."""

from __future__ import annotations

from services.orders.domain.mails.changes import (
    Change,
    change_rejected,
    consent_declined,
    consent_expired,
    consent_requested,
    order_changed,
    release_resumed,
)
from services.orders.domain.mails.facts import (
    MAILED_KINDS,
    mail_of,
)
from services.orders.domain.mails.links import (
    order_page,
    own_order_page,
    review_page,
)
from services.orders.domain.mails.mail import (
    NOBODY,
    PUBLIC_URL,
    Contacts,
    Mail,
    Promise,
    Recipient,
    buyer,
    iso_day,
    named,
    of_sales,
    reachable,
    reader,
    span_text,
    zoned_instant,
)
from services.orders.domain.mails.orders import (
    backorder_created,
    order_accepted,
    order_cancelled,
    order_expired,
    order_on_hold,
    order_received,
    order_rejected,
    still_promised,
    support_case,
    updated_promises,
    waiting_units,
)
from services.orders.domain.mails.production import (
    manufacturing_answered,
    manufacturing_asked,
)
from services.orders.domain.mails.reviews import (
    Asked,
    approval_escalated,
    approval_reminder,
    approval_requested,
    changes_requested,
)

__all__ = [
    "MAILED_KINDS",
    "NOBODY",
    "PUBLIC_URL",
    "Asked",
    "Change",
    "Contacts",
    "Mail",
    "Promise",
    "Recipient",
    "approval_escalated",
    "approval_reminder",
    "approval_requested",
    "backorder_created",
    "buyer",
    "change_rejected",
    "changes_requested",
    "consent_declined",
    "consent_expired",
    "consent_requested",
    "iso_day",
    "mail_of",
    "manufacturing_answered",
    "manufacturing_asked",
    "named",
    "of_sales",
    "order_accepted",
    "order_cancelled",
    "order_changed",
    "order_expired",
    "order_on_hold",
    "order_page",
    "order_received",
    "order_rejected",
    "own_order_page",
    "reachable",
    "reader",
    "release_resumed",
    "review_page",
    "span_text",
    "still_promised",
    "support_case",
    "updated_promises",
    "waiting_units",
    "zoned_instant",
]
