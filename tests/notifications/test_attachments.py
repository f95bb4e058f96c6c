"""A mail carries its document: made when it is sent, waited for while billing is away, and never sent twice for it."""

from __future__ import annotations

from datetime import timedelta
from email.message import EmailMessage

import pytest

from oms.notifications.v1 import notifications_pb2 as pb
from services.billing.documents import rendering
from services.kernel.bounds import MAX_DOCUMENT
from services.kernel.errors import Conflict, InvalidArgument, NotFound
from services.notifications import documents, domain
from services.notifications.settings import NotificationsSettings
from services.notifications.sink import MailSink
from services.runtime.grpc_client import RemoteBug, Unreachable
from tests.notifications.desk import NO_CONTEXT, MailDesk, notice

DOCUMENT = pb.Attachment(document="invoice", reference="inv_1", name="INV-000001.pdf")


def notify(desk: MailDesk, event: str = "e1", *emails: str, role: str = "customer", kind: str = "invoice") -> None:
    asked = notice(kind, event, *emails, role=role)
    asked.attachment.CopyFrom(DOCUMENT)
    desk.servicer.Notify(asked, NO_CONTEXT)


def files(mail: EmailMessage) -> dict[str, bytes]:
    """File name → content."""
    return {str(part.get_filename()): part.get_content() for part in mail.iter_attachments()}


def said(mail: EmailMessage, subtype: str) -> str:
    part = mail.get_body((subtype,))
    assert part is not None
    return str(part.get_content())


@pytest.mark.on_postgres
def test_an_invoice_mail_carries_the_invoice(desk: MailDesk, sink: MailSink) -> None:
    notify(desk)

    desk.sender.send_waiting()

    [mail] = sink.messages
    assert mail.get_content_type() == "multipart/mixed"
    assert files(mail) == {"INV-000001.pdf": desk.billing.content}
    assert "Attached: INV-000001.pdf" in said(mail, "plain")
    assert "INV-000001.pdf" in said(mail, "html")
    assert mail.defects == []
    assert desk.billing.asked == ["inv_1"]
    assert desk.deliveries()[0].attachment == DOCUMENT


@pytest.mark.parametrize("document", ["pro_forma", "order_confirmation"])
def test_a_document_of_an_order_is_asked_for_by_the_order(desk: MailDesk, sink: MailSink, document: str) -> None:
    asked = notice("pro_forma", "e1")
    asked.attachment.CopyFrom(pb.Attachment(document=document, reference="ord_1", name="SO-1001.pdf"))
    desk.servicer.Notify(asked, NO_CONTEXT)

    desk.sender.send_waiting()

    assert desk.billing.asked == [f"{document} of ord_1"]
    assert files(sink.messages[0]) == {"SO-1001.pdf": desk.billing.content}
    assert "Attached: SO-1001.pdf" in said(sink.messages[0], "plain")


def test_the_mail_of_a_credit_note_carries_it_to_customers_and_accounting(desk: MailDesk, sink: MailSink) -> None:
    for event, role in (("e1", "customer"), ("e2", "accounting")):
        asked = notice("credit_note", event, f"{role}@acme.example", role=role)
        asked.attachment.CopyFrom(pb.Attachment(document="credit_note", reference="cn_1", name="CN-1001.pdf"))
        desk.servicer.Notify(asked, NO_CONTEXT)

    desk.sender.send_waiting()

    assert desk.billing.asked == ["cn_1", "cn_1"]
    assert [files(mail) for mail in sink.messages] == [{"CN-1001.pdf": desk.billing.content}] * 2
    assert all("Attached: CN-1001.pdf" in said(mail, "plain") for mail in sink.messages)
    assert all("CN-1001.pdf" in said(mail, "html") for mail in sink.messages)


def test_a_mail_without_a_document_is_as_it_was(desk: MailDesk, sink: MailSink) -> None:
    desk.notify("invoice", "e1")

    desk.sender.send_waiting()

    assert sink.messages[0].get_content_type() == "multipart/alternative"
    assert "Attached" not in said(sink.messages[0], "plain")
    assert not desk.deliveries()[0].HasField("attachment")


@pytest.mark.on_postgres
@pytest.mark.parametrize("fault", [Unreachable("RenderInvoice: UNAVAILABLE"), Conflict("DOCUMENTS_BUSY", "busy")])
def test_a_mail_waits_for_its_document_and_is_sent_once(desk: MailDesk, sink: MailSink, fault: Exception) -> None:
    notify(desk)
    desk.billing.fault = fault
    for _ in range(20):
        desk.sender.send_waiting()
        desk.later(timedelta(seconds=20))
    waiting = desk.deliveries()[0]
    desk.billing.fault = None
    desk.later(timedelta(minutes=1))

    for _ in range(3):
        desk.sender.send_waiting()

    assert (waiting.state, waiting.attempts, bool(waiting.last_error)) == ("waiting", 0, True)
    [mail] = sink.messages
    assert list(files(mail)) == ["INV-000001.pdf"]
    assert [(each.state, each.attempts, each.last_error) for each in desk.deliveries()] == [("sent", 1, "")]
    assert sink.repeats == 0


