"""Naughty strings in every field, a database that goes away, and no patient where none belongs."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from journey.channels.protocol import Incoming
from journey.domain.access import Role, Scope
from journey.logs import configure_logs
from journey.services import api_keys
from journey.services.conversation.receiving import receive
from journey.store import audit
from tests.clinic import Clinic
from tests.servers import PostgresServer, RedisServer
from tests.web.desk import OWN, Desk, fields_of
from tests.web.test_staff_pages import FORM
from tests.web.visitor import Visitor

NAUGHTY = [
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "{{ 7*7 }}",
    "'; DROP TABLE patients;--",
    "\u202eevil",
    "a\u0000b",
    "\ufeff",
    "Ω" * 300,
    "x" * 5000,
    "../../etc/passwd",
    "%s%n",
    "\r\nX: y",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467",
    "ﷺ",
    "1e400",
    "-1",
    "NaN",
    "null",
    "\t",
    "2026-02-30",
    "9999-12-31",
    "0000-01-01",
    "25:99",
    "=1+1",
]
PARAMETERS = (
    "show", "after", "actor", "action", "subject", "since", "until", "before", "pathway", "site", "next",
)  # fmt: skip


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    clinic = Clinic(tmp_path)
    yield clinic
    clinic.close()


@pytest.fixture
def desk(clinic: Clinic) -> Iterator[Desk]:
    desk = Desk(clinic, Role.ADMIN)
    yield desk
    desk.close()


def forms(clinic: Clinic, desk: Desk) -> dict[str, dict[str, Any]]:
    """Every form of the pages, as it stands when it is opened."""
    enrollment = clinic.enroll().enrollment_id
    base = f"/enrollments/{enrollment}"
    task: Any = {"note": "", "back": "/"}
    return {
        "/enroll": dict(FORM),
        "/patients": {"q": ""},
        f"{base}/acts/move": {"day": "2026-12-22", "arrival": "08:00", "revision": "0"},
        f"{base}/acts/arrival": {"arrival": "08:00", "revision": "0"},
        f"{base}/contact": fields_of(desk.get(f"{base}/contact").text),
        f"{base}/channels/sms": {"was": "open", "evidence": "x"},
        f"{base}/write": fields_of(desk.get(f"{base}/write").text) | {"channel": "email", "subject": "s"},
        "/settings/sites/main": fields_of(desk.get("/settings/sites/main").text),
        "/settings/systems/keys": {"name": "k", "scope": "read"},
        "/settings/systems/webhooks": {"url": "https://x.example"},
        "/people": {"email": "x@y.example", "name": "n", "role": "auditor"},
        "/account/password": {"old": "o", "new": "n"},
        "/sign-in": {"email": "e", "password": "p", "next": "/", "kept": ""},
        f"/tasks/{enrollment}/note": task,
    }


def _some_only_when_there_is_time() -> list[Any]:
    slow = pytest.mark.slow
    return [
        pytest.param(text, marks=slow if place >= 4 else (), id=str(place))
        for place, text in enumerate(NAUGHTY)
    ]


@pytest.mark.parametrize("text", _some_only_when_there_is_time())
def test_no_field_of_any_form_brings_a_page_down_or_comes_back_unescaped(
    clinic: Clinic, desk: Desk, text: str
) -> None:
    clean = text.encode("utf-8", "replace").decode()
    for address, fields in forms(clinic, desk).items():
        for name in fields:
            for step in ("", "confirm") if address != "/account/password" else ("",):
                answer = desk.post(address, fields | {name: clean}, step=step)
                said = f"{address} {name}={clean[:30]!r} {step}: {answer.status_code}"
                assert answer.status_code < 500, said
                assert "<script>alert" not in answer.text, said
                assert "<img src=x" not in answer.text, said
        if address.startswith("/settings/sites"):  # whatever was accepted is put right again
            stored = fields_of(desk.get(address).text)
            desk.post(address, fields | {"revision": stored["revision"]})


@pytest.mark.parametrize("text", NAUGHTY[:6], ids=range(6))
def test_no_part_of_an_address_brings_a_page_down(desk: Desk, text: str) -> None:
    for name in PARAMETERS:
        for address in ("/patients", "/audit", "/reports", "/enroll", "/sign-in", "/outbox", "/imports"):
            answer = desk.get(address, params={name: text.encode("utf-8", "replace").decode()})
            assert answer.status_code < 500, (address, name, text)
            assert "<script>alert" not in answer.text


def test_a_database_that_goes_away_is_said_plainly_and_comes_back_by_itself(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    name = "goes_away"
    clinic = Clinic(tmp_path, database_url=postgres_server.create_database(name))
    desk = Desk(clinic, Role.COORDINATOR)
    key = api_keys.add(clinic.app.context, "other", list(Scope), "tests")
    headers = {"authorization": f"Bearer {key}"}
    assert desk.get("/patients").status_code == 200
    postgres_server.shut_out(name)
    away = desk.get("/patients")
    assert (away.status_code, "works again by itself" in away.text) == (503, True)
    assert away.headers["content-security-policy"]
    assert desk.post("/enroll", FORM).status_code == 503
    problem = desk.visitor.get("/api/v1/tasks", headers=headers)
    assert (problem.status_code, problem.headers["content-type"]) == (503, "application/problem+json")
    assert desk.get("/readyz").status_code == 503
    assert desk.get("/healthz").status_code == 200
    postgres_server.let_in(name)
    assert desk.get("/patients").status_code == 200
    desk.close()
    clinic.close()
    postgres_server.drop_database(name)


PLANTED = {
    "given_name": "Zdzisława",
    "family_name": "Quillfeather",
    "phone": "+447700900987",
    "email": "quillfeather@planted.example",
    "record_number": "PLANTED-77",
    "birth_date": "1937-07-07",
}
WORDS = (
    "Zdzis", "Quillfeather", "447700900987", "07700 900987", "planted.example", "PLANTED-77", "1937-07-07",
    "kept secret note", "my own words to her", "phoned and said", "my neighbour at number nine",
)  # fmt: skip


def test_planted_names_numbers_and_texts_are_nowhere_but_sealed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """In no log, not in the database file, not in its write-ahead log, and every look is in the audit log."""
    configure_logs()
    clinic = Clinic(tmp_path)
    desk = Desk(clinic, Role.ADMIN)
    form = FORM | PLANTED | {"phone": "07700 900987"}
    shown = desk.post("/enroll", form)
    done = desk.post("/enroll", fields_of(shown.text, "/enroll"), step="confirm")
    address = done.headers["location"].partition("?")[0]
    clinic.work()
    for text in ("quill", "07700 900987", "planted-77", "quillfeather@planted.example"):
        assert "Quillfeather" in desk.post("/patients", q=text).text
    write = fields_of(desk.get(f"{address}/write").text)
    desk.post(f"{address}/write", write, channel="sms", text="my own words to her", step="confirm")
    reply = re.search(r'action="(/outbox/messages/[0-9a-f-]+/reply)"', desk.get("/outbox").text)
    assert reply
    desk.post(reply[1], text="STOP. Quillfeather here, call my neighbour at number nine")
    receive(clinic.app.context, clinic.app.library, Incoming("SM1", "+447700900987x", "Quillfeather"))
    assert "my neighbour at number nine" in desk.get("/").text
    desk.post(f"{address}/channels/email", was="open", step="confirm", evidence="she phoned and said no")
    csv = f"given_name,family_name,email,procedure_date\nZdzisława,{'Quillfeather'},x@planted.example,bad\n"
    file = desk.visitor.post("/imports", files={"file": ("Quillfeather.csv", csv)}, headers=OWN)
    desk.post(f"{file.headers['location']}/columns", fields_of(desk.get(file.headers["location"]).text))
    assert "Quillfeather" in desk.get(file.headers["location"]).text
    task = desk.post("/enroll", form | {"procedure_date": "2026-12-28", "arrival_time": ""})
    desk.post("/enroll", fields_of(task.text, "/enroll"), step="confirm")
    found = re.search(r"/tasks/([0-9a-f-]+)/note", desk.get("/").text)
    assert found
    desk.post(f"/tasks/{found[1]}/note", note="a kept secret note", back="/")
    assert "a kept secret note" in desk.get("/").text
    key = api_keys.add(clinic.app.context, "other", list(Scope), "tests")
    other = Visitor(desk.web)
    other.post(
        "/api/v1/patients/search", json={"text": "quillfeather"}, headers={"authorization": f"Bearer {key}"}
    )
    other.close()
    logging.getLogger("journey").info("the end")
    desk.close()

    held = {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert any(name.endswith("-wal") for name in held)
    for name, raw in held.items():
        for word in WORDS:
            assert word.encode() not in raw, f"{word} stands in {name}"
            assert word.encode("utf-16-le") not in raw
    said = capfd.readouterr()
    assert not [word for word in WORDS if word in said.out + said.err]
    with clinic.database.read() as tx:
        trail = audit.recent(tx, 1000)
        assert audit.verify(tx).broken_at is None
    assert not [word for word in WORDS if word in str(trail)]
    actions = {entry["action"] for entry in trail}
    wanted = {"patient.viewed", "patient.listed", "message.written", "address.stopped", "task.noted"}
    assert wanted | {"reply.received", "reply.listed"} <= actions
    clinic.close()


def test_redis_holds_nobodys_name_number_or_address(
    tmp_path: Path, postgres_url: str, redis_server: RedisServer
) -> None:
    clinic = Clinic(tmp_path, database_url=postgres_url, redis_url=redis_server.url)
    desk = Desk(clinic, Role.COORDINATOR)
    shown = desk.post("/enroll", FORM | PLANTED)
    desk.post("/enroll", fields_of(shown.text, "/enroll"), step="confirm")
    desk.visitor.clear_cookies()
    desk.post("/sign-in", email="quillfeather@planted.example", password="my own words to her")
    broker = redis.Redis.from_url(redis_server.url)
    keys = list(broker.scan_iter())
    assert keys  # the tries at the door are counted there
    held = b" ".join([*keys, *(broker.dump(key) or b"" for key in keys)])
    assert not [word for word in WORDS if word.encode() in held]
    broker.close()
    desk.close()
    clinic.close()


def test_every_page_about_a_patient_leaves_an_audit_entry(clinic: Clinic, desk: Desk) -> None:
    enrollment = clinic.enroll().enrollment_id
    clinic.work()
    message = clinic.message(enrollment, "welcome").id
    planned = clinic.message(enrollment, "confirm").id
    base = f"/enrollments/{enrollment}"
    of_patient = ("", "/contact", "/channels/sms", "/write", "/acts/move", f"/messages/{message}")
    of_message = (f"/messages/{message}/html", f"/messages/{planned}/send-now")
    pages = ["/", "/patients", "/outbox", *(f"{base}{part}" for part in (*of_patient, *of_message))]
    clinic.enroll({"given_name": "B", "family_name": "C", "phone": "+447700900102"}, arrival=None)
    for address in pages:
        with clinic.database.read() as tx:
            before = audit.length(tx)
        assert desk.get(address).status_code == 200, address
        with clinic.database.read() as tx:
            new = audit.search(tx, audit.Wanted(actor="admin@clinic.example"), None, 50)
        fresh = {entry["action"] for entry in new if entry["seq"] > before}
        assert fresh & {"patient.viewed", "patient.listed", "message.viewed", "message.listed"}, address
