"""The secrets that sign carriers' webhooks: given by configuration, or derived from a local key on one machine."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

from gateway.http.neighbors.signatures import secret_key
from services.runtime.auth import UnsafeConfiguration


class LocalSecrets(Mapping[str, str]):
    """A secret for any carrier, derived from one key in a folder: for the embedded mode, where demo and tests sign too."""

    def __init__(self, keys_dir: Path) -> None:
        self._path = keys_dir / "webhooks.key"

    def __getitem__(self, carrier: str) -> str:
        derived = hmac.digest(self._key(), carrier.encode(), hashlib.sha256)
        return f"whsec_{base64.b64encode(derived).decode()}"

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def _key(self) -> bytes:
        if not self._path.exists():
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft = self._path.with_suffix(f".{os.getpid()}.{secrets.token_hex(4)}")
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_bytes(32))
            try:
                os.link(draft, self._path)
            except FileExistsError:
                pass  # another process was first: its key is the one
            finally:
                draft.unlink()
        return self._path.read_bytes()


def given_secrets(secrets_by_carrier: Mapping[str, str]) -> Mapping[str, str]:
    """Configured secrets, checked: a weak or malformed one is UnsafeConfiguration at start-up, naming its carrier only."""
    for carrier, secret in secrets_by_carrier.items():
        try:
            secret_key(secret)
        except ValueError as weak:
            raise UnsafeConfiguration(f"the webhook secret of carrier {carrier}: {weak}") from weak
    return dict(secrets_by_carrier)
