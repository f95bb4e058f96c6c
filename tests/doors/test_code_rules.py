"""House rules that no linter knows: the size of modules, reasons for exceptions, locks that name no host."""

import ast
import re
import statistics
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from cli import embedded
from workflows import names

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("services", "gateway", "workflows", "cli", "bench", "tests", "deploy")

# The code, then the reason in words.
EXEMPTION = re.compile(r"#\s*(?:ruff:\s*)?(noqa|type:\s*ignore)\b(.*)")
CODED_WITH_REASON = re.compile(r"^(?:\[[a-z-]+(?:,\s*[a-z-]+)*\]|:\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*)\s*#?\s*\S+\s+\S+")


def tracked(*patterns: str) -> list[Path]:
    """Files of the repository that match, ignored ones left out."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    ).stdout
    return [path for name in sorted(filter(None, listed.split("\0"))) if (path := ROOT / name).is_file()]


def hand_written() -> list[Path]:
    """Python modules that people write; stubs are generated and migrations are records of what once ran."""
    return [path for path in tracked(*(f"{room}/*.py" for room in ROOMS)) if "versions" not in path.parts]


def lines(path: Path) -> int:
    return path.read_text().count("\n")


def exemptions() -> Iterator[tuple[str, str]]:
    for path in hand_written():
        if path == Path(__file__).resolve():
            continue
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            if found := EXEMPTION.search(line):
                yield f"{path.relative_to(ROOT)}:{number}: {line.strip()}", found.group(2)


def days_of_instants(source: str) -> list[int]:
    """Lines where an instant becomes a day of whatever zone it happens to be in: `at.date()`, `date.today()`."""
    return [
        call.lineno
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in ("date", "today", "utcnow")
        and not call.args
    ]


def test_an_instant_becomes_a_day_only_by_the_clock_of_somebody() -> None:
    clock = ROOT / "services/kernel/clock.py"
    sources = [path for path in hand_written() if path.relative_to(ROOT).parts[0] not in ("tests", "bench", "deploy")]

    found = {
        f"{path.relative_to(ROOT)}:{number}"
        for path in (*sources, *tracked("samples/*.py"))
        for number in days_of_instants(path.read_text())
    }

    assert {place.partition(":")[0] for place in found} == {str(clock.relative_to(ROOT))}, sorted(found)
    assert len(found) == 1
    assert days_of_instants("now.date()\ndate.today()\nbusiness_day(now, zone)\n") == [1, 2]


def test_no_hand_written_module_is_longer_than_400_lines() -> None:
    too_long = {str(path.relative_to(ROOT)): lines(path) for path in hand_written() if lines(path) > 400}

    assert too_long == {}


def test_the_median_module_has_at_most_110_lines() -> None:
    assert statistics.median(lines(path) for path in hand_written()) <= 110


def test_every_exemption_in_the_code_has_a_code_and_a_reason() -> None:
    assert [where for where, rest in exemptions() if not CODED_WITH_REASON.match(rest.strip())] == []


@pytest.mark.parametrize(
    ("exemption", "is_good"),
    [
        ("# noqa", False),
        ("# noqa: S608", False),
        ("# noqa: S608  # the table names are ours", True),
        ("# type: ignore", False),
        ("# type: ignore[arg-type]", False),
        ("# type: ignore[arg-type]  # the library's stub forgets None", True),
        ("# ruff: noqa: N802  # gRPC names methods as the proto does", True),
    ],
)
def test_an_exemption_without_code_or_reason_is_noticed(exemption: str, is_good: bool) -> None:
    found = EXEMPTION.search(exemption)

    assert found is not None
    assert bool(CODED_WITH_REASON.match(found.group(2).strip())) is is_good


def test_every_rule_that_ruff_is_told_to_ignore_has_a_reason() -> None:
    ruff = (ROOT / "pyproject.toml").read_text().partition("[tool.ruff.lint]")[2].partition("[tool.mypy]")[0]
    ignored = [line for line in ruff.splitlines() if re.match(r'\s+"[A-Z]+\d*",', line) and line.count('",') == 1]

    assert len(ignored) > 30
    assert [line for line in ignored if not re.search(r'",\s*# \S+ \S+', line)] == []


@pytest.mark.parametrize("lock", sorted((ROOT / "requirements").glob("*.lock")), ids=lambda lock: lock.name)
def test_a_lock_pins_by_hash_and_names_no_host(lock: Path) -> None:
    text = lock.read_text()

    pinned = re.findall(r"^[a-z0-9][^=\s]*==", text, re.MULTILINE)
    assert len(pinned) > 20
    assert len(re.findall(r" \\\n    --hash=sha256:", text)) >= len(pinned)
    assert "://" not in text
    assert "--index-url" not in text
    assert "--find-links" not in text
    assert " @ " not in text


def test_every_way_to_run_registers_the_search_attributes_of_the_workflows() -> None:
    script = (ROOT / "deploy" / "temporal" / "namespace.sh").read_text()

    expected = {(key.name, key.indexed_value_type.name.title().replace("_", "")) for key in names.SEARCH_ATTRIBUTES}
    assert set(re.findall(r"\b(Oms\w+):(\w+)", script)) == expected
    assert {tuple(attribute.split("=")) for attribute in embedded.SEARCH_ATTRIBUTES} == expected


def test_the_temporal_server_finds_the_settings_it_does_not_start_without() -> None:
    temporal = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["temporal"]
    source, target, mode = temporal["volumes"][0].split(":")
    inside = Path(temporal["environment"]["DYNAMIC_CONFIG_FILE_PATH"]).relative_to(target)

    settings = yaml.safe_load((ROOT / source / inside).read_text())

    assert mode == "ro"
    assert all("value" in each for values in settings.values() for each in values)
