"""deploy/up as somebody runs it who follows deploy/README.md, with a docker that only writes down what it is asked."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import compose
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from services.runtime.auth import SigningKey

ROOT = Path(__file__).resolve().parents[2]
ISSUER = "https://login.example.com/realms/oms"
WELL = "postgres running 0 healthy\nmigrate-orders exited 0 \norders running 0 healthy\ntemporal-ui running 0 "

DOCKER = """#!/bin/sh
echo "$@" >> "$STUB/calls"
case "$*" in
"compose up --detach") ! { [ -e "$STUB/fails_once" ] && rm "$STUB/fails_once"; } ;;
"compose ps "*)
    if [ -e "$STUB/states.first" ]; then cat "$STUB/states.first" && rm "$STUB/states.first"; else cat "$STUB/states"; fi ;;
"volume inspect "*) test -e "$STUB/volume" ;;
"info") ! test -e "$STUB/away" ;;
"compose logs "*) echo "the log says why" ;;
esac
"""


class Checkout:
    """A copy of what deploy/up reads, beside a stub of docker."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.stub = folder / "oms", folder / "stub"
        shutil.copytree(ROOT / "deploy", self.folder / "deploy")
        shutil.copy(ROOT / "docker-compose.yml", self.folder)
        self.stub.mkdir()
        (self.stub / "docker").write_text(DOCKER)
        (self.stub / "docker").chmod(0o755)
        (self.stub / "calls").touch()
        (self.stub / "states").write_text(WELL)

    def up(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        env = {"PATH": f"{self.stub}:{os.environ['PATH']}", "STUB": str(self.stub), "OMS_UP_EVERY": "0", **variables}
        command = ["/bin/sh", str(self.folder / "deploy" / "up"), *arguments]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)

    def calls(self) -> list[str]:
        """What docker was asked since the last time."""
        said = (self.stub / "calls").read_text().splitlines()
        (self.stub / "calls").write_text("")
        return said

    def files(self) -> dict[str, tuple[str, int, bytes]]:
        """Path → mode, time of the last change and content of each file that deploy/up made."""
        made = [self.folder / ".env", *sorted((self.folder / "secrets").glob("*"))]
        return {
            str(path.relative_to(self.folder)): (mode(path), path.stat().st_mtime_ns, path.read_bytes())
            for path in made
        }

    def variables(self) -> dict[str, str]:
        """The lines of .env."""
        lines = (self.folder / ".env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if re.match(r"[A-Z_]+=", line))


def mode(path: Path) -> str:
    return f"{path.stat().st_mode & 0o777:o}"


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_the_first_run_makes_the_secrets_starts_everything_and_says_what_to_do_next(checkout: Checkout) -> None:
    ended = checkout.up(ISSUER)

    assert (ended.returncode, ended.stderr) == (0, "")
    mounted = f"run --rm --network none --user 0:0 --volume {checkout.folder}/secrets:/secrets oms:0.1.0"
    give_away = f"{mounted} sh -c chown 10001:10001 /secrets/machines.pem && chmod 400 /secrets/machines.pem"
    calls = [call for call in checkout.calls() if call.startswith(("compose build", "run", "compose up"))]
    assert calls == ["compose build orders", give_away, "compose up --detach"]
    for word in ("secrets/", ISSUER, "http://127.0.0.1:8000/docs", "deploy/runbooks.md", "docker compose down"):
        assert word in ended.stdout


def test_the_port_it_names_is_the_one_that_compose_takes(checkout: Checkout) -> None:
    by_variable = checkout.up(ISSUER, OMS_HTTP_PORT="8081")
    with (checkout.folder / ".env").open("a") as env:
        env.write("OMS_HTTP_PORT=8082\n")
    by_file = checkout.up()

    assert "http://127.0.0.1:8081/docs" in by_variable.stdout
    assert "http://127.0.0.1:8082/docs" in by_file.stdout


def test_nobody_but_their_owner_reads_the_secrets(checkout: Checkout) -> None:
    checkout.up(ISSUER)

    assert {name: kept[0] for name, kept in checkout.files().items()} == {".env": "600", "secrets/machines.pem": "600"}
    assert mode(checkout.folder / "secrets") == "700"


def test_containers_read_what_they_must_of_a_checkout_made_under_umask_077(checkout: Checkout) -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    mounted = [checkout.folder / path for path in re.findall(r"\./(deploy/[\w./]+):", text)]
    files = [each for path in mounted for each in (path, *path.rglob("*"))]
    for path in files:
        path.chmod(path.stat().st_mode & ~0o077)

    checkout.up(ISSUER)

    assert len(files) > len(mounted) > 3
    assert all(path.stat().st_mode & 0o044 == 0o044 for path in files)
    assert all(path.stat().st_mode & 0o055 == 0o055 for path in files if path.is_dir())


def test_every_secret_is_random_and_long(checkout: Checkout) -> None:
    checkout.up(ISSUER)

    passwords = {name: text for name, text in checkout.variables().items() if name.endswith("_PASSWORD")}
    assert len(passwords) == len(set(passwords.values())) == 8
    assert all(re.fullmatch(r"[0-9a-f]{48}", password) for password in passwords.values())


def test_compose_reads_what_was_made(checkout: Checkout) -> None:
    checkout.up(ISSUER)

    program = str(Path(compose.__file__).with_name("docker-compose"))
    command = [program, "config", "--format=json"]
    read = subprocess.run(command, cwd=checkout.folder, env={"HOME": "/"}, capture_output=True, check=True, timeout=60)
    orders = json.loads(read.stdout)["services"]["orders"]["environment"]
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", json.loads(orders["OMS_CARRIER_SECRETS"])["parcelway"])
    assert orders["OMS_OIDC_ISSUER"] == ISSUER
    key = json.loads(read.stdout)["secrets"]["machine_key"]["file"]
    assert "BEGIN PRIVATE KEY" in Path(key).read_text()


def test_the_key_is_one_that_our_processes_take(checkout: Checkout) -> None:
    checkout.up(ISSUER)

    folder = checkout.folder / "secrets"
    made = load_pem_private_key((folder / "machines.pem").read_bytes(), None)
    taken = SigningKey(folder, "machines", may_create=False)

    assert isinstance(made, EllipticCurvePrivateKey)
    assert taken.public.public_numbers() == made.public_key().public_numbers()


def test_a_second_run_changes_nothing(checkout: Checkout) -> None:
    checkout.up(ISSUER)
    before = checkout.files()

    ended = checkout.up()

    assert (ended.returncode, ended.stderr) == (0, "")
    assert checkout.files() == before


def test_a_variable_that_a_release_adds_is_made_and_the_others_stay(checkout: Checkout) -> None:
    checkout.up(ISSUER)
    before = checkout.variables()
    text = (checkout.folder / ".env").read_text()
    (checkout.folder / ".env").write_text(re.sub(r"(?m)^BILLING_DB_PASSWORD=.*\n", "", text))

    checkout.up()

    after = checkout.variables()
    assert len(after.pop("BILLING_DB_PASSWORD")) == 48
    assert after == {name: text for name, text in before.items() if name != "BILLING_DB_PASSWORD"}


def test_who_signs_people_in_is_asked_for_once(checkout: Checkout) -> None:
    untold = checkout.up()
    ended, again = checkout.up(ISSUER), checkout.up()

    assert (untold.returncode, ended.returncode, again.returncode) == (1, 0, 0)
    assert "say who signs people in" in untold.stderr
    assert checkout.variables()["OMS_OIDC_ISSUER"] == ISSUER


def test_new_passwords_are_not_made_for_databases_that_have_others(checkout: Checkout) -> None:
    (checkout.stub / "volume").touch()

    ended = checkout.up(ISSUER)

    assert ended.returncode == 1
    assert "volume oms_postgres" in ended.stderr
    assert not (checkout.folder / ".env").exists()


def test_a_job_that_fails_at_first_does_not_end_the_start(checkout: Checkout) -> None:
    (checkout.stub / "fails_once").touch()

    ended = checkout.up(ISSUER)

    assert ended.returncode == 0
    assert checkout.calls().count("compose up --detach") == 2


@pytest.mark.parametrize(
    "states",
    [
        "orders running 0 starting",
        "orders running 0 unhealthy",
        "orders restarting 78 ",
        "orders created 0 ",
        "migrate-orders exited 1 ",
    ],
)
def test_it_waits_until_everything_is_well_and_says_what_is_not(checkout: Checkout, states: str) -> None:
    (checkout.stub / "states.first").write_text(states)
    waited = checkout.up(ISSUER)
    (checkout.stub / "states").write_text(f"{WELL}\n{states}")

    never = checkout.up(ISSUER, OMS_UP_WITHIN="0")

    assert waited.returncode == 0
    assert never.returncode == 1
    assert f"not well after 0 s: {states.split(maxsplit=1)[0]}" in never.stderr
    assert "the log says why" in never.stdout + never.stderr


def test_a_docker_that_does_not_answer_is_said_before_anything_is_made(checkout: Checkout) -> None:
    (checkout.stub / "away").touch()

    ended = checkout.up(ISSUER)

    assert (ended.returncode, "Docker does not answer" in ended.stderr) == (1, True)
    assert not (checkout.folder / ".env").exists()
