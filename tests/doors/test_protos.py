"""The proto files are the manual of the services: the words they list are those that the code knows."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from services.billing.domain.invoices import OPEN, PAID, PART_PAID
from services.billing.domain.ledger import ACCOUNTS
from services.fulfillment.domain.shipment import State
from services.kernel.errors import FAMILY
from services.notifications.domain.catalog import KINDS, ROLES
from services.orders.domain.order import PHASES
from services.orders.lifecycle.record_milestone import MILESTONES

PROTOS = Path(__file__).resolve().parents[2] / "proto" / "oms"
STATUSES = {kind.code for kind in FAMILY}


def comment_above(proto: str, member: str) -> str:
    """The comment of a message's member, such as "NotifyRequest.kind", as one line."""
    message, field = member.split(".")
    body = (PROTOS / proto).read_text().partition(f"message {message} {{\n")[2].partition("\n}")[0]
    found = re.search(rf"((?:  //[^\n]*\n)+)  [\w. ]*\b{field} = ", body)
    assert found, f"{proto} has no {member}"
    return " ".join(line.strip().removeprefix("//").strip() for line in found.group(1).splitlines())


@pytest.mark.parametrize(
    ("proto", "member", "words"),
    [
        ("facts/v1/facts.proto", "Shipment.state", State),
        ("facts/v1/facts.proto", "Invoice.status", {OPEN, PART_PAID, PAID}),
        ("notifications/v1/notifications.proto", "NotifyRequest.kind", KINDS),
        ("notifications/v1/notifications.proto", "Recipient.role", ROLES),
        ("billing/v1/billing.proto", "AccountBalance.account", ACCOUNTS),
        ("orders/v1/orders.proto", "Order.phase", PHASES),
        ("orders/v1/orders.proto", "RecordOrderRequest.milestone", MILESTONES),
    ],
)
def test_a_member_that_holds_one_of_some_words_lists_them_all(proto: str, member: str, words: Iterable[str]) -> None:
    said = set(re.findall(r"[a-z][a-z_]+", comment_above(proto, member)))

    assert set(words) - said == set()


@pytest.mark.parametrize("service", ["orders", "inventory", "fulfillment", "billing", "notifications"])
def test_every_refusal_that_a_service_promises_is_one_it_makes(service: str) -> None:
    calls = (PROTOS / service / "v1" / f"{service}.proto").read_text().partition("\nservice ")[2]
    promised = {word for word in re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", calls) if word not in STATUSES}
    code = "".join(path.read_text() for path in (PROTOS.parents[1] / "services" / service).rglob("*.py"))

    assert promised
    assert [reason for reason in sorted(promised) if f'"{reason}"' not in code] == []
