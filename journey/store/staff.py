"""Accounts of staff, their recovery codes, and the one-time links that set an account up."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from journey.domain.access import Role
from journey.store.database import Conflict, Tx
from journey.store.ids import new_id
from journey.store.schema import sessions, setup_links, staff

PLACE, RECOVERY = "staff.totp", "staff.recovery"


@dataclass(frozen=True, slots=True)
class Staff:
    """Somebody at the clinic who signs in. `email` is in lower case."""

    id: UUID
    email: str
    name: str
    role: Role
    password_hash: str | None
    sealed_totp: bytes | None
    sealed_recovery: bytes | None
    totp_used: int | None
    created_at: datetime
    seen_at: datetime | None
    disabled_at: datetime | None


_COLUMNS = [staff.c[name] for name in Staff.__slots__]


def _read(row: Row[Any]) -> Staff:
    return Staff(**(dict(row._mapping) | {"role": Role(row.role)}))


def add(tx: Tx, email: str, name: str, role: Role, at: datetime) -> UUID:
    """Raises Conflict when the address has an account already."""
    staff_id = new_id()
    try:
        with tx.connection.begin_nested():
            tx.connection.execute(
                insert(staff).values(id=staff_id, email=email, name=name, role=role.value, created_at=at)
            )
    except IntegrityError:
        raise Conflict("staff") from None
    return staff_id


def get(tx: Tx, staff_id: UUID, *, lock: bool = False) -> Staff | None:
    query = select(*_COLUMNS).where(staff.c.id == staff_id)
    row = tx.connection.execute(tx.locked(query) if lock else query).first()
    return _read(row) if row else None


def by_email(tx: Tx, email: str) -> Staff | None:
    row = tx.connection.execute(select(*_COLUMNS).where(staff.c.email == email)).first()
    return _read(row) if row else None


def everyone(tx: Tx) -> list[Staff]:
    return [_read(row) for row in tx.connection.execute(select(*_COLUMNS).order_by(staff.c.email))]


def exists(tx: Tx) -> bool:
    return tx.connection.execute(select(staff.c.id).limit(1)).first() is not None


def lock_able(tx: Tx, role: Role) -> list[UUID]:
    """Who can sign in with a role: set up, and not disabled. They stay so until the end."""
    has_been_in = or_(staff.c.password_hash.is_not(None), staff.c.seen_at.is_not(None))
    query = select(staff.c.id).where(staff.c.role == role.value, staff.c.disabled_at.is_(None), has_been_in)
    return [row[0] for row in tx.connection.execute(tx.locked(query.order_by(staff.c.id)))]


def change(tx: Tx, staff_id: UUID, **values: Any) -> None:
    tx.connection.execute(update(staff).where(staff.c.id == staff_id).values(**values))


def open_totp(tx: Tx, one: Staff) -> str | None:
    """The shared secret of somebody's second factor; None where there is none."""
    secret: str | None = tx.sealer.open(one.sealed_totp, PLACE, one.id) if one.sealed_totp else None
    return secret


def use_time_step(tx: Tx, staff_id: UUID, step: int) -> bool:
    """Takes a code's time step; False if it, or a later one, was taken before."""
    unused = or_(staff.c.totp_used.is_(None), staff.c.totp_used < step)
    taken = update(staff).where(staff.c.id == staff_id, unused).values(totp_used=step)
    return tx.connection.execute(taken).rowcount == 1


def replace_recovery_codes(tx: Tx, staff_id: UUID, codes: Iterable[str]) -> None:
    """Sealed, not hashed: they are short enough to guess, and a new key must not make them worthless."""
    change(tx, staff_id, sealed_recovery=tx.sealer.seal(list(codes), RECOVERY, staff_id))


def use_recovery_code(tx: Tx, staff_id: UUID, code: str) -> bool:
    """Takes a code; False for one that was never given out, or is used."""
    kept = _recovery_codes(tx, staff_id)
    left = [one for one in kept if not hmac.compare_digest(one.encode(), code.encode())]
    if len(left) == len(kept):
        return False
    replace_recovery_codes(tx, staff_id, left)
    return True


def count_recovery_codes(tx: Tx, staff_id: UUID) -> int:
    return len(_recovery_codes(tx, staff_id))


def _recovery_codes(tx: Tx, staff_id: UUID) -> list[str]:
    one = get(tx, staff_id, lock=True)
    if one is None or one.sealed_recovery is None:
        return []
    codes: list[str] = tx.sealer.open(one.sealed_recovery, RECOVERY, staff_id)
    return codes


