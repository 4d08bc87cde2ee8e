"""Twilio's calls: only what Twilio signed counts, over the configured address and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import httpx
import pytest
from twilio.request_validator import RequestValidator

from journey.domain.delivery import Status
from journey.domain.pathway import Channel
from journey.services.preparing import claim_due
from journey.services.working import work
from journey.store import messages, replies
from journey.web.app import create_app
from tests.clinic import ANNA, Clinic
from tests.web.visitor import Visitor

PUBLIC, TOKEN = "https://journey.example.org/clinic", "a-token-of-the-test"
DELIVERED = {"MessageSid": "SM1", "MessageStatus": "delivered"}


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    twilio: dict[str, Any] = {"sms": "twilio", "twilio_account_sid": "AC1", "twilio_auth_token": TOKEN}
    clinic = Clinic(tmp_path, **twilio, twilio_from="+15005550006", public_url=PUBLIC)
    yield clinic
    clinic.close()


@pytest.fixture
def web(clinic: Clinic) -> Iterator[Visitor]:
    visitor = Visitor(create_app(clinic.app))
    yield visitor
    visitor.close()


@pytest.fixture
def sent(clinic: Clinic) -> UUID:
    """A text that a worker has claimed a moment ago."""
    clinic.enroll(email=False)
    (claimed,), _ = claim_due(clinic.app.context, clinic.app.library, Channel.SMS, 10)
    return claimed.message.id


def call_back(
    web: Visitor,
    message: UUID | str,
    *,
    token: str = TOKEN,
    address: str = PUBLIC,
    attempt: str = "1",
    form: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
) -> httpx.Response:
    """As Twilio does it: signed over the address that it was given."""
    query = urlencode({"message": str(message), "attempt": attempt})
    fields = form or DELIVERED
    url = f"{address}/hooks/twilio/status?{query}"
    signature = RequestValidator(token).compute_signature(url, fields)
    signed = {"x-twilio-signature": signature} | (headers or {})
    return web.post(f"/hooks/twilio/status?{query}", data=fields, headers=signed)


def status_of(clinic: Clinic, message: UUID) -> Status:
    with clinic.database.read() as tx:
        (row,) = messages.by_ids(tx, [message])
    return row.status


def test_a_signed_receipt_is_taken_and_a_second_one_changes_nothing(
    clinic: Clinic, web: Visitor, sent: UUID
) -> None:
    assert call_back(web, sent).status_code == 204
    assert status_of(clinic, sent) is Status.DELIVERED
    assert call_back(web, sent, form={"MessageSid": "SM1", "MessageStatus": "sent"}).status_code == 204
    assert status_of(clinic, sent) is Status.DELIVERED


@pytest.mark.parametrize(
    "forgery",
    [
        {"token": "another"},
        {"address": "https://elsewhere.example.org"},
        {"headers": {"x-twilio-signature": ""}},
        {"headers": {"x-twilio-signature": "AAAA"}},
        {"address": "http://testserver", "headers": {"x-forwarded-host": "testserver"}},
    ],
)
def test_what_twilio_did_not_sign_is_refused_and_changes_nothing(
    clinic: Clinic, web: Visitor, sent: UUID, forgery: dict[str, str]
) -> None:
    assert call_back(web, sent, **forgery).status_code == 403  # type: ignore[arg-type]
    assert status_of(clinic, sent) is Status.SENDING


def test_a_signature_holds_for_its_own_message_attempt_and_words_only(
    clinic: Clinic, web: Visitor, sent: UUID
) -> None:
    query = urlencode({"message": str(sent), "attempt": "1"})
    url = f"{PUBLIC}/hooks/twilio/status?{query}"
    signed = {"x-twilio-signature": RequestValidator(TOKEN).compute_signature(url, DELIVERED)}
    other = urlencode({"message": str(uuid4()), "attempt": "1"})
    assert web.post(f"/hooks/twilio/status?{other}", data=DELIVERED, headers=signed).status_code == 403
    failed = DELIVERED | {"MessageStatus": "failed"}
    assert web.post(f"/hooks/twilio/status?{query}", data=failed, headers=signed).status_code == 403
    assert status_of(clinic, sent) is Status.SENDING


@pytest.mark.parametrize("attempt", ["0", "2", "-1", "x", ""])
def test_an_attempt_that_was_never_made_is_unknown(web: Visitor, sent: UUID, attempt: str) -> None:
    assert call_back(web, sent, attempt=attempt).status_code == 404


@pytest.mark.parametrize(
    "message", ["", "7", "019ad1f4-0000-7000-8000-000000000000", "'; DROP TABLE messages"]
)
def test_a_message_that_is_not_ours_is_unknown(web: Visitor, sent: UUID, message: str) -> None:
    assert call_back(web, message).status_code == 404


def test_a_body_larger_than_any_callback_is_not_read(web: Visitor, sent: UUID) -> None:
    assert call_back(web, sent, form=DELIVERED | {"Body": "x" * 50_000}).status_code == 413


def test_without_a_token_nothing_is_taken(embedded_clinic: Clinic) -> None:
    web = Visitor(create_app(embedded_clinic.app))
    assert call_back(web, uuid4(), token="").status_code == 403
    web.close()


def text_in(
    web: Visitor, text: str, *, sid: str = "SM" + "7" * 32, token: str = TOKEN, **more: str
) -> httpx.Response:
    """A patient's text, as Twilio tells of it."""
    fields = {"MessageSid": sid, "From": str(ANNA["phone"]), "To": "+15005550006", "Body": text}
    fields |= {"AccountSid": "AC1", "NumMedia": "0"} | more
    signature = RequestValidator(token).compute_signature(f"{PUBLIC}/hooks/twilio/inbound", fields)
    return web.post("/hooks/twilio/inbound", data=fields, headers={"x-twilio-signature": signature})


