from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from services.runtime.auth import (
    AUDIENCE,
    LOCAL_ISSUER,
    Authenticator,
    LocalIssuer,
    MachineIssuer,
    NotAuthenticated,
    SigningKey,
    UnsafeConfiguration,
)
from services.runtime.settings import ServiceSettings
from tests.threads import at_once


@pytest.fixture
def settings(tmp_path: Path) -> ServiceSettings:
    return ServiceSettings(keys_dir=tmp_path / "keys")


def forged(settings: ServiceSettings, **changes: Any) -> str:
    """A token signed with the right key whose claims or header are wrong somewhere."""
    key = SigningKey(settings.keys_dir, "people")
    header = {"kid": key.kid} | changes.pop("header", {})
    now = int(time.time())
    claims = {
        "iss": LOCAL_ISSUER,
        "aud": AUDIENCE,
        "sub": "eve",
        "roles": ["admin"],
        "iat": now,
        "exp": now + 60,
    } | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(claims, key.private, algorithm="ES256", headers=header)


def hs256(claims: dict[str, Any], header: dict[str, str], secret: bytes) -> str:
    """Signed by hand, because the library itself refuses to use a public key as a shared secret."""
    parts = [{"alg": "HS256", "typ": "JWT"} | header, claims]
    body = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts)
    signature = hmac.new(secret, body.encode(), hashlib.sha256).digest()
    return f"{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def test_a_local_token_names_the_person_the_roles_and_the_company(settings: ServiceSettings) -> None:
    token = LocalIssuer(settings.keys_dir).token(sub="ann", roles=["customer"], company="cus_acme")

    principal = Authenticator(settings).verify(token)

    assert (principal.sub, principal.roles, principal.company) == ("ann", frozenset({"customer"}), "cus_acme")


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 1},
        {"aud": "other"},
        {"iss": "https://evil.example"},
        {"roles": []},
        {"roles": ["root"]},
        {"roles": None},
        {"roles": ["service"]},
        {"roles": ["customer"]},
        {"sub": None},
        {"exp": None},
        {"header": {"kid": "../../etc/passwd"}},
    ],
)
def test_a_token_that_is_wrong_anywhere_is_refused(settings: ServiceSettings, changes: dict[str, Any]) -> None:
    with pytest.raises(NotAuthenticated):
        Authenticator(settings).verify(forged(settings, **changes))


def test_a_well_made_forgery_control_passes(settings: ServiceSettings) -> None:
    assert Authenticator(settings).verify(forged(settings)).sub == "eve"


def test_alg_none_and_hs256_with_the_public_key_are_refused(settings: ServiceSettings) -> None:
    key = SigningKey(settings.keys_dir, "people")
    public = key.public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    claims = {
        "iss": LOCAL_ISSUER,
        "aud": AUDIENCE,
        "sub": "eve",
        "roles": ["admin"],
        "iat": 1,
        "exp": int(time.time()) + 60,
    }
    tokens = [
        jwt.encode(claims, "", algorithm="none", headers={"kid": key.kid}),
        hs256(claims, {"kid": key.kid}, public),
    ]

    for token in tokens:
        with pytest.raises(NotAuthenticated):
            Authenticator(settings).verify(token)


def test_an_expired_token_is_not_served_from_the_cache(settings: ServiceSettings) -> None:
    authenticator = Authenticator(settings)
    token = forged(settings, exp=int(time.time()) - 4)  # within the leeway: good for one more second

    authenticator.verify(token)
    time.sleep(1.2)

    with pytest.raises(NotAuthenticated):
        authenticator.verify(token)


def test_a_machine_key_gives_no_people_tokens_and_the_other_way_round(settings: ServiceSettings) -> None:
    with pytest.raises(ValueError, match="service"):
        LocalIssuer(settings.keys_dir).token(sub="eve", roles=["service"])
    with pytest.raises(ValueError, match="admin"):
        MachineIssuer(settings.keys_dir).token(sub="worker", roles=["admin"])


def test_processes_that_start_together_share_one_key(tmp_path: Path) -> None:
    keys = at_once([lambda: SigningKey(tmp_path, "people")] * 16, threads=8)

    assert len({key.kid for key in keys}) == 1


def test_production_without_a_provider_or_a_machine_key_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(UnsafeConfiguration, match="OMS_OIDC_ISSUER"):
        Authenticator(ServiceSettings(mode="production", keys_dir=tmp_path))
    with pytest.raises(UnsafeConfiguration, match="missing"):
        Authenticator(ServiceSettings(mode="production", keys_dir=tmp_path, oidc_issuer="https://login.example"))


def test_a_token_lives_as_long_as_it_says(settings: ServiceSettings) -> None:
    token = LocalIssuer(settings.keys_dir).token(sub="ann", roles=["admin"], ttl=timedelta(minutes=5))

    claims = jwt.decode(token, options={"verify_signature": False})

    assert claims["exp"] - claims["iat"] == 300
