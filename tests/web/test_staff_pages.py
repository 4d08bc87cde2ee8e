"""The staff's pages as forms post them: what is shown first is what happens, and nothing is overwritten."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from html import unescape

import pytest

from journey.domain.access import Role
from journey.domain.delivery import Status
from journey.domain.pathway import WRITTEN
from journey.services import wishes
from journey.services.pathway_files import load_built_in
from journey.services.publishing import add_pathway, publish
from journey.store import enrollments, patients
from tests.clinic import ANNA, PATHWAY, PROCEDURE, START, Clinic
from tests.web.desk import OWN, Desk, fields_of

FORM = {
    **{name: str(text) for name, text in ANNA.items()},
    "phone": "07700 900101",
    "pathway": "bvn-ablation",
    "site": "main",
    "procedure_date": str(PROCEDURE),
    "arrival_time": "09:00",
    "consent_sms": "yes",
    "consent_email": "yes",
    "locale": "en-GB",
    "time_zone": "",
    "prefers": "",
    "fact.takes_blood_thinners": "yes",
}


def everybody(clinic: Clinic) -> list[enrollments.Enrollment]:
    with clinic.database.read() as tx:
        return enrollments.everyone(tx)


def test_nobody_is_enrolled_before_the_preview_was_seen(clinic: Clinic, desk: Desk) -> None:
    blind = desk.post("/enroll", FORM, step="confirm", seen="")
    assert blind.status_code == 409
    assert everybody(clinic) == []
    shown = desk.post("/enroll", FORM)
    assert "Medicines plan" in shown.text
    assert "Spine Clinic: Hello" in shown.text
    done = desk.post("/enroll", fields_of(shown.text, "/enroll"), step="confirm")
    assert done.status_code == 303
    page = desk.get(done.headers["location"]).text
    assert "Every message below goes out by itself" in page
    assert len(everybody(clinic)) == 1


def test_what_changed_since_the_preview_must_be_read_again(clinic: Clinic, desk: Desk) -> None:
    shown = fields_of(desk.post("/enroll", FORM).text, "/enroll")
    other = desk.post("/enroll", shown, step="confirm", arrival_time="11:00")
    assert (other.status_code, "has changed since you looked" in other.text) == (409, True)
    assert everybody(clinic) == []


def test_likely_duplicates_are_pointed_out_before(clinic: Clinic, desk: Desk) -> None:
    clinic.enroll()
    same = desk.post("/enroll", FORM).text
    assert "is enrolled already" in same
    like = desk.post("/enroll", FORM, record_number="Z-9", given_name="Ana").text
    assert "Is this Anna Kowalska" in unescape(like)
    assert "Same date of birth, phone, e-mail" in like


def test_the_second_of_two_people_is_shown_what_changed(clinic: Clinic, desk: Desk) -> None:
    enrollment = clinic.enroll().enrollment_id
    address = f"/enrollments/{enrollment}/acts/move"
    mine = desk.post(address, day="2026-12-22", arrival="08:00").text
    clinic.change(enrollment, wishes.reschedule(PROCEDURE + timedelta(days=1), None))
    late = desk.post(address, step="confirm", day="2026-12-22", arrival="08:00", revision="0")
    assert late.status_code == 409
    assert "What changed while you looked" in late.text
    assert "Date changed to Wed 16 Dec 2026, by tests" in late.text
    assert everybody(clinic)[0].procedure_date == PROCEDURE + timedelta(days=1)
    again = desk.post(address, step="confirm", day="2026-12-22", arrival="08:00", revision="1")
    assert again.status_code == 303
    assert "Move the procedure" in mine


def test_went_ahead_is_one_click_on_the_first_page(clinic: Clinic) -> None:
    enrollment = clinic.enroll(day=START.date() + timedelta(days=1)).enrollment_id
    clinic.run_until(START + timedelta(days=1, hours=8))
    desk = Desk(clinic, Role.COORDINATOR)
    home = desk.get("/").text
    form = fields_of(home, f"/enrollments/{enrollment}/acts/went-ahead")
    done = desk.post(f"/enrollments/{enrollment}/acts/went-ahead", form, step="confirm")
    assert (done.status_code, done.headers["location"]) == (303, "/")
    assert everybody(clinic)[0].completed_on == START.date() + timedelta(days=1)
    assert "Went ahead</span>" in desk.get("/").text
    desk.close()


def test_a_patient_who_confirms_is_marked_so_in_one_click_or_on_their_own_page(
    clinic: Clinic, desk: Desk
) -> None:
    enrollment = clinic.enroll(day=START.date() + timedelta(days=1)).enrollment_id
    act = f"/enrollments/{enrollment}/acts"
    form = fields_of(desk.get("/").text, f"{act}/confirmed")
    assert desk.post(f"{act}/confirmed", form, step="confirm").status_code == 303
    assert "Confirmed</span>" in desk.get("/").text
    again = desk.post(f"{act}/confirmed", form, step="confirm")  # a second click
    assert again.status_code == 409
    assert "Patient confirmed Wed 2 Dec 2026, by admin@clinic.example" in again.text
    page = desk.get(f"/enrollments/{enrollment}").text
    assert "Confirmed</span>" in page
    assert "Patient confirmed" in page
    form = fields_of(desk.get(f"{act}/unconfirmed").text)
    assert desk.post(f"{act}/unconfirmed", form, step="confirm").status_code == 303
    assert not everybody(clinic)[0].is_confirmed


def test_words_are_shown_before_they_are_sent_and_sent_once(clinic: Clinic, desk: Desk) -> None:
    enrollment = clinic.enroll().enrollment_id
    address = f"/enrollments/{enrollment}/write"
    form = fields_of(desk.get(address).text)
    assert form["text"] == "Spine Clinic:"
    shown = desk.post(address, form, text="Spine Clinic: bring your scan")
    assert "At once" in shown.text
    assert "1 segment" in shown.text
    assert not [m for m in clinic.messages(enrollment) if m.step == WRITTEN]
    form = fields_of(shown.text)
    assert desk.post(address, form, step="confirm").status_code == 303
    assert "has been sent already" in desk.post(address, form, step="confirm").text
    clinic.work()
    assert [m.status for m in clinic.messages(enrollment) if m.step == WRITTEN] == [Status.DELIVERED]
    assert "bring your scan" in desk.get(f"/enrollments/{enrollment}").text


def test_a_message_is_sent_now_after_it_was_shown(clinic: Clinic, desk: Desk) -> None:
    enrollment = clinic.enroll().enrollment_id
    row = clinic.message(enrollment, "confirm")
    address = f"/enrollments/{enrollment}/messages/{row.id}"
    assert "send-now" in desk.get(address).text
    shown = desk.get(f"{address}/send-now").text
    assert "It would leave at once" in shown
    done = desk.post(f"{address}/send-now", fields_of(shown), step="confirm")
    assert done.status_code == 303
    clinic.work()
    assert clinic.message(enrollment, "confirm").status is Status.DELIVERED
    assert "brought forward by staff" in unescape(desk.get(address).text)
    recovery = clinic.message(enrollment, "day-1")
    refused = desk.get(f"/enrollments/{enrollment}/messages/{recovery.id}/send-now")
    assert "before the procedure is over" in refused.text


def test_a_channel_is_stopped_with_evidence(clinic: Clinic, desk: Desk) -> None:
    enrollment = clinic.enroll().enrollment_id
    address = f"/enrollments/{enrollment}/channels/sms"
    bare = desk.post(address, was="open", step="confirm", evidence=" ")
    assert bare.status_code == 422
    assert desk.post(address, was="open", step="confirm", evidence="Phoned: no texts").status_code == 303
    assert "Stopped</span>" in desk.get(f"/enrollments/{enrollment}").text
    late = desk.post(address, was="open", step="confirm", evidence="again")
    assert "Somebody else has just done this" in late.text


def test_an_import_from_the_file_to_the_patients(clinic: Clinic, desk: Desk) -> None:
    text = (
        "First name,Surname,Mobile,Procedure date,Arrival,Text consent\n"
        "Anna,Kowalska,07700 900101,2026-12-15,09:00,yes\nNora,Lund,nothing,2026-12-16,,yes\n"
    )
    sent = desk.visitor.post("/imports", files={"file": ("C:\\lists\\dec.csv", text)}, headers=OWN)
    assert sent.status_code == 303
    address = sent.headers["location"]
    page = desk.get(address).text
    assert "dec.csv" in page
    assert "lists" not in page
    checked = desk.post(f"{address}/columns", fields_of(page))
    assert checked.status_code == 303
    rows = desk.get(address).text
    assert "is no phone number" in rows
    assert "1 row can be enrolled; 1 row needs mending" in rows
    ready = desk.get(f"{address}?show=ready").text
    assert "Welcome" in ready
    assert desk.post(f"{address}/begin", fields_of(ready, f"{address}/begin")).status_code == 303
    assert "1 patient enrolled" in desk.get(address).text
    assert desk.post(f"{address}/begin").status_code == 422
    result = desk.get(f"{address}/result.csv")
    assert result.headers["content-type"].startswith("text/csv")
    assert "attachment" in result.headers["content-disposition"]
    assert len(everybody(clinic)) == 1


@pytest.mark.parametrize("cut", [20, 150, -30, -5])
def test_an_upload_that_breaks_off_is_refused(clinic: Clinic, desk: Desk, cut: int) -> None:
    body = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        + b"given_name,family_name\nA,B\n" * 5
        + b"\r\n--x--\r\n"
    )
    headers = OWN | {"content-type": "multipart/form-data; boundary=x"}
    answer = desk.visitor.post("/imports", content=body[:cut], headers=headers)
    assert answer.status_code == 422, answer.headers
    assert clinic.app.context.database


def test_an_upload_without_end_is_cut_off(desk: Desk) -> None:
    headers = OWN | {"content-type": "multipart/form-data; boundary=x"}
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    answer = desk.visitor.post("/imports", content=head + b"a" * 20_300_000, headers=headers)
    assert answer.status_code == 413


def test_reports_are_shown_and_downloaded(clinic: Clinic, desk: Desk) -> None:
    clinic.enroll()
    clinic.work()
    page = desk.get("/reports?since=2026-11-20").text
    assert "<svg" in page
    assert "Texts delivered" in page
    raw = desk.get("/reports.csv?since=2026-11-20").text
    assert "2026-12-01,messages,sms,delivered,1" in raw
    for span in ("since=x", "since=2027-01-01&until=2026-01-01", "since=1900-01-01", "until=9999-12-31"):
        wrong = desk.get(f"/reports?{span}")
        assert wrong.status_code == 422, span
        assert 'class="errors"' in wrong.text


def test_somebody_elses_record_number_is_said_beside_its_field(clinic: Clinic, desk: Desk) -> None:
    clinic.enroll()
    other = FORM | {"given_name": "Boris", "family_name": "Smith"}
    for step in ("", "confirm"):
        answer = desk.post("/enroll", other, step=step)
        assert answer.status_code == 422
        assert "Record number belongs to somebody else" in answer.text
        assert 'value="Boris"' in answer.text  # what was typed is still there
        assert "Kowalska" not in answer.text
    beside = desk.post("/enroll/preview", other)
    assert beside.status_code == 200
    assert "belongs to somebody else" in beside.text


@pytest.mark.parametrize("ticked", [(), ("consent_sms",)])
def test_an_empty_box_takes_no_known_patients_consent_back(
    clinic: Clinic, desk: Desk, ticked: tuple[str, ...]
) -> None:
    first = clinic.enroll(dict(ANNA) | {"locale": "en-US"}).enrollment_id
    page = desk.get("/enroll").text
    assert fields_of(page, "/enroll")["locale"] == ""
    form = {name: text for name, text in FORM.items() if not name.startswith("consent") or name in ticked}
    form |= {"procedure_date": str(PROCEDURE + timedelta(days=7)), "locale": ""}
    shown = desk.post("/enroll", form)
    done = desk.post("/enroll", fields_of(shown.text, "/enroll"), step="confirm")
    assert done.status_code == 303
    assert any(m.status is Status.PLANNED for m in clinic.messages(first))
    with clinic.database.read() as tx:
        (patient,) = patients.search(tx, "A-101")
    assert (patient.contact.consent_sms, patient.contact.consent_email) == (True, True)
    assert patient.contact.locale == "en-US"


def test_newer_messages_show_which_words_change(clinic: Clinic, desk: Desk) -> None:
    enrollment = clinic.enroll().enrollment_id
    clinic.work()  # the welcome has gone out: nothing about it changes any more
    content = load_built_in(PATHWAY)
    templates = dict(content.templates)
    for name, old, new in (
        ("fasting-reminder.en-GB.sms.txt", "Unwell or infection?", "Feeling ill?"),
        ("welcome.en-GB.sms.txt", "Hello", "Good day"),
    ):
        assert old in templates[name]
        templates[name] = templates[name].replace(old, new)
    add_pathway(clinic.app.context, replace(content, templates=templates), "tests")
    publish(clinic.app.context, PATHWAY, "Dr. Approver")
    page = desk.get(f"/enrollments/{enrollment}/acts/version").text
    assert "Words that change" in page
    assert "<del> Unwell or infection?</del><ins> Feeling ill?</ins>" in page
    assert "Good day" not in page
    done = desk.post(f"/enrollments/{enrollment}/acts/version", fields_of(page), step="confirm")
    assert done.status_code == 303
    fasting = clinic.message(enrollment, "fasting-reminder").id
    assert "Feeling ill?" in desk.get(f"/enrollments/{enrollment}/messages/{fasting}").text
