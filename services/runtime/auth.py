"""Who is calling: ES256 tokens of the local issuer, of machines, or of an OIDC provider, verified in one place."""

from __future__ import annotations

import base64
import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from services.runtime.oidc import OidcKeys
from services.runtime.roles import PEOPLE_ROLES, ROLE_NAMES
from services.runtime.settings import ServiceSettings

AUDIENCE = "oms"
LOCAL_ISSUER = "oms-local"
MACHINE_ISSUER = "oms-machines"
_LEEWAY_S = 5


class NotAuthenticated(Exception):
    """The token is missing or not acceptable; the message says why without echoing the token."""


class UnsafeConfiguration(RuntimeError):
    """The process must not start like this; the message says what to set."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who acts: `sub` names the person or machine, `company` the customer account of a customer."""

    sub: str
    roles: frozenset[str]
    company: str | None = None
    issuer: str = LOCAL_ISSUER

    def has(self, *roles: str) -> bool:
        """Whether the principal has one of the roles."""
        return not self.roles.isdisjoint(roles)


class SigningKey:
    """A P-256 key kept as <folder>/<name>.pem, made at first use with owner-only permissions."""

    def __init__(self, folder: Path, name: str, *, may_create: bool = True) -> None:
        path = folder / f"{name}.pem"
        if not path.exists():
            if not may_create:
                raise UnsafeConfiguration(
                    f"the key {path} is missing: mount the {name} key there (production makes none itself)"
                )
            _create_key(path)
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise UnsafeConfiguration(
                f"the key {path} is not a P-256 key: make one with `openssl ecparam -genkey -name prime256v1`"
            )
        self.private = key
        self.public = key.public_key()
        numbers = self.public.public_numbers()
        self.kid = base64.urlsafe_b64encode(numbers.x.to_bytes(32, "big")[:9]).decode()


