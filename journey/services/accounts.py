"""Accounts of staff: invited by link, set up by their owner, changed and disabled by an admin."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from journey.domain.access import NEEDS_SECOND_FACTOR, SETUP_LINK, Role
from journey.domain.contact import FieldErrors, read_email, read_name
from journey.services.context import Context, Missing, Refusal
from journey.services.passwords import check_password, hash_password
from journey.store import audit, staff
from journey.store.database import Conflict, Tx
from journey.store.staff import Staff

_GONE = "This link has been used, or has expired. Ask an admin for a new one, or run: journey user link EMAIL"
_MOST_ADDRESS = 200  # it is the actor of audit entries


def hash_token(token: str) -> bytes:
    """What is stored of a secret with 256 bits of chance in it: nothing needs to slow its guessing."""
    return hashlib.sha256(token.encode()).digest()


def read_staff_email(text: str) -> str:
    """Raises ValueError for what is no address."""
    email = read_email(text).casefold()
    if len(email) > _MOST_ADDRESS:
        raise ValueError(f"has {len(email)} characters; at most {_MOST_ADDRESS}")
    return email


def first_link(context: Context) -> str | None:
    """The path of a link that makes the first admin; None once there is an account."""
    with context.database.write() as tx:
        if staff.exists(tx):
            return None
        return _new_link(tx, None, context.clock.now())


def invite(context: Context, email: str, role: Role, actor: str, *, name: str = "") -> str:
    """Makes an account and returns its set-up link's path. Raises Refusal for an address that has one."""
    try:
        address = read_staff_email(email)
        known_as = read_name(name or address.partition("@")[0])
    except ValueError as error:
        raise Refusal(f"{name or email} {error}") from None
    now = context.clock.now()
    with context.database.write() as tx:
        try:
            staff_id = staff.add(tx, address, known_as, role, now)
        except Conflict:
            raise Refusal(f"{address} has an account already; a new link: journey user link EMAIL") from None
        link = _new_link(tx, staff_id, now)
        _note(tx, actor, "staff.invited", staff_id, now, role=role.value)
    return link


def new_setup_link(context: Context, staff_id: UUID, actor: str) -> str:
    """A new link for somebody who lost theirs, or their password. Their sessions end when it is used."""
    now = context.clock.now()
    with context.database.write() as tx:
        _require(tx, staff_id)
        _note(tx, actor, "staff.link_made", staff_id, now)
        return _new_link(tx, staff_id, now)


def _new_link(tx: Tx, staff_id: UUID | None, now: datetime) -> str:
    token = secrets.token_urlsafe(32)
    staff.put_setup_link(tx, staff_id, hash_token(token), now + SETUP_LINK)
    return f"setup/{token}"


def whose_link(context: Context, token: str) -> Staff | None:
    """Whom a link sets up; None for the first admin's. Raises Refusal for a link that works no more."""
    with context.database.read() as tx:
        return _whose(tx, token, context.clock.now())


def _whose(tx: Tx, token: str, now: datetime) -> Staff | None:
    link = staff.setup_link(tx, hash_token(token))
    if link is None or link.expires_at <= now:
        raise Refusal(_GONE)
    if link.staff_id is None:
        if staff.exists(tx):
            raise Refusal(_GONE)
        return None
    found = staff.get(tx, link.staff_id, lock=True)
    if found is None or found.disabled_at is not None:
        raise Refusal(_GONE)
    return found


def set_up(context: Context, token: str, *, email: str, name: str, password: str) -> Staff:
    """Uses a link: the account gets its owner's name and password. Raises FieldErrors per field."""
    now = context.clock.now()
    owner = whose_link(context, token)
    address, known_as = _checked(owner.email if owner else email, name, password)
    password_hash = hash_password(password)  # slow, so outside the transaction
    with context.database.write() as tx:
        owner = _whose(tx, token, now)
        if not staff.use_setup_link(tx, hash_token(token)):
            raise Refusal(_GONE)
        staff_id = owner.id if owner else staff.add(tx, address, known_as, Role.ADMIN, now)
        staff.change(tx, staff_id, name=known_as, password_hash=password_hash)
        staff.end_sessions_of(tx, staff_id)
        _note(tx, address, "staff.set_up", staff_id, now)
        return _require(tx, staff_id)


