"""Waves: shipments that are picked together, each in one, until nothing of them is to be picked."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlmodel import Session

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from services.fulfillment.domain.waves import wave_serial
from services.kernel.clock import micros
from services.kernel.errors import AlreadyExists, InvalidArgument, NotFound, Refused
from tests.fulfillment.desk import NO_CONTEXT, WarehouseDesk
from tests.plans import recorded, scans
from tests.threads import Crew


def released(desk: WarehouseDesk, *orders: str, place: str = "W1") -> list[pb.Shipment]:
    """A shipment of each order, one line of 2 units."""
    return [desk.release(("L1", place, 2), order_id=order)[0] for order in orders]


def create(
    desk: WarehouseDesk, *chosen: pb.Shipment, next_due: int = 0, place: str = "W1", request_id: str = ""
) -> pb.Wave:
    request = pb.CreateWaveRequest(
        request_id=request_id or desk.fresh(),
        warehouse_id=place,
        shipment_ids=[one.shipment_id for one in chosen],
        next=next_due,
        picker="pat",
        created_by="wes",
    )
    return desk.service.CreateWave(request, NO_CONTEXT).wave


def read(desk: WarehouseDesk, wave: str) -> tuple[pb.Wave, list[str]]:
    """The wave and the numbers of its shipments."""
    found = desk.service.GetWave(pb.GetWaveRequest(wave=wave), NO_CONTEXT)
    return found.wave, [one.number for one in found.shipments]


def cancel(desk: WarehouseDesk, wave: str) -> pb.Wave:
    return desk.service.CancelWave(pb.CancelWaveRequest(wave=wave), NO_CONTEXT).wave


def listed(desk: WarehouseDesk, **wanted: object) -> list[str]:
    found = desk.service.ListWaves(pb.ListWavesRequest(**wanted), NO_CONTEXT)  # type: ignore[arg-type]  # what a test asks for
    return [one.number for one in found.waves]


@pytest.mark.on_postgres
def test_a_wave_is_open_until_each_of_its_shipments_is_picked_recalled_or_canceled(desk: WarehouseDesk) -> None:
    picked, recalled, cancelled = released(desk, "o1", "o2", "o3")
    wave = create(desk, picked, recalled, cancelled)
    desk.clock.pass_time(timedelta(minutes=1))
    desk.pick(picked)
    desk.cancel("o2")
    after_two, _ = read(desk, wave.number)
    desk.clock.pass_time(timedelta(minutes=1))
    asked = desk.recall("o3")
    desk.answer(asked.recall_id, yes=True)

    after_three, members = read(desk, wave.wave_id)

    assert (wave.number, wave.is_open, wave.shipment_count, wave.to_pick_count) == ("WV-1001", True, 3, 3)
    assert (wave.picker, wave.created_by, wave.warehouse_id) == ("pat", "wes", "W1")
    assert (after_two.is_open, after_two.to_pick_count, after_two.closed_at_micros) == (True, 1, 0)
    assert (after_three.is_open, after_three.is_cancelled) == (False, False)
    assert after_three.closed_at_micros == micros(desk.clock.now)
    assert members == ["SH-1001", "SH-1002", "SH-1003"]
    assert (listed(desk), listed(desk, is_all=True)) == ([], ["WV-1001"])
    assert desk.broken_rules() == {}


@pytest.mark.on_postgres
def test_the_next_are_those_that_are_promised_soonest(desk: WarehouseDesk) -> None:
    [late] = released(desk, "o1")
    elsewhere = released(desk, "o2", place="W2")
    desk.release(service=1, order_id="o9")
    [asked_back] = released(desk, "o3")
    desk.recall("o3")
    [gone] = released(desk, "o4")
    desk.pick(gone)
    [soon] = released(desk, "o5")
    with desk.database.transaction() as session:
        _promise(session, late, "2026-03-09")
        _promise(session, soon, "2026-03-05")
        _promise(session, asked_back, "2026-03-01")
    [none] = released(desk, "o6")
    with desk.database.transaction() as session:
        _promise(session, none, None)

    first, second = create(desk, next_due=2), create(desk, next_due=20)
    third = create(desk, next_due=20, place="W2")

    assert read(desk, first.number)[1] == [soon.number, late.number]
    assert read(desk, second.number)[1] == [none.number]
    assert read(desk, third.number)[1] == [elsewhere[0].number]
    with pytest.raises(Refused, match="nothing in W1 is to be picked"):
        create(desk, next_due=1)


def _promise(session: Session, shipment: pb.Shipment, on: str | None) -> None:
    changed = text("UPDATE shipment SET promised_on = :on WHERE shipment_id = :id")
    session.execute(changed, {"on": on, "id": shipment.shipment_id})


def test_what_is_chosen_and_cannot_be_picked_in_this_wave_is_refused_and_nothing_is_made(desk: WarehouseDesk) -> None:
    here, taken, gone = released(desk, "o1", "o2", "o3")
    [elsewhere] = released(desk, "o4", place="W2")
    [visit] = desk.release(service=1, order_id="o5")
    [dropped] = released(desk, "o6")
    desk.cancel("o6")
    create(desk, taken)
    desk.pick(gone)

    for other, said in (
        (taken, "SH-1002 is in WV-1001"),
        (gone, "SH-1003 is picked"),
        (dropped, "SH-1006 is canceled"),
        (elsewhere, "leaves W2"),
        (visit, "is a service visit"),
    ):
        with pytest.raises(Refused, match=said):
            create(desk, here, other)
    with pytest.raises(NotFound, match="there is no shipment shp_none"):
        create(desk, here, pb.Shipment(shipment_id="shp_none"))
    with pytest.raises(InvalidArgument, match="not both"):
        create(desk, here, next_due=1)
    with pytest.raises(InvalidArgument, match="choose shipments, or say how many"):
        create(desk)
    with pytest.raises(InvalidArgument, match="1 to 100 shipments"):
        create(desk, next_due=101)

    assert create(desk, here, here).number == "WV-1002"


@pytest.mark.on_postgres
def test_a_canceled_wave_frees_what_is_not_picked(desk: WarehouseDesk) -> None:
    done, free = released(desk, "o1", "o2")
    wave = create(desk, done, free)
    desk.pick(done)

    first, again = cancel(desk, wave.number), cancel(desk, wave.wave_id)
    another = create(desk, next_due=20)

    assert (first.is_open, first.is_cancelled, first.shipment_count) == (False, True, 1)
    assert again == first
    assert first.closed_at_micros == micros(desk.clock.now)
    assert read(desk, another.number)[1] == [free.number]
    desk.pick(free)
    with pytest.raises(Refused, match="WV-1002 is closed"):
        cancel(desk, another.number)
    assert desk.broken_rules() == {}


@pytest.mark.on_postgres
def test_what_is_released_later_joins_no_shipment_of_a_wave(desk: WarehouseDesk) -> None:
    [first] = desk.release(("L1", "W1", 2))
    wave = create(desk, first)

    [second] = desk.release(("L1", "W1", 5))
    cancel(desk, wave.number)
    [joined] = desk.release(("L1", "W1", 6))

    assert [(line.line_id, line.quantity) for line in desk.get(first).lines] == [("L1", 3)]
    assert [(line.line_id, line.quantity) for line in second.lines] == [("L1", 3)]
    assert joined.number == first.number
    assert desk.broken_rules() == {}


def test_a_repeat_gets_the_first_answer(desk: WarehouseDesk) -> None:
    [one] = released(desk, "o1")

    first, again = create(desk, one, request_id="r1"), create(desk, one, request_id="r1")

    assert (again, listed(desk)) == (first, ["WV-1001"])
    with pytest.raises(AlreadyExists):
        create(desk, next_due=3, request_id="r1")


@pytest.mark.on_postgres
def test_waves_come_in_pages_the_newest_first(desk: WarehouseDesk) -> None:
    for order in ("o1", "o2", "o3"):
        create(desk, *released(desk, order))
    create(desk, *released(desk, "o4", place="W2"), place="W2")

    first = desk.service.ListWaves(pb.ListWavesRequest(warehouse_id="W1", limit=2), NO_CONTEXT)
    rest = desk.service.ListWaves(
        pb.ListWavesRequest(warehouse_id="W1", limit=2, cursor=first.next_cursor, is_all=True), NO_CONTEXT
    )

    assert [one.number for one in first.waves] == ["WV-1003", "WV-1002"]
    assert ([one.number for one in rest.waves], rest.next_cursor) == (["WV-1001"], "")


@pytest.mark.on_postgres
def test_whoever_makes_waves_at_once_puts_each_shipment_into_one(desk: WarehouseDesk) -> None:
    released(desk, *(f"o{number}" for number in range(12)))

    with Crew(4) as crew:
        made = [one.result() for one in [crew.submit(create, desk, next_due=3) for _ in range(4)]]

    members = [number for wave in made for number in read(desk, wave.number)[1]]
    assert sorted(members) == [f"SH-{1001 + number}" for number in range(12)]
    assert {wave.number for wave in made} == {"WV-1001", "WV-1002", "WV-1003", "WV-1004"}


@pytest.mark.on_postgres
def test_whoever_cancels_while_somebody_picks_leaves_what_is_picked_or_frees_it(desk: WarehouseDesk) -> None:
    one, two = released(desk, "o1", "o2")
    wave = create(desk, one, two)

    with Crew(2) as crew:
        for done in (crew.submit(desk.pick, one), crew.submit(cancel, desk, wave.number)):
            done.result()

    assert not read(desk, wave.number)[0].is_open
    assert desk.broken_rules() == {}


def test_a_wave_takes_as_many_shipments_as_have_2000_lines_together(desk: WarehouseDesk) -> None:
    long = [desk.release(*((f"L{line}", "W1", 1) for line in range(1, 901)), order_id=f"o{n}")[0] for n in range(3)]

    with pytest.raises(Refused, match="more than 2000 lines together"):
        create(desk, *long)
    made = create(desk, next_due=20)

    assert made.shipment_count == 2


def test_a_wave_that_is_not_there_is_said(desk: WarehouseDesk) -> None:
    for name in ("WV-1", "wav_none", "WV-01", "SH-1001"):
        with pytest.raises(NotFound, match="list the waves to find it"):
            read(desk, name)


@pytest.mark.parametrize(
    ("number", "serial"),
    [("WV-1001", 1001), ("wv-1001", 1001), ("WV-", None), ("1001", None), ("WV-0", None), ("WV-x", None), ("WV-²", None)],
)  # fmt: skip
def test_a_waves_number(number: str, serial: int | None) -> None:
    assert wave_serial(number) == serial


@pytest.mark.on_postgres
def test_no_statement_about_waves_reads_a_whole_table(desk: WarehouseDesk) -> None:
    if not desk.database.is_sqlite:
        pytest.skip("PostgreSQL reads small tables from end to end whatever their indexes")
    statements = recorded(desk.database)

    one, _two, _three = released(desk, "o1", "o2", "o3")
    create(desk, one)
    wave = create(desk, next_due=20)
    read(desk, wave.number)
    listed(desk)
    listed(desk, warehouse_id="W1", is_all=True, cursor="1003")
    cancel(desk, wave.wave_id)

    assert scans(desk.database, {sql: terms for sql, terms in statements.items() if "wave" in sql}) == []
