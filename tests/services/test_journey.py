"""The main job, from enrollment to the last message, on both databases."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import pytest

from journey.domain.changes import Action
from journey.domain.delivery import Reason, Status
from journey.domain.pathway import Channel
from journey.services import changing, wishes
from journey.services.admission import Request, prepare
from journey.services.context import Refusal, Stale
from journey.services.enrolling import enroll, enroll_all
from journey.services.publishing import find_setting
from journey.services.site_settings import change_site
from journey.services.suppressing import restart, stop
from tests.clinic import ANNA, PATHWAY, PROCEDURE, Clinic

YEAR_END = datetime(2027, 12, 1, tzinfo=UTC)


def test_every_message_goes_out_once_at_its_time(clinic: Clinic) -> None:
    enrolled = clinic.enroll(facts={"takes_blood_thinners": True})
    clinic.run_until(YEAR_END)
    rows = clinic.messages(enrolled.enrollment_id)
    assert {row.status for row in rows} == {Status.DELIVERED}
    assert len(clinic.outbox()) == len(rows) == 14
    assert all(row.claimed_at == row.due_at for row in rows)


def test_the_same_patient_pathway_and_date_is_one_enrollment(clinic: Clinic) -> None:
    first, second = clinic.enroll(), clinic.enroll()
    assert first.is_new
    assert not second.is_new
    assert first.enrollment_id == second.enrollment_id


def test_a_new_date_repeats_what_quoted_the_old_one_and_corrects_once(clinic: Clinic) -> None:
    enrolled = clinic.enroll()
    clinic.run_until(datetime(2026, 12, 11, tzinfo=UTC))
    outcome = clinic.change(enrolled.enrollment_id, wishes.reschedule(date(2026, 12, 22), time(10)))
    actions = {change.step: change.action for change in outcome.changes}
    assert actions["welcome"] is Action.KEEP
    assert actions["confirm"] is Action.ADD
    assert actions["going-home"] is Action.MOVE
    assert actions["date-changed"] is Action.CORRECT
    again = clinic.change(enrolled.enrollment_id, wishes.replan())
    assert {change.action for change in again.changes} == {Action.KEEP}
    clinic.run_until(YEAR_END)
    steps = [row.step for row in clinic.messages(enrolled.enrollment_id) if row.status is Status.DELIVERED]
    assert steps.count("date-changed") == 1
    assert steps.count("confirm") == 2
    assert steps.count("arrival-and-fasting") == 1


def test_a_wrong_day_put_right_brings_the_recovery_advice_back(clinic: Clinic) -> None:
    """Typed as a week too early, so that some of it is too late; then corrected the same day."""
    enrollment = clinic.enroll().enrollment_id
    clinic.run_until(datetime.combine(PROCEDURE, time(17, 30), UTC))
    clinic.change(enrollment, wishes.complete(PROCEDURE - timedelta(days=7)))
    late = [m.step for m in clinic.messages(enrollment) if m.status is Status.SKIPPED]
    assert {"day-1", "day-3"} <= set(late)
    clinic.change(enrollment, wishes.complete(PROCEDURE))
    clinic.run_until(datetime.combine(PROCEDURE, time(12), UTC) + timedelta(days=120))
    for step in late:
        assert clinic.message(enrollment, step).status is Status.DELIVERED
    before = len(clinic.messages(enrollment))
    clinic.change(enrollment, wishes.complete(PROCEDURE))
    assert len(clinic.messages(enrollment)) == before  # and nothing a second time


def sent(clinic: Clinic, enrollment: UUID, step: str) -> int:
    return sum(m.step == step and m.status is Status.DELIVERED for m in clinic.messages(enrollment))


AFTER = datetime.combine(PROCEDURE, time(12), UTC) + timedelta(days=1, hours=2)  # going-home, day-1 are out


@pytest.mark.parametrize(
    "mistake", [wishes.postpone(), wishes.reschedule(PROCEDURE + timedelta(days=5), None)]
)
def test_advice_is_not_repeated_after_a_mistake_was_put_right(clinic: Clinic, mistake: wishes.Wish) -> None:
    enrollment = clinic.enroll().enrollment_id
    clinic.run_until(AFTER)
    assert (sent(clinic, enrollment, "going-home"), sent(clinic, enrollment, "day-1")) == (1, 1)
    clinic.change(enrollment, mistake)
    clinic.work()
    clinic.change(enrollment, wishes.complete(PROCEDURE))
    clinic.run_until(YEAR_END)
    for step in ("going-home", "day-1", "day-3", "day-7"):
        assert sent(clinic, enrollment, step) == 1, step


def test_a_procedure_that_was_later_than_planned_gets_its_advice_then(clinic: Clinic) -> None:
    enrollment = clinic.enroll().enrollment_id
    clinic.run_until(AFTER)  # it was taken for done, and was not
    day = PROCEDURE + timedelta(days=2)
    clinic.run_until(datetime.combine(day, time(14), UTC))
    clinic.change(enrollment, wishes.complete(day))
    clinic.run_until(YEAR_END)
    going_home = clinic.message(enrollment, "going-home")
    assert going_home.accepted_at is not None
    assert going_home.accepted_at.date() == day
    assert sent(clinic, enrollment, "day-3") == 1


def test_no_correction_goes_out_once_it_went_ahead(clinic: Clinic) -> None:
    enrollment = clinic.enroll().enrollment_id
    clinic.run_until(datetime.combine(PROCEDURE, time(21, 30), UTC))
    clinic.change(enrollment, wishes.reschedule(PROCEDURE + timedelta(days=3), None))
    clinic.change(enrollment, wishes.complete(PROCEDURE))
    clinic.run_until(YEAR_END)
    assert sent(clinic, enrollment, "date-changed") == 0


@pytest.mark.parametrize("days", [-400, -8, 1])
def test_a_day_that_cannot_be_is_refused(clinic: Clinic, days: int) -> None:
    enrollment = clinic.enroll().enrollment_id
    clinic.run_until(datetime.combine(PROCEDURE, time(17, 30), UTC))
    with pytest.raises(Refusal, match="date"):
        clinic.change(enrollment, wishes.complete(PROCEDURE + timedelta(days=days)))


def test_a_site_that_changed_since_it_was_read_is_taken_as_it_is_now(clinic: Clinic) -> None:
    with clinic.database.read() as tx:
        setting = find_setting(tx, PATHWAY, None, "tests")
    moved = setting.site.site.model_copy(update={"zone": "America/New_York"})
    change_site(clinic.app.context, setting.site, moved, "tests")
    request = prepare(Request(ANNA, str(PROCEDURE), "09:00", {}, True, True), setting, clinic.clock.now())
    made = enroll(clinic.app.context, setting, request)
    assert clinic.message(made.enrollment_id, "day-3").due_at.hour == 15  # ten in the morning there


def test_nothing_goes_out_after_a_cancellation(clinic: Clinic) -> None:
    enrolled = clinic.enroll()
    clinic.run_until(datetime(2026, 12, 11, tzinfo=UTC))
    before = len(clinic.outbox())
    clinic.change(enrolled.enrollment_id, wishes.cancel())
    clinic.run_until(YEAR_END)
    assert len(clinic.outbox()) == before
    reasons = {m.reason for m in clinic.messages(enrolled.enrollment_id) if m.status is Status.CANCELLED}
    assert reasons == {Reason.ENROLLMENT_CANCELLED}


def test_a_draft_takes_nobody_and_names_the_way_out(tmp_path: object, embedded_clinic: Clinic) -> None:
    clinic = Clinic(embedded_clinic.app.settings.data_dir / "draft", published=False)
    with pytest.raises(Refusal, match="journey pathway publish bvn-ablation --approved-by NAME"):
        clinic.enroll()
    clinic.close()


def test_an_opt_out_moves_messages_to_email_and_restart_moves_them_back(clinic: Clinic) -> None:
    enrolled = clinic.enroll()
    phone = ANNA["phone"]
    assert stop(clinic.app.context, Channel.SMS, phone, source="tests")
    assert {m.channel for m in clinic.messages(enrolled.enrollment_id)} == {Channel.EMAIL}
    assert not stop(clinic.app.context, Channel.SMS, phone, source="tests")
    assert restart(clinic.app.context, Channel.SMS, phone, source="tests")
    assert Channel.SMS in {m.channel for m in clinic.messages(enrolled.enrollment_id)}


def test_without_an_arrival_time_fasting_is_held_with_a_task_and_expires_with_a_call(
    clinic: Clinic,
) -> None:
    enrolled = clinic.enroll(arrival=None)
    assert clinic.message(enrolled.enrollment_id, "fasting-reminder").reason is Reason.NEEDS_ARRIVAL
    assert [task["kind"] for task in clinic.tasks()] == ["set_arrival"]
    clinic.clock.at = datetime(2026, 12, 15, 8, tzinfo=UTC)
    clinic.work()
    assert clinic.message(enrolled.enrollment_id, "fasting-reminder").status is Status.EXPIRED
    assert "call" in {task["kind"] for task in clinic.tasks()}


def test_setting_the_arrival_time_releases_what_waited_and_closes_the_task(clinic: Clinic) -> None:
    enrolled = clinic.enroll(arrival=None)
    clinic.change(enrolled.enrollment_id, wishes.reschedule(PROCEDURE, time(9)))
    assert clinic.message(enrolled.enrollment_id, "fasting-reminder").status is Status.PLANNED
    assert clinic.tasks() == []


def test_pause_holds_everything_and_resume_follows_each_late_rule(clinic: Clinic) -> None:
    enrolled = clinic.enroll()
    clinic.change(enrolled.enrollment_id, wishes.pause())
    clinic.clock.advance(timedelta(days=15))
    assert clinic.work() == 0
    clinic.change(enrolled.enrollment_id, wishes.resume())
    late = clinic.message(enrolled.enrollment_id, "confirm")
    assert late.status is Status.EXPIRED
    assert clinic.message(enrolled.enrollment_id, "day-3").status is Status.PLANNED


def test_an_older_revision_is_refused(clinic: Clinic) -> None:
    enrolled = clinic.enroll()
    clinic.change(enrolled.enrollment_id, wishes.pause())
    with pytest.raises(Stale):
        changing.change(clinic.app.context, enrolled.enrollment_id, wishes.resume(), "other", revision=0)


def test_nobody_is_enrolled_by_an_empty_batch(clinic: Clinic) -> None:
    from journey.services.publishing import find_setting

    with clinic.database.read() as tx:
        setting = find_setting(tx, "bvn-ablation", None, "tests")
    assert enroll_all(clinic.app.context, [(setting, [])]) == []
