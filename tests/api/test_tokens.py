from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bench.ports import free_port
from services.orders.access.standing import Standing
from services.runtime.auth import AUDIENCE, LOCAL_ISSUER, MACHINE_ISSUER, SigningKey
from tests.api.conftest import MakeWorld, World

PATH = "/v1/products"


async def _ask(world: World, token: str) -> tuple[int, str, str]:
    answer = await world.send("GET", PATH, headers={"Authorization": f"Bearer {token}"})
    return answer.status_code, answer.json().get("code", ""), answer.headers.get("WWW-Authenticate", "")


def _claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    claims = {"iss": LOCAL_ISSUER, "aud": AUDIENCE, "sub": "eve", "roles": ["admin"], "iat": now, "exp": now + 600}
    return {name: value for name, value in {**claims, **changes}.items() if value is not None}


def _people(world: World) -> SigningKey:
    return SigningKey(world.keys_dir, "people")


def _signed(world: World, headers: dict[str, Any] | None = None, **changes: Any) -> str:
    key = _people(world)
    return jwt.encode(_claims(**changes), key.private, algorithm="ES256", headers={"kid": key.kid, **(headers or {})})


async def test_a_good_token_is_taken(world: World) -> None:
    assert (await _ask(world, _signed(world)))[0] == 200


async def test_a_request_without_a_token_is_challenged(world: World) -> None:
    answer = await world.send("GET", PATH)

    assert (answer.status_code, answer.json()["code"]) == (401, "TOKEN_MISSING")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("scheme", ["Basic YTpi", "Bearer", "Bearer ", "bearer x y", "Token abc"])
async def test_another_scheme_is_no_token(world: World, scheme: str) -> None:
    answer = await world.send("GET", PATH, headers={"Authorization": scheme})

    assert answer.status_code == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": int(time.time()) - 60},
        {"exp": None},
        {"iss": "https://evil.example"},
        {"iss": MACHINE_ISSUER},
        {"iss": None},
        {"aud": "other"},
        {"aud": None},
        {"sub": None},
        {"roles": []},
        {"roles": "admin"},
        {"roles": ["root"]},
        {"roles": ["service"]},
        {"roles": ["admin", "service"]},
        {"roles": ["customer"]},
        {"roles": None},
    ],
)
async def test_a_token_with_a_wrong_claim_is_refused(world: World, changes: dict[str, Any]) -> None:
    status, code, challenge = await _ask(world, _signed(world, **changes))

    assert (status, code) == (401, "TOKEN_REFUSED")
    assert "invalid_token" in challenge


async def test_a_token_without_a_signature_is_refused(world: World) -> None:
    kid = _people(world).kid

    assert (await _ask(world, jwt.encode(_claims(), "", algorithm="none", headers={"kid": kid})))[0] == 401


async def test_a_token_signed_with_the_public_key_as_a_shared_secret_is_refused(world: World) -> None:
    key = _people(world)
    public = key.public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    head = _part({"alg": "HS256", "typ": "JWT", "kid": key.kid})
    signing = f"{head}.{_part(_claims())}"
    mac = hmac.digest(public, signing.encode(), hashlib.sha256)

    assert (await _ask(world, f"{signing}.{_bytes(mac)}"))[0] == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"kid": "../../../../dev/null"},
        {"kid": "machines"},
        {"kid": ""},
        {"kid": "people' OR '1'='1"},
        {"jku": "https://evil.example/jwks.json", "kid": "evil"},
        {"x5u": "https://evil.example/cert.pem", "kid": "evil"},
    ],
)
async def test_a_header_chooses_no_key_of_its_own(world: World, headers: dict[str, Any]) -> None:
    stranger = ec.generate_private_key(ec.SECP256R1())

    assert (await _ask(world, _signed(world, headers)))[0] == 401
    assert (await _ask(world, jwt.encode(_claims(), stranger, algorithm="ES256", headers=headers)))[0] == 401


async def test_a_strangers_key_under_our_key_id_is_refused(world: World) -> None:
    stranger = ec.generate_private_key(ec.SECP256R1())
    token = jwt.encode(_claims(), stranger, algorithm="ES256", headers={"kid": _people(world).kid})

    assert (await _ask(world, token))[0] == 401


async def test_a_machines_key_signs_no_people(world: World, tmp_path: Path) -> None:
    machines = SigningKey(world.keys_dir, "machines")
    token = jwt.encode(_claims(iss=MACHINE_ISSUER), machines.private, algorithm="ES256", headers={"kid": machines.kid})

    assert (await _ask(world, token))[0] == 401


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "....", "é", "e30.e30.e30", "x" * 20_000])
async def test_garbage_is_no_token(world: World, token: str) -> None:
    answer = await world.send("GET", PATH, headers={"Authorization": f"Bearer {token}".encode()})

    assert answer.status_code == 401


async def test_a_provider_that_is_away_at_the_first_token_is_said_with_what_to_do(make_world: MakeWorld) -> None:
    nobody_listens = f"http://127.0.0.1:{free_port()}"
    world = make_world(oidc_issuer=nobody_listens)
    token = _signed(world, iss=nobody_listens)

    answer = await world.send("GET", PATH, headers={"Authorization": f"Bearer {token}"})

    assert (answer.status_code, answer.json()["code"]) == (503, "IDENTITY_PROVIDER_UNAVAILABLE")
    assert "try again in a moment" in answer.json()["detail"]
    assert answer.headers["Retry-After"] == "2"


PERSON = {"sub": "eve", "name": "Eve", "email": "eve@oms.example", "roles": ["admin"]}


async def test_whom_the_directory_lets_go_reads_nothing_within_half_a_minute(make_world: MakeWorld) -> None:
    now = [100.0]
    world = make_world(standing=Standing(lambda: now[0]))
    token = _signed(world)
    entered = await world.send("POST", "/v1/people", "admin", key="k1", json=PERSON)
    before = (await _ask(world, token))[0]

    let_go = await world.send("POST", "/v1/people", "admin", key="k2", json={**PERSON, "is_active": False})
    now[0] += 25.1
    status, code, _ = await _ask(world, token)

    assert (entered.status_code, let_go.status_code) == (200, 200)
    assert (before, status, code) == (200, 403, "PERSON_INACTIVE")


async def test_whoever_is_in_no_directory_is_believed_by_the_token(world: World) -> None:
    assert (await _ask(world, _signed(world, sub="somebody new")))[0] == 200


def _part(document: dict[str, Any]) -> str:
    return _bytes(json.dumps(document).encode())


def _bytes(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
