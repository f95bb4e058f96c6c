"""Documents that go with mails: which there are, who gets them, and what their files may be called."""

from __future__ import annotations

import re
from dataclasses import dataclass

from services.kernel.errors import InvalidArgument
from services.notifications.domain.catalog import ROLES_WITHOUT_PRICES

INVOICE, PRO_FORMA, ORDER_CONFIRMATION, CREDIT_NOTE = "invoice", "pro_forma", "order_confirmation", "credit_note"
DEPOSIT_INVOICE, RETURN_LABEL = "deposit_invoice", "return_label"
DOCUMENTS = frozenset([INVOICE, PRO_FORMA, ORDER_CONFIRMATION, CREDIT_NOTE, DEPOSIT_INVOICE, RETURN_LABEL])

_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A document by its kind, the identity of what it is of, and the name of its file."""

    document: str
    reference: str
    name: str


def check_attachment(attachment: Attachment) -> None:
    """Refuse a document that nobody makes, and a name that a header or a folder would misread."""
    if attachment.document not in DOCUMENTS:
        raise InvalidArgument("UNKNOWN_DOCUMENT", f"a document is one of {', '.join(sorted(DOCUMENTS))}")
    if not _FILE_NAME.fullmatch(attachment.name):
        raise InvalidArgument(
            "UNKNOWN_DOCUMENT", "a document's file is named with letters, digits, dots, hyphens and underscores"
        )


def attached_for(role: str, attachment: Attachment | None) -> Attachment | None:
    """The document that goes to this role: none to those who see no prices."""
    return None if role in ROLES_WITHOUT_PRICES else attachment
