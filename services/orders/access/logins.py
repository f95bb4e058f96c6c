"""Logging in to the console: a random cookie, of which only the hash is kept, for at most eight hours."""

from __future__ import annotations

import hashlib
import secrets
import threading
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from pwdlib import PasswordHash
from sqlmodel import Session

from services.kernel.errors import InvalidArgument, Refused
from services.kernel.text import one_line
from services.orders.store import logins as store
from services.runtime.auth import Principal

LASTS = timedelta(hours=8)
LINK_LASTS = timedelta(hours=24)
LINK_IS_YOUNG = timedelta(minutes=10)
"""For so long after a link nobody is mailed another one because somebody asked at the login page."""
MIN_PASSWORD, MAX_PASSWORD = 10, 200
_PER_NAME, _PER_ADDRESS = RateLimitItemPerMinute(5), RateLimitItemPerMinute(30)
# a hash takes 64 MiB: more than two at once would let strangers fill the memory
_hashing = threading.BoundedSemaphore(2)


@dataclass(frozen=True, slots=True)
class Login:
    """A login as kept: whose it is, the secret of its forms, and until when it is good."""

    principal: Principal
    is_by_password: bool
    csrf: str
    opened_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Opened:
    """A login that has just begun: `cookie` is told once and kept nowhere."""

    cookie: str
    login: Login


@dataclass(frozen=True, slots=True)
class Link:
    """A link that was just made: its secret, and until when it is good."""

    secret: str
    expires_at: datetime


class Attempts:
    """Counts tries to log in, in this process: five a minute for a name, thirty for an address."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def allow(self, name: str, address: str) -> bool:
        """Whether one more try is allowed now; it is counted."""
        is_name_good = self._limiter.hit(_PER_NAME, "name", hashlib.sha256(name.encode()).hexdigest())
        return self._limiter.hit(_PER_ADDRESS, "address", address) and is_name_good


@cache
def _hasher() -> PasswordHash:
    return PasswordHash.recommended()


@cache
def _nobodys_hash() -> str:
    return _hasher().hash(secrets.token_urlsafe(24))


def open_login(
    session: Session, principal: Principal, now: datetime, expires_at: datetime | None = None, *, is_by_password: bool
) -> Opened:
    """Begin a login; it ends after eight hours, or earlier with the token it rests on."""
    until = min(now + LASTS, expires_at or now + LASTS)
    login = Login(principal, is_by_password, secrets.token_urlsafe(32), now, until)
    cookie = secrets.token_urlsafe(32)
    store.add(
        session,
        _sha256(cookie),
        principal,
        csrf=login.csrf,
        is_by_password=is_by_password,
        opened_at=now,
        expires_at=until,
    )
    return Opened(cookie, login)


def find_login(session: Session, cookie: str, now: datetime) -> Login | None:
    """The login of a cookie; None when it is unknown or over."""
    found = store.find(session, _sha256(cookie), now)
    return Login(*found) if found else None


def close_login(session: Session, cookie: str) -> None:
    """End a login; an unknown one is no matter."""
    store.remove(session, _sha256(cookie))


def find_person(session: Session, sub: str) -> Principal | None:
    """The person of this name as the directory knows it; None for nobody, and for who may not act any more."""
    return store.person(session, sub)


def password_hash(session: Session, sub: str) -> tuple[str, bool]:
    """The hash of a person's password, empty when there is none, and whether they chose it themselves."""
    return store.secret_of(session, sub)


def is_password_right(argon2: str, password: str) -> bool:
    """Whether the password is the one of this hash; without a hash it takes as long and says no."""
    with _hashing:
        is_right = _hasher().verify(_plain(password)[:MAX_PASSWORD], argon2 or _nobodys_hash())
    return is_right and bool(argon2)


def hash_password(password: str) -> str:
    """The hash to keep; InvalidArgument for a password that is too short or too long."""
    plain = _plain(password)
    if not MIN_PASSWORD <= len(plain) <= MAX_PASSWORD:
        sentence = f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters: choose another one"
        raise InvalidArgument("PASSWORD_UNFIT", sentence)
    with _hashing:
        return _hasher().hash(plain)


def _plain(password: str) -> str:
    """A password as it is hashed, by whatever door and from whatever keyboard it came: single blanks, letters composed.

    Forms make blanks single before anybody sees them, so this does too. NFC, not NFKC: it leaves what was hashed before as it was.
    """
    return unicodedata.normalize("NFC", " ".join(one_line(password).split()))


def set_password(session: Session, sub: str, argon2: str, now: datetime) -> None:
    """Keep the password that a person has chosen; whoever was logged in with the old one is logged out."""
    store.put_secret(session, sub, argon2, now)
    store.end_links(session, sub, now)
    store.remove_all_of(session, sub)


def open_link(session: Session, sub: str, issued_by: str, now: datetime) -> Link:
    """A new link by which a person chooses a password; its secret is told once and kept nowhere.

    It ends those before it; one that its owner has asked for leaves those that administrators sent.
    """
    secret, until = secrets.token_urlsafe(32), now + LINK_LASTS
    store.add_link(session, _sha256(secret), sub, issued_by=issued_by, issued_at=now, expires_at=until)
    return Link(secret, until)


def has_young_link(session: Session, sub: str, now: datetime) -> bool:
    """Whether a person was sent a link a moment ago that is still good."""
    return store.has_link_since(session, sub, now - LINK_IS_YOUNG)


def owner_of_link(session: Session, secret: str, now: datetime) -> str:
    """Whose password a link sets now; empty for one that is unknown, used or over."""
    return store.sub_of_link(session, _sha256(secret), now)


def use_link(session: Session, secret: str, now: datetime) -> str:
    """Use a link up; Refused PASSWORD_LINK_OVER for one that is unknown, used or over."""
    sub = store.use_link(session, _sha256(secret), now)
    if not sub:
        raise Refused("PASSWORD_LINK_OVER", "this link was used before or is over: ask for a new one")
    return sub


def _sha256(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()
