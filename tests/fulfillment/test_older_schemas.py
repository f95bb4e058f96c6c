"""A database that an earlier release made is brought to the schema of this one, with what it holds."""

from __future__ import annotations

import pytest
from alembic import command

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from services.runtime.db import Database
from services.runtime.migrations import config_of, differences, upgrade
from tests.fulfillment.desk import WarehouseDesk
from tests.fulfillment.test_packages import package
from tests.fulfillment.test_reversal import reverse

BEFORE_PACKAGES = "0010"


@pytest.mark.on_postgres
def test_what_was_packed_before_there_were_packages_is_one_with_everything_and_goes_on(
    database: Database, desk: WarehouseDesk
) -> None:
    (waiting, packed, on_its_way, delivered, mistake) = (
        desk.release(("L1", "W1", 2), order_id=f"ord_{number}")[0] for number in range(5)
    )
    packed = desk.pack(desk.pick(packed))
    on_its_way, delivered = desk.send(on_its_way), desk.scan(desk.send(delivered)).shipment
    desk.scan(on_its_way, "exception", event_id="e1")
    reverse(desk, desk.send(mistake))
    with database.alone() as connection:
        command.downgrade(config_of(database.migrations, connection), BEFORE_PACKAGES)

    upgrade(database)

    assert differences(database) == []
    assert desk.broken_rules() == {}
    assert not desk.get(waiting).packages
    (one,) = desk.get(packed).packages
    assert (one.contents[0].quantity, one.weight_grams, one.sscc) == (2, 1000, "")
    assert desk.ship(packed, numbers=["1Z-1"]).packages[0].tracking_number == "1Z-1"
    assert desk.get(delivered).packages[0].delivered_at_micros == delivered.delivered_at_micros
    assert not desk.scan(on_its_way, "exception", event_id="e1").is_new
    assert desk.scan(on_its_way).shipment.state == pb.SHIPMENT_STATE_DELIVERED
    assert desk.broken_rules() == {}


def test_the_release_before_knows_the_first_of_several_packages(database: Database, desk: WarehouseDesk) -> None:
    (shipment,) = desk.release(("L1", "W1", 2))
    sent = desk.ship(desk.pack(desk.pick(shipment), package(1), package(1)), numbers=["1Z-1", "1Z-2"])
    for number in ("1Z-1", "1Z-2"):
        desk.scan(sent, number=number)

    with database.alone() as connection:
        command.downgrade(config_of(database.migrations, connection), BEFORE_PACKAGES)
    upgrade(database)

    (one,) = desk.get(sent).packages
    assert (one.contents[0].quantity, one.tracking_number) == (2, "1Z-1")
    assert desk.broken_rules() == {}
