"""No statement of a shipment's life reads a table of fulfillment from end to end."""

from __future__ import annotations

import pytest

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from tests.fulfillment.desk import WarehouseDesk
from tests.plans import recorded, scans

pytestmark = pytest.mark.on_postgres


def test_no_statement_of_a_shipments_life_reads_a_whole_table(desk: WarehouseDesk) -> None:
    if not desk.database.is_sqlite:
        pytest.skip("PostgreSQL reads small tables from end to end whatever their indexes")
    statements = recorded(desk.database)

    [sent] = desk.release(("1", "W1", 2))
    parcel = desk.send(sent)
    desk.scan(parcel, event_id="scan-1")
    desk.scan(parcel, event_id="scan-1")
    desk.get(parcel)
    for wanted in ({"order_id": "ord_1"}, {"warehouse_id": "W1"}, {"state": pb.SHIPMENT_STATE_DELIVERED}):
        desk.page(**wanted)
    desk.release(("L1", "W1", 2), ("L2", "W1", 2), order_id="ord_2")
    desk.answer(desk.recall("ord_2", L1=1).recall_id, yes=True)
    desk.recall("ord_2", "chg_2", L1=1)
    desk.recalls()
    desk.recalls(order_id="ord_2")
    desk.cancel("ord_2")

    assert len(statements) > 20
    assert scans(desk.database, statements, small={"rate", "zone_rule"}) == []
