"""The container health check tells a process that is ready from one that is not."""

from collections.abc import Iterator
from functools import partial

import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from deploy.health import is_healthy
from tests.serving import served


@pytest.fixture
def server() -> Iterator[tuple[health.HealthServicer, int]]:
    answers = health.HealthServicer()
    with served(partial(health_pb2_grpc.add_HealthServicer_to_server, answers)) as port:
        yield answers, port


def test_a_service_that_serves_is_healthy(server: tuple[health.HealthServicer, int]) -> None:
    assert is_healthy(f"grpc:127.0.0.1:{server[1]}")


def test_a_service_that_is_stopping_is_not_healthy(server: tuple[health.HealthServicer, int]) -> None:
    server[0].set("", health_pb2.HealthCheckResponse.NOT_SERVING)

    assert not is_healthy(f"grpc:127.0.0.1:{server[1]}")


def test_a_service_that_is_gone_is_not_healthy() -> None:
    assert not is_healthy("grpc:127.0.0.1:1")


@pytest.mark.parametrize("check", ["", "http:127.0.0.1:80", "grpc"])
def test_a_check_nobody_knows_is_not_healthy(check: str) -> None:
    assert not is_healthy(check)
