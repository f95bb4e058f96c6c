"""An identity provider that keeps its promises: codes work once, for who asked, with the right verifier."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from jwt.algorithms import ECAlgorithm

CLIENT, SECRET = "oms-console", "a client secret"


@dataclass
class Provider:
    """Its keys, what it says in tokens, and the codes that are still good."""

    issuer: str = ""
    roles: list[str] = field(default_factory=lambda: ["support"])
    subject: str = "sue"
    id_subject: str = ""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    redeemed: list[dict[str, str]] = field(default_factory=list)
    is_away: bool = False
    asked_in_vain: int = 0
    kid: str = "k1"

    def __post_init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.app = FastAPI()
        self.app.get("/.well-known/openid-configuration")(self.discovery)
        self.app.get("/jwks")(self.jwks)
        self.app.post("/token")(self.token)

    def withdraw_key(self) -> None:
        """Sign by another key from now on, and deny the one before."""
        self.key, self.kid = ec.generate_private_key(ec.SECP256R1()), f"{self.kid}+"

    def discovery(self) -> dict[str, str]:
        if self.is_away:
            self.asked_in_vain += 1
            raise HTTPException(503)
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
        }

    def jwks(self) -> dict[str, Any]:
        public = json.loads(ECAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [{**public, "kid": self.kid, "use": "sig", "alg": "ES256"}]}

    def agree(self, address: str) -> str:
        """Somebody logs in at the address they were sent to; gives the address they come back to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(8)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    async def token(self, request: Request) -> JSONResponse:
        sent = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        self.redeemed.append(sent)
        asked = self.codes.pop(sent.get("code", ""), None)
        digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        is_ours = (sent.get("client_id"), sent.get("client_secret")) == (CLIENT, SECRET)
        if asked is None or not is_ours or challenge != asked["code_challenge"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        access = self.signed(aud="oms", sub=self.subject, roles=self.roles)
        identity = self.signed(aud=CLIENT, sub=self.id_subject or self.subject, nonce=asked["nonce"])
        return JSONResponse({"access_token": access, "id_token": identity, "token_type": "Bearer"})

    def signed(self, **claims: Any) -> str:
        now = int(time.time())
        return jwt.encode(
            {"iss": self.issuer, "iat": now, "exp": now + 300, **claims},
            self.key,
            algorithm="ES256",
            headers={"kid": self.kid},
        )
