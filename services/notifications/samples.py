"""Previews of mails: each is written from its sample variables, about an order that does not exist."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from services.notifications import domain
from services.notifications.domain import Attachment, Delivery, Notice, Recipient

ATTACHED = {
    "invoice": Attachment(domain.INVOICE, "inv_sample", "INV-000123.pdf"),
    "credit_note": Attachment(domain.CREDIT_NOTE, "cn_sample", "CN-1001.pdf"),
    "deposit_invoice": Attachment(domain.DEPOSIT_INVOICE, "dep_sample", "DI-1001.pdf"),
    "return_authorized": Attachment(domain.RETURN_LABEL, "rma_sample", "RMA-1001-label.pdf"),
    "pro_forma": Attachment(domain.PRO_FORMA, "ord_sample", "SO-1001-pro-forma.pdf"),
}
"""Kind of mail → the document that goes with it; the others have none."""
SAMPLES_FILE = Path(__file__).parent / "templates" / "samples.yaml"


@lru_cache(maxsize=1)
def variables() -> dict[str, dict[str, Any]]:
    """Kind → its variables, one sample of each kind; a test proves that none is missing."""
    found: dict[str, dict[str, Any]] = yaml.safe_load(SAMPLES_FILE.read_text("utf-8"))
    return found


def specimen(kind: str, role: str) -> Delivery:
    """A delivery of this kind to a person of this role; it is never stored and never sent."""
    is_customer = role == "customer"
    reader = Recipient("reader@mail.example", "Ann Miller" if is_customer else "Max Winter", role)
    attachment = ATTACHED.get(kind)
    notice = Notice("evt_sample", kind, "ord_sample", "SO-1001", (reader,), variables()[kind], "", attachment)
    return domain.new_delivery(notice, reader, "dlv_sample")