def test_billing_that_does_not_answer_holds_up_no_mail_without_a_document(desk: MailDesk, sink: MailSink) -> None:
    for number in range(5):
        notify(desk, f"e{number}", f"reader{number}@acme.example")
    desk.notify("order_received", "e9", "bob@acme.example")
    desk.billing.fault = Unreachable("DEADLINE_EXCEEDED")

    desk.sender.send_waiting()

    assert [str(mail["To"].addresses[0].addr_spec) for mail in sink.messages] == ["bob@acme.example"]
    assert len(desk.billing.asked) == 1


def test_a_document_that_billing_dies_of_keeps_back_no_other(desk: MailDesk, sink: MailSink) -> None:
    for number, reference in ((1, "inv_deadly"), (2, "inv_2"), (3, "inv_3")):
        asked = notice("invoice", f"e{number}", f"reader{number}@acme.example", order=f"ord_{number}")
        asked.attachment.CopyFrom(pb.Attachment(document="invoice", reference=reference, name=f"INV-{number}.pdf"))
        desk.servicer.Notify(asked, NO_CONTEXT)
    desk.billing.dies_of = "inv_deadly"

    for _ in range(2):
        desk.sender.send_waiting()
        desk.later(timedelta(seconds=20))

    assert [list(files(mail)) for mail in sink.messages] == [["INV-2.pdf"], ["INV-3.pdf"]]
    assert [each.state for each in desk.deliveries()] == ["waiting", "sent", "sent"]


def test_a_mail_that_waits_for_its_document_and_for_the_server_has_left_before_another_sender_may_take_it() -> None:
    answers = 5  # of the mail server: to MAIL, RCPT, DATA, the end of the mail, and RSET

    slowest = NotificationsSettings().smtp_timeout_s * answers + documents.DEADLINE_S

    assert domain.PATIENCE + timedelta(seconds=slowest) < domain.LEASE


def test_who_waits_for_a_long_document_hears_that_billing_is_busy() -> None:
    assert rendering._TURN_S + rendering._TIMEOUT_S < documents.DEADLINE_S


def test_a_document_that_there_is_not_keeps_no_mail_back(desk: MailDesk, sink: MailSink) -> None:
    notify(desk)
    desk.billing.fault = NotFound("INVOICE_NOT_FOUND", "there is no such invoice")

    desk.sender.send_waiting()

    assert files(sink.messages[0]) == {}
    assert "Attached" not in said(sink.messages[0], "plain")
    [sent] = desk.deliveries()
    assert (sent.state, sent.last_error) == ("sent", "sent without INV-000001.pdf: there is no such invoice")


@pytest.mark.parametrize(("size", "attached"), [(MAX_DOCUMENT, ["INV-000001.pdf"]), (MAX_DOCUMENT + 1, [])])
def test_a_document_of_ten_mebibytes_goes_with_a_mail_and_a_larger_one_does_not(
    desk: MailDesk, sink: MailSink, size: int, attached: list[str]
) -> None:
    desk.billing.content = bytes(size)
    notify(desk)

    desk.sender.send_waiting()

    assert list(files(sink.messages[0])) == attached
    assert ("larger than 10 MiB" in desk.deliveries()[0].last_error) == (not attached)


def test_a_bug_of_billing_makes_a_dead_letter_that_people_can_send_again(desk: MailDesk, sink: MailSink) -> None:
    notify(desk)
    desk.billing.fault = RemoteBug("RenderInvoice: UNKNOWN")
    for _ in range(15):
        desk.sender.send_waiting()
        desk.later(timedelta(hours=3))
    [dead] = desk.deliveries(state="dead")
    desk.billing.fault = None

    desk.retry(dead.delivery_id)
    desk.sender.send_waiting()

    assert "INV-000001.pdf cannot be made" in dead.last_error
    assert list(files(sink.messages[0])) == ["INV-000001.pdf"]


def test_who_sees_no_prices_gets_no_document(desk: MailDesk, sink: MailSink) -> None:
    notify(desk, "e1", "dock@ours.example", role="warehouse_manager", kind="order_accepted")

    desk.sender.send_waiting()

    assert files(sink.messages[0]) == {}
    assert desk.billing.asked == []


@pytest.mark.parametrize(
    ("document", "name"), [("statement", "S.pdf"), ("invoice", 'I".pdf'), ("invoice", "../I.pdf"), ("invoice", "I\r\nX: y.pdf")]
)  # fmt: skip
def test_a_document_that_nobody_makes_or_a_name_that_breaks_out_is_refused(
    desk: MailDesk, document: str, name: str
) -> None:
    asked = notice("invoice", "e1")
    asked.attachment.CopyFrom(pb.Attachment(document=document, reference="inv_1", name=name))

    with pytest.raises(InvalidArgument) as refusal:
        desk.servicer.Notify(asked, NO_CONTEXT)

    assert refusal.value.reason == "UNKNOWN_DOCUMENT"
    assert desk.deliveries() == []


@pytest.mark.parametrize(("kind", "name"), [("invoice", "INV-000123.pdf"), ("credit_note", "CN-1001.pdf")])
def test_a_preview_names_the_document(desk: MailDesk, kind: str, name: str) -> None:
    shown = desk.servicer.PreviewTemplate(pb.PreviewTemplateRequest(kind=kind, role="customer"), NO_CONTEXT)

    assert f"Attached: {name}" in shown.text
    assert desk.billing.asked == []