def _checked(email: str, name: str, password: str) -> tuple[str, str]:
    errors: dict[str, str] = {}
    address = known_as = ""
    try:
        address = read_staff_email(email)
    except ValueError as error:
        errors["email"] = str(error)
    try:
        known_as = read_name(name)
    except ValueError as error:
        errors["name"] = str(error)
    try:
        check_password(password, name, email)
    except ValueError as error:
        errors["password"] = str(error)
    if errors:
        raise FieldErrors(errors)
    return address, known_as


def set_password(context: Context, staff_id: UUID, password: str, actor: str) -> None:
    """A new password ends every session of the account. Raises ValueError for one that is easy to guess."""
    with context.database.read() as tx:
        one = _require(tx, staff_id)
    check_password(password, one.name, one.email)
    password_hash = hash_password(password)
    now = context.clock.now()
    with context.database.write() as tx:
        staff.change(tx, staff_id, password_hash=password_hash)
        staff.end_sessions_of(tx, staff_id)
        staff.drop_setup_links(tx, staff_id)
        _note(tx, actor, "staff.password_changed", staff_id, now)


def change_role(context: Context, staff_id: UUID, role: Role, actor: str) -> None:
    """Takes effect with the next page that the person opens."""
    now = context.clock.now()
    with context.database.write() as tx:
        able = staff.lock_able(tx, Role.ADMIN)
        one = _require(tx, staff_id)
        if one.role is Role.ADMIN and role is not Role.ADMIN:
            _keep_an_admin(one, able)
        staff.change(tx, staff_id, role=role.value)
        if role in NEEDS_SECOND_FACTOR and one.sealed_totp is None:
            staff.end_sessions_of(tx, staff_id)  # the next sign-in sets the second factor up
        _note(tx, actor, "staff.role_changed", staff_id, now, role=role.value)


def disable(context: Context, staff_id: UUID, actor: str) -> None:
    """Ends every session of the account at once; nothing of what it did is lost."""
    now = context.clock.now()
    with context.database.write() as tx:
        able = staff.lock_able(tx, Role.ADMIN)
        one = _require(tx, staff_id)
        if one.role is Role.ADMIN:
            _keep_an_admin(one, able)
        staff.change(tx, staff_id, disabled_at=now)
        staff.end_sessions_of(tx, staff_id)
        staff.drop_setup_links(tx, staff_id)
        _note(tx, actor, "staff.disabled", staff_id, now)


def enable(context: Context, staff_id: UUID, actor: str) -> None:
    now = context.clock.now()
    with context.database.write() as tx:
        _require(tx, staff_id)
        staff.change(tx, staff_id, disabled_at=None)
        _note(tx, actor, "staff.enabled", staff_id, now)


def reset_second_factor(context: Context, staff_id: UUID, actor: str) -> None:
    """For a lost phone: the next sign-in of an admin sets up a new one. Ends every session."""
    now = context.clock.now()
    with context.database.write() as tx:
        _require(tx, staff_id)
        staff.change(tx, staff_id, sealed_totp=None, totp_used=None)
        staff.replace_recovery_codes(tx, staff_id, [])
        staff.end_sessions_of(tx, staff_id)
        _note(tx, actor, "staff.second_factor_reset", staff_id, now)


def everyone(context: Context) -> list[Staff]:
    with context.database.read() as tx:
        return staff.everyone(tx)


def find(context: Context, email: str) -> Staff:
    with context.database.read() as tx:
        found = staff.by_email(tx, email.strip().casefold())
    if found is None:
        raise Refusal(f"{email} has no account; `journey user list` shows them")
    return found


def _keep_an_admin(one: Staff, able: Collection[UUID]) -> None:
    """`able`: those who can sign in as admins. One who was only invited opens no door for others."""
    if one.disabled_at is None and not set(able) - {one.id}:
        raise Refusal(f"{one.email} is the only admin; make somebody else an admin first")


def _require(tx: Tx, staff_id: UUID) -> Staff:
    found = staff.get(tx, staff_id, lock=True)
    if found is None:
        raise Missing("there is no such account")
    return found


def _note(tx: Tx, actor: str, action: str, staff_id: UUID, at: datetime, **detail: str) -> None:
    audit.append(tx, [audit.Entry(actor, action, f"staff/{staff_id}", detail)], at)
