"""Reports: every number is what counting the rows by hand gives, and settled days are not counted again."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import select

from journey.domain.pathway import Channel
from journey.services import auditing, reports, suppressing, wishes, working
from journey.services.library import practice_zone
from journey.services.reports import Report
from journey.store import totals
from journey.store.schema import audit_entries, messages
from tests.clinic import ANNA, START, Clinic

TODAY = START.date()


def read(clinic: Clinic, days: int = 60) -> Report:
    today = reports.today_of(clinic.app.context)
    return reports.read_report(clinic.app.context, today - timedelta(days=days), today, "kim", seconds=30)


def practice(clinic: Clinic) -> None:
    """Four patients: one goes ahead, one cancels early, one late, one says nothing."""
    people = [{**ANNA, "record_number": f"R-{n}", "phone": f"+44770090020{n}"} for n in range(4)]
    days = [TODAY + timedelta(days=10 + n) for n in range(4)]
    ids = [clinic.enroll(one, day=day).enrollment_id for one, day in zip(people, days, strict=True)]
    clinic.run_until(START + timedelta(days=2))
    clinic.change(ids[1], wishes.cancel())
    clinic.run_until(START + timedelta(days=11))
    clinic.change(ids[0], wishes.complete(TODAY + timedelta(days=10)))
    clinic.change(ids[2], wishes.cancel())  # a day before
    suppressing.stop(clinic.app.context, Channel.SMS, "+447700900203", source="patient")
    clinic.run_until(START + timedelta(days=20))


def test_totals_are_what_counting_by_hand_gives(clinic: Clinic) -> None:
    practice(clinic)
    report = read(clinic)
    with clinic.database.read() as tx:
        until = datetime.combine(report.until + timedelta(days=1), datetime.min.time(), UTC)
        rows = tx.connection.execute(select(messages).where(messages.c.due_at < until)).all()
    by_hand = Counter((row.channel or "", row.status) for row in rows)
    counted = Counter({(one.channel, one.detail): 0 for one in report.totals if one.measure == "messages"})
    for one in report.totals:
        if one.measure == "messages":
            counted[one.channel, one.detail] += one.number
    assert counted == by_hand
    assert report.sum("segments", "sms") == sum(row.segments or 0 for row in rows if row.accepted_at)
    went_out = [row for row in rows if row.status in ("accepted", "delivered", "failed")]
    assert report.sum("reach") == len(went_out)
    assert report.sum("reach", "sms", "1") == sum(row.channel == "sms" for row in went_out)
    assert report.uncounted == 0


def test_cancellations_are_late_within_two_days(clinic: Clinic) -> None:
    practice(clinic)
    report = read(clinic)
    kinds = {one.detail for one in report.totals if one.measure == "procedures"}
    found = {kind: report.sum("procedures", detail=kind) for kind in kinds}
    assert found == {"went ahead": 1, "cancelled early": 1, "cancelled late": 1, "not said": 1}
    assert report.sum("stopped", "sms", "opted_out") == 1


def test_a_settled_day_is_not_counted_again_and_a_lively_one_is(clinic: Clinic) -> None:
    practice(clinic)
    clinic.clock.at = START + timedelta(days=100)
    read(clinic, 120)
    with clinic.database.read() as tx:
        before = totals.counted(tx, TODAY, TODAY + timedelta(days=100))
    clinic.clock.advance(timedelta(hours=1))
    read(clinic, 120)
    with clinic.database.read() as tx:
        after = totals.counted(tx, TODAY, TODAY + timedelta(days=100))
    again = {day for day in before if after[day] != before[day]}
    assert again == {TODAY + timedelta(days=n) for n in range(97, 101)}
    clinic.clock.advance(timedelta(days=1))
    read(clinic, 120)
    with clinic.database.read() as tx:
        later = totals.counted(tx, TODAY, TODAY + timedelta(days=100))
    assert later[TODAY] == before[TODAY]
    assert later[TODAY + timedelta(days=60)] != before[TODAY + timedelta(days=60)]


def test_a_day_that_was_counted_too_early_is_counted_when_it_has_settled(clinic: Clinic) -> None:
    """Counted while it was still ahead, and then no worker ran for two months."""
    enrollment = clinic.enroll(day=TODAY + timedelta(days=3)).enrollment_id
    ahead = TODAY + timedelta(days=3)
    reports.read_report(clinic.app.context, TODAY, ahead, "kim", seconds=30)
    clinic.run_until(START + timedelta(days=4))
    clinic.change(enrollment, wishes.complete(ahead))
    clinic.clock.at += timedelta(days=60)
    report = reports.read_report(clinic.app.context, TODAY, ahead, "kim", seconds=30)
    assert report.sum("procedures", detail="went ahead") == 1
    assert report.sum("procedures", detail="not said") == 0


def test_two_people_may_open_the_same_report_at_once(clinic: Clinic) -> None:
    practice(clinic)
    barrier = threading.Barrier(4)

    def look(_: int) -> int:
        barrier.wait(10)
        return read(clinic, 20).uncounted

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(look, range(4))) == [0] * 4


def test_what_time_does_not_suffice_for_is_said(clinic: Clinic) -> None:
    report = reports.read_report(clinic.app.context, TODAY - timedelta(days=9), TODAY, "kim", seconds=0)
    assert report.uncounted == 9
    reports.refresh_recent(clinic.app.context, seconds=30)
    report = reports.read_report(clinic.app.context, TODAY - timedelta(days=9), TODAY, "kim", seconds=0)
    assert report.uncounted == 0


def test_days_are_the_practices_own_on_both_sides_of_a_clock_change(clinic: Clinic) -> None:
    """What is due at 23:30 in London in summer time is due on that day, though UTC says 22:30."""
    zone_day = date(2026, 10, 25)  # the clocks go back
    with clinic.database.read() as tx:
        bounds = reports.bounds_of(zone_day, practice_zone(tx))
    assert (bounds.ends - bounds.begins) == timedelta(hours=25)


def test_the_chain_is_walked_in_slices_and_a_break_is_found(clinic: Clinic) -> None:
    clinic.enroll()
    working.work(clinic.app.context, 5, auditing.begin_check(clinic.app.context, "kim"))
    check = auditing.latest_check(clinic.app.context)
    assert check is not None
    assert (check.is_open, check.error, check.done) == (False, None, check.total)
    with clinic.database.write() as tx:
        tx.connection.execute(audit_entries.update().where(audit_entries.c.seq == 3).values(actor="nobody"))
    job_id = auditing.begin_check(clinic.app.context, "kim")
    assert auditing.begin_check(clinic.app.context, "lee") == job_id  # one at a time
    working.work(clinic.app.context, 5, job_id)
    check = auditing.latest_check(clinic.app.context)
    assert check is not None
    assert check.error == "the chain is broken at entry 3"
