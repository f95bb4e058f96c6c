"""Logins of the console and the passwords of those who have one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from services.orders.models import ConsoleSessionRow, PasswordLinkRow, PersonRow, PersonSecretRow
from services.runtime.auth import Principal
from services.runtime.roles import PEOPLE_ROLES


def add(
    session: Session,
    cookie_sha256: str,
    principal: Principal,
    *,
    csrf: str,
    is_by_password: bool,
    opened_at: datetime,
    expires_at: datetime,
) -> None:
    """Keep a login, and forget those whose time is over."""
    gone = delete(ConsoleSessionRow).where(col(ConsoleSessionRow.expires_at) <= opened_at)
    session.execute(gone, execution_options={"synchronize_session": False})
    session.execute(
        insert(ConsoleSessionRow).values(
            cookie_sha256=cookie_sha256,
            sub=principal.sub,
            roles=sorted(principal.roles),
            company=principal.company or "",
            issuer=principal.issuer,
            is_by_password=is_by_password,
            csrf=csrf,
            opened_at=opened_at,
            expires_at=expires_at,
        )
    )


def find(session: Session, cookie_sha256: str, now: datetime) -> tuple[Principal, bool, str, datetime, datetime] | None:
    """The login that is good now: nobody's whom the directory has let go, with the roles it gives where it vouches for them.

    Whose it is, whether it is by password, the secret of its forms, when it was opened, and until when it is good.
    """
    query = select(ConsoleSessionRow, PersonRow).outerjoin(PersonRow, col(PersonRow.sub) == col(ConsoleSessionRow.sub))
    query = query.where(col(ConsoleSessionRow.cookie_sha256) == cookie_sha256, col(ConsoleSessionRow.expires_at) > now)
    found = session.execute(query).first()
    if found is None:
        return None
    row, known = found
    principal: Principal | None = Principal(row.sub, frozenset(row.roles), row.company or None, row.issuer)
    if known is not None or row.is_by_password:
        principal = _within(known, principal if not row.is_by_password else None)
    return (principal, row.is_by_password, row.csrf, row.opened_at, row.expires_at) if principal else None


def person(session: Session, sub: str) -> Principal | None:
    """The person of this name as the directory knows it; None for nobody, and for who may not act any more."""
    return _within(session.get(PersonRow, sub), None)


def has_left(session: Session, sub: str) -> bool:
    """Whether the directory knows the person and has let it go."""
    return session.execute(select(col(PersonRow.is_active)).where(col(PersonRow.sub) == sub)).scalar() is False


def _within(known: PersonRow | None, claimed: Principal | None) -> Principal | None:
    """What somebody else told of a person, if the directory has not let it go; without it what the directory says."""
    if known is None or not known.is_active:
        return None
    roles = frozenset(known.roles) & PEOPLE_ROLES
    if claimed is not None or not roles:
        return claimed
    return Principal(known.sub, roles, known.company or None)


def remove(session: Session, cookie_sha256: str) -> None:
    """Forget one login."""
    gone = delete(ConsoleSessionRow).where(col(ConsoleSessionRow.cookie_sha256) == cookie_sha256)
    session.execute(gone, execution_options={"synchronize_session": False})


def remove_all_of(session: Session, sub: str) -> None:
    """Forget every login of a person."""
    gone = delete(ConsoleSessionRow).where(col(ConsoleSessionRow.sub) == sub)
    session.execute(gone, execution_options={"synchronize_session": False})


def secret_of(session: Session, sub: str) -> tuple[str, bool]:
    """The Argon2 hash of a person's password, empty when there is none, and whether they set it themselves."""
    wanted = select(col(PersonSecretRow.argon2), col(PersonSecretRow.changed_by))
    found = session.execute(wanted.where(col(PersonSecretRow.sub) == sub)).first()
    return (str(found[0]), found[1] == sub) if found else ("", False)


def add_link(
    session: Session, token_sha256: str, sub: str, *, issued_by: str, issued_at: datetime, expires_at: datetime
) -> None:
    """Keep a link; those of this person before it are worth nothing from now on, though one they ask for ends only such."""
    end_links(session, sub, issued_at, asked_by=sub if issued_by == sub else "")
    session.execute(
        insert(PasswordLinkRow).values(
            token_sha256=token_sha256, sub=sub, issued_by=issued_by, issued_at=issued_at, expires_at=expires_at
        )
    )


def has_link_since(session: Session, sub: str, since: datetime) -> bool:
    """Whether a person was sent a link from this instant on that is not used yet."""
    sent = select(PasswordLinkRow).where(
        col(PasswordLinkRow.sub) == sub, col(PasswordLinkRow.used_at).is_(None), col(PasswordLinkRow.issued_at) > since
    )
    return bool(session.execute(select(sent.exists())).scalar())


def end_links(session: Session, sub: str, now: datetime, *, asked_by: str = "") -> None:
    """Every link of a person that is still good is good no more; with `asked_by` only those that this one asked for."""
    ended = update(PasswordLinkRow).where(col(PasswordLinkRow.sub) == sub, col(PasswordLinkRow.used_at).is_(None))
    if asked_by:
        ended = ended.where(col(PasswordLinkRow.issued_by) == asked_by)
    session.execute(ended.values(used_at=now), execution_options={"synchronize_session": False})


def sub_of_link(session: Session, token_sha256: str, now: datetime) -> str:
    """Whose password a link sets now; empty for one that is unknown, used or over."""
    return str(session.execute(select(col(PasswordLinkRow.sub)).where(*_good(token_sha256, now))).scalar() or "")


def use_link(session: Session, token_sha256: str, now: datetime) -> str:
    """Use a link up: whose password it sets, empty when it is good no more. One UPDATE decides, so it works once."""
    used = update(PasswordLinkRow).where(*_good(token_sha256, now)).values(used_at=now)
    found = session.execute(
        used.returning(col(PasswordLinkRow.sub)), execution_options={"synchronize_session": False}
    ).scalar()
    return str(found or "")


def _good(token_sha256: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        col(PasswordLinkRow.token_sha256) == token_sha256,
        col(PasswordLinkRow.used_at).is_(None),
        col(PasswordLinkRow.expires_at) > now,
    )


def put_secret(session: Session, sub: str, argon2: str, now: datetime) -> None:
    """Set or replace the hash of a person's password: they have chosen it themselves."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    values = {"argon2": argon2, "changed_by": sub, "changed_at": now}
    first = dialect.insert(PersonSecretRow).values(sub=sub, **values)
    session.execute(first.on_conflict_do_update(index_elements=["sub"], set_=values))
