"""The staff's pages as forms post them: what is shown first is what happens, and nothing is overwritten."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from journey.domain.access import Role
from journey.domain.delivery import Status
from journey.domain.pathway import WRITTEN
from journey.services import wishes
from journey.services.pathway_files import load_built_in
from journey.services.publishing import add_pathway, publish
from journey.store import enrollments, patients, sites
from tests.clinic import ANNA, PATHWAY, PROCEDURE, START, Clinic
from tests.web.desk import OWN, PASSWORD, Desk, fields_of

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


@pytest.fixture
def desk(clinic: Clinic) -> Iterator[Desk]:
    desk = Desk(clinic, Role.ADMIN)
    yield desk
    desk.close()


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


def test_the_outbox_is_there_only_where_messages_stay(tmp_path: Path, clinic: Clinic, desk: Desk) -> None:
    clinic.enroll()
    clinic.work()
    assert "Spine Clinic: Hello" in desk.get("/outbox").text
    smtp: Any = {"email": "smtp", "smtp_url": "smtp://127.0.0.1:9", "email_from": "a@b.example"}
    twilio: Any = {"sms": "twilio", "twilio_account_sid": "AC1", "twilio_auth_token": "t"}
    address: Any = {"twilio_from": "+15005550006", "public_url": "http://127.0.0.1:8000"}
    real = Clinic(tmp_path / "real", **smtp, **twilio, **address)
    other = Desk(real, Role.ADMIN)
    assert other.get("/outbox").status_code == 404
    assert "Outbox" not in other.get("/").text
    other.close()
    real.close()


def test_a_sites_settings_plan_anew_what_is_to_go_and_are_not_overwritten(clinic: Clinic, desk: Desk) -> None:
    enrollment = clinic.enroll().enrollment_id
    before = clinic.message(enrollment, "confirm").due_at
    form = fields_of(desk.get("/settings/sites/main").text)
    form = {name: text for name, text in form.items() if name != "open_weekdays"}
    wrong = desk.post("/settings/sites/main", form, zone="Mars", open_weekdays=["0", "1"])
    assert wrong.status_code == 422
    assert "is no time zone" in wrong.text
    saved = desk.post(
        "/settings/sites/main", form, zone="America/New_York", open_weekdays=["0", "1", "2", "3", "4"]
    )
    assert saved.status_code == 303
    assert clinic.message(enrollment, "confirm").due_at == before + timedelta(hours=5)
    stale = desk.post("/settings/sites/main", form, zone="Europe/Paris", open_weekdays=["0"])
    assert stale.status_code == 409
    with clinic.database.read() as tx:
        assert sites.everyone(tx)[0].site.zone == "America/New_York"
    assert "1 enrollment planned anew" in desk.get("/settings").text


def test_people_are_invited_changed_and_disabled(clinic: Clinic, desk: Desk) -> None:
    page = desk.post("/people", email="Rosa@Clinic.example", name="Rosa", role="coordinator")
    link = re.search(r'id="link">([^<]+)<', page.text)
    assert link
    assert "/setup/" in link[1]
    assert link[1] not in desk.get("/people").text  # shown once
    rosa = Desk(clinic, web=desk.web)
    assert (
        rosa.post(link[1].removeprefix("http://127.0.0.1:8000"), name="Rosa", password=PASSWORD).status_code
        == 303
    )
    assert rosa.get("/patients").status_code == 200
    assert desk.post("/people", email="rosa@clinic.example", role="coordinator").status_code == 422
    assert desk.post("/people", email="x@clinic.example", role="king").status_code == 422
    found = re.search(r'href="(/people/[0-9a-f-]+)">Rosa<', desk.get("/people").text)
    assert found
    assert desk.post(f"{found[1]}/role", role="auditor").status_code == 303
    assert rosa.get("/enroll").status_code == 403
    assert desk.post(f"{found[1]}/disable").status_code == 303
    assert rosa.get("/patients").status_code == 303
    assert desk.post(f"{found[1]}/disable").status_code == 404
    assert desk.post(f"{found[1]}/enable").status_code == 303
    me = re.search(r'href="(/people/[0-9a-f-]+)">Kim Example<', desk.get("/people").text)
    assert me
    assert "the only admin" in desk.post(f"{me[1]}/disable").text
    rosa.close()


def test_the_audit_log_is_searched_and_walked(clinic: Clinic, desk: Desk) -> None:
    enrollment = clinic.enroll().enrollment_id
    desk.get(f"/enrollments/{enrollment}")
    page = desk.get("/audit?action=patient.viewed&actor=admin@clinic.example").text
    assert page.count("patient viewed") == 1
    assert desk.get("/audit?since=bad").status_code == 422
    assert desk.post("/audit/check").status_code == 303
    assert "none was changed, removed or slipped in" in desk.get("/audit").text


def test_keys_and_secrets_of_other_systems_are_shown_once(clinic: Clinic, desk: Desk) -> None:
    made = desk.post("/settings/systems/keys", name="Booking", scope=["read"])
    key = re.search(r'id="secret">(jrn_[^<]+)<', made.text)
    assert key
    assert key[1] not in desk.get("/settings/systems").text
    headers = {"authorization": f"Bearer {key[1]}"}
    assert desk.visitor.get("/api/v1/tasks", headers=headers).status_code == 200
    assert desk.post("/settings/systems/keys", name="", scope=["read"]).status_code == 422
    assert desk.post("/settings/systems/keys", name="Other").status_code == 422
    desk.post("/settings/systems/keys/revoke", name="Booking")
    assert desk.visitor.get("/api/v1/tasks", headers=headers).status_code == 401
    assert desk.post("/settings/systems/webhooks", url="http://x.example").status_code == 422
    hook = desk.post("/settings/systems/webhooks", url="https://x.example/hook")
    assert "whsec_" in hook.text
    found = re.search(r"/settings/systems/webhooks/([0-9a-f-]+)", desk.get("/settings/systems").text)
    assert found
    assert UUID(found[1])
    assert desk.post(f"/settings/systems/webhooks/{found[1]}/stop").status_code == 303
    assert "Stopped" in desk.get(f"/settings/systems/webhooks/{found[1]}").text


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
