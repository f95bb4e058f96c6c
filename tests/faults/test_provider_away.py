"""The identity provider is away or silent under load: who is known goes on, who is not is told so, and no order is lost."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import HTTPException
from jwt.algorithms import ECAlgorithm

from tests.console import chrome
from tests.console.provider import Provider
from tests.faults.journey import Journey, Shop
from tests.faults.load import under_load
from tests.faults.running import Issuer, RunningSystem
from tests.faults.summary import Differences, differences

TOKENS_FOR_S = 3600
HANGS_FOR_S = 30.0
MISSED_WITHIN_S = 90.0
"""Its keys are asked for every half minute."""
ANSWERED_WITHIN_S = 30.0
NEWER = "newer"


class Fickle(Provider):
    """A provider that goes away, or takes questions and answers none, and that has a newer key when it is back."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.newer = ec.generate_private_key(ec.SECP256R1())
        self._answers = threading.Event()
        self._answers.set()

    def discovery(self) -> dict[str, str]:
        if not self._answers.is_set():
            self.asked_in_vain += 1
            self._answers.wait(HANGS_FOR_S)
            raise HTTPException(503)
        return super().discovery()

    def jwks(self) -> dict[str, Any]:
        public = json.loads(ECAlgorithm.to_jwk(self.newer.public_key()))
        known: list[Any] = super().jwks()["keys"]
        newer = {**public, "kid": NEWER, "use": "sig", "alg": "ES256"}
        return {"keys": [*known, newer] if self.asked_in_vain else known}

    def go(self, how: str) -> None:
        """Be away, or be silent."""
        if how == "away":
            self.is_away = True
        else:
            self._answers.clear()

    def come_back(self) -> None:
        """Answer again."""
        self.is_away = False
        self._answers.set()


class People:
    """Gives people the provider's tokens."""

    def __init__(self, provider: Fickle) -> None:
        self._provider = provider

    def token(self, *, sub: str, roles: Sequence[str], company: str | None = None) -> str:
        """A token for an hour."""
        return self._provider.signed(**self._claims(sub, roles, company))

    def by_the_newer_key(self, sub: str) -> str:
        """A token of an auditor, by a key that nobody here has seen."""
        provider = self._provider
        claims = {"iss": provider.issuer, "iat": int(time.time()), **self._claims(sub, ["auditor"], None)}
        return jwt.encode(claims, provider.newer, algorithm="ES256", headers={"kid": NEWER})

    def _claims(self, sub: str, roles: Sequence[str], company: str | None) -> dict[str, Any]:
        claims = {"aud": "oms", "sub": sub, "roles": list(roles), "exp": int(time.time()) + TOKENS_FOR_S}
        return claims | ({"company": company} if company else {})


class SignedIn(RunningSystem):
    """A running system whose people are signed in by a provider."""

    def __init__(self, folder: Path, provider: Fickle) -> None:
        super().__init__(folder, notified={"OMS_OIDC_ISSUER": provider.issuer})
        self.people = People(provider)

    def _issuer(self) -> Issuer:
        return self.people

    def read(self, token: str) -> httpx.Response:
        """What a reader with this token is answered, asked once."""
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.get(f"{self.base_url}/v1/orders", headers=headers, timeout=ANSWERED_WITHIN_S)

    def reads(self, token: str) -> bool:
        """Whether a reader with this token is answered."""
        return self.read(token).status_code == 200


def says_that_it_is_away(answer: httpx.Response) -> bool:
    """Whether the answer is the refusal that promises an end of it."""
    problem = answer.json()
    said = (answer.status_code, problem.get("code"), answer.headers.get("Retry-After"))
    return said == (503, "IDENTITY_PROVIDER_UNAVAILABLE", "2") and "try again in a moment" in problem["detail"]


def changed(running: SignedIn, provider: Fickle, how: str, orders: int, per_s: float) -> list[Differences]:
    """What orders that were placed during the absence come to otherwise than an undisturbed one; all else is asserted here."""
    shop, people = Shop(running), running.people
    wanted = Journey(shop, shop.goods()).travel()

    with under_load(shop, orders, per_s) as load:
        provider.go(how)
        running.wait_for(lambda: provider.asked_in_vain or None, "a question in vain", MISSED_WITHIN_S)
        newcomer_reads = running.reads(people.token(sub="newcomer", roles=["auditor"]))
        newer_key = running.read(people.by_the_newer_key("newer"))
        placed_meanwhile = load.answers[201] + load.answers[202]
        running.wait_for(
            lambda: load.answers[201] + load.answers[202] > placed_meanwhile or None, "an order placed meanwhile"
        )
        running.kill("orders", down_s=0.1)
        running.wait_ready()
        nobody_known = running.read(people.token(sub="newcomer", roles=["auditor"]))
        provider.come_back()
        running.wait_for(lambda: running.reads(people.by_the_newer_key("newer")) or None, "the provider's return")
    outcomes = [finished(journey).came_to() for journey in load.released()[-3:]]

    print(f"{how}: answers {dict(load.answers)}, slowest {load.slowest_s:.1f} s")
    assert newcomer_reads
    assert says_that_it_is_away(newer_key), newer_key.text
    assert says_that_it_is_away(nobody_known), nobody_known.text
    assert set(load.answers) <= {201, 202, 503, "refused", "cut off"}
    assert load.answers[201] + load.answers[202] == orders
    shop.trade().until_audit_is_clean()
    return [found for got in outcomes if (found := differences(wanted, got))]


def finished(journey: Journey) -> Journey:
    journey.ship()
    journey.finish()
    return journey


@pytest.mark.prove
@pytest.mark.timeout(400)
@pytest.mark.parametrize("how", ["away", "silent"])
def test_an_identity_provider_that_is_away_under_load_costs_nobody_an_order(how: str, tmp_path: Path) -> None:
    provider = Fickle()
    with chrome.served(provider.app) as provider.issuer, SignedIn(tmp_path, provider) as running:
        try:
            assert changed(running, provider, how, orders=60, per_s=1) == []
        finally:
            provider.come_back()
