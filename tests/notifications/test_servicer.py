"""What notifications refuses, lists, revives and finds when it looks at itself."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from oms.notifications.v1 import notifications_pb2 as pb
from services.kernel.errors import DomainError, InvalidArgument, NotFound, Refused
from services.notifications.domain import ABOUT_NO_ORDER
from services.notifications.sink import MailSink
from services.notifications.store import audit
from services.runtime.migrations import differences
from services.runtime.roles import MAIL_ROLES
from tests.notifications.desk import NO_CONTEXT, VARIABLES, MailDesk, notice
from tests.planting import unnoticed


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"kind": "order_lost"}, "UNKNOWN_KIND"),
        ({"event_id": ""}, "FIELD_MISSING"),
        ({"order_id": "x" * 201}, "TEXT_TOO_LONG"),
        ({"order_number": "SO-1\r\nBcc: spy@evil.example"}, "TEXT_NOT_PRINTABLE"),
        ({"recipients": []}, "RECIPIENTS_MISSING"),
        ({"recipients": [pb.Recipient(email="a@b.example", role="king")]}, "UNKNOWN_ROLE"),
        ({"kind": "manufacturing_asked"}, "NO_TEXT_FOR_ROLE"),
    ],
)
def test_a_malformed_notification_is_refused_and_nothing_is_kept(
    desk: MailDesk, change: dict[str, object], reason: str
) -> None:
    whole: dict[str, object] = {
        "event_id": "e1",
        "kind": "shipped",
        "order_id": "ord_1",
        "order_number": "SO-1001",
        "recipients": [pb.Recipient(email="a@b.example", role="customer")],
    }

    with pytest.raises(InvalidArgument) as refusal:
        desk.servicer.Notify(pb.NotifyRequest(**{**whole, **change}), NO_CONTEXT)  # type: ignore[arg-type]  # chosen above

    assert refusal.value.reason == reason
    assert desk.deliveries() == []


def test_an_order_is_never_told_both_verdicts(desk: MailDesk) -> None:
    desk.notify("order_rejected", "e1")

    with pytest.raises(Refused) as refusal:
        desk.notify("order_accepted", "e2", "bob@acme.example")

    assert refusal.value.reason == "VERDICT_CONTRADICTED"
    assert [each.kind for each in desk.deliveries()] == ["order_rejected"]
    desk.notify("order_accepted", "e3", order="ord_2")


@pytest.mark.on_postgres
def test_events_told_together_are_kept_in_their_order_and_a_repeat_gives_nothing_new(desk: MailDesk) -> None:
    desk.notify("order_received", "e1", "ann@acme.example")

    kept = desk.notify_all(
        notice("order_received", "e1", "ann@acme.example", "bob@acme.example"),
        notice("order_received", "e2", order="ord_2"),
        notice("order_accepted", "e3", "ann@acme.example", "bob@acme.example"),
        notice("order_accepted", "e3", "bob@acme.example", "cid@acme.example"),
    )

    assert kept == ["e1", "e2", "e3", "e3"]
    assert [(each.event_id, each.email[:3]) for each in desk.deliveries()] == [
        ("e1", "ann"), ("e1", "bob"), ("e2", "ann"), ("e3", "ann"), ("e3", "bob"), ("e3", "cid"),
    ]  # fmt: skip
    assert desk.offences() == {}


@pytest.mark.on_postgres
def test_a_hundred_events_of_an_order_keep_their_order(desk: MailDesk) -> None:
    events = [f"e{number}" for number in range(100)]

    desk.notify_all(*(notice("shipped", event) for event in events))

    assert [each.event_id for each in desk.deliveries()] == events


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (notice("order_accepted", "e3"), "VERDICT_CONTRADICTED"),
        (notice("order_accepted", "e3", order=""), "FIELD_MISSING"),
        (notice("manufacturing_asked", "e3"), "NO_TEXT_FOR_ROLE"),
    ],
)
def test_a_refused_event_keeps_none_of_those_told_with_it_and_stops_only_itself(
    desk: MailDesk, bad: pb.NotifyRequest, reason: str
) -> None:
    others = notice("order_rejected", "e1"), notice("order_accepted", "e2", order="ord_2")

    with pytest.raises(DomainError) as refusal:
        desk.notify_all(*others, bad)
    assert refusal.value.reason == reason
    assert desk.deliveries() == []
    desk.notify("order_rejected", "e4", order="ord_2")  # the verdict was taken back too

    assert desk.notify_all(others[0]) == ["e1"]
    with pytest.raises(DomainError):
        desk.notify_all(bad)
    assert [each.event_id for each in desk.deliveries()] == ["e4", "e1"]


@pytest.mark.parametrize("number", [0, 101])
def test_a_batch_of_no_or_too_many_events_is_refused(desk: MailDesk, number: int) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        desk.notify_all(*(notice("shipped", f"e{each}") for each in range(number)))

    assert refusal.value.reason == "NOTICES_MISSING"


def test_a_received_mail_is_not_revived_after_the_accepted_one(desk: MailDesk, sink: MailSink) -> None:
    [received] = desk.notify("order_received", "e1", variables={"lines": 5})
    desk.notify("order_accepted", "e2")
    desk.sender.send_waiting()

    with pytest.raises(Refused) as refusal:
        desk.retry(received)

    assert refusal.value.reason == "DELIVERY_OVERTAKEN"


def test_only_a_dead_mail_is_retried(desk: MailDesk, sink: MailSink) -> None:
    [waiting] = desk.notify("order_received", "e1")

    with pytest.raises(Refused, match="waiting"):
        desk.retry(waiting)
    with pytest.raises(NotFound):
        desk.retry("dlv_none")


def test_a_mail_that_was_dead_from_the_start_is_not_retried(desk: MailDesk, sink: MailSink) -> None:
    [nowhere] = desk.notify("order_received", "e1", "no address")
    [unreadable] = desk.notify("order_received", "e2", raw="[]")

    for dead in (nowhere, unreadable):
        with pytest.raises(Refused, match="can never be sent") as refusal:
            desk.retry(dead)
        assert refusal.value.reason == "DELIVERY_UNSENDABLE"
    desk.sender.send_waiting()

    assert sink.messages == []
    assert [each.state for each in desk.deliveries()] == ["dead", "dead"]


@pytest.mark.on_postgres
def test_pages_follow_each_other_without_gap_or_repeat(desk: MailDesk) -> None:
    for number in range(7):
        desk.notify("shipped", f"e{number}", order=f"ord_{number % 2}")

    events, cursor = [], ""
    while True:
        page = desk.servicer.ListDeliveries(pb.ListDeliveriesRequest(limit=3, cursor=cursor), NO_CONTEXT)
        events += [each.event_id for each in page.deliveries]
        cursor = page.next_cursor
        if not cursor:
            break

    assert events == [f"e{number}" for number in range(7)]
    assert [each.event_id for each in desk.deliveries(order="ord_1")] == ["e1", "e3", "e5"]


@pytest.mark.parametrize(
    "bad",
    [{"limit": 501}, {"limit": -1}, {"cursor": "x"}, {"cursor": "9" * 30}, {"state": "gone"}, {"order_id": "o\0"}],
)
def test_a_malformed_listing_is_refused(desk: MailDesk, bad: dict[str, object]) -> None:
    with pytest.raises(DomainError):
        desk.servicer.ListDeliveries(pb.ListDeliveriesRequest(**bad), NO_CONTEXT)  # type: ignore[arg-type]  # chosen above


def test_templates_are_listed_with_the_roles_that_are_told(desk: MailDesk) -> None:
    listed = desk.servicer.ListTemplates(pb.ListTemplatesRequest(), NO_CONTEXT).templates

    roles = {each.kind: list(each.roles) for each in listed}
    assert list(roles) == sorted(VARIABLES)
    assert "customer" in roles["order_accepted"]
    assert roles["support_case"] == sorted(MAIL_ROLES - {"customer"})


def test_a_preview_reads_as_its_reader_would_see_it_and_nothing_is_kept(desk: MailDesk) -> None:
    asked = pb.PreviewTemplateRequest(kind="approval_requested", role="approver")
    preview = desk.servicer.PreviewTemplate(asked, NO_CONTEXT)

    assert preview.subject == "Order SO-1001 is waiting for your approval"
    assert "  - The margin of 11.2% is below 12%\n" in preview.text
    assert "ACME &lt;Ltd&gt;" in preview.html
    assert desk.deliveries() == []


def test_every_listed_template_has_a_preview(desk: MailDesk) -> None:
    for template in desk.servicer.ListTemplates(pb.ListTemplatesRequest(), NO_CONTEXT).templates:
        for role in template.roles:
            asked = pb.PreviewTemplateRequest(kind=template.kind, role=role)
            preview = desk.servicer.PreviewTemplate(asked, NO_CONTEXT)

            is_named = template.kind not in ABOUT_NO_ORDER
            assert [("SO-1001" in part) for part in (preview.subject, preview.text, preview.html)] == [is_named] * 3


@pytest.mark.parametrize(("kind", "role"), [("nothing", "customer"), ("shipped", "king"), ("support_case", "customer")])
def test_a_text_that_does_not_exist_is_not_found(desk: MailDesk, kind: str, role: str) -> None:
    with pytest.raises(NotFound):
        desk.servicer.PreviewTemplate(pb.PreviewTemplateRequest(kind=kind, role=role), NO_CONTEXT)


@pytest.mark.on_postgres
def test_the_audit_names_mails_that_left_in_the_wrong_order(desk: MailDesk, sink: MailSink) -> None:
    received, accepted = desk.notify("order_received", "e1")[0], desk.notify("order_accepted", "e2")[0]
    desk.sender.send_waiting()
    assert desk.offences() == {}

    with desk.database.transaction() as session:
        session.execute(
            text("UPDATE deliveries SET state = 'waiting', sent_at = NULL WHERE delivery_id = :it"), {"it": received}
        )

    assert desk.offences() == {
        "notifications.received_before_accepted": [accepted],
        "notifications.in_the_order_asked": [received],
    }


PLANTED = (
    ("notifications.one_mail_per_event", "UPDATE deliveries SET event_id = 'e1'"),
    ("notifications.one_mail_per_event", "UPDATE deliveries SET event_id = 'e1', state = 'sending'"),
    ("notifications.received_before_accepted", "UPDATE deliveries SET state = 'sending' WHERE event_id = 'e1'"),
    (
        "notifications.received_before_accepted",
        "UPDATE deliveries SET sent_at = '2040-01-01T00:00:00.000000+00:00' WHERE event_id = 'e1'",
    ),
    ("notifications.one_verdict", "UPDATE deliveries SET kind = 'order_rejected' WHERE event_id = 'e3'"),
    ("notifications.in_the_order_asked", "UPDATE deliveries SET state = 'sending' WHERE event_id = 'e2'"),
    (
        "notifications.in_the_order_asked",
        "UPDATE deliveries SET sent_at = '2040-01-01T00:00:00.000000+00:00' WHERE event_id = 'e2'",
    ),
)
"""An invariant and a change that breaks it, one for each thing that it forbids."""


@pytest.mark.on_postgres
def test_the_audit_finds_every_planted_violation(desk: MailDesk, sink: MailSink) -> None:
    for event, kind in (("e1", "order_received"), ("e2", "order_accepted"), ("e3", "shipped")):
        desk.notify(kind, event)
    desk.sender.send_waiting()
    assert desk.offences() == {}

    def broken(session: Session) -> set[str]:
        return {each.name for each in audit(session) if each.violations and each.offenders}

    assert unnoticed(desk.database, PLANTED, broken) == []


@pytest.mark.on_postgres
def test_the_audit_names_an_order_with_both_verdicts(desk: MailDesk, sink: MailSink) -> None:
    desk.notify("order_accepted", "e1")
    desk.sender.send_waiting()

    with desk.database.transaction() as session:
        session.execute(text("DELETE FROM verdicts"))
    desk.notify("order_rejected", "e2")

    assert desk.offences() == {"notifications.one_verdict": ["ord_1"]}


@pytest.mark.parametrize(
    "change",
    [
        "event_id = 'e1'",
        "state = 'lost'",
        "state = 'sent'",
        "state = 'dead'",
        "state = 'sending'",
        "attempts = -1",
    ],
)
@pytest.mark.on_postgres
def test_the_database_itself_refuses_what_must_not_be(desk: MailDesk, change: str) -> None:
    desk.notify("order_received", "e1")
    [second] = desk.notify("shipped", "e2")

    with pytest.raises(IntegrityError), desk.database.transaction() as session:
        session.execute(text(f"UPDATE deliveries SET {change} WHERE delivery_id = :it"), {"it": second})


def test_the_migrated_schema_is_what_the_models_say(desk: MailDesk) -> None:
    assert differences(desk.database) == []
