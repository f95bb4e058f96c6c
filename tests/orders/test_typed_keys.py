"""Keys that people type: however a purchase order number, a channel's reference, a SKU or a bank reference is written."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.errors import AlreadyExists
from services.kernel.text import clean_key, fold_key
from services.orders.access.matrix import Caller
from services.orders.domain.masterdata import Product
from services.orders.domain.order import PlaceLine
from services.orders.masterdata import catalog
from services.orders.store import masterdata
from tests.orders.change_desk import asked, propose, quantity
from tests.orders.desk import BUYER, RITA, Desk, caller, usd

SPELLINGS = {
    "case": "po-7781 a",
    "blanks around": "  PO-7781 A ",
    "blanks within": "PO-7781 \t  A",
    "a blank that does not break": "PO-7781\u00a0A",
    "a hyphen that does not break": "PO\u20117781 A",
    "an en dash": "PO\u20137781 A",
    "a minus": "PO\u22127781 A",
    "a full-width hyphen": "PO\uff0d7781 A",
    "full-width letters and digits": "\uff30\uff2f-\uff17\uff17\uff18\uff11 A",
    "a zero-width space": "PO-77\u200b81 A",
    "a zero-width joiner": "PO-77\u200d81 A",
    "a byte order mark": "\ufeffPO-7781 A",
    "a soft hyphen": "PO-77\u00ad81 A",
    "a direction mark": "\u200ePO-7781 A\u200f",
}
spellings = pytest.mark.parametrize("typed", SPELLINGS.values(), ids=SPELLINGS.keys())


@spellings
def test_every_spelling_is_the_same_key(typed: str) -> None:
    assert fold_key(typed) == fold_key("PO-7781 A")


@pytest.mark.parametrize("other", ["PO-7781", "PO-7781 B", "PO_7781 A", "PO7781 A", "P0-7781 A", "PO-77 81 A"])
def test_what_says_something_else_is_another_key(other: str) -> None:
    assert fold_key(other) != fold_key("PO-7781 A")


def test_composed_and_decomposed_letters_are_the_same_key() -> None:
    assert fold_key("CAF\u00c9-1") == fold_key("cafe\u0301-1")
    assert fold_key("Stra\u00dfe 1") == fold_key("STRASSE 1")


@given(st.text(max_size=30))
def test_folding_twice_is_folding_once(typed: str) -> None:
    assert fold_key(fold_key(typed)) == fold_key(typed)
    assert fold_key(clean_key(typed)) == fold_key(typed)


@spellings
def test_a_purchase_order_number_is_a_duplicate_in_every_spelling(desk: Desk, typed: str) -> None:
    desk.place(("PUMP", 1), po_number="PO-7781 A")
    second = desk.place(("PUMP", 1), po_number=typed).order_id

    assert any(code.startswith("DUPLICATE_PO") for code in desk.validate(second).reasons)


@spellings
def test_a_channels_reference_is_taken_once_in_every_spelling(desk: Desk, typed: str) -> None:
    desk.place(("PUMP", 1), channel="edi", channel_ref="PO-7781 A")

    with pytest.raises(AlreadyExists) as refusal:
        desk.place(("PUMP", 2), channel="edi", channel_ref=typed)

    assert refusal.value.reason == "DUPLICATE_CHANNEL_REF"


BOB = caller("bob", "customer", company="cus_bolt", reach="own")
Sender = tuple[Caller, str, str]
"""Who sends, over which channel, for which customer."""
ONE, TWO = caller("portal-1", "channel"), caller("portal-2", "channel")


@pytest.mark.parametrize(
    ("first", "second", "is_taken"),
    [
        ((BUYER, "edi", "cus_acme"), (BUYER, "edi", "cus_acme"), True),
        ((BUYER, "edi", "cus_acme"), (RITA, "edi", "cus_acme"), True),
        ((BUYER, "edi", "cus_acme"), (BUYER, "web", "cus_acme"), False),
        ((BUYER, "edi", "cus_acme"), (BOB, "edi", "cus_bolt"), False),
        ((ONE, "edi", "cus_acme"), (ONE, "edi", "cus_bolt"), False),
        ((ONE, "partner", "cus_acme"), (TWO, "partner", "cus_acme"), False),
        ((ONE, "partner", "cus_acme"), (ONE, "partner", "cus_bolt"), True),
        ((ONE, "partner", "cus_acme"), (BUYER, "partner", "cus_acme"), False),
    ],
)
def test_a_reference_is_unique_within_its_channel_and_issuer(
    desk: Desk,
    first: Sender,
    second: Sender,
    is_taken: bool,
) -> None:
    def send(who: Sender, units: int) -> None:
        by, channel, customer = who
        desk.place(("PUMP", units), by=by, channel=channel, customer_id=customer, channel_ref="850-1")

    send(first, 1)

    if is_taken:
        with pytest.raises(AlreadyExists):
            send(second, 2)
    else:
        send(second, 2)
    assert desk.broken() == []


@pytest.mark.on_postgres
@pytest.mark.parametrize("end", ["rejected", "cancelled"])
def test_a_corrected_resend_after_the_order_ended_is_taken_once(desk: Desk, end: str) -> None:
    line = ("OLD", 1) if end == "rejected" else ("PUMP", 1)
    first = desk.place(line, channel="edi", channel_ref="850-1").order_id
    desk.validate(first)
    if end == "cancelled":
        desk.record(first, "cancelled")
    assert desk.read(first).order.phase == end

    second = desk.place(("PUMP", 2), channel="edi", channel_ref="850-1").order_id

    assert second != first
    with pytest.raises(AlreadyExists):
        desk.place(("PUMP", 3), channel="edi", channel_ref="850-1")


SKUS = ["pump", " PUMP ", "\uff30\uff35\uff2d\uff30", "PU\u200bMP", "Pump"]


@pytest.mark.parametrize("typed", SKUS)
def test_a_sku_is_found_in_every_spelling_and_kept_in_the_catalogs(desk: Desk, typed: str) -> None:
    desk.agree(typed, "119.00")
    placed = desk.accepted((typed, 2))
    changed = propose(desk, placed, asked(replace(quantity("", 3), sku=typed)), RITA).change

    line = desk.read(placed).order.lines[0]
    assert (line.sku, line.is_known, line.price_source) == ("PUMP", True, "agreement")
    assert [one.sku for one in changed.request.lines] == ["PUMP"]
    with desk.database.transaction() as session:
        kept = catalog.put_product(session, Product(typed, "A pump", list_price=usd("1.00")), "root", desk.now)
        assert kept.sku == "PUMP"
        assert [one.sku for one in masterdata.products(session) if fold_key(one.sku) == "pump"] == ["PUMP"]


def test_a_sku_that_the_catalog_does_not_have_stays_as_it_was_typed(desk: Desk) -> None:
    placed = desk.place(("Unknown\u201117", 1)).order_id

    assert desk.read(placed).order.lines[0].sku == "Unknown-17"


def test_a_hyphen_that_looks_like_another_is_the_same_in_a_sku(desk: Desk) -> None:
    with desk.database.transaction() as session:
        catalog.put_product(session, Product("SEAL-9", "Seal", list_price=usd("3.00")), "root", desk.now)

    placed = desk.send(replace(desk.command(), lines=(PlaceLine("seal\u20139", 1),))).order_id

    assert desk.read(placed).order.lines[0].sku == "SEAL-9"
