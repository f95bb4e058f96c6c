"""Every door is shut: each import-linter contract is seen to fail on a violation planted for it."""

import shutil
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import grimp
import pytest
from importlinter.application.use_cases import _register_contract_types, read_user_options
from importlinter.configuration import configure
from importlinter.domain.contract import registry

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("services", "gateway", "workflows", "cli", "bench")
configure()
OPTIONS = read_user_options(str(ROOT / "pyproject.toml"))
_register_contract_types(OPTIONS)
CONTRACTS = OPTIONS.contracts_options

ROOMS_ONLY = "The gateway asks the rooms of orders and sees no table"

# contract → (module that gets the line, line)
VIOLATIONS = [
    ("The kernel is the standard library and nothing else", "services.kernel.money", "import structlog"),
    ("A domain imports the kernel and nothing else", "services.inventory.domain", "import sqlalchemy"),
    (
        "A domain imports the kernel and nothing else",
        "services.billing.domain",
        "from oms.billing.v1 import billing_pb2",
    ),
    ("A domain imports the kernel and nothing else", "services.orders.domain", "import services.runtime.db"),
    ("A domain does no I/O and reads no clock", "services.fulfillment.domain", "import time"),
    ("A domain does no I/O and reads no clock", "services.orders.domain", "from random import choice"),
    ("Services never import one another", "services.billing.servicer", "import services.inventory.models"),
    ("Services never import one another", "services.orders.store", "from services.billing import domain"),
    ("The runtime and the kernel know no service", "services.runtime.outbox", "import services.orders"),
    ("Only orders and workflows know Temporal", "services.notifications.servicer", "import temporalio.client"),
    ("Only orders and workflows know Temporal", "services.runtime.telemetry", "from temporalio import common"),
    (
        "Orders reaches workflows only through its client, messages and names",
        "services.orders.relay.routes",
        "import workflows.order",
    ),
    ("In orders only the relay reaches workflows", "services.orders.store", "from workflows import client"),
    ("In orders no import runs back up", "services.orders.approvals.holds", "import services.orders.changes.propose"),
    ("In orders no import runs back up", "services.orders.store", "from services.orders.order import aggregate"),
    ("In orders no import runs back up", "services.orders.policies", "from services.orders.access import matrix"),
    ("In orders no import runs back up", "services.orders.lifecycle", "import services.orders.relay"),
    (ROOMS_ONLY, "gateway.http.orders.orders", "from services.orders.store import orders"),
    (ROOMS_ONLY, "gateway.console.pages", "import services.orders.models"),
    (ROOMS_ONLY, "gateway.http.neighbors.stock", "from services.inventory import domain"),
    (ROOMS_ONLY, "gateway.http.orders.place", "import workflows.order"),
    (ROOMS_ONLY, "gateway.http.plumbing.deps", "import temporalio.client"),
    ("The gateway has layers of its own", "gateway.http.orders.orders", "from gateway.console import pages"),
    (
        "In the gateway operations stand on the plumbing and beside each other",
        "gateway.http.plumbing.deps",
        "import gateway.http.orders.orders",
    ),
    (
        "In the gateway operations stand on the plumbing and beside each other",
        "gateway.http.neighbors.stock",
        "from gateway.http.masterdata import products",
    ),
    ("Only the process of orders opens the gateway", "services.orders.lifecycle.place", "import gateway.app"),
    ("Only the process of orders opens the gateway", "workflows.client", "from gateway import channels"),
    ("A workflow imports the kernel, messages and steps", "workflows.order", "import grpc"),
    ("A workflow imports the kernel, messages and steps", "workflows.steps", "import services.runtime.grpc_client"),
    ("Workflows ask services over gRPC and import none", "workflows.activities", "import services.inventory"),
    ("Workflows ask services over gRPC and import none", "workflows.worker", "from services.orders import store"),
    ("Workflows hold no SQL and no web page", "workflows.activities", "import sqlmodel"),
    ("A workflow reaches no gRPC, SQL or HTTP, however indirectly", "workflows.order", "import workflows.client"),
    ("Nothing imports the command line, the benchmarks or the tests", "services.runtime.process", "import cli"),
]


def file_of(tree: Path, module: str) -> Path:
    path = tree.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False, timeout=120)


def broken(report: str) -> set[str]:
    """Names of the contracts that lint-imports calls broken."""
    return {name for contract in CONTRACTS if f"{(name := contract['name'])} BROKEN" in report}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the rooms that a test may spoil."""
    copy = tmp_path_factory.mktemp("system")
    without_caches = shutil.ignore_patterns("__pycache__")
    for room in (*ROOMS, "tests/doors"):
        shutil.copytree(ROOT / room, copy / room, ignore=without_caches)
    shutil.copy(ROOT / "tests" / "__init__.py", copy / "tests")
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """Who imports whom, as lint-imports reads it."""
    roots = OPTIONS.session_options["root_packages"]
    return grimp.build_graph(*roots, include_external_packages=True, exclude_type_checking_imports=False)


def imported(line: str) -> str:
    """The module that a line imports, as the graph names it: a foreign package as a whole."""
    words = line.split()
    name = f"{words[1]}.{words[3]}" if words[0] == "from" else words[1]
    return name if name.startswith(ROOMS) else name.partition(".")[0]


def is_kept(contract: str, graph: grimp.ImportGraph) -> bool:
    """Whether a contract of pyproject.toml holds in a graph."""
    [options] = [each for each in OPTIONS.contracts_options if each["name"] == contract]
    kind = registry.get_contract_class(options["type"])
    check = kind(name=contract, session_options=OPTIONS.session_options, contract_options=options).check
    return check(graph=deepcopy(graph), verbose=False).kept


def test_the_system_as_it_stands_keeps_every_door_shut(tree: Path) -> None:
    answer = lint(tree)

    assert answer.returncode == 0, answer.stdout
    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken." in answer.stdout


@pytest.mark.parametrize(
    ("contract", "module", "line"), VIOLATIONS, ids=[f"{module}: {line}" for _, module, line in VIOLATIONS]
)
def test_a_planted_violation_breaks_its_contract(
    contract: str, module: str, line: str, graph: grimp.ImportGraph
) -> None:
    assert is_kept(contract, graph)
    spoiled, target = deepcopy(graph), imported(line)
    if target not in spoiled.modules:
        spoiled.add_module(target, is_squashed=True)

    spoiled.add_import(importer=module, imported=target, line_number=1, line_contents=line)

    assert not is_kept(contract, spoiled)


def test_a_planted_line_is_named(tree: Path) -> None:
    contract, module, line = VIOLATIONS[0]
    path = file_of(tree, module)
    before = path.read_text()
    path.write_text(f"{before}\n{line}\n")

    answer = lint(tree)
    path.write_text(before)

    assert answer.returncode != 0
    assert broken(answer.stdout) == {contract}


def test_every_contract_has_its_violation() -> None:
    assert {contract for contract, _, _ in VIOLATIONS} == {contract["name"] for contract in CONTRACTS}


def test_a_new_room_of_orders_must_choose_its_warehouse(tree: Path) -> None:
    room = tree / "services" / "orders" / "loyalty"
    room.mkdir()
    (room / "__init__.py").write_text('"""A room without a layer."""\n')

    answer = lint(tree)
    shutil.rmtree(room)

    assert "In orders no import runs back up" in broken(answer.stdout), answer.stdout