def drop_setup_links(tx: Tx, staff_id: UUID) -> None:
    tx.connection.execute(delete(setup_links).where(setup_links.c.staff_id == staff_id))


def put_setup_link(tx: Tx, staff_id: UUID | None, token_hash: bytes, expires_at: datetime) -> None:
    """The newest link of an account, or of the first one, is the only one that works."""
    of_same = setup_links.c.staff_id.is_(None) if staff_id is None else setup_links.c.staff_id == staff_id
    tx.connection.execute(delete(setup_links).where(of_same))
    tx.connection.execute(
        insert(setup_links).values(token_hash=token_hash, staff_id=staff_id, expires_at=expires_at)
    )


@dataclass(frozen=True, slots=True)
class SetupLink:
    """`staff_id` None: whoever has it becomes the first admin."""

    staff_id: UUID | None
    expires_at: datetime


def setup_link(tx: Tx, token_hash: bytes) -> SetupLink | None:
    query = select(setup_links.c.staff_id, setup_links.c.expires_at).where(
        setup_links.c.token_hash == token_hash
    )
    row = tx.connection.execute(query).first()
    return SetupLink(*row) if row else None


def use_setup_link(tx: Tx, token_hash: bytes) -> bool:
    """Takes the link; False if somebody took it first."""
    gone = delete(setup_links).where(setup_links.c.token_hash == token_hash)
    return tx.connection.execute(gone).rowcount == 1


_PENDING, _COMPLETE, _PROVEN_ELSEWHERE = 0, 1, 2


def begin_session(
    tx: Tx,
    token_hash: bytes,
    staff_id: UUID,
    at: datetime,
    *,
    is_complete: bool,
    has_other_factor: bool = False,
) -> None:
    """`has_other_factor`: the second factor was given to another provider."""
    tx.connection.execute(
        insert(sessions).values(
            token_hash=token_hash,
            staff_id=staff_id,
            is_complete=_PROVEN_ELSEWHERE if has_other_factor else _COMPLETE if is_complete else _PENDING,
            began_at=at,
            seen_at=at,
        )
    )


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser. Not complete: the second factor is still to come."""

    token_hash: bytes
    staff: Staff
    is_complete: bool
    has_other_factor: bool
    sealed_pending_totp: bytes | None
    began_at: datetime
    seen_at: datetime


def session(tx: Tx, token_hash: bytes) -> Session | None:
    query = (
        select(
            sessions.c.is_complete,
            sessions.c.sealed_pending_totp,
            sessions.c.began_at,
            sessions.c.seen_at.label("last_seen"),
            *_COLUMNS,
        )
        .join(staff, staff.c.id == sessions.c.staff_id)
        .where(sessions.c.token_hash == token_hash)
    )
    row = tx.connection.execute(query).first()
    if row is None:
        return None
    values = {name: row._mapping[staff.c[name]] for name in Staff.__slots__}
    whose = Staff(**(values | {"role": Role(values["role"])}))
    return Session(
        token_hash,
        whose,
        row.is_complete != _PENDING,
        row.is_complete == _PROVEN_ELSEWHERE,
        row.sealed_pending_totp,
        row.began_at,
        row.last_seen,
    )


def touch_session(tx: Tx, token_hash: bytes, at: datetime) -> None:
    tx.connection.execute(update(sessions).where(sessions.c.token_hash == token_hash).values(seen_at=at))


def offer_totp(tx: Tx, token_hash: bytes, sealed: bytes) -> None:
    """Keeps the secret that a browser is shown until its first code confirms it."""
    kept = update(sessions).where(sessions.c.token_hash == token_hash).values(sealed_pending_totp=sealed)
    tx.connection.execute(kept)


def end_session(tx: Tx, token_hash: bytes) -> None:
    tx.connection.execute(delete(sessions).where(sessions.c.token_hash == token_hash))


def end_sessions_of(tx: Tx, staff_id: UUID) -> None:
    tx.connection.execute(delete(sessions).where(sessions.c.staff_id == staff_id))


def end_sessions_before(tx: Tx, began: datetime, seen: datetime) -> int:
    """Deletes the sessions that are past a limit anyway."""
    old = or_(sessions.c.began_at < began, sessions.c.seen_at < seen)
    return tx.connection.execute(delete(sessions).where(old)).rowcount
