"""The audit log: append-only, each entry's hash covers the one before it. Holds ids, never names or texts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, text

from journey.store.database import Tx
from journey.store.schema import audit_entries

_GENESIS = b"\0" * 32
_LOCK = 7_310_001  # any constant: the advisory lock that keeps the chain single file


@dataclass(frozen=True, slots=True)
class Entry:
    """What one person or process did to one subject, such as "enrollment/<id>"."""

    actor: str
    action: str
    subject: str
    detail: Mapping[str, Any]


def append(tx: Tx, entries: Sequence[Entry], at: datetime) -> None:
    """Adds entries to the chain. Call it last in a transaction: other writers wait until it ends."""
    if not entries:
        return
    if tx.is_postgres:
        tx.connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    head = tx.connection.execute(
        select(audit_entries.c.seq, audit_entries.c.hash).order_by(audit_entries.c.seq.desc()).limit(1)
    ).first()
    seq, previous = (head[0], bytes(head[1])) if head else (0, _GENESIS)
    rows = []
    for entry in entries:
        seq += 1
        row = {
            "seq": seq,
            "at": at,
            "actor": entry.actor,
            "action": entry.action,
            "subject": entry.subject,
            "detail": json.dumps(entry.detail, sort_keys=True, default=str),
            "previous": previous,
        }
        row["hash"] = previous = _hash(row)
        rows.append(row)
    tx.connection.execute(insert(audit_entries), rows)


def _hash(row: Any) -> bytes:
    covered = [
        row["seq"],
        row["at"].isoformat(),
        row["actor"],
        row["action"],
        row["subject"],
        row["detail"],
        bytes(row["previous"]).hex(),
    ]
    return hashlib.sha256(json.dumps(covered).encode()).digest()


@dataclass(frozen=True, slots=True)
class ChainState:
    """The number of entries read and the first broken one, if any."""

    entries: int
    broken_at: int | None
    head: str


NOTHING = ChainState(0, None, _GENESIS.hex())


def verify(tx: Tx, so_far: ChainState = NOTHING, limit: int | None = None) -> ChainState:
    """Walks the chain on from a state: a changed, removed or inserted entry breaks it there."""
    previous, expected = bytes.fromhex(so_far.head), so_far.entries
    query = select(audit_entries).where(audit_entries.c.seq > expected).order_by(audit_entries.c.seq)
    with tx.connection.execution_options(yield_per=1000).execute(query.limit(limit)) as rows:
        for row in rows:
            expected += 1
            entry = row._mapping
            linked = entry["seq"] == expected and bytes(entry["previous"]) == previous
            if not linked or _hash(entry) != bytes(entry["hash"]):
                return ChainState(expected - 1, expected, previous.hex())
            previous = bytes(entry["hash"])
    return ChainState(expected, None, previous.hex())


def recent(tx: Tx, limit: int = 50) -> list[dict[str, Any]]:
    query = select(audit_entries).order_by(audit_entries.c.seq.desc()).limit(limit)
    return [dict(row._mapping) for row in tx.connection.execute(query)]


def of_subject(tx: Tx, subject: str, limit: int = 200, *, about: str = "") -> list[dict[str, Any]]:
    """The newest entries about one subject, newest first. `about`: how their actions begin."""
    query = select(audit_entries).where(audit_entries.c.subject == subject)
    if about:
        query = query.where(audit_entries.c.action.startswith(about, autoescape=True))
    rows = tx.connection.execute(query.order_by(audit_entries.c.seq.desc()).limit(limit))
    return [dict(row._mapping) for row in rows]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries to find; empty texts ask for nothing."""

    actor: str = ""
    action: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None


def search(tx: Tx, wanted: Wanted, before: int | None, limit: int) -> list[dict[str, Any]]:
    """Matching entries, newest first, older than the entry `before`."""
    query = select(audit_entries)
    if before is not None:
        query = query.where(audit_entries.c.seq < before)
    if wanted.actor:
        query = query.where(audit_entries.c.actor == wanted.actor)
    if wanted.action:
        query = query.where(audit_entries.c.action == wanted.action)
    if wanted.subject:
        query = query.where(audit_entries.c.subject == wanted.subject)
    if wanted.since is not None:
        query = query.where(audit_entries.c.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(audit_entries.c.at < wanted.until)
    rows = tx.connection.execute(query.order_by(audit_entries.c.seq.desc()).limit(limit))
    return [dict(row._mapping) for row in rows]


def length(tx: Tx) -> int:
    """How many entries there are: the newest one's number."""
    return int(tx.connection.execute(select(func.max(audit_entries.c.seq))).scalar_one() or 0)
