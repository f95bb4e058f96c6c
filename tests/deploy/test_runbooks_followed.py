"""Each alert fires on a deployment in trouble, and its runbook, followed to the letter, ends it.

What speaks of containers (docker stats, inspect and system) needs an engine, and is passed over. The disk of PostgreSQL's volume
cannot be filled here: the alerts of disks look at a small one of their own; tests/faults/test_full_disk.py fills a real one.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing

import psycopg
import pytest

from bench import company
from bench.life import Board, live, shipments_of
from tests import postgres
from tests.deploy.operations import Operations, operated
from tests.system.trade import eventually
from tests.threads import Crew

pytestmark = [pytest.mark.prove, pytest.mark.timeout(300)]

STOCK = "/v1/stock?limit=1"
BUG = 'raise ValueError("a bad release")'


@pytest.fixture(scope="module")
def operations(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operations]:
    with operated(tmp_path_factory.mktemp("operated")) as made:
        yield made


@pytest.fixture(autouse=True)
def forgetful(operations: Operations) -> None:
    operations.prometheus.forget()


def test_a_process_that_hangs_is_down_and_is_restarted(operations: Operations) -> None:
    operations.send("orders", signal.SIGSTOP)

    fired = operations.until_firing("OmsProcessDown")
    shown = operations.follow("OmsProcessDown")
    operations.advised("OmsProcessDown", "docker compose restart orders")
    operations.until_quiet("OmsProcessDown")

    assert "orders:9464" in fired
    assert "orders\trunning (unhealthy)" in shown
    operations.all_is_well()


def test_requests_fail_while_nobody_can_be_known(operations: Operations) -> None:
    provider = operations.deployed.provider
    provider.is_away = True
    operations.kept.follow("docker compose restart orders", "")

    def ask() -> None:
        for _ in range(5):
            operations.ask("auditor", "GET", "/v1/orders")

    operations.until_firing("OmsApiErrors", ask)
    shown = operations.follow("OmsApiErrors")
    asked = operations.follow("OmsApiErrors", 1)
    provider.is_away = False
    operations.until_quiet("OmsApiErrors", ask)

    assert 'status="503"' in shown
    assert "provider.away" in shown
    assert "authorization_endpoint" not in asked
    assert operations.ask("auditor", "GET", "/v1/orders") == 200
    operations.all_is_well()


def test_orders_are_slow_behind_a_lock_until_its_holder_is_ended(operations: Operations) -> None:
    answers: set[int] = set()

    operations.until_firing("OmsApiSlow", lambda: answers.update(_placed_behind_a_lock(operations)))
    operations.until_quiet("OmsApiSlow", operations.place)

    assert answers <= {201, 202}
    operations.all_is_well()


def _placed_behind_a_lock(operations: Operations) -> list[int]:
    """What orders are answered that wait until the runbook has found who keeps them waiting, and ended it."""
    with Crew(3, within_s=60) as crew, closing(psycopg.connect(postgres.server_url(), dbname="orders")) as holder:
        holder.execute("LOCK TABLE sales_order IN SHARE ROW EXCLUSIVE MODE")
        pid = holder.info.backend_pid
        placed: list[Future[int]] = [
            crew.submit(operations.ask, "channel", "POST", "/v1/orders", company.order(1)) for _ in range(3)
        ]
        shown = eventually(lambda: _waiting(operations.follow("OmsApiSlow")))
        operations.query("postgres", "SELECT pg_sleep(1.5)")
        operations.advised("OmsApiSlow", "SELECT pg_terminate_backend(PID)", PID=str(pid))
        assert f"{pid} | orders" in shown
        return [one.result() for one in placed]


def _waiting(shown: str) -> str:
    assert "Lock" in shown
    return shown


def test_calls_fail_whose_database_is_away(operations: Operations) -> None:
    operations.query("postgres", "ALTER DATABASE inventory ALLOW_CONNECTIONS false")
    operations.query("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'inventory'")

    def ask() -> None:
        operations.ask("warehouse", "GET", STOCK)

    fired = operations.until_firing("OmsCallsFail", ask)
    shown = operations.follow("OmsCallsFail")
    operations.query("postgres", "ALTER DATABASE inventory ALLOW_CONNECTIONS true")
    eventually(lambda: _answers(operations, STOCK))
    operations.until_quiet("OmsCallsFail", ask)

    assert "inventory:9464" in fired
    assert "rpc.database_unavailable" in shown
    operations.all_is_well()


def _answers(operations: Operations, path: str) -> None:
    assert operations.ask("warehouse", "GET", path) == 200


def test_an_outbox_is_stuck_while_temporal_hangs_and_empties_by_itself(operations: Operations) -> None:
    with operations.hanging("temporal"):
        order_id = operations.place()["order_id"]
        late = "UPDATE outbox SET occurred_at = occurred_at - interval '10 minutes' WHERE state = 'unsent'"
        operations.query("orders", late)

        fired = operations.until_firing("OmsOutboxStuck")
        shown = operations.follow("OmsOutboxStuck")
    operations.until_quiet("OmsOutboxStuck")

    assert "orders:9464" in fired
    assert "unsent" in shown
    assert '"temporal"' in shown
    operations.until_status(order_id, "in_fulfilment")
    operations.all_is_well()


FACT = """INSERT INTO outbox (fact_id, kind, order_id, subject_id, sequence, detail, occurred_at, state, attempts, last_error)
    VALUES (%s, 'shipment_shipped', '', 'shp_none', 1, '{}', now(), %s, 0, %s)"""


def test_a_fact_of_no_order_is_read_tried_again_and_dismissed(operations: Operations) -> None:
    operations.query("fulfillment", FACT, "fact_strange", "unsent", "")

    fired = operations.until_firing("OmsDeadLetters")
    shown = operations.command("OmsDeadLetters", 'api "$OMS/v1/dead-letters', "admin")
    operations.command("OmsDeadLetters", "/retry", "admin", SOURCE="fact", ID="fact_strange")
    operations.until_firing("OmsDeadLetters")
    operations.follow("OmsDeadLetters", role="admin", SOURCE="fact", ID="fact_strange")
    operations.until_quiet("OmsDeadLetters")

    assert "orders:9464" in fired
    assert "fact_strange" in shown
    operations.all_is_well()


def test_a_fact_that_a_bad_release_refused_is_sent_again(operations: Operations) -> None:
    operations.query("fulfillment", FACT, "fact_refused", "dead", "RECEIVER_FAILED: a bad release of orders")

    fired = operations.until_firing("OmsDeadLetters")
    shown = operations.follow("OmsDeadLetters", 1)
    eventually(lambda: _is_sent(operations, "fact_refused"))
    operations.follow("OmsDeadLetters", role="admin", SOURCE="fact", ID="fact_refused")
    operations.until_quiet("OmsDeadLetters")

    assert "fulfillment:9464" in fired
    assert "a bad release of orders" in shown
    operations.all_is_well()


def _is_sent(operations: Operations, fact_id: str) -> None:
    assert operations.query("fulfillment", "SELECT state FROM outbox WHERE fact_id = %s", fact_id) == [("sent",)]


def test_a_parcel_of_an_order_that_had_ended_is_looked_at_and_dismissed(operations: Operations) -> None:
    order_id, number = _shipped(operations)
    operations.prometheus.scrape()
    operations.terminate(number)
    for shipment in shipments_of(operations.door, order_id):
        operations.door.carrier_says(shipment["carrier"], shipment["tracking_number"], "delivered")

    operations.until_firing("OmsLateFacts")
    shown = operations.follow("OmsLateFacts", role="admin")
    [letter] = operations.door.get("admin", "/v1/dead-letters", source="late_fact")["rows"]
    operations.command("OmsDeadLetters", "/dismiss", "admin", SOURCE="late_fact", ID=letter["subject_id"])

    operations.command("OmsOrdersWithoutWorkflow", "docker compose exec", "admin")
    operations.until_quiet("OmsLateFacts")

    assert number in shown
    operations.until_status(order_id, "delivered")
    operations.all_is_well()


def _shipped(operations: Operations) -> tuple[str, str]:
    receipt = operations.place()
    for shipment in shipments_of(operations.door, receipt["order_id"]):
        for verb in ("pick", "pack", "ship"):
            label = {"tracking_numbers": [f"1Z{shipment['number']}"]} if verb == "ship" else None
            operations.door.post("warehouse", f"/v1/shipments/{shipment['shipment_id']}/{verb}", label)
    return receipt["order_id"], receipt["number"]


@pytest.mark.parametrize(("alert", "free_mib"), [("OmsDiskShort", 72), ("OmsDiskFull", 10)])
def test_a_disk_without_room_is_seen_and_has_room_again(operations: Operations, alert: str, free_mib: int) -> None:
    if operations.ballast is None:
        pytest.skip("a small disk cannot be mounted here")
    operations.ballast.leave(free_mib << 20)

    operations.until_firing(alert)
    shown = operations.follow(alert)
    operations.ballast.remove()
    operations.until_quiet(alert)

    assert '"disk"' in shown
    operations.all_is_well()


def test_an_order_whose_workflow_was_ended_by_hand_is_found_and_repaired(operations: Operations) -> None:
    receipt = operations.place()
    operations.until_status(receipt["order_id"], "in_fulfilment")
    operations.older(receipt["order_id"])
    operations.terminate(receipt["number"])

    operations.until_firing("OmsOrdersWithoutWorkflow", operations.sweep)
    alert = "OmsOrdersWithoutWorkflow"
    shown = operations.command(alert, "docker compose ps") + operations.command(alert, "api ")
    repaired = operations.command(alert, "docker compose exec", role="admin")
    operations.until_quiet("OmsOrdersWithoutWorkflow", operations.sweep)

    assert receipt["number"] in shown
    assert f"{receipt['number']}: its workflow is started again" in repaired
    operations.all_is_well()


def test_a_bad_release_of_the_worker_fails_steps_until_the_one_before_is_back(operations: Operations) -> None:
    module = operations.composed.app / "workflows" / "order.py"
    good = module.read_text()
    module.write_text(_with_a_bug(good))
    operations.kept.follow("docker compose restart worker", "")
    receipt = operations.place()
    operations.older(receipt["order_id"])

    operations.until_firing("OmsWorkflowStepsFail", operations.sweep)
    eventually(lambda: _is_an_exception(operations, receipt["number"]))
    shown = operations.follow("OmsWorkflowStepsFail")
    module.write_text(good)
    operations.kept.follow("docker compose restart worker", "")
    operations.until_status(receipt["order_id"], "in_fulfilment")
    operations.until_quiet("OmsWorkflowStepsFail", operations.sweep)

    assert receipt["number"] in shown
    assert "a bad release" in shown
    operations.all_is_well()


def _with_a_bug(module: str) -> str:
    begin = "        life = self.life\n        try:\n            outcome"
    assert begin in module
    return module.replace(begin, f"        {BUG}\n{begin}")


def _is_an_exception(operations: Operations, number: str) -> None:
    operations.sweep()
    rows = operations.door.get("support", "/v1/exceptions", kind="workflow_failing")["rows"]
    assert number in str(rows)


def test_after_all_of_it_an_order_lives_to_its_end(operations: Operations) -> None:
    with Board(operations.door) as board:
        lived = live(operations.door, board, 1)

    assert operations.order(lived.order_id)["status"] == "completed"
