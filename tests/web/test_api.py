"""The API: enrollments made once however often they are asked for, changed with a preview, told plainly."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time, timedelta
from typing import Any

import pytest

from journey.domain.access import Scope
from journey.services import api_keys, previewing
from journey.services.previewing import VirtualPatient
from journey.store import audit, enrollments
from tests.clinic import PATHWAY, PROCEDURE, Clinic
from tests.web.other import ANNA, Other, changed, patient


def test_an_enrollment_answers_with_what_the_preview_says(other: Other) -> None:
    answer = other.post("/enrollments", ANNA)
    assert answer.status_code == 201
    made = answer.json()
    assert answer.headers["location"] == f"/api/v1/enrollments/{made['id']}"
    who = VirtualPatient(
        PROCEDURE,
        enrolled_at=other.clinic.clock.now(),
        arrival_time=time(9),
        facts={"takes_blood_thinners": True},
    )
    expected = previewing.preview(other.clinic.app.context, PATHWAY, None, who)
    shown = [{name: text for name, text in one.items() if name != "id"} for one in made["messages"]]
    for one, same in zip(shown, expected, strict=True):
        wanted = same.as_json()
        if one["channel"] == "email":  # the preview's own person is called Sam
            one["text"], wanted["text"] = one["text"].replace("Anna", "Sam"), wanted["text"]
        assert one == wanted
    assert all(one["id"] for one in made["messages"])
    assert other.get(f"/enrollments/{made['id']}").json() == made


def test_a_dry_run_shows_the_same_and_writes_nothing(other: Other) -> None:
    shown = other.post("/enrollments?dry_run=true", ANNA)
    assert shown.status_code == 200
    assert shown.json()["id"] is None
    with other.clinic.database.read() as tx:
        assert enrollments.everyone(tx) == []
    made = other.post("/enrollments", ANNA).json()
    plain = [{**one, "id": None} for one in made["messages"]]
    assert shown.json()["messages"] == plain


def test_present_states_follow_what_happens(other: Other) -> None:
    made = other.post("/enrollments", ANNA).json()
    other.clinic.work()
    states = {
        one["step"]: one["status"] for one in other.get(f"/enrollments/{made['id']}").json()["messages"]
    }
    assert states["welcome"] == "delivered"
    assert states["confirm"] == "planned"
    welcome = next(one for one in made["messages"] if one["step"] == "welcome")
    single = other.get(f"/messages/{welcome['id']}").json()
    assert (single["enrollment"], single["status"]) == (made["id"], "delivered")
    assert single["text"] == welcome["text"]


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({}, 422, "#/patient"),
        (patient(phone="call me"), 422, "#/patient/phone"),
        (patient(phone="+4412345"), 409, "#/patient/phone"),
        (patient(phone="020 7946 0000"), 409, "#/patient/phone"),
        (patient(email="no"), 422, "#/patient/email"),
        (patient(birth_date="1961-02-30"), 422, "#/patient/birth_date"),
        (patient(birth_date="2999-01-01"), 409, "#/patient/birth_date"),
        (patient(time_zone="Mars/Base"), 409, "#/patient/time_zone"),
        (patient(locale="xx"), 422, "#/patient/locale"),
        (patient(given_name=""), 422, "#/patient/given_name"),
        (patient(given_name="{{ 7*7 }}"), 409, "#/patient/given_name"),
        (patient(nick_name="Ania"), 422, "#/patient/nick_name"),
        (changed(procedure_date="tomorrow"), 422, "#/procedure_date"),
        (changed(procedure_date="2020-01-01"), 409, "#/procedure_date"),
        (changed(procedure_date="2126-01-01"), 409, "#/procedure_date"),
        (changed(arrival_time="25:00"), 422, "#/arrival_time"),
        (changed(pathway="nope"), 409, "#/pathway"),
        (changed(site="mars"), 409, "#/site"),
        (changed(facts={"takes_blood_thinners": "perhaps"}), 409, "#/facts/takes_blood_thinners"),
        (changed(facts={"shoe_size": True}), 409, "#/facts"),
        (changed(consent={"sms": "yes"}), 422, "#/consent/sms"),
        ([], 422, "#/"),
        ("text", 422, "#/"),
    ],
)
def test_a_problem_names_the_field_at_fault(other: Other, body: Any, status: int, pointer: str) -> None:
    answer = other.post("/enrollments", body)
    problem: Mapping[str, Any] = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert problem["status"] == status
    assert problem["type"].startswith("urn:journey:problem:")
    assert pointer in [error["pointer"] for error in problem["errors"]], problem
    assert "Kowalska" not in answer.text  # what was sent is not repeated


def test_a_change_is_previewed_exactly_and_then_done(other: Other) -> None:
    made = other.post("/enrollments", ANNA).json()
    other.clinic.work()
    address, body = (
        f"/enrollments/{made['id']}/reschedule",
        {"procedure_date": "2026-12-22", "arrival_time": "08:00"},
    )
    shown = other.post(f"{address}?dry_run=true", body).json()
    assert shown["dry_run"] is True
    assert other.get(f"/enrollments/{made['id']}").json()["procedure_date"] == str(PROCEDURE)
    done = other.post(address, body).json()
    assert (done["dry_run"], done["procedure_date"], done["revision"]) == (False, "2026-12-22", 1)
    assert [line["action"] for line in shown["changes"]] == [line["action"] for line in done["changes"]]
    assert "correct" in {line["action"] for line in done["changes"]}

    def plain(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [{k: v for k, v in one.items() if k != "id"} for one in answer["messages"]]

    assert plain(shown) == plain(done)


def test_a_stale_revision_changes_nothing(other: Other) -> None:
    made = other.post("/enrollments", ANNA).json()
    body = {"procedure_date": "2026-12-22", "revision": 0}
    assert other.post(f"/enrollments/{made['id']}/reschedule", body).status_code == 200
    stale = other.post(f"/enrollments/{made['id']}/cancel", {"revision": 0})
    assert stale.status_code == 409
    assert other.get(f"/enrollments/{made['id']}").json()["status"] == "active"


def test_cancelling_and_completing(other: Other) -> None:
    made = other.post("/enrollments", ANNA).json()
    early = other.post(f"/enrollments/{made['id']}/complete", {})
    assert early.status_code == 409
    assert "still to come" in early.json()["detail"]
    shown = other.post(f"/enrollments/{made['id']}/cancel?dry_run=true").json()
    assert shown["status"] == "cancelled"
    assert other.post(f"/enrollments/{made['id']}/cancel").json()["status"] == "cancelled"
    again = other.post(f"/enrollments/{made['id']}/cancel")
    assert again.status_code == 409
    states = {one["status"] for one in other.get(f"/enrollments/{made['id']}").json()["messages"]}
    assert states == {"cancelled"}


def test_confirming_takes_the_date_that_the_patient_heard(other: Other) -> None:
    made = other.post("/enrollments", ANNA).json()
    address = f"/enrollments/{made['id']}/confirm"
    assert other.post(address, {}).status_code == 422
    old = other.post(address, {"procedure_date": "2026-12-14"})
    assert old.status_code == 409
    assert "the date is 2026-12-15 by now" in old.json()["detail"]
    heard = {"procedure_date": "2026-12-15"}
    shown = other.post(f"{address}?dry_run=true", heard).json()
    assert shown["confirmed"]
    assert not other.get(f"/enrollments/{made['id']}").json()["confirmed"]
    done = other.post(address, heard).json()
    assert done["confirmed"]
    (asking,) = [one for one in done["messages"] if one["step"] == "confirm"]
    assert asking["status"] == "cancelled"
    assert not other.post(f"/enrollments/{made['id']}/unconfirm").json()["confirmed"]


def test_lists_come_in_pages_that_neither_repeat_nor_leave_out(other: Other) -> None:
    for number in range(7):
        other.post("/enrollments", patient(record_number=f"N-{number}", phone=f"+44770090030{number}"))
    found: list[str] = []
    cursor = ""
    while True:
        page = other.get(f"/enrollments?limit=3{cursor}").json()
        found += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert len(found) == len(set(found)) == 7
    assert found == sorted(found)
    assert other.get("/enrollments?procedure_from=2027-01-01").json()["items"] == []
    assert len(other.get("/messages?limit=100&status=planned").json()["items"]) == 7 * 14
    one = other.get(f"/messages?limit=100&enrollment={found[0]}").json()["items"]
    assert {message["enrollment"] for message in one} == {found[0]}


def test_patients_are_found_without_their_names_in_an_address(other: Other) -> None:
    made = other.post("/enrollments", ANNA).json()
    for text in ("kowal", "+447700900101", "07700 900101", "ANNA@example.org", "a-101"):
        found = other.post("/patients/search", {"text": text}).json()["items"]
        assert [one["id"] for one in found] == [made["patient"]], text
    assert other.post("/patients/search", {"text": "nobody"}).json()["items"] == []
    one = other.get(f"/patients/{made['patient']}").json()
    assert (one["given_name"], [row["id"] for row in one["enrollments"]]) == ("Anna", [made["id"]])


def test_tasks_are_taken_written_beside_and_done(other: Other) -> None:
    other.post("/enrollments", changed(arrival_time=None))
    task = other.get("/tasks").json()["items"][0]
    assert task["kind"] == "set_arrival"
    assert other.post(f"/tasks/{task['id']}/claim").json()["claimed_by"].startswith("api:booking")
    assert other.post(f"/tasks/{task['id']}/notes", {"text": "rang"}).status_code == 204
    assert other.post(f"/tasks/{task['id']}/done").json()["done_at"]
    assert other.post(f"/tasks/{task['id']}/done").status_code == 404
    assert other.get("/tasks").json()["items"] == []
    assert len(other.get("/tasks?state=done").json()["items"]) == 1


def test_whoever_looks_is_in_the_audit_log_by_the_keys_name(other: Other) -> None:
    made = other.post("/enrollments", ANNA).json()
    other.get(f"/enrollments/{made['id']}")
    other.get(f"/patients/{made['patient']}")
    other.post("/patients/search", {"text": "kowalska"})
    with other.clinic.database.read() as tx:
        entries = audit.recent(tx, 100)
        assert audit.verify(tx).broken_at is None
    mine = [entry for entry in entries if entry["actor"].startswith("api:booking")]
    assert {"enrollment.created", "patient.viewed", "patient.listed"} <= {entry["action"] for entry in mine}


def test_too_many_requests_wait(tmp_path_factory: pytest.TempPathFactory) -> None:
    clinic = Clinic(tmp_path_factory.mktemp("limits"), api_requests_per_minute=3)
    other = Other(clinic)
    codes = [other.get("/tasks").status_code for _ in range(5)]
    assert codes == [200, 200, 200, 429, 429]
    assert other.get("/tasks").headers["retry-after"] == "60"
    other.visitor.close()
    clinic.close()


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a": NaN}', b"null"])
def test_what_is_no_json_is_a_problem(other: Other, raw: bytes) -> None:
    headers = other.headers() | {"content-type": "application/json"}
    answer = other.visitor.post("/api/v1/enrollments", content=raw, headers=headers)
    assert answer.status_code in (400, 413, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_every_method_that_an_address_has_is_named(other: Other) -> None:
    client = other.visitor
    answer = client._runner.run(client._client.request("PUT", "/api/v1/enrollments"))
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
    assert answer.json()["title"] == "Not possible here"


@pytest.mark.parametrize("address", ["/enrollments", "/patients/search", "/nothing/here"])
def test_a_large_body_is_refused_before_anybody_reads_it(other: Other, address: str) -> None:
    answer = other.visitor.post(f"/api/v1{address}", content=b'{"a": "' + b"x" * 70_000)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_key_that_may_only_write_previews_nothing(other: Other) -> None:
    made = other.post("/enrollments", ANNA).json()["id"]
    other.key = api_keys.add(other.clinic.app.context, "writer", [Scope.WRITE], "tests")
    for address, body in (("/enrollments", ANNA), (f"/enrollments/{made}/cancel", {})):
        assert other.post(f"{address}?dry_run=true", body).status_code == 403
    assert other.post(f"/enrollments/{made}/cancel", {}).status_code == 200


def test_somebody_elses_record_number_names_its_field(other: Other) -> None:
    other.post("/enrollments", ANNA)
    for address in ("/enrollments", "/enrollments?dry_run=true"):
        answer = other.post(address, patient(given_name="Boris", family_name="Smith"))
        assert answer.status_code == 409
        assert answer.json()["errors"][0]["pointer"] == "#/patient/record_number"


def test_a_preview_refuses_what_the_change_would_refuse(other: Other) -> None:
    first = other.post("/enrollments", ANNA).json()
    day = str(PROCEDURE + timedelta(days=9))
    other.post("/enrollments", changed(procedure_date=day))
    for body in ({"procedure_date": day}, {"procedure_date": str(PROCEDURE), "revision": 7}):
        for query in ("", "?dry_run=true"):
            assert other.post(f"/enrollments/{first['id']}/reschedule{query}", body).status_code == 409


def test_a_preview_of_what_stands_already_shows_what_stands(other: Other) -> None:
    made = other.post("/enrollments", ANNA).json()
    other.clinic.work()
    shown = other.post("/enrollments?dry_run=true", ANNA).json()
    assert shown["id"] == made["id"]
    assert [one["status"] for one in shown["messages"]].count("delivered") == 1


@pytest.mark.parametrize("day", ["0001-01-01", "2025-12-15", "9999-12-31"])
def test_a_day_that_cannot_be_is_refused_when_it_went_ahead(other: Other, day: str) -> None:
    made = other.post("/enrollments", ANNA).json()["id"]
    other.clinic.clock.at += timedelta(days=30)
    for query in ("", "?dry_run=true"):
        answer = other.post(f"/enrollments/{made}/complete{query}", {"date": day})
        assert answer.status_code == 409, answer.text
        assert answer.json()["errors"][0]["pointer"] == "#/date"


def test_a_character_that_no_database_keeps_is_said_to_be_one(other: Other) -> None:
    answer = other.post("/enrollments", changed(site="a\u0000b"))
    assert answer.status_code in (409, 422)
