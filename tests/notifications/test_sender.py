"""Mail leaves once, in order, over real SMTP; what cannot leave harms nobody else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import Session, select

from services.notifications import domain, models, store
from services.notifications import sender as sender_module
from services.notifications.documents import Documents
from services.notifications.domain import Delivery
from services.notifications.envelope import File
from services.notifications.models import DeliveryRow
from services.notifications.sender import Sender
from services.notifications.sink import MailSink
from services.notifications.smtp import ServerAway
from services.notifications.writer import MailWriter
from services.runtime.db import Database
from tests.notifications.desk import MailDesk
from tests.threads import at_once, until


def subjects(sink: MailSink) -> list[str]:
    return [message["Subject"] for message in sink.messages]


def recipients(sink: MailSink) -> list[str]:
    return [str(message["To"].addresses[0].addr_spec) for message in sink.messages]


@pytest.mark.on_postgres
def test_a_mail_reaches_each_recipient_with_text_and_html(desk: MailDesk, sink: MailSink) -> None:
    desk.notify("order_received", "e1", "ann@acme.example", "BOB@acme.example")

    assert desk.sender.send_waiting() == 2

    assert recipients(sink) == ["ann@acme.example", "bob@acme.example"]
    message = sink.messages[0]
    assert message["Subject"] == "We have received your order SO-1001"
    text, page = body(message, "plain"), body(message, "html")
    assert "4 x Pump 100 (PUMP-100): 516.00 USD" in text
    assert text.startswith("Dear ACME <Ltd>,")
    assert "Dear ACME &lt;Ltd&gt;," in page
    assert 'style="' in page
    assert "<style" not in page
    assert [each.state for each in desk.deliveries()] == ["sent", "sent"]


def body(message: EmailMessage, subtype: str) -> str:
    part = message.get_body((subtype,))
    assert part is not None
    return str(part.get_content())


def test_an_event_told_twice_is_sent_once(desk: MailDesk, sink: MailSink) -> None:
    first = desk.notify("order_received", "e1")
    desk.sender.send_waiting()

    again = desk.notify("order_received", "e1", "Ann@ACME.example")
    desk.sender.send_waiting()

    assert again == first
    assert len(sink.messages) == 1
    assert sink.repeats == 0
    assert desk.offences() == {}


@pytest.mark.on_postgres
def test_fifty_simultaneous_repeats_keep_one_delivery(desk: MailDesk, sink: MailSink) -> None:
    notified = at_once([lambda: desk.notify("order_received", "e1")] * 50)

    assert [len(ids) for ids in notified] == [1] * 50
    assert len({ids[0] for ids in notified}) == 1
    assert len(desk.deliveries()) == 1


def test_mails_of_an_order_leave_in_the_order_asked(desk: MailDesk, sink: MailSink) -> None:
    for number, kind in enumerate(["order_received", "order_accepted", "shipped", "invoice", "delivered"]):
        desk.notify(kind, f"e{number}")

    desk.sender.send_waiting()

    assert [message["X-Oms-Kind"] for message in sink.messages] == [
        "order_received",
        "order_accepted",
        "shipped",
        "invoice",
        "delivered",
    ]
    assert desk.offences() == {}


@pytest.mark.on_postgres
def test_a_waiting_mail_blocks_later_ones_of_its_order_and_recipient_alone(desk: MailDesk, sink: MailSink) -> None:
    sink.replies["ann@acme.example"] = "450 mailbox busy"
    desk.notify("order_received", "e1", "ann@acme.example", "bob@acme.example")
    desk.notify("order_accepted", "e2", "ann@acme.example", "bob@acme.example")
    desk.notify("order_received", "e3", "cid@other.example", order="ord_2")

    desk.sender.send_waiting()
    assert recipients(sink) == ["bob@acme.example", "cid@other.example", "bob@acme.example"]
    assert {(each.email, each.state, each.attempts) for each in desk.deliveries(state="waiting")} == {
        ("ann@acme.example", "waiting", 1),
        ("ann@acme.example", "waiting", 0),
    }

    sink.replies.clear()
    desk.sender.send_waiting()
    assert len(sink.messages) == 3, "its next try is not due yet"
    desk.later(timedelta(seconds=2))
    desk.sender.send_waiting()
    assert subjects(sink)[3:] == ["We have received your order SO-1001", "Your order SO-1001 has been accepted"]


def test_a_dead_mail_blocks_nobody(desk: MailDesk, sink: MailSink) -> None:
    desk.notify("order_received", "e1", variables={"lines": 5})
    desk.notify("order_accepted", "e2")

    desk.sender.send_waiting()

    assert [(each.kind, each.state) for each in desk.deliveries()] == [
        ("order_received", "dead"),
        ("order_accepted", "sent"),
    ]


@pytest.mark.on_postgres
def test_a_refused_recipient_is_dead_at_once(desk: MailDesk, sink: MailSink) -> None:
    sink.replies["ann@acme.example"] = "550 no such mailbox"
    desk.notify("order_received", "e1")

    desk.sender.send_waiting()

    [dead] = desk.deliveries(state="dead")
    assert dead.attempts == 1
    assert dead.last_error == "the mail server refused the recipient: 550 no such mailbox"
    assert "ann@" not in dead.last_error


@pytest.mark.on_postgres
def test_twelve_temporary_refusals_make_a_mail_dead_and_a_retry_puts_it_back(desk: MailDesk, sink: MailSink) -> None:
    sink.replies["ann@acme.example"] = "450 mailbox busy"
    desk.notify("order_received", "e1")

    for _ in range(20):
        desk.sender.send_waiting()
        desk.later(timedelta(hours=2))

    [dead] = desk.deliveries(state="dead")
    assert dead.attempts == 12
    assert dead.last_error.endswith("(given up after 12 tries)")
    sink.replies.clear()
    assert desk.retry(dead.delivery_id).state == "waiting"
    desk.sender.send_waiting()
    assert len(sink.messages) == 1
    assert desk.offences() == {}


@pytest.mark.on_postgres
def test_an_absent_mail_server_costs_no_try_and_everything_leaves_when_it_is_back(database: Database) -> None:
    sink = MailSink()
    desk = MailDesk(database, sink.port)
    desk.notify("order_received", "e1")
    desk.notify("order_accepted", "e2")

    for _ in range(15):
        with pytest.raises(ServerAway, match="cannot be used"):
            desk.sender.send_waiting()

    assert [(each.state, each.attempts) for each in desk.deliveries()] == [("waiting", 0), ("waiting", 0)]
    assert "cannot be used" in desk.deliveries()[0].last_error
    sink.start()
    desk.sender.send_waiting()
    sink.stop()
    assert [message["X-Oms-Kind"] for message in sink.messages] == ["order_received", "order_accepted"]
    assert [each.last_error for each in desk.deliveries()] == ["", ""]


@pytest.mark.parametrize(
    "raw",
    ["{", "[1]", '"text"', '{"lines": NaN}', '{"customer_name": "\\ud800"}', "[" * 100_000],
    ids=["cut off", "list", "text", "no number", "lone surrogate", "deep"],
)
def test_a_poisoned_payload_dead_letters_alone(desk: MailDesk, sink: MailSink, raw: str) -> None:
    desk.notify("order_received", "e1", raw=raw)
    desk.notify("order_received", "e2", order="ord_2")

    desk.sender.send_waiting()

    [dead] = desk.deliveries(state="dead")
    assert dead.event_id == "e1"
    assert dead.last_error.startswith("the variables of this mail ")
    assert subjects(sink) == ["We have received your order SO-1002"]


@pytest.mark.on_postgres
def test_one_impossible_address_does_not_keep_the_others_from_their_mail(desk: MailDesk, sink: MailSink) -> None:
    desk.notify("order_received", "e1", "no address", "x@y.example\r\nBcc: spy@evil.example", "ann@acme.example")

    desk.sender.send_waiting()

    assert recipients(sink) == ["ann@acme.example"]
    assert len(desk.deliveries(state="dead")) == 2


@pytest.mark.on_postgres
def test_a_crash_between_acceptance_and_commit_repeats_under_the_same_message_id(
    desk: MailDesk, sink: MailSink
) -> None:
    [delivery_id] = desk.notify("order_received", "e1")
    desk.sender.send_waiting()
    message_id = sink.messages[0]["Message-ID"]
    assert delivery_id in message_id
    with desk.database.transaction() as session:
        undo_the_commit(session, delivery_id)

    desk.new_sender("here").send_waiting()

    assert sink.repeats == 1
    assert len(sink.messages) == 1
    assert [(each.state, each.attempts) for each in desk.deliveries()] == [("sent", 2)]


def undo_the_commit(session: Session, delivery_id: str) -> None:
    """What the row looked like when the process died: marked as being sent by the sender named "here"."""
    row = session.exec(select(DeliveryRow).where(DeliveryRow.delivery_id == delivery_id)).one()
    row.state, row.sent_at, row.claimed_by = domain.SENDING, None, "here"
    row.lease_until = row.asked_at + domain.LEASE


def test_another_sender_waits_for_the_lease_before_it_takes_over(desk: MailDesk, sink: MailSink) -> None:
    [delivery_id] = desk.notify("order_received", "e1")
    desk.sender.send_waiting()
    with desk.database.transaction() as session:
        undo_the_commit(session, delivery_id)

    assert desk.new_sender("elsewhere").send_waiting() == 0
    desk.later(domain.LEASE + timedelta(seconds=1))
    assert desk.new_sender("elsewhere").send_waiting() == 1


def test_a_mail_whose_sender_dies_each_time_is_given_up(desk: MailDesk, sink: MailSink) -> None:
    [delivery_id] = desk.notify("order_received", "e1")
    for _ in range(12):
        with desk.database.transaction() as session:
            store.take_back(session, "here", desk.now)
            assert store.claim(session, "here", desk.now) is not None

    desk.sender.send_waiting()

    [dead] = desk.deliveries(state="dead")
    assert dead.delivery_id == delivery_id
    assert dead.last_error == "its sender died each time (given up after 13 tries)"


def test_mails_that_share_a_round_with_a_lost_connection_are_put_back_untried(database: Database) -> None:
    sink = MailSink()
    sink.start()
    desk = MailDesk(database, sink.port)
    desk.notify("order_received", "e1", "ann@acme.example", "bob@acme.example", "cid@acme.example")
    sink.replies["bob@acme.example"] = "421 closing down"

    desk.sender.send_waiting()

    assert [(each.email, each.state, each.attempts) for each in desk.deliveries()] == [
        ("ann@acme.example", "sent", 1),
        ("bob@acme.example", "waiting", 1),
        ("cid@acme.example", "waiting", 0),
    ]
    desk.sender.send_waiting()
    sink.stop()
    assert recipients(sink) == ["ann@acme.example", "cid@acme.example"]


def test_a_mail_that_kills_its_sender_counts_no_tries_of_its_neighbors(desk: MailDesk, sink: MailSink) -> None:
    desk.notify("order_received", "e1", "ann@acme.example", "bob@acme.example", "cid@acme.example")

    claims = []
    for _ in range(3):
        with desk.database.transaction() as session:
            store.take_back(session, "here", desk.now)
            claims.append([each.recipient.email for each in store.claim(session, "here", desk.now)])

    assert claims == [
        ["ann@acme.example", "bob@acme.example", "cid@acme.example"],
        ["ann@acme.example"],
        ["ann@acme.example"],
    ]


class LeaseReader(MailWriter):
    """A writer that notes, as each mail is written, how long its lease still runs."""

    def __init__(self, desk: MailDesk) -> None:
        super().__init__(desk.settings)
        self._desk = desk
        self.left: list[timedelta] = []

    def write(self, delivery: Delivery, now: datetime, file: File | None = None) -> bytes:
        with self._desk.database.reading() as session:
            mine = select(DeliveryRow.lease_until).where(DeliveryRow.delivery_id == delivery.delivery_id)
            lease_until = session.exec(mine).one()
        assert lease_until is not None
        self.left.append(lease_until - now)
        return super().write(delivery, now, file)


@pytest.mark.on_postgres
def test_no_mail_of_a_round_is_sent_after_its_lease_has_run_out(desk: MailDesk, sink: MailSink) -> None:
    desk.notify("order_received", "e1", *(f"reader{number}@acme.example" for number in range(9)))
    writer = LeaseReader(desk)

    def time_flies() -> datetime:
        desk.later(domain.LEASE / 8)
        return desk.now

    slow = Sender(desk.database, desk.settings, writer, Documents(desk.billing), time_flies)
    assert slow.send_waiting() == 9
    slow.stop()

    assert len(writer.left) == 9
    assert min(writer.left) > timedelta(0)
    assert {(each.state, each.attempts) for each in desk.deliveries()} == {("sent", 1)}
    assert (len(sink.messages), sink.repeats) == (9, 0)


def test_one_connection_carries_mail_after_mail_until_the_server_closes_it(database: Database) -> None:
    port = MailSink().port
    desk = MailDesk(database, port)
    for life in ("e1", "e2"):
        sink = MailSink(port=port)
        sink.start()
        desk.notify("order_received", f"{life}-1", order=f"ord_{life}")
        assert desk.sender.send_waiting() == 1
        desk.notify("invoice", f"{life}-2", order=f"ord_{life}")
        assert desk.sender.send_waiting() == 1
        sink.stop()
        assert [message["X-Oms-Kind"] for message in sink.messages] == ["order_received", "invoice"]
        assert sink.connections == 1

    assert {(each.state, each.attempts) for each in desk.deliveries()} == {("sent", 1)}


def test_looking_for_work_reads_what_is_under_way_and_nothing_that_was_sent(tmp_path: Path) -> None:
    migrations = Path(models.__file__).parent / "migrations"
    database = Database(f"sqlite:///{tmp_path}/notifications.db", models.Table.metadata, migrations)
    database.migrate()
    asked: list[tuple[str, Any]] = []
    event.listen(database.engine, "before_cursor_execute", lambda *call: asked.append((call[2], call[3])))

    with database.transaction() as session:
        now = datetime(2026, 11, 23, tzinfo=UTC)
        assert not store.has_work(session, "here", now)
        store.take_back(session, "here", now)
        assert store.claim(session, "here", now) == []
        questions = [each for each in asked if "deliveries" in each[0]]
        plans = [
            [str(step[3]) for step in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", terms)]
            for sql, terms in questions
        ]

    database.close()
    assert len(plans) == 3
    for plan in plans:
        assert any("deliveries_under_way" in step for step in plan)
        assert not any(step == "SCAN deliveries" for step in plan)


@pytest.mark.on_postgres
def test_two_senders_never_take_the_same_mail(desk: MailDesk, sink: MailSink) -> None:
    for number in range(30):
        desk.notify("order_received", f"e{number}", order=f"ord_{number}")
    senders = [desk.new_sender(name) for name in ("one", "two", "three")]

    at_once([sender.send_waiting for sender in senders])

    assert len(sink.messages) == 30
    assert sink.repeats == 0


def test_the_thread_wakes_on_new_mail(desk: MailDesk, sink: MailSink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender_module, "POLL", timedelta(hours=1))
    desk.sender.start()

    desk.notify("order_received", "e1")

    until(lambda: sink.messages, within_s=60)
    desk.sender.stop()
    assert len(sink.messages) == 1
