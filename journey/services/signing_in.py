"""Signing in: password, second factor, and sessions that end by themselves."""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import pyotp

from journey.domain.access import NEEDS_SECOND_FACTOR
from journey.services.accounts import hash_token
from journey.services.context import Context, Refusal
from journey.services.passwords import is_password
from journey.store import audit, staff
from journey.store.database import Tx
from journey.store.sealing import SealError
from journey.store.staff import Session, Staff

WRONG = "The e-mail address or the password is wrong."
WRONG_CODE = "This code is not the present one. Wait for the next, and type it as it is shown."
_PENDING = "sessions.totp"
_TOUCH = timedelta(seconds=60)  # how exactly the idle time is kept
_UNFINISHED = timedelta(minutes=10)  # to type a code after the password
_CODES, _ALPHABET = 10, "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that looks like something else
_STEP = 30  # seconds a code is shown


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a browser stays signed in: since its last page, and at most."""

    idle: timedelta
    absolute: timedelta


def sign_in(context: Context, email: str, password: str) -> str:
    """A new session's token. Raises Refusal, the same for an unknown address and a wrong password."""
    now = context.clock.now()
    with context.database.read() as tx:
        one = staff.by_email(tx, email.strip().casefold())
    fits = is_password(one.password_hash if one else None, password)
    if one is None or not fits or one.disabled_at is not None:
        _record(context, one, "session.refused", now)  # of nobody too: it must take as long
        raise Refusal(WRONG)
    return begin(context, one)


def begin(context: Context, one: Staff, *, has_second_factor: bool = False) -> str:
    """A session for somebody who proved who they are; a second factor, where there is one, comes next.

    `has_second_factor`: they gave one elsewhere already.
    """
    now = context.clock.now()
    token = secrets.token_urlsafe(32)
    needs_more = one.sealed_totp is not None or one.role in NEEDS_SECOND_FACTOR
    is_complete = has_second_factor or not needs_more
    with context.database.write() as tx:
        _begin(tx, token, one, now, is_complete=is_complete, has_other_factor=has_second_factor)
    return token


def sign_in_elsewhere(context: Context, email: str, *, has_second_factor: bool) -> str:
    """A session for whom another provider vouches, if they have an account here. Raises Refusal."""
    with context.database.read() as tx:
        one = staff.by_email(tx, email.strip().casefold())
    if one is None or one.disabled_at is not None:
        _record(context, one, "session.refused", context.clock.now())
        raise Refusal("There is no account here for the address that you signed in with. Ask an admin.")
    return begin(context, one, has_second_factor=has_second_factor)


def _begin(
    tx: Tx, token: str, one: Staff, now: datetime, *, is_complete: bool, has_other_factor: bool = False
) -> None:
    staff.begin_session(
        tx, hash_token(token), one.id, now, is_complete=is_complete, has_other_factor=has_other_factor
    )
    if is_complete:
        staff.change(tx, one.id, seen_at=now)
        audit.append(tx, [audit.Entry(one.email, "session.began", f"staff/{one.id}", {})], now)


def session_of(context: Context, token: str, limits: Limits) -> Session | None:
    """The session behind a browser's token; None once it is over, its account disabled, or unknown."""
    now = context.clock.now()
    with context.database.read() as tx:
        found = staff.session(tx, hash_token(token))
    if found is None or found.staff.disabled_at is not None:
        return None
    idle = limits.idle if found.is_complete else _UNFINISHED
    if now >= min(found.seen_at + idle, found.began_at + limits.absolute):
        return None  # `tidy` deletes it; until then it says whose form came too late
    if found.is_complete and now - found.seen_at >= _TOUCH:
        with context.database.write() as tx:
            staff.touch_session(tx, found.token_hash, now)
    return found


def whose(context: Context, token: str) -> UUID | None:
    """Whose session a token was, also one that is over by its limits. It opens nothing."""
    with context.database.read() as tx:
        found = staff.session(tx, hash_token(token))
    return found.staff.id if found else None


