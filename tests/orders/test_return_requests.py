"""The request's side of a return at the order desk: what may not come back, whose word brings it, its label and its parcel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from oms.orders.v1 import orders_pb2 as pb
from services.kernel.clock import micros
from services.kernel.errors import DomainError, NotPermitted, Refused
from services.orders.access.matrix import Caller
from services.orders.domain.masterdata import Product
from services.orders.domain.not_returnable import as_shown, check_returnable
from services.orders.domain.return_photos import NewPhoto, ReturnPhoto, check_adding, free_position
from services.orders.domain.returnable import LineToReturn, Returnable
from services.orders.domain.returns import Return, ReturnLine
from services.orders.masterdata import catalog
from services.orders.returns import ask, decide, on_the_way, photos
from services.orders.settings import Settings
from tests.orders.desk import ANY, BUYER, NOON, SUPPORT, Desk, shipment
from tests.orders.mail_parties import CONTACTS
from tests.orders.test_change_races import outcomes
from tests.orders.test_returns import _advance, _ask, _count, _delivered, _read

_NEVER = NOON
KEPT = Product("SEAL", "Seal", is_returnable=False)
LINES = (ReturnLine("1", "PUMP", "Pump", 1, "other"), ReturnLine("2", "SEAL", "Seal", 1, "other"))
CATALOG: Mapping[str, Product] = {"SEAL": KEPT, "PUMP": Product("PUMP", "Pump")}


def test_only_support_takes_back_what_is_not_returnable_and_says_why() -> None:
    assert check_returnable(LINES, CATALOG, "support", "burst") == "burst"
    assert check_returnable(LINES[:1], CATALOG, "support", "not needed") == ""
    assert check_returnable(LINES, {}, "customer", "") == ""  # the catalog knows nothing of it
    for role in ("customer", "sales_rep", "support"):
        with pytest.raises(Refused, match=r"line 2 \(SEAL\) is not returnable"):
            check_returnable(LINES, CATALOG, role, "")
    for role in ("customer", "sales_rep"):
        with pytest.raises(NotPermitted):
            check_returnable(LINES[:1], CATALOG, role, "please")


def test_what_is_not_returnable_is_offered_to_support_alone_and_a_service_to_nobody() -> None:
    goods = Returnable(3)
    service = Returnable(0, "SERVICE_NOT_RETURNABLE", "a service is not sent back")

    assert (as_shown(goods, KEPT, "customer").units, as_shown(goods, KEPT, "support").units) == (0, 3)
    assert as_shown(service, KEPT, "support") == service
    assert as_shown(goods, CATALOG["PUMP"], "customer") == goods


@pytest.mark.on_postgres
def test_the_flag_is_read_when_a_return_is_asked_for(desk: Desk) -> None:
    order_id = _delivered(desk)
    before = _ask(desk, order_id, 1)
    with desk.database.transaction() as session:
        pump = catalog.find_product(session, "PUMP")
        assert pump is not None
        catalog.put_product(session, replace(pump, is_returnable=False), "root", desk.now)

    with pytest.raises(Refused) as refused:
        _ask(desk, order_id, 1)
    with desk.database.transaction() as session:
        lines = [LineToReturn("1", 1, "defective")]
        taken = ask.request(session, order_id, SUPPORT, lines, "", CONTACTS, desk.now, "burst on day one")

    assert refused.value.reason == "NOT_RETURNABLE"
    assert (_read(desk, before).override_reason, _read(desk, taken).override_reason) == ("", "burst on day one")


def _parcel(desk: Desk, one: Return, tracking: str = "PW 1", by: Caller = BUYER) -> Return:
    with desk.database.transaction() as session:
        return on_the_way.record(session, one.return_id, by, "ups", tracking, CONTACTS, desk.now)


@pytest.mark.on_postgres
def test_a_parcel_is_said_while_goods_are_awaited_and_the_last_number_counts(desk: Desk) -> None:
    order_id = _delivered(desk)
    waiting, coming = _ask(desk, order_id, 5), _ask(desk, order_id, 2)

    with pytest.raises(Refused):
        _parcel(desk, waiting)
    first, second = _parcel(desk, coming), _parcel(desk, coming, "PW 2", SUPPORT)
    _advance(desk, coming, done="announced")
    _count(desk, coming, 2)
    with pytest.raises(Refused):
        _parcel(desk, coming, "PW 3")

    assert (first.stage, first.waits_for) == ("in_transit", "warehouse")
    with pytest.raises(Refused, match="none of its goods are awaited"):
        _label(desk, coming)
    kept = _read(desk, coming)
    assert (kept.tracking_number, kept.in_transit_at, second.carrier) == ("PW 2", first.in_transit_at, "ups")
    assert (kept.stage, kept.waits_for) == ("received", "warehouse")


def _label(desk: Desk, one: Return) -> pb.GetReturnLabelResponse:
    return desk.servicer.GetReturnLabel(pb.GetReturnLabelRequest(return_id=one.number), ANY)


@pytest.mark.on_postgres
def test_a_label_names_the_warehouse_that_most_units_left_from_and_ends_with_the_wait(desk: Desk) -> None:
    order_id = _delivered(desk)
    waiting, coming = _ask(desk, order_id, 5), _ask(desk, order_id, 2)

    with pytest.raises(Refused, match="once it is authorized"):
        _label(desk, waiting)
    said = _label(desk, coming)
    with desk.database.transaction() as session:
        decide.cancel(session, coming.return_id, SUPPORT, "kept", CONTACTS, desk.now)
    with pytest.raises(Refused, match="none of its goods are awaited"):
        _label(desk, coming)

    assert (said.number, said.units, said.comes_from.city) == (coming.number, 2, "Dallas")
    assert said.warehouse_id == shipment("SH-1", "delivered", {"1": 2})["shipment"]["warehouse_id"]
    assert coming.valid_until is not None
    assert said.valid_until_micros == micros(coming.valid_until)
    assert coming.label_sent_at == desk.now


def _photo(number: int, size: int = 10) -> NewPhoto:
    return NewPhoto(f"photo_{number:032x}", "image/png", size, f"{number:064x}")


@pytest.mark.on_postgres
def test_ten_photos_are_listed_however_many_are_sent_at_once(desk: Desk) -> None:
    asked = _ask(desk, _delivered(desk), 5)

    def add(number: int) -> str:
        with desk.database.transaction() as session:
            return photos.add(session, asked.return_id, BUYER, _photo(number), desk.now).photo_id

    done = outcomes([partial(add, number) for number in range(12)])

    assert sorted(map(str, done)).count("TOO_MANY_PHOTOS") == 2
    with desk.database.reading() as session:
        listed = photos.of_returns(session, [_read(desk, asked)])[asked.return_id]
    assert [one.position for one in listed] == list(range(1, 11))


def test_the_first_free_place_is_taken_and_each_stage_has_its_own() -> None:
    def at(stage: str, position: int) -> ReturnPhoto:
        return ReturnPhoto("photo", "rma", stage, position, "image/png", 1, "", "ann", "customer", _NEVER)

    taken = [at("request", place) for place in (1, 2, 4)]

    assert (free_position(taken, "request"), free_position(taken, "inspection")) == (3, 1)
    with pytest.raises(Refused):
        free_position([at("request", place) for place in range(1, 11)], "request")


@pytest.mark.parametrize(
    ("stage", "changes", "is_taken"),
    [
        ("request", {}, True),
        ("request", {"state": "authorized"}, True),
        ("request", {"state": "denied"}, False),
        ("inspection", {}, False),
        ("inspection", {"state": "authorized"}, True),
        ("inspection", {"state": "cancelled"}, False),
    ],
)
def test_photos_are_taken_while_they_matter(stage: str, changes: dict[str, Any], is_taken: bool) -> None:  # a table
    found = Return("rma", "RMA-1", "ord", "SO-1", "requested", LINES, "", "ann", "customer", _NEVER, "USD")
    try:
        check_adding(replace(found, **changes), stage)
    except DomainError as refused:
        said = refused.reason
    else:
        said = ""

    assert said == ("" if is_taken else "PHOTOS_NOT_TAKEN")


def test_photos_are_kept_beside_the_database_file_or_where_they_are_told_to_be() -> None:
    beside = Settings(database_url="sqlite:////data/orders.db")
    served = Settings(database_url="postgresql+psycopg://orders:x@db/orders")
    named = Settings(database_url="sqlite:////data/orders.db", photos_folder=Path("/photos"))

    assert [str(one.photos) for one in (beside, served, named)] == [
        "/data/return-photos",
        "var/return-photos",
        "/photos",
    ]
