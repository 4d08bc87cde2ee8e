"""Keys with which other systems use the API: shown once, stored hashed, limited by scopes."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import timedelta

from journey.domain.access import Scope
from journey.services.accounts import hash_token
from journey.services.context import Context, Refusal
from journey.store import api_keys, audit
from journey.store.api_keys import ApiKey

_MARK = "jrn_"  # so that scanners of source code find a leaked one
_TOUCH = timedelta(minutes=1)
_MOST_NAME = 80


def add(context: Context, name: str, scopes: Iterable[Scope], actor: str) -> str:
    """A new key. Its name is who acts in the audit log."""
    known_as = name.strip()
    if not known_as or len(known_as) > _MOST_NAME or not known_as.isprintable():
        raise Refusal(f"give the key a name of 1 to {_MOST_NAME} visible characters")
    if any(one.name == known_as and one.revoked_at is None for one in everyone(context)):
        raise Refusal(f"there is a key {known_as} already; choose another name, or revoke it first")
    key, now = _MARK + secrets.token_urlsafe(32), context.clock.now()
    wanted = sorted(scope.value for scope in scopes)
    with context.database.write() as tx:
        api_keys.add(tx, known_as, hash_token(key), wanted, now)
        audit.append(
            tx, [audit.Entry(actor, "api_key.added", "api_keys", {"name": known_as, "scopes": wanted})], now
        )
    return key


def everyone(context: Context) -> list[ApiKey]:
    with context.database.read() as tx:
        return api_keys.everyone(tx)


def revoke(context: Context, name: str, actor: str) -> None:
    now = context.clock.now()
    with context.database.write() as tx:
        if not api_keys.revoke(tx, name.strip(), now):
            raise Refusal(f"there is no key {name}; `journey api-key list` shows them")
        audit.append(tx, [audit.Entry(actor, "api_key.revoked", "api_keys", {"name": name.strip()})], now)


def holder(context: Context, key: str) -> ApiKey | None:
    """Whose key it is; None for one that was never given out, or is revoked."""
    now = context.clock.now()
    with context.database.read() as tx:
        found = api_keys.by_hash(tx, hash_token(key))
    if found is not None and (found.used_at is None or now - found.used_at >= _TOUCH):
        with context.database.write() as tx:
            api_keys.touch(tx, found.id, now)
    return found
