"""Patients who are on record already: nothing of theirs is lost, and nobody becomes somebody else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from typing import Any

import pytest

from journey.domain.delivery import Status
from journey.services import enrolling, renewing, working
from journey.services.admission import Prepared, Request, prepare
from journey.services.considering import consider
from journey.services.context import Stale
from journey.services.known import SomebodyElse
from journey.services.publishing import find_setting
from journey.services.wishes import cancel
from journey.store import audit, jobs, patients
from journey.store.schema.work import JobKind
from tests.clinic import ANNA, PATHWAY, PROCEDURE, Clinic

BARE = {name: ANNA[name] for name in ("given_name", "family_name", "phone", "record_number")}
LATER = PROCEDURE + timedelta(days=20)


def asked(clinic: Clinic, day: date = PROCEDURE, *, sms: bool | None = None, **person: Any) -> Prepared:
    with clinic.database.read() as tx:
        setting = find_setting(tx, PATHWAY, None, "tests")
    request = Request(BARE | person, str(day), None, {}, sms, None)
    return prepare(request, setting, clinic.clock.now())


def enroll(clinic: Clinic, prepared: Prepared) -> enrolling.Enrolled:
    with clinic.database.read() as tx:
        setting = find_setting(tx, PATHWAY, None, "tests")
    return enrolling.enroll(clinic.app.context, setting, prepared)


def on_record(clinic: Clinic) -> patients.Patient:
    with clinic.database.read() as tx:
        return patients.search(tx, str(ANNA["record_number"]))[0]


def test_silence_erases_nothing(clinic: Clinic) -> None:
    clinic.enroll()
    before = on_record(clinic)
    enroll(clinic, asked(clinic))
    assert on_record(clinic) == before


def test_what_is_new_is_taken_over_and_in_the_log(clinic: Clinic) -> None:
    clinic.enroll()
    enroll(clinic, asked(clinic, phone="+447700900199"))
    patient = on_record(clinic)
    assert (patient.person.phone, patient.person.email) == ("+447700900199", ANNA["email"])
    with clinic.database.read() as tx:
        entries = audit.search(tx, audit.Wanted("", "patient.contact_changed", "", None, None), None, 5)
    assert [json.loads(entry["detail"])["fields"] for entry in entries] == [["phone"]]


@pytest.mark.parametrize(
    "other", [{"given_name": "Boris"}, {"family_name": "Smith"}, {"birth_date": "1980-01-01"}]
)
def test_another_name_or_birth_under_the_same_number_is_somebody_else(
    clinic: Clinic, other: dict[str, Any]
) -> None:
    clinic.enroll()
    before, request = on_record(clinic), asked(clinic, LATER, **other)
    with clinic.database.read() as tx:
        setting = find_setting(tx, PATHWAY, None, "tests")
    with pytest.raises(SomebodyElse):
        enroll(clinic, request)
    with pytest.raises(SomebodyElse):
        consider(clinic.app.context, setting, request)
    assert on_record(clinic) == before


WITHOUT: dict[str, Any] = {"record_number": None, "birth_date": ANNA["birth_date"]}


@pytest.mark.parametrize("first", ["with", "without"])
@pytest.mark.parametrize("together", [False, True])
def test_with_and_without_a_number_is_one_patient(clinic: Clinic, first: str, together: bool) -> None:
    bare = asked(clinic, sms=True, **WITHOUT)
    full = asked(clinic, sms=True, birth_date=ANNA["birth_date"])
    both = [full, bare] if first == "with" else [bare, full]
    with clinic.database.read() as tx:
        setting = find_setting(tx, PATHWAY, None, "tests")
    if together:
        enrolling.enroll_all(clinic.app.context, [(setting, both)])
    else:
        for one in both:
            enroll(clinic, one)
    assert on_record(clinic).person.record_number == ANNA["record_number"]
    with clinic.database.read() as tx:
        assert len(patients.search(tx, "kowalska")) == 1
    clinic.work()
    assert len(clinic.outbox()) == 1


def test_a_namesake_of_the_same_household_stays_somebody_else(clinic: Clinic) -> None:
    """Mother and daughter of one name with one telephone: their births tell them apart."""
    enroll(clinic, asked(clinic, birth_date="1961-04-12"))
    enroll(clinic, asked(clinic, birth_date="1990-01-01", record_number=None))
    with clinic.database.read() as tx:
        assert len(patients.search(tx, "kowalska")) == 2


def test_accents_and_capitals_make_nobody_somebody_else(clinic: Clinic) -> None:
    clinic.enroll()
    assert not enroll(clinic, asked(clinic, given_name="ANNA", family_name="Kowálska")).is_new


def test_the_preview_is_what_enrolling_does(clinic: Clinic) -> None:
    """Of a known patient whose consent the request does not state."""
    clinic.enroll()
    request = asked(clinic, LATER)
    with clinic.database.read() as tx:
        setting = find_setting(tx, PATHWAY, None, "tests")
    shown = consider(clinic.app.context, setting, request).messages
    rows = clinic.messages(enroll(clinic, request).enrollment_id)
    assert sorted((one.step, one.status) for one in shown) == sorted((m.step, m.status.value) for m in rows)
    assert any(m.status is Status.PLANNED for m in rows)


def test_no_said_later_in_one_batch_counts(clinic: Clinic) -> None:
    with clinic.database.read() as tx:
        setting = find_setting(tx, PATHWAY, None, "tests")
    both = [asked(clinic, sms=True), asked(clinic, LATER, sms=False)]
    enrolling.enroll_all(clinic.app.context, [(setting, both)])
    assert not on_record(clinic).contact.consent_sms


def test_an_end_right_after_the_commit_does_not_undo_the_answer(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, see_to = clinic.enroll().enrollment_id, renewing.see_to

    def ended_first(*args: object) -> None:
        clinic.change(first, cancel())
        see_to(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(renewing, "see_to", ended_first)
    assert enroll(clinic, asked(clinic, LATER, phone="+447700900199")).is_new


@contextmanager
def dying(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The process dies right after the commit of a patient's new details."""

    class Death(BaseException):
        pass

    def die(*_: object) -> None:
        raise Death

    with monkeypatch.context() as patch, suppress(Death):
        patch.setattr(renewing, "see_to", die)
        yield
        raise AssertionError("it did not die")


