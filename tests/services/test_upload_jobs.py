"""The work behind an import: whoever dies, sleeps, races or has another clock, each row is done once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from journey.services import uploads, working
from journey.services.context import Context, Refusal, Stale
from journey.store import jobs
from journey.store.imports import RowResult
from journey.store.schema.work import JobKind, JobStatus
from tests.clinic import Clinic
from tests.services.files import HEADER, arrange, check, counts, enrolled, many, take, upload


def test_a_check_that_broke_half_way_is_no_check(clinic: Clinic) -> None:
    import_id = upload(clinic, many(250))
    arrange(clinic, import_id)
    job = take(clinic)
    uploads.check_slice(clinic.app.context, job, iter([True, False]).__next__)
    with clinic.database.write() as tx:
        jobs.end(tx, job, clinic.clock.now(), "stopped by a fault of Journey (KeyError)")
    with pytest.raises(Refusal, match="not every row has been checked"):
        uploads.begin(clinic.app.context, import_id, "kim")


def test_an_import_whose_worker_died_goes_on_where_it_was(clinic: Clinic) -> None:
    import_id = check(clinic, many(250))
    job_id = uploads.begin(clinic.app.context, import_id, "kim")
    looks = iter([True, False])
    with clinic.database.write() as tx:
        now = clinic.clock.now()
        job = jobs.take(tx, now, now + timedelta(minutes=1), job_id)
    assert job is not None
    assert not uploads.enroll_slice(clinic.app.context, job, lambda: next(looks))  # and then it died
    assert enrolled(clinic) == 100
    assert working.work(clinic.app.context, 5) == 0  # its lease still runs
    clinic.clock.advance(timedelta(minutes=2))
    working.work(clinic.app.context, 20)
    assert counts(clinic, import_id) == {RowResult.ENROLLED: 250}
    with clinic.database.read() as tx:
        done = jobs.get(tx, job_id)
    assert done is not None
    assert (done.status, done.done, done.total) == (JobStatus.DONE, 250, 250)


def test_two_workers_on_one_slice_do_it_once(clinic: Clinic) -> None:
    import_id = check(clinic, many(120))
    uploads.begin(clinic.app.context, import_id, "kim")
    job = take(clinic)
    uploads.enroll_slice(clinic.app.context, job, iter([True, False]).__next__)
    assert not uploads.enroll_slice(clinic.app.context, job, lambda: True)  # it had the same job in hand
    assert enrolled(clinic) == 100


def test_a_worker_that_wakes_up_late_spoils_nothing(clinic: Clinic) -> None:
    import_id = check(clinic, many(250))
    job_id = uploads.begin(clinic.app.context, import_id, "kim")
    late = take(clinic)
    clinic.clock.at += timedelta(seconds=61)
    uploads.enroll_slice(clinic.app.context, take(clinic), iter([True, False]).__next__)
    assert not uploads.enroll_slice(clinic.app.context, late, lambda: True)
    with clinic.database.write() as tx:
        jobs.end(tx, late, clinic.clock.now(), "this one gave up")
        jobs.let_go(tx, late, clinic.clock.now())
    clinic.clock.at += timedelta(seconds=61)
    working.work(clinic.app.context, 10)
    with clinic.database.read() as tx:
        assert jobs.get(tx, job_id).status is JobStatus.DONE  # type: ignore[union-attr]
    assert enrolled(clinic) == 250


def test_an_import_that_stopped_goes_on(clinic: Clinic) -> None:
    import_id = check(clinic, many(250))
    uploads.begin(clinic.app.context, import_id, "kim")
    job = take(clinic)
    uploads.enroll_slice(clinic.app.context, job, iter([True, False]).__next__)
    with clinic.database.write() as tx:
        jobs.end(tx, job, clinic.clock.now(), "stopped by a fault of Journey (KeyError)")
    uploads.begin(clinic.app.context, import_id, "kim")
    with pytest.raises(Stale):  # it runs again: a second person does not begin it a third time
        uploads.begin(clinic.app.context, import_id, "lee")
    working.work(clinic.app.context, 10)
    assert counts(clinic, import_id) == {RowResult.ENROLLED: 250}


def test_a_job_without_progress_holds_up_no_other(clinic: Clinic) -> None:
    first, second = upload(clinic, many(30)), upload(clinic, many(30))
    stuck, other = arrange(clinic, first), arrange(clinic, second)
    clinic.clock.at += timedelta(seconds=1)
    job = take(clinic)
    with clinic.database.write() as tx:
        jobs.let_go(tx, job, clinic.clock.now())
    assert {job.id, take(clinic).id} == {stuck, other}


def test_rows_whose_day_has_come_stop_nobody_behind_them(clinic: Clinic) -> None:
    late = "".join(
        f"Given{n},Late{n},07700 900{n:03},1950-01-02,L-{n},2026-12-05,09:00,yes,1\n" for n in range(120)
    )
    import_id = check(clinic, HEADER + late + many(30).removeprefix(HEADER))
    clinic.clock.at += timedelta(days=6)
    uploads.begin(clinic.app.context, import_id, "kim")
    working.work(clinic.app.context, 10)
    assert counts(clinic, import_id) == {RowResult.REFUSED: 120, RowResult.ENROLLED: 30}


def test_a_clock_that_is_a_little_behind_takes_no_job_from_another(clinic: Clinic) -> None:
    arrange(clinic, upload(clinic, many(30)))
    take(clinic)
    now = clinic.clock.now() - timedelta(seconds=2)
    with clinic.database.write() as tx:
        assert jobs.take(tx, now, now + timedelta(seconds=60)) is None


def test_a_lease_from_a_clock_set_back_holds_nothing(clinic: Clinic) -> None:
    arrange(clinic, upload(clinic, many(30)))
    job = take(clinic)
    clinic.clock.at -= timedelta(days=1)
    assert take(clinic).id == job.id


def test_a_fault_of_ours_ends_the_job_with_a_word(embedded_clinic: Clinic) -> None:
    context: Context = embedded_clinic.app.context
    with embedded_clinic.database.write() as tx:
        job_id = jobs.begin(tx, JobKind.CHECK, "no id", 1, "kim", embedded_clinic.clock.now())
    with pytest.raises(ValueError, match="UUID"):
        working.work(context, 5)
    with embedded_clinic.database.read() as tx:
        job = jobs.get(tx, job_id)
    assert job is not None
    assert "fault of Journey" in str(job.error)
    assert working.work(context, 1) == 0
