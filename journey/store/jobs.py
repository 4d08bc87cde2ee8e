"""Longer work, a slice at a time: what is to do, how far it is, and which worker has it now."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Update, delete, func, insert, or_, select, update

from journey.store.database import Tx
from journey.store.ids import new_id
from journey.store.schema import jobs
from journey.store.schema.work import JobKind, JobStatus


@dataclass(frozen=True, slots=True)
class Job:
    """`cursor` says where the next slice goes on; `done` of `total` is for people."""

    id: UUID
    kind: JobKind
    subject: str
    status: JobStatus
    done: int
    total: int
    cursor: str | None
    error: str | None
    actor: str
    created_at: datetime
    ended_at: datetime | None
    lease_until: datetime | None  # whoever holds it by that is the one who has the job

    @property
    def is_open(self) -> bool:
        return self.status is JobStatus.OPEN


_COLUMNS = [jobs.c[name] for name in Job.__slots__]


def _read(row: Row[Any]) -> Job:
    values = dict(row._mapping)
    return Job(**(values | {"kind": JobKind(values["kind"]), "status": JobStatus(values["status"])}))


def begin(
    tx: Tx,
    kind: JobKind,
    subject: str,
    total: int,
    actor: str,
    at: datetime,
    *,
    lease_until: datetime | None = None,
) -> UUID:
    """`lease_until`: its maker does it until then."""
    job_id = new_id()
    values: dict[str, Any] = {
        "id": job_id,
        "kind": kind.value,
        "subject": subject,
        "status": JobStatus.OPEN.value,
    }
    values |= {"total": total, "actor": actor, "created_at": at, "lease_until": lease_until}
    tx.connection.execute(insert(jobs).values(values))
    return job_id


_SKEW = timedelta(minutes=5)  # that workers' clocks may differ


def take(tx: Tx, now: datetime, until: datetime, job_id: UUID | None = None) -> Job | None:
    """The open job that waited longest and that nobody has, or the given one; the caller's until then.

    A lease that ends later than any could is left from a clock that was set back.
    """
    free = or_(jobs.c.lease_until.is_(None), jobs.c.lease_until <= now, jobs.c.lease_until > until + _SKEW)
    query = select(*_COLUMNS).where(jobs.c.status == JobStatus.OPEN.value, free)
    if job_id is not None:
        query = query.where(jobs.c.id == job_id)
    # A job that was worked on has its last lease: one that makes no progress holds up no other.
    query = query.order_by(func.coalesce(jobs.c.lease_until, jobs.c.created_at), jobs.c.created_at).limit(1)
    if tx.is_postgres:
        query = query.with_for_update(skip_locked=True)
    row = tx.connection.execute(query).first()
    if row is None:
        return None
    tx.connection.execute(update(jobs).where(jobs.c.id == row.id).values(lease_until=until))
    return replace(_read(row), lease_until=until)


def advance(tx: Tx, job: Job, *, done: int, cursor: str, total: int | None = None) -> bool:
    """Notes a slice in the transaction that did it; False if another worker has the job by now."""
    same = jobs.c.cursor.is_(None) if job.cursor is None else jobs.c.cursor == job.cursor
    ours = _held(job).where(same)
    values = {"done": done, "cursor": cursor, "total": job.total if total is None else total}
    return tx.connection.execute(ours.values(values)).rowcount == 1


def _held(job: Job) -> Update:
    """The job, as long as it is this worker's: one that woke up late has no say any more."""
    same = jobs.c.lease_until.is_(None) if job.lease_until is None else jobs.c.lease_until == job.lease_until
    return update(jobs).where(jobs.c.id == job.id, jobs.c.status == JobStatus.OPEN.value, same)


def let_go(tx: Tx, job: Job, at: datetime) -> None:
    """The next slice may be anybody's, after whatever has waited longer."""
    tx.connection.execute(_held(job).values(lease_until=at))


def end(tx: Tx, job: Job, at: datetime, error: str | None = None) -> None:
    status = JobStatus.FAILED if error else JobStatus.DONE
    over = _held(job)
    tx.connection.execute(over.values(status=status.value, ended_at=at, error=error, lease_until=None))


def forget(tx: Tx, job_id: UUID) -> None:
    """A small one that is done, and that nobody will ask for."""
    tx.connection.execute(delete(jobs).where(jobs.c.id == job_id))


def give_up(tx: Tx, kind: JobKind, subject: str, why: str, at: datetime) -> None:
    """Ends the open jobs of a kind about a subject: another one takes their place."""
    open_ones = update(jobs).where(
        jobs.c.kind == kind.value, jobs.c.subject == subject, jobs.c.status == JobStatus.OPEN.value
    )
    tx.connection.execute(open_ones.values(status=JobStatus.FAILED.value, ended_at=at, error=why))


def get(tx: Tx, job_id: UUID) -> Job | None:
    row = tx.connection.execute(select(*_COLUMNS).where(jobs.c.id == job_id)).first()
    return _read(row) if row else None


def latest(tx: Tx, kind: JobKind, subject: str) -> Job | None:
    """The newest job of a kind about a subject."""
    query = select(*_COLUMNS).where(jobs.c.subject == subject, jobs.c.kind == kind.value)
    row = tx.connection.execute(query.order_by(jobs.c.created_at.desc(), jobs.c.id.desc()).limit(1)).first()
    return _read(row) if row else None