def _create_key(path: Path) -> None:
    """Write a new key so that of several processes starting at once all read the same one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    draft = path.with_suffix(f".{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # another process was first: its key is the one
    finally:
        draft.unlink()


class _Issuer:
    """Signs tokens of one issuer."""

    def __init__(self, issuer: str, key: SigningKey, allowed: frozenset[str]) -> None:
        self._issuer = issuer
        self._key = key
        self._allowed = allowed

    def token(
        self, *, sub: str, roles: Sequence[str], company: str | None = None, ttl: timedelta = timedelta(hours=8)
    ) -> str:
        """A signed token; raises ValueError for a role this issuer may not give."""
        unknown = set(roles) - self._allowed
        if unknown or not roles:
            raise ValueError(
                f"role {', '.join(sorted(unknown)) or '(none)'} is not one of {', '.join(sorted(self._allowed))}"
            )
        if "customer" in roles and not company:
            raise ValueError("a customer token needs the customer account: give --company cus_…")
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": sub,
            "roles": list(roles),
            "iat": now,
            "exp": now + int(ttl.total_seconds()),
        }
        if company:
            claims["company"] = company
        return jwt.encode(claims, self._key.private, algorithm="ES256", headers={"kid": self._key.kid})


class LocalIssuer(_Issuer):
    """The embedded mode's issuer of people's tokens; production has an OIDC provider instead."""

    def __init__(self, keys_dir: Path) -> None:
        super().__init__(LOCAL_ISSUER, SigningKey(keys_dir, "people"), PEOPLE_ROLES)


class MachineIssuer(_Issuer):
    """Signs the tokens by which our own processes call each other."""

    def __init__(self, keys_dir: Path, *, may_create: bool = True) -> None:
        super().__init__(
            MACHINE_ISSUER, SigningKey(keys_dir, "machines", may_create=may_create), frozenset({"service"})
        )


def machine_token(settings: ServiceSettings, sub: str) -> Callable[[], str]:
    """A source of fresh service tokens for outgoing calls; a token is reused until it is half spent."""
    issuer = MachineIssuer(settings.keys_dir, may_create=settings.mode == "embedded")
    lock = threading.Lock()
    held: dict[str, Any] = {"token": "", "renew_at": 0.0}

    def give() -> str:
        with lock:
            if time.monotonic() >= held["renew_at"]:
                held["token"] = issuer.token(sub=sub, roles=["service"], ttl=timedelta(minutes=10))
                held["renew_at"] = time.monotonic() + 300
            return str(held["token"])

    return give


class Authenticator:
    """Verifies a token against the issuers this process trusts: machines, and people by exactly one source."""

    def __init__(
        self, settings: ServiceSettings, provider: OidcKeys | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        """`provider` has the keys of settings.oidc_issuer; one that asks for them is made where none is given."""
        is_embedded = settings.mode == "embedded"
        if not is_embedded and not settings.oidc_issuer:
            raise UnsafeConfiguration(
                "production needs an OIDC provider for people: set OMS_OIDC_ISSUER (the local issuer is off there)"
            )
        machines = SigningKey(settings.keys_dir, "machines", may_create=is_embedded)
        self._keys: dict[str, Mapping[str, ec.EllipticCurvePublicKey]] = {
            MACHINE_ISSUER: {machines.kid: machines.public}
        }
        self._oidc: OidcKeys | None = None
        if settings.oidc_issuer:
            self._oidc = provider or OidcKeys(settings.oidc_issuer)
        else:
            people = SigningKey(settings.keys_dir, "people")
            self._keys[LOCAL_ISSUER] = {people.kid: people.public}
        self._clock = clock
        self._verified: dict[str, tuple[float, Principal]] = {}

    def known(self, token: str) -> Principal | None:
        """The principal of a token that was verified before and may be trusted since; never waits for anybody."""
        known = self._verified.get(token)
        return known[1] if known is not None and known[0] > self._clock() else None

    def verify(self, token: str) -> Principal:
        """The principal of a token, or NotAuthenticated; a provider's key that is not here is asked for, and ProviderAway may come of it."""
        known = self.known(token)
        if known is not None:
            return known
        claims, trusted_until = self._claims(token)
        principal = _principal(claims)
        if len(self._verified) > 2000:
            self._verified.clear()
        self._verified[token] = (min(float(claims["exp"]), trusted_until), principal)
        return principal

    def id_token(self, token: str, client_id: str) -> Mapping[str, Any]:
        """The claims of an ID token that the OIDC provider made for this client; NotAuthenticated otherwise."""
        if self._oidc is None:
            raise NotAuthenticated("no OIDC provider signs people in here")
        try:
            return dict(
                jwt.decode(
                    token,
                    self._oidc.key(token)[0],
                    algorithms=["ES256", "RS256"],
                    audience=client_id,
                    issuer=self._oidc.issuer,
                    leeway=_LEEWAY_S,
                    options={"require": ["exp", "iat", "iss", "aud", "sub"]},
                )
            )
        except (jwt.PyJWTError, KeyError) as bad:
            raise NotAuthenticated("the ID token is not acceptable") from bad

    def _claims(self, token: str) -> tuple[dict[str, Any], float]:
        """What a good token says, and until when its key may be trusted: our own for ever, a provider's until it is asked again."""
        try:
            header = jwt.get_unverified_header(token)
            issuer = str(jwt.decode(token, options={"verify_signature": False}).get("iss"))
            options: Any = {"require": ["exp", "iat", "iss", "aud", "sub"]}
            trusted_until = float("inf")
            if self._oidc is not None and issuer == self._oidc.issuer:
                (key, for_s), algorithms = self._oidc.key(token), ["ES256", "RS256"]
                trusted_until = self._clock() + for_s
            else:
                key, algorithms = self._keys[issuer][header["kid"]], ["ES256"]
            claims = jwt.decode(
                token, key, algorithms=algorithms, audience=AUDIENCE, issuer=issuer, leeway=_LEEWAY_S, options=options
            )
            return dict(claims), trusted_until
        except jwt.ExpiredSignatureError as expired:
            raise NotAuthenticated("the token has expired: get a new one") from expired
        except (jwt.PyJWTError, KeyError, TypeError, ValueError) as bad:
            raise NotAuthenticated("the token is not acceptable: get one from this system's issuer") from bad


def _principal(claims: Mapping[str, Any]) -> Principal:
    roles = claims.get("roles")
    if not isinstance(roles, list) or not roles or not set(map(str, roles)) <= ROLE_NAMES:
        raise NotAuthenticated("the token names no role of this system: ask an administrator for one")
    is_machine = claims["iss"] == MACHINE_ISSUER
    if ("service" in roles) != is_machine:
        raise NotAuthenticated("only machine tokens carry the service role, and they carry no other")
    company = claims.get("company")
    if "customer" in roles and not isinstance(company, str):
        raise NotAuthenticated("a customer's token must name its company")
    return Principal(
        str(claims["sub"]),
        frozenset(map(str, roles)),
        company if isinstance(company, str) else None,
        str(claims["iss"]),
    )
