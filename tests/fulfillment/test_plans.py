"""No statement of a shipment's life reads a table of fulfillment from end to end."""

from __future__ import annotations

import pytest

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from tests.fulfillment.floor import Floor
from tests.plans import recorded, scans

pytestmark = pytest.mark.on_postgres


def test_no_statement_of_a_shipments_life_reads_a_whole_table(floor: Floor) -> None:
    if not floor.database.is_sqlite:
        pytest.skip("PostgreSQL reads small tables from end to end whatever their indexes")
    statements = recorded(floor.database)

    [sent] = floor.release(("1", "W1", 2))
    parcel = floor.send(sent)
    floor.scan(parcel, event_id="scan-1")
    floor.scan(parcel, event_id="scan-1")
    floor.get(parcel)
    for wanted in ({"order_id": "ord_1"}, {"warehouse_id": "W1"}, {"state": pb.SHIPMENT_STATE_DELIVERED}):
        floor.page(**wanted)
    floor.release(("L1", "W1", 2), ("L2", "W1", 2), order_id="ord_2")
    floor.answer(floor.recall("ord_2", L1=1).recall_id, yes=True)
    floor.recall("ord_2", "chg_2", L1=1)
    floor.recalls()
    floor.recalls(order_id="ord_2")
    floor.cancel("ord_2")

    assert len(statements) > 20
    assert scans(floor.database, statements, small={"rate", "zone_rule"}) == []
