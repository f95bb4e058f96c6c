from __future__ import annotations

import importlib
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench.stub_services import StubServicer, answers, specs
from cli import embedded
from cli.ports import Ports

ASKED = SimpleNamespace(order_id="ord_1", shipment_id="shp_ord_1", milestone="closed")


@pytest.mark.parametrize("service", embedded.SERVICES)
def test_a_stub_answers_every_call_of_its_service_with_the_response_of_its_proto(service: str) -> None:
    messages = importlib.import_module(f"oms.{service}.v1.{service}_pb2")
    (described,) = messages.DESCRIPTOR.services_by_name.values()
    stub = StubServicer(service, answers(lambda _order_id: None)[service])

    for method in described.methods:
        response = getattr(stub, method.name)(ASKED, None)
        assert response.DESCRIPTOR is method.output_type, method.name


@pytest.mark.parametrize("service", embedded.SERVICES)
def test_a_stub_knows_no_call_that_its_service_has_not(service: str) -> None:
    messages = importlib.import_module(f"oms.{service}.v1.{service}_pb2")
    (described,) = messages.DESCRIPTOR.services_by_name.values()

    assert set(answers(lambda _order_id: None)[service]) <= set(described.methods_by_name)


def test_an_order_that_is_recorded_as_closed_is_completed() -> None:
    closed: list[str] = []
    stub = StubServicer("orders", answers(closed.append)["orders"])

    stub.RecordOrder(ASKED, None)
    stub.RecordOrder(SimpleNamespace(order_id="ord_2", milestone="accepted"), None)

    assert closed == ["ord_1"]


def test_the_frame_has_the_processes_of_the_system_without_mail_cards_and_migrations(tmp_path: Path) -> None:
    ours = {spec.name: spec for spec in embedded.specs(tmp_path, Ports())}
    frame = {spec.name: spec for spec in specs(tmp_path, Ports())}

    assert set(ours) - set(frame) == {"mail", "migrations", "stripe"}
    assert all(set(spec.after) | set(spec.uses) <= set(frame) for spec in frame.values())
    assert {name for name, spec in frame.items() if spec.command != ours[name].command} == set(embedded.SERVICES)
