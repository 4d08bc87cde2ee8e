"""A procedure called off by a slip: one act brings back all that fell away, and nothing is said twice."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest

from journey.domain.delivery import Status
from journey.domain.eligibility import EnrollmentStatus
from journey.domain.pathway import Channel
from journey.services import staff_messages, wishes
from journey.services.context import Refusal
from journey.services.staff_messages import Written
from journey.services.taking_back import terms_before
from journey.services.wishes import Terms, Wish
from journey.store import enrollments
from journey.store.enrollments import Enrollment
from journey.store.ids import new_id
from tests.clinic import PROCEDURE, START, Clinic
from tests.services.test_replies import say


@pytest.fixture
def clinic(embedded_clinic: Clinic) -> Clinic:
    """On SQLite; what depends on the database is tested `on_both`."""
    return embedded_clinic


OFF = [wishes.cancel(), wishes.postpone()]


def read(clinic: Clinic) -> Enrollment:
    with clinic.database.read() as tx:
        return enrollments.everyone(tx)[0]


def before(clinic: Clinic) -> Terms | None:
    with clinic.database.read() as tx:
        return terms_before(tx, enrollments.everyone(tx)[0], clinic.clock.now())


def take_back(clinic: Clinic) -> None:
    terms = before(clinic)
    assert terms is not None
    clinic.change(read(clinic).id, wishes.take_back(terms))


@pytest.mark.parametrize("wish", OFF, ids=["cancelled", "postponed"])
def test_everything_is_as_it_was(on_both: Clinic, wish: Wish) -> None:
    clinic = on_both
    one = clinic.enroll().enrollment_id
    clinic.run_until(clinic.message(one, "confirm").due_at)
    clinic.change(one, wishes.confirm())
    was = read(clinic)
    due = {row.step: row.due_at for row in clinic.messages(one) if row.status is Status.PLANNED}
    clinic.change(one, wish)
    assert not [row for row in clinic.messages(one) if row.status is Status.PLANNED]
    assert [task["kind"] for task in clinic.tasks()] == ["call"]  # the patient was told a date
    clinic.clock.advance(timedelta(minutes=3))
    take_back(clinic)
    now = read(clinic)
    assert (now.status, now.procedure_date, now.arrival_time, now.confirmed_for, now.ended_at) == (
        was.status, was.procedure_date, was.arrival_time, was.confirmed_for, None
    )  # fmt: skip
    assert {row.step: row.due_at for row in clinic.messages(one) if row.status is Status.PLANNED} == due
    assert clinic.tasks() == []


@pytest.mark.parametrize("wish", OFF, ids=["cancelled", "postponed"])
def test_nothing_is_said_twice_and_no_date_is_corrected(clinic: Clinic, wish: Wish) -> None:
    one = clinic.enroll().enrollment_id
    clinic.run_until(clinic.message(one, "arrival-and-fasting").due_at)
    said = [kept.content["text"] for kept in clinic.outbox()]
    clinic.change(one, wish)
    take_back(clinic)
    clinic.work()
    assert [kept.content["text"] for kept in clinic.outbox()] == said
    clinic.run_until(clinic.message(one, "going-home").due_at)
    sent = [row.step for row in clinic.messages(one) if row.status is Status.DELIVERED]
    assert sorted(sent) == sorted(set(sent))
    assert {"fasting-reminder", "going-home"} <= set(sent)
    assert "date-changed" not in sent


def test_on_the_day_itself_after_the_arrival_time(clinic: Clinic) -> None:
    one = clinic.enroll().enrollment_id
    clinic.run_until(clinic.message(one, "fasting-reminder").due_at + timedelta(hours=20))
    clinic.change(one, wishes.postpone())
    take_back(clinic)
    assert (read(clinic).procedure_date, read(clinic).arrival_time) == (PROCEDURE, time(9))
    clinic.run_until(clinic.message(one, "going-home").due_at)
    assert clinic.message(one, "going-home").status is Status.DELIVERED


def test_one_who_was_paused_is_paused_again(clinic: Clinic) -> None:
    one = clinic.enroll().enrollment_id
    clinic.change(one, wishes.pause())
    clinic.change(one, wishes.cancel())
    take_back(clinic)
    assert read(clinic).status is EnrollmentStatus.PAUSED


def test_only_the_last_change_and_only_for_a_day(clinic: Clinic) -> None:
    one = clinic.enroll().enrollment_id
    assert before(clinic) is None
    clinic.change(one, wishes.postpone())
    clinic.change(one, wishes.pause())
    assert before(clinic) is None
    clinic.change(one, wishes.cancel())
    clinic.clock.advance(timedelta(hours=25))
    assert before(clinic) is None


def test_what_has_a_date_or_was_withdrawn_stays(clinic: Clinic) -> None:
    one = clinic.enroll().enrollment_id
    terms = Terms(EnrollmentStatus.ACTIVE, date(2027, 1, 5), None, None, 1)
    with pytest.raises(Refusal, match="nothing to take back"):
        clinic.change(one, wishes.take_back(terms))
    clinic.change(one, wishes.withdraw())
    with pytest.raises(Refusal, match="withdrawn"):
        clinic.change(one, wishes.take_back(terms))


def test_texts_and_an_opt_out_in_between_do_not_take_the_way_back(clinic: Clinic) -> None:
    one = clinic.enroll().enrollment_id
    clinic.change(one, wishes.postpone())
    for number in range(25):
        say(clinic, f"question {number}")
    say(clinic, "STOP")
    take_back(clinic)
    assert read(clinic).procedure_date == PROCEDURE
    assert clinic.message(one, "confirm").channel is Channel.EMAIL
    assert not any("date was called off" in task["detail"] for task in clinic.tasks())


def test_what_staff_wrote_and_a_slip_took_back_is_told_to_them(clinic: Clinic) -> None:
    one = clinic.enroll().enrollment_id
    clinic.run_until(START + timedelta(hours=12))  # at night it waits
    words = Written(Channel.SMS, "", "Please bring your scan.")
    staff_messages.write(clinic.app.context, one, words, new_id(), "kim")
    clinic.change(one, wishes.cancel())
    assert not any("What staff wrote" in task["detail"] for task in clinic.tasks())
    take_back(clinic)
    assert any("What staff wrote" in task["detail"] for task in clinic.tasks())


def test_whoever_had_the_other_side_done_before_is_no_second_patient(clinic: Clinic) -> None:
    first = clinic.enroll().enrollment_id
    clinic.run_until(clinic.message(first, "going-home").due_at)
    clinic.change(first, wishes.complete())
    later = clinic.enroll(day=PROCEDURE + timedelta(days=60)).enrollment_id
    clinic.change(later, wishes.cancel())
    with clinic.database.read() as tx:
        off = enrollments.get(tx, later)
        assert off is not None
        terms = terms_before(tx, off, clinic.clock.now())
    assert terms is not None
    assert clinic.change(later, wishes.take_back(terms)).enrollment.status is EnrollmentStatus.ACTIVE


def test_whoever_is_enrolled_again_meanwhile_stays_enrolled_once(clinic: Clinic) -> None:
    one = clinic.enroll().enrollment_id
    clinic.change(one, wishes.cancel())
    terms = before(clinic)
    assert terms is not None
    clinic.enroll(day=PROCEDURE + timedelta(days=7))
    with pytest.raises(Refusal, match="already enrolled again"):
        clinic.change(one, wishes.take_back(terms))
