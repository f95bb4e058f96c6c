"""A sealed mail is read by a standard mail program as what was put into it."""

from __future__ import annotations

from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.parser import HeaderParser
from email.policy import default
from email.utils import parseaddr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.notifications.envelope import Mailbox, seal

COMPANY = Mailbox("Order desk", "orders@oms.example")
# what stays itself in a text that mail programs break into lines
WRITTEN = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]))


def opened(mail: bytes) -> EmailMessage:
    return message_from_bytes(mail, _class=EmailMessage, policy=default)


def read(mail: EmailMessage, subtype: str) -> str:
    part = mail.get_body((subtype,))
    assert part is not None
    return str(part.get_content())


@given(text=st.lists(WRITTEN).map("\n".join), page=st.lists(WRITTEN).map("\n".join))
@settings(max_examples=150)
def test_both_readings_arrive_as_they_were_written(text: str, page: str) -> None:
    mail = opened(seal(COMPANY, COMPANY, {}, text=text, page=page, boundary="dlv_1"))

    assert mail.defects == []
    assert read(mail, "plain").splitlines() == text.splitlines()
    assert read(mail, "html").splitlines() == page.splitlines()


@given(subject=WRITTEN.map(str.strip), name=WRITTEN.map(str.strip))
@settings(max_examples=150)
def test_headers_beyond_ascii_and_long_ones_arrive_whole(subject: str, name: str) -> None:
    whole = f"Order {subject} end"
    person = f"Ann {name} Lee"

    sealed = seal(COMPANY, Mailbox(person, "ann@acme.example"), {"Subject": whole}, text="", page="", boundary="dlv_1")

    assert max(len(line) for line in sealed.split(b"\r\n")) <= 998
    head = HeaderParser().parsestr(sealed.decode())
    shown, address = parseaddr(head["To"])
    assert address == "ann@acme.example"
    assert str(make_header(decode_header(shown))).split() == person.split()
    assert str(make_header(decode_header(head["Subject"]))).split() == whole.split()


def test_a_name_that_looks_like_an_address_stays_a_name() -> None:
    mail = opened(
        seal(COMPANY, Mailbox('"Spy" <spy@evil.example>, Ann', "ann@acme.example"), {}, text="", page="", boundary="b")
    )

    assert [each.addr_spec for each in mail["To"].addresses] == ["ann@acme.example"]


def test_an_address_beyond_ascii_is_kept_for_servers_that_take_it() -> None:
    sealed = seal(COMPANY, Mailbox("Jürgen", "jürgen@bücher.example"), {}, text="", page="", boundary="b")

    assert "<jürgen@bücher.example>".encode() in sealed


def test_a_text_that_looks_like_a_boundary_ends_nothing() -> None:
    mail = opened(seal(COMPANY, COMPANY, {}, text="--=_b--\nstill here", page="--=_b\npage", boundary="b"))

    assert read(mail, "plain").splitlines() == ["--=_b--", "still here"]
    assert read(mail, "html").splitlines() == ["--=_b", "page"]


@pytest.mark.parametrize(
    "value", ["x\r\nBcc: spy@evil.example", "x\nBcc: spy@evil.example", "x\rBcc: spy@evil.example"]
)
def test_a_value_that_would_begin_another_header_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="Subject would be more than one header"):
        seal(COMPANY, COMPANY, {"Subject": value}, text="", page="", boundary="b")
    with pytest.raises(ValueError, match="To would be more than one header"):
        seal(COMPANY, Mailbox(value, "ann@acme.example"), {}, text="", page="", boundary="b")
