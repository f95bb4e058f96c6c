"""A port that is taken, or is none, is refused with the option that helps."""

from __future__ import annotations

import socket

import pytest

from bench.ports import free_ports
from cli.ports import Ports, PortTaken, require_free


def test_a_taken_port_is_named_with_who_has_it() -> None:
    ports = free_ports()
    with (
        socket.create_server(("127.0.0.1", ports.http)),
        pytest.raises(PortTaken, match=rf"^port {ports.http}, which the API with the console needs, is taken by .*pid"),
    ):
        require_free(ports)


def refusal(ports: Ports, *taken: int) -> str:
    with pytest.raises(PortTaken) as refused:
        require_free(ports, lambda port: port not in taken)
    return str(refused.value)


@pytest.mark.parametrize(
    ("ports", "taken", "sentence", "advice"),
    [
        (Ports(), [8000], "port 8000, which the API with the console needs, is taken", "--http-port 8001"),
        (Ports(), [8000, 8001], "port 8000, which the API with the console needs, is taken", "--http-port 8002"),
        (Ports(), [7233], "port 7233, which Temporal needs, is taken", "--port-offset 100"),
        (Ports(), [8233], "port 8233, which the Temporal UI needs, is taken", "--port-offset 100"),
        (Ports(), [7303, 7403], "port 7303, which the fulfillment service needs, is taken", "--port-offset 200"),
        (Ports.shifted(900), [8225], "port 8225, which the mail sink needs, is taken", "--port-offset 1000"),
        (Ports.shifted(0, 80), [7301, 8100], "port 7301, which the orders service needs, is taken", "--port-offset 100"),
    ],
)  # fmt: skip
def test_a_taken_port_is_named_with_who_needs_it_and_the_option_that_helps(
    ports: Ports, taken: list[int], sentence: str, advice: str
) -> None:
    said = refusal(ports, *taken)

    assert said.startswith(sentence)
    assert said.endswith(f": stop what has it, or start with {advice}")


def test_a_second_system_is_told_to_move_all_its_ports_not_the_api_alone() -> None:
    said = refusal(Ports(), *Ports().by_name().values())

    assert said.endswith(", and 9 more are: stop what has it, or start with --port-offset 100")


@pytest.mark.parametrize(
    ("ports", "sentence"),
    [
        (Ports.shifted(60_000), "68000, which the API with the console would need, is no port: choose another --port-offset"),
        (Ports.shifted(-7_300), "-67, which Temporal would need, is no port: choose another --port-offset"),
        (Ports.shifted(0, http=0), "0, which the API with the console would need, is no port: choose another --http-port"),
        (Ports.shifted(0, http=7233), "port 7233 is wanted by the API with the console and by Temporal: choose another --http-port"),
    ],
)  # fmt: skip
def test_ports_that_cannot_be_are_refused_with_the_option_that_is_wrong(ports: Ports, sentence: str) -> None:
    assert refusal(ports) == sentence


OFFSETS = range(0, 10_000, 100)


@pytest.mark.parametrize("offset", OFFSETS[1:])
def test_systems_whose_offsets_are_hundreds_apart_share_no_port(offset: int) -> None:
    mine = set(Ports.shifted(offset).by_name().values())

    assert len(mine) == len(Ports().by_name())
    for other in OFFSETS:
        if other != offset:
            assert mine.isdisjoint(Ports.shifted(other).by_name().values()), other


@pytest.mark.parametrize("offset", [1, 2, 24, 67, 92, 675, 699, 767, 932, 1000, 5000])
def test_a_second_system_has_no_port_of_the_first_whatever_its_offset(offset: int) -> None:
    mine = Ports.shifted(offset).by_name().values()

    assert set(mine).isdisjoint(Ports().by_name().values())
    assert len(set(mine)) == len(mine)