def test_a_crash_right_after_new_details_loses_no_message(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = clinic.enroll(sms=False, email=False).enrollment_id
    assert {m.status for m in clinic.messages(first)} == {Status.SKIPPED}
    with dying(monkeypatch):
        enroll(clinic, asked(clinic, sms=True))
    clinic.clock.at += timedelta(minutes=2)
    working.work(clinic.app.context, 5)
    assert Status.PLANNED in {m.status for m in clinic.messages(first)}
    patient = on_record(clinic)
    with clinic.database.read() as tx:
        job = jobs.latest(tx, JobKind.RENEW, str(patient.id))
    assert job is not None
    assert not job.is_open


def test_what_a_crash_left_is_tried_again_and_at_last_a_persons(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = clinic.enroll(sms=False, email=False).enrollment_id
    with dying(monkeypatch):
        enroll(clinic, asked(clinic, sms=True))
    faults: list[Exception] = [Stale("somebody else"), ValueError("odd")]

    def fail(*_: object) -> None:
        if faults:
            raise faults.pop(0)

    monkeypatch.setattr(renewing, "replan_live", fail)
    clinic.clock.at += timedelta(minutes=2)
    with pytest.raises(ValueError, match="odd"):
        working.work(clinic.app.context, 5)
    assert any(t["enrollment_id"] == first and "planned anew" in t["detail"] for t in clinic.tasks())


def test_the_language_of_a_known_patient_stays(clinic: Clinic) -> None:
    clinic.enroll(dict(ANNA) | {"locale": "en-US"})
    enroll(clinic, asked(clinic))
    assert on_record(clinic).contact.locale == "en-US"
