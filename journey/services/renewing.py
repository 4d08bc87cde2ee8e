"""Planning a patient's enrollments anew after their details, consent or addresses changed.

It is noted in the transaction of the change itself, so that a crash right after it loses nothing: what
was not seen to by then, a worker does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from journey.services.changing import replan_live
from journey.services.context import Context, Stale
from journey.store import enrollments, jobs, staff_tasks
from journey.store.database import Tx
from journey.store.jobs import Job
from journey.store.schema.work import JobKind
from journey.store.staff_tasks import NewTask, TaskKind

_OWN = timedelta(seconds=60)  # whoever made the change does it; later, anybody


@dataclass(frozen=True, slots=True)
class Noted:
    job_id: UUID
    patient_id: UUID


def note(tx: Tx, patient_ids: Iterable[UUID], actor: str, now: datetime) -> list[Noted]:
    """Notes that these patients' enrollments are to be planned anew. Give it to `see_to` after the commit."""
    return [
        Noted(jobs.begin(tx, JobKind.RENEW, str(one), 1, actor, now, lease_until=now + _OWN), one)
        for one in dict.fromkeys(patient_ids)
    ]


def leave_to_workers(tx: Tx, patient_ids: Iterable[UUID], actor: str, now: datetime) -> None:
    """The same for whoever cannot wait: a worker sees to it within seconds."""
    for one in dict.fromkeys(patient_ids):
        jobs.begin(tx, JobKind.RENEW, str(one), 1, actor, now)


def see_to(context: Context, noted: Sequence[Noted], actor: str) -> None:
    """Does what was noted. Once it returns, nothing goes out on the old terms."""
    for one in noted:
        _renew(context, one.patient_id, actor)
        with context.database.write() as tx:
            jobs.forget(tx, one.job_id)


def renew_slice(context: Context, job: Job, _is_time: Callable[[], bool]) -> bool:
    """What a crash left to do. Tried again while others change it; what cannot be done is a person's."""
    try:
        _renew(context, UUID(job.subject), job.actor)
    except Stale:
        return False
    except Exception:
        now = context.clock.now()
        with context.database.write() as tx:
            live = enrollments.live_of_patients(tx, [UUID(job.subject)])
            staff_tasks.open_all(tx, [_undone(one.id, now) for one in live], now)
        raise
    return True


def _undone(enrollment_id: UUID, now: datetime) -> NewTask:
    return NewTask(
        TaskKind.CALL,
        f"{enrollment_id}/renew",
        "Details of this patient changed, and their messages could not be planned anew: look at each that is "
        "still to go, and phone where one is missing.",
        now,
        enrollment_id,
    )


def _renew(context: Context, patient_id: UUID, actor: str) -> None:
    with context.database.read() as tx:
        live = enrollments.live_of_patients(tx, [patient_id])
    for enrollment in live:
        replan_live(context, enrollment.id, actor)
