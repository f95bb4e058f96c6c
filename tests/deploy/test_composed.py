"""The deployment of docker-compose.yml, as far as it goes without Docker: production mode, PostgreSQL, roles, an identity provider."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from bench import company
from bench.door import Door, Unexpected
from bench.life import Board, live
from services.runtime.auth import LocalIssuer
from tests.deploy.composed import Composed, Deployed, ProviderDoor, deployed
from tests.system.trade import eventually

pytestmark = [pytest.mark.prove, pytest.mark.slice]

SERVICES = ("orders", "inventory", "fulfillment", "billing", "notifications")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    with deployed(tmp_path_factory.mktemp("composed")) as made:
        yield made


@pytest.fixture
def composed(running: Deployed) -> Composed:
    return running.composed


def test_an_order_lives_from_placed_to_paid_and_the_audit_is_clean(running: Deployed) -> None:
    door = running.door
    company.load_company(door)

    with Board(door) as board:
        lived = live(door, board, 3)

    order = door.get("auditor", f"/v1/orders/{lived.order_id}")
    assert order["status"] == "completed"
    eventually(lambda: _is_clean(door))


def test_orders_live_on_while_the_provider_is_away(running: Deployed) -> None:
    running.provider.is_away = True
    eventually(lambda: _is_missed(running))  # its keys are asked for every half minute

    with Board(running.door) as board:
        lived = live(running.door, board, 1)
    running.provider.is_away = False

    assert running.door.get("auditor", f"/v1/orders/{lived.order_id}")["status"] == "completed"


def _is_missed(running: Deployed) -> None:
    running.door.get("auditor", "/v1/orders")
    assert running.provider.asked_in_vain > 0


def test_a_key_that_the_provider_withdraws_opens_nothing_within_a_minute(running: Deployed, tmp_path: Path) -> None:
    made = (running.composed.url, running.composed.carrier_secret, tmp_path, running.provider)
    earlier = ProviderDoor(*made)
    earlier.get("auditor", "/v1/orders")
    running.provider.withdraw_key()
    later = ProviderDoor(*made)

    eventually(lambda: _is_refused(earlier), within_s=60)

    assert "rows" in later.get("auditor", "/v1/orders")


def _is_refused(door: Door) -> None:
    answer = ""
    try:
        door.get("auditor", "/v1/orders")
    except Unexpected as refusal:
        answer = str(refusal)
    assert "401" in answer
    assert "TOKEN_REFUSED" in answer


def _is_clean(door: Door) -> None:
    audit = door.get("auditor", "/v1/audit/invariants")
    assert len(audit["rows"]) > 60
    assert (audit["is_clean"], [row for row in audit["rows"] if row["violations"]]) == (True, [])


def test_a_token_that_only_this_machine_signed_opens_nothing(composed: Composed, tmp_path: Path) -> None:
    token = LocalIssuer(tmp_path).token(sub="mallory", roles=["admin"])
    request = urllib.request.Request(
        f"{composed.url}/v1/orders", headers={"Authorization": f"Bearer {token}"}
    )  # our own address

    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(request, timeout=60)  # see above

    assert refusal.value.code == 401


@pytest.mark.parametrize("role", SERVICES)
def test_a_role_reaches_its_own_database_alone(composed: Composed, role: str) -> None:
    with psycopg.connect(composed.database_url(role, role)) as connection:
        assert connection.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)
    for other in {*SERVICES, "temporal"} - {role}:
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(composed.database_url(role, other))


def test_a_role_needs_its_password(composed: Composed) -> None:
    url = composed.database_url("orders", "orders")
    password = url.partition("orders:")[2].partition("@")[0]

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url.replace(password, "guess"))


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_tells_its_metrics(composed: Composed, name: str) -> None:
    with urllib.request.urlopen(composed.metrics_url(name), timeout=60) as answer:  # our own address
        assert b"oms_outbox_dead 0.0" in answer.read()


def test_nothing_is_written_beside_the_database_and_everything_ends_when_told(composed: Composed) -> None:
    assert composed.new_files() == set()

    statuses = composed.stop()

    assert {name: statuses[name] for name in (*SERVICES, "worker")} == dict.fromkeys((*SERVICES, "worker"), 0)
    assert [name for name in (*SERVICES, "worker") if "Traceback" in composed.log(name)] == []
