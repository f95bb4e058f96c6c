"""Rules of mail as pure functions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.errors import Refused
from services.notifications import domain
from services.notifications.domain import Notice, Recipient

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def a_notice(kind: str, **variables: object) -> Notice:
    return Notice("e1", kind, "ord_1", "SO-1001", (Recipient("a@b.example", "Ann", "customer"),), variables, "")


@pytest.mark.parametrize("kind", sorted(domain.KINDS))
@pytest.mark.parametrize("role", sorted(domain.ROLES))
def test_every_subject_names_the_order(kind: str, role: str) -> None:
    assert ("SO-1001" in domain.subject(a_notice(kind), role)) == (kind not in domain.ABOUT_NO_ORDER)


def test_a_customer_reads_nothing_of_hold_or_rejection_in_a_subject() -> None:
    for kind in ("order_on_hold", "order_rejected"):
        subject = domain.subject(a_notice(kind, reasons=["credit"]), "customer").lower()

        assert not any(word in subject for word in ("hold", "reject", "credit"))


@given(st.text())
def test_no_subject_has_a_second_line_whatever_the_invoice_is_called(name: str) -> None:
    subject = domain.subject(a_notice("invoice", invoice_number=name), "customer")

    assert len(subject.splitlines()) == 1
    assert "\r" not in subject
    assert "\n" not in subject


@given(st.text())
def test_one_line_is_one_line_and_stays_so(text: str) -> None:
    line = domain.one_line(text)

    assert len(line.splitlines()) <= 1
    assert domain.one_line(line) == line


def test_tries_are_spread_over_more_than_half_a_day_and_never_come_closer() -> None:
    pauses = [domain.pause_after(attempts) for attempts in range(1, domain.MAX_TRIES)]

    assert pauses[:4] == [timedelta(seconds=each) for each in (2, 6, 18, 54)]
    assert pauses == sorted(pauses)
    # 2 + 6 + 18 + 54 + 162 + 486 + 1458 + 4374 = 6,560 s, then three times 2 h
    assert sum(pauses, timedelta()) == timedelta(seconds=6_560) + timedelta(hours=6)


def test_the_twelfth_failure_is_the_last() -> None:
    eleventh = domain.after_failure(11, "busy", is_permanent=False, now=NOW)
    twelfth = domain.after_failure(12, "busy", is_permanent=False, now=NOW)

    assert (eleventh.state, eleventh.retry_at) == ("waiting", NOW + timedelta(hours=2))
    assert (twelfth.state, twelfth.retry_at) == ("dead", None)


def test_of_a_long_error_the_beginning_is_kept() -> None:
    assert domain.after_failure(1, "x" * 500, is_permanent=False, now=NOW).last_error == "x" * 400


def test_a_permanent_failure_is_the_last_at_once() -> None:
    assert domain.after_failure(1, "no such mailbox", is_permanent=True, now=NOW).state == "dead"


@pytest.mark.parametrize(
    "email",
    [
        "",
        "ann",
        "@b.example",
        "ann@",
        "a b@c.example",
        "a@b.example\nBcc: c@d.example",
        "a@b@c.example",
        "<a@b.example>",
        f"ann@{4 * (60 * 'b' + '.')}example",
    ],
)
def test_an_address_that_is_none_is_known_before_it_is_tried(email: str) -> None:
    assert domain.address_fault(email)


@pytest.mark.parametrize(
    "email",
    [
        "ann@acme.example",
        "a.b+c@sub.acme.example",
        "root@localhost",
        "jörg@bücher.example",
        f"ann@{4 * (60 * 'b' + '.')}exampl",
    ],
)
def test_an_address_that_is_one_is_taken(email: str) -> None:
    assert domain.address_fault(email) == ""


def test_a_verb_that_a_state_does_not_allow_is_refused() -> None:
    allowed = {(state, verb) for state, verbs in domain.TRANSITIONS.items() for verb in verbs}
    verbs = {verb for _, verb in allowed}

    for state in domain.TRANSITIONS:
        for verb in verbs:
            if (state, verb) not in allowed:
                with pytest.raises(Refused):
                    domain.next_state(state, verb)
    assert allowed == {
        ("waiting", "begin"),
        ("sending", "deliver"),
        ("sending", "defer"),
        ("sending", "bury"),
        ("dead", "revive"),
    }
