"""Confirming: whoever said yes to a date is not asked again, and another date asks anew."""

from __future__ import annotations

from datetime import time, timedelta
from uuid import UUID

import pytest

from journey.domain.delivery import Reason, Status
from journey.domain.goals import goals_reached
from journey.domain.pathway import Pathway
from journey.services import changing, reports, wishes
from journey.services.context import Refusal
from journey.services.pathway_files import load_built_in
from tests.clinic import ANNA, PATHWAY, PROCEDURE, START, Clinic

LATER = PROCEDURE + timedelta(days=14)
ASKING = "confirm"


def is_asked(clinic: Clinic, enrollment: UUID) -> bool:
    return clinic.message(enrollment, ASKING).status is Status.PLANNED


def test_whoever_confirmed_is_not_asked_and_hears_everything_else(clinic: Clinic) -> None:
    enrollment = clinic.enroll().enrollment_id
    clinic.change(enrollment, wishes.confirm())
    asking = clinic.message(enrollment, ASKING)
    assert (asking.status, asking.reason) == (Status.CANCELLED, Reason.GOAL_REACHED)
    clinic.run_until(START + timedelta(days=30))
    sent = {one.step for one in clinic.messages(enrollment) if one.accepted_at}
    assert ASKING not in sent
    assert {"welcome", "arrival-and-fasting", "fasting-reminder", "day-1"} <= sent


def test_another_date_is_asked_for_anew_and_so_is_the_first_one_when_it_comes_back(clinic: Clinic) -> None:
    enrollment = clinic.enroll().enrollment_id
    clinic.change(enrollment, wishes.confirm())
    outcome = clinic.change(enrollment, wishes.reschedule(LATER, None))
    assert not outcome.enrollment.is_confirmed
    assert is_asked(clinic, enrollment)
    for away in (wishes.reschedule(LATER, None), wishes.postpone()):
        clinic.change(enrollment, wishes.reschedule(PROCEDURE, None))
        clinic.change(enrollment, wishes.confirm())
        clinic.change(enrollment, away)
        back = clinic.change(enrollment, wishes.reschedule(PROCEDURE, None))
        assert not back.enrollment.is_confirmed
        assert is_asked(clinic, enrollment)


def test_a_new_time_of_the_same_day_is_still_confirmed(clinic: Clinic) -> None:
    enrollment = clinic.enroll().enrollment_id
    clinic.change(enrollment, wishes.confirm())
    moved = clinic.change(enrollment, wishes.reschedule(PROCEDURE, time(11)))
    assert moved.enrollment.is_confirmed


def test_a_mistake_is_taken_back_and_the_patient_is_asked_after_all(clinic: Clinic) -> None:
    enrollment = clinic.enroll().enrollment_id
    clinic.change(enrollment, wishes.confirm())
    clinic.change(enrollment, wishes.unconfirm())
    assert is_asked(clinic, enrollment)
    clinic.run_until(START + timedelta(days=12))
    clinic.change(enrollment, wishes.confirm())
    clinic.change(enrollment, wishes.unconfirm())
    asked = [one for one in clinic.messages(enrollment) if one.step == ASKING and one.accepted_at]
    assert len(asked) == 1  # it had gone out: taking back does not send it again


def test_what_cannot_be_confirmed_is_refused_in_words(clinic: Clinic) -> None:
    enrollment = clinic.enroll().enrollment_id
    clinic.change(enrollment, wishes.postpone())
    with pytest.raises(Refusal, match="no procedure date to confirm"):
        changing.preview_change(clinic.app.context, enrollment, wishes.confirm())
    clinic.change(enrollment, wishes.reschedule(PROCEDURE, None))
    clinic.run_until(START + timedelta(days=15))
    with pytest.raises(Refusal, match="is past; say whether it went ahead"):
        clinic.change(enrollment, wishes.confirm())
    clinic.change(enrollment, wishes.complete())
    with pytest.raises(Refusal, match="nothing left to confirm"):
        clinic.change(enrollment, wishes.confirm())


def test_reports_count_those_who_confirmed_the_day_that_they_are_counted_on(clinic: Clinic) -> None:
    people = [{**ANNA, "record_number": f"R-{n}", "phone": f"+44770090020{n}"} for n in range(4)]
    ids = [clinic.enroll(one).enrollment_id for one in people]
    clinic.change(ids[0], wishes.confirm())
    clinic.change(ids[1], wishes.confirm())
    clinic.change(ids[1], wishes.reschedule(LATER, None))
    clinic.change(ids[3], wishes.confirm())
    clinic.change(ids[3], wishes.cancel())  # and so did not come
    report = reports.read_report(clinic.app.context, PROCEDURE, LATER, "kim", seconds=30)
    assert (report.sum("confirmed"), report.sum("procedures")) == (1, 4)


def test_a_version_that_declared_the_goal_itself_holds_up_nobody(clinic: Clinic) -> None:
    raw = load_built_in(PATHWAY).pathway.model_dump(mode="json", by_alias=True)
    pathway = Pathway.model_validate(raw | {"goals": ["booked", "confirmed"]})
    assert "confirmed" in pathway.goals
    assert goals_reached(["booked", "confirmed"], PROCEDURE, None) == {"booked"}
    enrollment = clinic.enroll().enrollment_id
    assert clinic.change(enrollment, wishes.reach_goal("confirmed")).enrollment.confirmed_for == PROCEDURE
