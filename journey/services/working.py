"""Longer work, done by the workers in slices: a free worker takes the job that waited longest."""

from __future__ import annotations

import time as real_time
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from journey.services import auditing, renewing, site_settings, uploads
from journey.services.context import Context, Missing, Refusal
from journey.store import jobs
from journey.store.database import StoreUnavailable
from journey.store.jobs import Job
from journey.store.schema.work import JobKind

_LEASE = timedelta(seconds=60)  # long against a slice: a job is never done by two at once for long
Slice = Callable[[Context, Job, Callable[[], bool]], bool]
SLICES: dict[JobKind, Slice] = {
    JobKind.CHECK: uploads.check_slice,
    JobKind.IMPORT: uploads.enroll_slice,
    JobKind.REPLAN: site_settings.replan_slice,
    JobKind.VERIFY: auditing.verify_slice,
    JobKind.RENEW: renewing.renew_slice,
}


def work(context: Context, seconds: float, job_id: UUID | None = None) -> int:
    """Takes jobs further, or the given one, until nothing is left or the time is up. How many it took up."""
    ends, taken = real_time.monotonic() + seconds, 0
    while real_time.monotonic() < ends:
        now = context.clock.now()
        with context.database.write() as tx:
            job = jobs.take(tx, now, now + _LEASE, job_id)
        if job is None:
            break
        taken += 1
        _take_further(context, job, lambda: real_time.monotonic() < ends)
    return taken


def see_through(context: Context, job_id: UUID, progress: Callable[[int, int], None]) -> Job:
    """Works on a job to its end, for whoever waits for it. Raises Refusal if it cannot be done."""
    while True:
        work(context, 0.5, job_id)
        with context.database.read() as tx:
            job = jobs.get(tx, job_id)
        if job is None:
            raise Missing("there is no such job")
        progress(job.done, job.total)
        if job.error:
            raise Refusal(job.error)
        if not job.is_open:
            return job
        real_time.sleep(0 if job.done else 0.05)  # perhaps a worker has it


def _take_further(context: Context, job: Job, is_time: Callable[[], bool]) -> None:
    try:
        is_over = SLICES[job.kind](context, job, is_time)
    except StoreUnavailable:
        raise  # it goes on when its lease has run out
    except Refusal as error:
        _end(context, job, str(error))
        return
    except Exception as error:
        # Trying it again would fail again; the log has its place, and whoever began it is told.
        _end(context, job, f"stopped by a fault of Journey ({type(error).__name__})")
        raise
    if is_over:
        _end(context, job, None)
    else:
        with context.database.write() as tx:
            jobs.let_go(tx, job, context.clock.now())


def _end(context: Context, job: Job, error: str | None) -> None:
    with context.database.write() as tx:
        jobs.end(tx, job, context.clock.now(), error)