def said(clinic: Clinic, enrollment: UUID) -> list[str]:
    with clinic.database.read() as tx:
        return [one.text for one in replies.of_enrollment(tx, enrollment)]


def test_a_patients_text_is_kept_before_it_is_answered_and_once(clinic: Clinic, web: Visitor) -> None:
    enrollment = clinic.enroll().enrollment_id
    for _ in range(2):
        answer = text_in(web, "Where do I park? 🅿️", NumMedia="0")
        assert (answer.status_code, answer.text) == (200, "<Response/>")
        assert answer.headers["content-type"].startswith("text/xml")
    assert said(clinic, enrollment) == ["Where do I park? 🅿️"]
    assert [task["kind"] for task in clinic.tasks()] == ["reply"]


def test_a_text_that_twilio_did_not_sign_is_nobodys(clinic: Clinic, web: Visitor) -> None:
    enrollment = clinic.enroll().enrollment_id
    assert text_in(web, "STOP", token="another").status_code == 403
    assert web.post("/hooks/twilio/inbound", data={"Body": "STOP"}).status_code == 403
    assert said(clinic, enrollment) == []
    assert clinic.tasks() == []


def test_stop_by_text_holds_once_twilio_has_its_answer(clinic: Clinic, web: Visitor) -> None:
    enrollment = clinic.enroll().enrollment_id
    text_in(web, "stop please")
    assert claim_due(clinic.app.context, clinic.app.library, Channel.SMS, 10)[0] == []
    work(clinic.app.context, 5)
    assert clinic.message(enrollment, "welcome").channel is Channel.EMAIL


def test_help_is_answered_by_us_unless_twilio_has(clinic: Clinic, web: Visitor) -> None:
    enrollment = clinic.enroll().enrollment_id
    text_in(web, "HELP", OptOutType="HELP")
    assert not [row for row in clinic.messages(enrollment) if row.step == "answer-help"]
    text_in(web, "HELP", sid="SM" + "8" * 32)
    assert [row for row in clinic.messages(enrollment) if row.step == "answer-help"]


@pytest.mark.parametrize(
    "fields",
    [
        {"MessageSid": ""},
        {"MessageSid": "'; DROP TABLE replies"},
        {"MessageSid": "SM" + "7" * 32 + "NumMedia0"},  # the same signature, cut elsewhere
        {"AccountSid": "AC2"},
    ],
)
def test_what_is_no_message_to_us_is_refused(clinic: Clinic, web: Visitor, fields: dict[str, str]) -> None:
    sid = fields.get("MessageSid", "SM" + "7" * 32)
    rest = {name: text for name, text in fields.items() if name != "MessageSid"}
    assert text_in(web, "hello", sid=sid, **rest).status_code == 400
    assert clinic.tasks() == []


def test_a_field_that_stands_twice_is_refused(clinic: Clinic, web: Visitor) -> None:
    body = "MessageSid=SM1&Body=STOP&Body=hello"
    headers = {"x-twilio-signature": "x", "content-type": "application/x-www-form-urlencoded"}
    assert web.post("/hooks/twilio/inbound", content=body, headers=headers).status_code == 400


def test_a_sender_without_a_number_is_a_stranger(clinic: Clinic, web: Visitor) -> None:
    assert text_in(web, "hello", From="").status_code == 200
    assert [task["enrollment_id"] for task in clinic.tasks()] == [None]


def test_the_longest_text_there_is_fits_and_longer_ones_are_not_read(clinic: Clinic, web: Visitor) -> None:
    enrollment = clinic.enroll().enrollment_id
    assert text_in(web, "𝔷" * 1600).status_code == 200
    assert said(clinic, enrollment) == ["𝔷" * 1600]
    assert text_in(web, "x" * 50_000, sid="SM" + "9" * 32).status_code == 413


@pytest.mark.parametrize("number", ["0", "2", "x", "-1", "99999999999999999999"])
def test_a_strange_number_of_pictures_loses_no_text(clinic: Clinic, web: Visitor, number: str) -> None:
    enrollment = clinic.enroll().enrollment_id
    assert text_in(web, "Here", NumMedia=number).status_code == 200
    with clinic.database.read() as tx:
        (one,) = replies.of_enrollment(tx, enrollment)
    assert one.pictures == (2 if number == "2" else 0)
