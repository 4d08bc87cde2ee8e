"""Looking into the audit log: searched by who, what and whom, and its chain walked to the end."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from journey.services.context import Context
from journey.store import audit, jobs
from journey.store.audit import ChainState, Wanted
from journey.store.jobs import Job
from journey.store.schema.work import JobKind

PAGE = 50
_SLICE = 5_000  # entries a look
_WHOLE = "audit"
_AN_ID = re.compile(r"[a-z]+/[0-9a-f-]{36}")


@dataclass(frozen=True, slots=True)
class Found:
    """A page of entries; `before` is where the next page begins, if there is one."""

    entries: Sequence[dict[str, Any]]
    before: int | None


def search(context: Context, wanted: Wanted, before: int | None, actor: str) -> Found:
    """Whoever looks is in the log too."""
    now = context.clock.now()
    with context.database.write() as tx:
        found = audit.search(tx, wanted, before, PAGE + 1)
        by = sorted(name for name in Wanted.__slots__ if getattr(wanted, name) not in ("", None))
        # What was typed may be a patient's name, and stands in the log for ever; an id may.
        about = wanted.subject if _AN_ID.fullmatch(wanted.subject) else ""
        audit.append(tx, [audit.Entry(actor, "audit.searched", "audit", {"by": by, "about": about})], now)
    shown = found[:PAGE]
    return Found(shown, shown[-1]["seq"] if len(found) > PAGE else None)


def begin_check(context: Context, actor: str) -> UUID:
    """Begins to walk the whole chain, unless somebody just did."""
    now = context.clock.now()
    with context.database.write() as tx:
        running = jobs.latest(tx, JobKind.VERIFY, _WHOLE)
        if running is not None and running.is_open:
            return running.id
        audit.append(tx, [audit.Entry(actor, "audit.check_begun", "audit", {})], now)
        return jobs.begin(tx, JobKind.VERIFY, _WHOLE, audit.length(tx), actor, now)


def latest_check(context: Context) -> Job | None:
    with context.database.read() as tx:
        return jobs.latest(tx, JobKind.VERIFY, _WHOLE)


def verify_slice(context: Context, job: Job, is_time: Callable[[], bool]) -> bool:
    """Walks on until the time is up; True at the end, or where the chain is broken."""
    state = _read_state(job.cursor)
    while is_time() and state.broken_at is None:
        with context.database.read() as tx:
            now = audit.verify(tx, state, _SLICE)
        if now.entries == state.entries and now.broken_at is None:
            if state.entries < job.total:  # there were more when it began
                now = replace(state, broken_at=state.entries + 1)
            else:
                break
        state = now
        with context.database.write() as tx:
            cursor = f"{state.entries} {state.head} {state.broken_at or ''}"
            if not jobs.advance(tx, job, done=state.entries, cursor=cursor):
                return False
            job = replace(job, done=state.entries, cursor=cursor)
    if state.broken_at is not None:
        with context.database.write() as tx:
            jobs.end(tx, job, context.clock.now(), f"the chain is broken at entry {state.broken_at:,}")
        return False
    return state.entries >= job.total


def _read_state(cursor: str | None) -> ChainState:
    if not cursor:
        return audit.NOTHING
    entries, head, broken = cursor.split(" ")
    return ChainState(int(entries), int(broken) if broken else None, head)
