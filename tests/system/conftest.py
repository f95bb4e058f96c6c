"""Two whole systems for all tests of this folder that a process runs one after the other, and a wholesaler of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.system.boardroom import Boardroom
from tests.system.harness import System
from tests.system.paper import check_einvoices
from tests.system.trade import Trade, eventually

KINDS = ["sqlite", "postgres"]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every claim holds on both kinds; what says nothing new on PostgreSQL is a proof there, as it is all over tests."""
    for item in items:
        case = getattr(item, "callspec", None)
        is_here = item.path.parent == Path(__file__).parent
        if is_here and case and "postgres" in case.params.values() and not item.get_closest_marker("on_postgres"):
            item.add_marker("prove")


@pytest.fixture(scope="package", params=KINDS)
def system(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Everything running, in this process; whoever changes what others would notice changes it back."""
    with System(tmp_path_factory.mktemp(f"system-{request.param}"), request.param) as system:
        yield system
        if not system.lost:
            check_einvoices(system)


@pytest.fixture(scope="package", params=KINDS)
def moving(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Another one, for tests that move the clock of orders by hours: tokens and deadlines of others would pass with it."""
    with System(tmp_path_factory.mktemp(f"moving-{request.param}"), request.param) as system:
        yield system
        if not system.lost:
            check_einvoices(system)


@pytest.fixture
def trade(system: System) -> Iterator[Trade]:
    """A wholesaler of its own in the system."""
    require(system)
    with Trade(system) as trade:
        yield trade


@pytest.fixture
def room(trade: Trade) -> Boardroom:
    """A company with a manager and a director, and A4's policy."""
    room = Boardroom(trade)
    room.hire("director", roles=["approver"], positions=["finance_director"], limit="100000.00")
    room.hire("manager", roles=["approver"], positions=["manager"], limit="25000.00", manager="director")
    room.policy()
    return room


def require(system: System) -> None:
    """Fail unless all of the system answers, and at once when it did not answer before."""
    assert not system.lost, f"an earlier test has lost the system: {system.lost}"
    try:
        eventually(lambda: _must_answer(system))
    except AssertionError as failure:
        system.lost = str(failure).splitlines()[0]
        raise


def _must_answer(system: System) -> None:
    assert system.worker.is_running, "the worker has ended"
    try:
        said = system.api("admin").get("/readyz")
    except httpx.TransportError as failure:
        raise AssertionError(f"nobody answers: {failure}") from failure
    assert said.status_code == 200, said.text