def sign_out(context: Context, session: Session) -> None:
    with context.database.write() as tx:
        staff.end_session(tx, session.token_hash)
        entry = audit.Entry(session.staff.email, "session.ended", f"staff/{session.staff.id}", {})
        audit.append(tx, [entry], context.clock.now())


def offered_secret(context: Context, session: Session) -> str:
    """The secret to put into an authenticator app, the same until it is confirmed."""
    with context.database.write() as tx:
        now = staff.session(tx, session.token_hash)
        if now is not None and now.sealed_pending_totp:
            with suppress(SealError):  # the key was changed meanwhile: another secret is offered
                return str(tx.sealer.open(now.sealed_pending_totp, _PENDING, session.staff.id))
        secret = pyotp.random_base32()
        sealed = tx.sealer.seal(secret, _PENDING, session.staff.id)
        staff.offer_totp(tx, session.token_hash, sealed)
        return secret


def confirm_second_factor(context: Context, session: Session, code: str) -> tuple[str, list[str]]:
    """Takes the offered secret over. A new session's token, and recovery codes that are shown once."""
    if session.staff.sealed_totp is not None:
        raise Refusal("There is a second factor already; an admin can reset it.")
    secret, now = offered_secret(context, session), context.clock.now()
    step = _step_of(secret, code, now)
    if step is None:
        raise Refusal(WRONG_CODE)
    codes = ["".join(secrets.choice(_ALPHABET) for _ in range(10)) for _ in range(_CODES)]
    token, one = secrets.token_urlsafe(32), session.staff
    with context.database.write() as tx:
        sealed = tx.sealer.seal(secret, staff.PLACE, one.id)
        staff.change(tx, one.id, sealed_totp=sealed, totp_used=step)
        staff.replace_recovery_codes(tx, one.id, codes)
        staff.end_sessions_of(tx, one.id)
        _begin(tx, token, one, now, is_complete=True)
        audit.append(tx, [audit.Entry(one.email, "staff.second_factor_set", f"staff/{one.id}", {})], now)
    return token, [f"{code[:5]}-{code[5:]}" for code in codes]


def give_code(context: Context, session: Session, code: str) -> str:
    """The second factor, or a recovery code. A new session's token; raises Refusal for a wrong one."""
    one, now, token = session.staff, context.clock.now(), secrets.token_urlsafe(32)
    with context.database.write() as tx:
        if staff.session(tx, session.token_hash) is None or not _takes(tx, one, code, now):
            wrong = True
        else:
            wrong = False
            staff.end_session(tx, session.token_hash)
            _begin(tx, token, one, now, is_complete=True)
    if wrong:
        _record(context, one, "session.code_refused", now)
        raise Refusal(WRONG_CODE)
    return token


def _takes(tx: Tx, one: Staff, code: str, now: datetime) -> bool:
    secret = staff.open_totp(tx, one)
    if secret is None:
        return False
    typed = "".join(char for char in code.casefold() if char.isalnum())
    if not typed.isdigit() or len(typed) != 6:
        is_taken = staff.use_recovery_code(tx, one.id, typed)
        if is_taken:
            entry = audit.Entry(one.email, "staff.recovery_code_used", f"staff/{one.id}", {})
            audit.append(tx, [entry], now)
        return is_taken
    step = _step_of(secret, typed, now)
    return step is not None and staff.use_time_step(tx, one.id, step)


def _step_of(secret: str, code: str, now: datetime) -> int | None:
    """The time step whose code this is: the present one or a neighbor, for clocks that differ a little."""
    totp = pyotp.TOTP(secret)
    typed = "".join(code.split())
    for offset in (0, -1, 1):
        moment = now + timedelta(seconds=_STEP * offset)
        if totp.verify(typed, for_time=moment):
            return int(moment.timestamp()) // _STEP
    return None


def _record(context: Context, one: Staff | None, action: str, now: datetime) -> None:
    with context.database.write() as tx:
        audit.append(tx, [audit.Entry("somebody", action, f"staff/{one.id if one else 'unknown'}", {})], now)


def recovery_codes_left(context: Context, staff_id: UUID) -> int:
    with context.database.read() as tx:
        return staff.count_recovery_codes(tx, staff_id)
