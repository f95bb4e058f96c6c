"""The keys of an identity provider: who withdraws one, goes away or comes back, and how soon it is known here."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import FastAPI

from services.runtime.auth import Authenticator, NotAuthenticated, SigningKey
from services.runtime.oidc import (
    FRESH_S,
    MAX_ANSWER,
    RETRY_S,
    STALE_S,
    NoAnswer,
    OidcKeys,
    ProviderAway,
    ask,
    fetch_keys,
)
from services.runtime.settings import ServiceSettings
from tests.console import chrome
from tests.console.provider import Provider
from tests.threads import Crew

ISSUER = "https://login.example"


class World:
    """A provider with keys that come and go, a clock that a test moves, and who verifies by them."""

    def __init__(self, folder: Path) -> None:
        self.now = 1000.0
        self.asked = 0
        self.is_away = False
        self.private = {kid: ec.generate_private_key(ec.SECP256R1()) for kid in ("k1", "k2")}
        self.kids = {"k1"}
        SigningKey(folder, "machines")
        settings = ServiceSettings(mode="production", keys_dir=folder, oidc_issuer=ISSUER)
        self.authenticator = Authenticator(settings, OidcKeys(ISSUER, self.fetch, self.clock), self.clock)

    def clock(self) -> float:
        return self.now

    def fetch(self, _issuer: str) -> dict[str, Any]:
        self.asked += 1
        if self.is_away:
            raise NoAnswer("connection refused")
        return {kid: self.private[kid].public_key() for kid in self.kids}

    def token(self, kid: str = "k1", sub: str = "ann", named: str = "") -> str:
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": "oms", "sub": sub, "roles": ["admin"], "iat": now, "exp": now + 3600}
        return jwt.encode(claims, self.private[kid], algorithm="ES256", headers={"kid": named or kid})

    def is_good(self, token: str) -> bool:
        """Whether the token is taken, as an operation asks: what is known first."""
        try:
            return (self.authenticator.known(token) or self.authenticator.verify(token)) is not None
        except NotAuthenticated:
            return False


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_withdrawn_key_ends_its_tokens_within_half_a_minute(world: World) -> None:
    used, unused = world.token(), world.token(sub="bob")
    before = world.is_good(used)
    world.kids = {"k2"}

    world.now += FRESH_S + 0.1

    assert before
    assert not world.is_good(used)
    assert not world.is_good(unused)


def test_many_requests_ask_the_provider_once(world: World) -> None:
    tokens = [world.token(sub=f"person {number}") for number in range(20)]

    assert all(world.is_good(token) for token in tokens)

    assert world.asked == 1


def test_a_new_key_is_asked_for_at_once_but_not_for_every_key_that_somebody_makes_up(world: World) -> None:
    world.is_good(world.token())
    world.now += RETRY_S + 0.1
    world.kids = {"k1", "k2"}

    taken = world.is_good(world.token("k2"))
    world.kids = {"k1"}
    refused = [world.is_good(world.token(named=f"k{number}")) for number in range(10, 30)]

    assert (taken, world.asked) == (True, 2)
    assert not any(refused)


def test_a_provider_that_is_away_at_the_first_token_is_an_absence_and_no_refusal(world: World) -> None:
    world.is_away = True

    for _ in range(5):
        with pytest.raises(ProviderAway, match="try again in a moment"):
            world.authenticator.verify(world.token())

    assert world.asked == 1


def test_a_provider_that_goes_away_stops_nobody_for_minutes_and_then_everybody(world: World) -> None:
    token = world.token()
    world.is_good(token)
    world.is_away = True

    world.now += STALE_S - 1
    meanwhile = world.is_good(token)
    world.now += RETRY_S + 1

    assert meanwhile
    with pytest.raises(ProviderAway):
        world.authenticator.verify(token)


def test_a_key_that_nobody_can_be_asked_for_is_an_absence_and_no_refusal(world: World) -> None:
    world.is_good(world.token())
    world.now += RETRY_S + 0.1
    world.kids, world.is_away = {"k1", "k2"}, True

    for _ in range(3):
        with pytest.raises(ProviderAway, match="cannot be asked for the key"):
            world.authenticator.verify(world.token("k2"))
    goes_on = world.is_good(world.token(sub="bob"))
    world.is_away = False
    world.now += RETRY_S + 0.1

    assert (goes_on, world.is_good(world.token("k2")), world.asked) == (True, True, 3)
    assert not world.is_good(world.token(named="k3"))


def test_who_comes_with_a_new_key_while_it_is_asked_for_is_not_refused(world: World) -> None:
    """The second asks in the middle of the first's question."""
    keys: dict[str, Any] = {"k1": world.private["k1"].public_key()}
    met: list[BaseException] = []

    def fetch(_issuer: str) -> dict[str, Any]:
        if len(keys) > 1:
            with pytest.raises(ProviderAway) as absence:
                provider.key(world.token("k2"))
            met.append(absence.value)
        return dict(keys)

    provider = OidcKeys(ISSUER, fetch, world.clock)
    provider.key(world.token())
    world.now += RETRY_S + 0.1
    keys["k2"] = world.private["k2"].public_key()

    found, _ = provider.key(world.token("k2"))

    assert found == keys["k2"]
    assert len(met) == 1


def test_a_provider_that_is_back_is_believed_again_at_once(world: World) -> None:
    world.is_away = True
    with pytest.raises(ProviderAway):
        world.authenticator.verify(world.token())

    world.is_away = False
    world.now += RETRY_S + 0.1

    assert world.is_good(world.token())


def test_keys_are_found_where_the_provider_says_and_those_for_encryption_are_left_out() -> None:
    provider = Provider()
    with chrome.served(provider.app) as provider.issuer:
        found = fetch_keys(f"{provider.issuer}/")

    assert {kid: key.public_numbers() for kid, key in found.items()} == {
        "k1": provider.key.public_key().public_numbers()
    }


def trickle(listening: socket.socket, sent: bytes) -> None:
    """Answer so, and then with a byte every tenth of a second until the client is gone."""
    client, _ = listening.accept()
    client.settimeout(0.1)
    client.sendall(sent)
    with client, suppress(ConnectionError):
        while True:
            with suppress(TimeoutError):
                if not client.recv(4096):
                    return
            client.sendall(b"x")


@pytest.mark.parametrize("sent", [b"HTTP/1.1 200 OK\r\nX-Padding: ", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_provider_that_answers_a_byte_at_a_time_is_left_alone_in_time(sent: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, Crew(1) as crew:
        listening.settimeout(30)
        crew.submit(trickle, listening, sent)  # it ends when who asked has hung up

        with pytest.raises(httpx.TimeoutException):
            ask("GET", f"http://127.0.0.1:{listening.getsockname()[1]}", within_s=0.5)


def test_an_answer_without_end_is_no_answer_and_not_kept() -> None:
    app = FastAPI()
    app.get("/.well-known/openid-configuration")(lambda: {"padding": "x" * MAX_ANSWER})
    with chrome.served(app) as issuer, pytest.raises(NoAnswer, match="longer than"):
        fetch_keys(issuer)


@pytest.mark.parametrize("document", [[], {}, {"jwks_uri": "file:///etc/passwd"}, {"jwks_uri": 5}, "no document"])
def test_what_is_no_provider_is_no_answer_and_never_a_crash(document: Any) -> None:
    app = FastAPI()
    app.get("/.well-known/openid-configuration")(lambda: document)
    with chrome.served(app) as issuer, pytest.raises(NoAnswer):
        fetch_keys(issuer)
