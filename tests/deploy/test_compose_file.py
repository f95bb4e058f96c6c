"""What docker-compose.yml promises of every container, as compose itself reads the file."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest

from tests.deploy.composed import JOBS, ROOT, configuration, stand_ins

OUTSIDE = ("default", "pages")


@cache
def _read() -> dict[str, Any]:
    return configuration(stand_ins())


def _jobs() -> set[str]:
    return {name for name in _read()["services"] if name.startswith((JOBS, "temporal-schema", "temporal-namespace"))}


def _networks(name: str) -> set[str]:
    return set(_read()["services"][name]["networks"])


def test_every_container_is_bounded_in_memory_processes_and_logs() -> None:
    for name, service in _read()["services"].items():
        assert int(service["mem_limit"]) <= 2 * 1024**3, name
        assert 0 < service["pids_limit"] <= 1024, name
        assert service["logging"]["options"].keys() == {"max-size", "max-file"}, name


def test_billing_has_room_for_a_long_document_beside_itself() -> None:
    assert int(_read()["services"]["billing"]["mem_limit"]) >= 1024**3


def test_every_container_gives_up_what_root_may() -> None:
    for name, service in _read()["services"].items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name


def test_what_should_run_starts_again_and_says_whether_it_is_well() -> None:
    # ours say it by the HEALTHCHECK of the Dockerfile
    for name in _read()["services"].keys() - _jobs():
        service = _read()["services"][name]
        assert service["restart"] == "unless-stopped", name
        assert "healthcheck" in service or service["image"].startswith("oms:"), name


def test_a_job_runs_once_and_waits_by_itself() -> None:
    assert {_read()["services"][name]["restart"] for name in _jobs()} == {"no"}


@pytest.mark.parametrize("name", ["postgres", "temporal"])
def test_the_databases_and_temporal_have_no_door_to_the_outside(name: str) -> None:
    assert _networks(name)
    assert not _networks(name) & set(OUTSIDE)
    assert all(_read()["networks"][network]["internal"] for network in _networks(name))
    assert "ports" not in _read()["services"][name]


def test_what_has_no_way_out_asks_no_name_server_for_what_it_cannot_know() -> None:
    # gRPC in Go first asks for the records of a balancer; Debian's engine passes that on from an internal network, and nobody answers
    notified = _read()["services"]["temporal-namespace"]["environment"]

    assert notified["TEMPORAL_ADDRESS"] == "passthrough:///temporal:7233"


def test_our_services_share_one_image() -> None:
    built = {name: each for name, each in _read()["services"].items() if "build" in each}

    assert "orders" in built
    assert len({(each["image"], str(each["build"])) for each in built.values()}) == 1


def test_the_user_of_our_image_reads_its_files_whatever_the_umask_of_the_checkout() -> None:
    text = (ROOT / "Dockerfile").read_text()

    assert text.rindex("\nCOPY ") < text.index("chmod -R go+rX .") < text.index("\nUSER ")


def test_only_who_needs_a_database_or_temporal_shares_a_network_with_it() -> None:
    names = _read()["services"].keys()
    services = {"orders", "inventory", "fulfillment", "billing", "notifications"}

    beside = {each: {name for name in names if each in _networks(name)} for each in _read()["networks"]}

    assert beside["databases"] == {"postgres", *services, *(f"migrate-{name}" for name in services)}
    assert beside["temporal-databases"] == {"postgres", "temporal", "temporal-schema"}
    assert beside["temporal"] == {"temporal", "temporal-namespace", "temporal-ui", "orders", "worker"}


def test_every_published_port_is_of_this_machine_alone() -> None:
    ports = [port for service in _read()["services"].values() for port in service.get("ports", [])]

    assert len(ports) == 4
    assert {port["host_ip"] for port in ports} == {"127.0.0.1"}


def test_temporals_pages_change_nothing() -> None:
    assert _read()["services"]["temporal-ui"]["environment"]["TEMPORAL_DISABLE_WRITE_ACTIONS"] == "true"


def test_the_databases_keep_text_of_any_language() -> None:
    assert _read()["services"]["postgres"]["environment"]["POSTGRES_INITDB_ARGS"] == "--encoding=UTF8"


def test_every_variable_that_the_readme_and_the_example_name_is_one_that_compose_reads() -> None:
    rows = re.findall(r"^\| (`.+?) \| .* \|$", (ROOT / "deploy" / "README.md").read_text(), re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}
    exemplary = set(re.findall(r"^#?([A-Z_]+)(?:=|$)", (ROOT / "deploy" / "example.env").read_text(), re.MULTILINE))

    read = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))

    assert named >= {"OMS_DISK_FOLDER", "OMS_DISK_WARN_MIB"}
    assert named - read == exemplary - read == set()


def test_what_the_example_says_of_the_optional_ones_is_what_they_are_when_left_out() -> None:
    example = (ROOT / "deploy" / "example.env").read_text()
    said = re.findall(r"^#([A-Z_]+)(?:=(.*))?$", example, re.MULTILINE)

    read = re.findall(r"\$\{([A-Z_]+):?-(.*?)\}", (ROOT / "docker-compose.yml").read_text())

    assert dict(said)["OMS_LOG_LEVEL"] == "INFO"
    assert set(said) == set(read)


def test_a_folder_to_watch_is_told_to_every_process_that_tells_metrics() -> None:
    services = configuration({**stand_ins(), "OMS_DISK_FOLDER": "/", "OMS_DISK_WARN_MIB": "4096"})["services"]

    environments = [
        each["environment"] for each in services.values() if "OMS_METRICS_LISTEN" in each.get("environment", {})
    ]
    assert [(each["OMS_DISK_FOLDER"], each["OMS_DISK_WARN_MIB"]) for each in environments] == [("/", "4096")] * 6


def test_photos_are_kept_in_a_volume_whatever_the_environment_says() -> None:
    orders = configuration({**stand_ins(), "OMS_PHOTOS_FOLDER": "/elsewhere"})["services"]["orders"]

    assert orders["environment"]["OMS_PHOTOS_FOLDER"] in {volume["target"] for volume in orders["volumes"]}
