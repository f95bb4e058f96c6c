from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.http.neighbors.carrier_secrets import LocalSecrets, given_secrets
from gateway.http.neighbors.signatures import sign, verify
from gateway.http.plumbing.problems import ApiError
from services.runtime.auth import UnsafeConfiguration

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_published_test_vector_of_standard_webhooks_verifies() -> None:
    body = b'{"test": 2432232314}'
    sent_at = datetime.fromtimestamp(1614265330, UTC)
    signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

    verify(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", signature, body, sent_at)
    with pytest.raises(ApiError):
        verify(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", signature, body + b" ", sent_at)


def test_what_sign_makes_verify_takes_and_among_several_one_is_enough() -> None:
    made = sign(SECRET, "evt_1", NOW, b"{}")

    verify(SECRET, "evt_1", made["webhook-timestamp"], f"v1,AAAA v1a,BB {made['webhook-signature']}", b"{}", NOW)
    with pytest.raises(ApiError):
        verify(SECRET, "evt_1", made["webhook-timestamp"], "v1,AAAA v1a,BB", b"{}", NOW)


@pytest.mark.parametrize("drift", [timedelta(minutes=6), -timedelta(minutes=6)])
def test_a_timestamp_far_from_now_is_refused(drift: timedelta) -> None:
    made = sign(SECRET, "evt_1", NOW + drift, b"{}")

    with pytest.raises(ApiError, match="TIMESTAMP_REFUSED"):
        verify(SECRET, "evt_1", made["webhook-timestamp"], made["webhook-signature"], b"{}", NOW)


@pytest.mark.parametrize(
    ("webhook_id", "body", "secret"),
    [("evt_2", b"{}", SECRET), ("evt_1", b"{ }", SECRET), ("evt_1", b"{}", None)],
)
def test_a_signature_binds_id_body_and_secret(webhook_id: str, body: bytes, secret: str | None) -> None:
    made = sign(SECRET, "evt_1", NOW, b"{}")

    with pytest.raises(ApiError, match="SIGNATURE_REFUSED"):
        verify(secret, webhook_id, made["webhook-timestamp"], made["webhook-signature"], body, NOW)


@pytest.mark.parametrize("timestamp", ["", "soon", "1e9", "-5", "٣", "9" * 30])
def test_a_timestamp_that_is_no_count_is_refused(timestamp: str) -> None:
    with pytest.raises(ApiError):
        verify(SECRET, "evt_1", timestamp, "v1,AAAA", b"{}", NOW)


def test_local_secrets_differ_by_carrier_and_survive_a_restart(tmp_path: Path) -> None:
    first = LocalSecrets(tmp_path)["ups"]

    assert LocalSecrets(tmp_path)["ups"] == first
    assert LocalSecrets(tmp_path)["dhl"] != first


@pytest.mark.parametrize("secret", ["", "hunter2", "whsec_c2hvcnQ=", "whsec_***"])
def test_a_weak_configured_secret_is_refused_at_start_up(secret: str) -> None:
    with pytest.raises(UnsafeConfiguration, match="carrier ups"):
        given_secrets({"ups": secret})
