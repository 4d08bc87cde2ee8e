"""Events for other systems: signed, thin, tried again, and told once they are true."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import update
from standardwebhooks import Webhook, WebhookVerificationError

from journey.channels.webhook import CarefulResolver, post_all
from journey.domain.pathway import Channel
from journey.services import suppressing, webhooks, wishes
from journey.services.context import Refusal
from journey.services.webhooks import post_due
from journey.store.schema import webhook_endpoints
from journey.store.schema.work import DeliveryStatus
from tests.clinic import ANNA, START, Clinic, RealClock
from tests.fakes.webhook_receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def listen(clinic: Clinic, receiver: Receiver) -> tuple[UUID, str]:
    return webhooks.add(clinic.app.context, f"{receiver.url}/hook", "tests")


def post(clinic: Clinic) -> int:
    return post_due(clinic.app.context, post_all)


def types(receiver: Receiver) -> list[str]:
    return [json.loads(body)["type"] for _, body in receiver.requests]


def test_what_happens_is_told_once_it_is_true_and_names_nobody(clinic: Clinic, receiver: Receiver) -> None:
    clinic.enroll({**ANNA, "record_number": "B-1"})  # before anybody listens
    listen(clinic, receiver)
    enrollment = clinic.enroll().enrollment_id
    clinic.work()
    clinic.change(enrollment, wishes.reschedule(START.date() + timedelta(days=30), None))
    clinic.change(enrollment, wishes.cancel())
    post(clinic)
    told = types(receiver)
    assert {"enrollment.created", "message.delivered", "enrollment.rescheduled", "message.cancelled"} <= set(
        told
    )
    assert told.count("enrollment.created") == 1
    for _, body in receiver.requests:
        assert json.loads(body)["data"]["enrollment"]
        for word in (b"Anna", b"Kowalska", b"447700", b"example.org", b"A-101"):
            assert word not in body
    before = len(told)
    assert post(clinic) == 0
    assert len(receiver.requests) == before


def test_signatures_are_those_of_standard_webhooks(
    tmp_path_factory: pytest.TempPathFactory, receiver: Receiver
) -> None:
    clinic = Clinic(tmp_path_factory.mktemp("now"), clock=RealClock())  # the receiver checks the time
    _, secret = listen(clinic, receiver)
    clinic.enroll(day=(clinic.clock.now() + timedelta(days=30)).date().isoformat())
    post(clinic)
    headers, body = receiver.requests[0]
    assert Webhook(secret).verify(body, headers)["type"] == "enrollment.created"
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body + b" ", headers)
    clinic.close()


def test_a_failed_try_is_repeated_later_under_the_same_id_and_given_up_at_last(
    clinic: Clinic, receiver: Receiver
) -> None:
    endpoint, _ = listen(clinic, receiver)
    receiver.answers = [500] * 20
    clinic.enroll()
    for _ in range(12):
        post(clinic)
        clinic.clock.advance(timedelta(days=2))
    _, log = webhooks.log_of(clinic.app.context, endpoint)
    created = [one for one in log if one.type == "enrollment.created"]
    assert [(one.status, one.attempts) for one in created] == [(DeliveryStatus.FAILED, 10)]
    assert len({headers["webhook-id"] for headers, _ in receiver.requests}) == 1
    webhooks.send_again(clinic.app.context, created[0].id, "tests")
    receiver.answers = []
    post(clinic)
    _, log = webhooks.log_of(clinic.app.context, endpoint)
    assert {one.status for one in log} == {DeliveryStatus.DELIVERED}


def test_a_try_whose_worker_died_is_made_again_by_another(clinic: Clinic, receiver: Receiver) -> None:
    listen(clinic, receiver)
    clinic.enroll()

    class Death(BaseException):
        pass

    def die(*_: object) -> list[object]:
        raise Death

    with pytest.raises(Death):
        post_due(clinic.app.context, die)  # type: ignore[arg-type]
    assert post(clinic) == 0  # somebody may still be at it
    clinic.clock.advance(timedelta(minutes=5))
    assert post(clinic) == 1
    assert types(receiver) == ["enrollment.created"]


def test_no_redirect_is_followed_and_gone_means_gone(clinic: Clinic, receiver: Receiver) -> None:
    endpoint, _ = listen(clinic, receiver)
    receiver.answers = [307, 410]
    clinic.enroll()
    post(clinic)
    assert len(receiver.requests) == 1
    clinic.clock.advance(timedelta(minutes=1))
    post(clinic)
    found, log = webhooks.log_of(clinic.app.context, endpoint)
    assert not found.is_active
    assert [one.answer for one in log] == ["410 Gone"]
    clinic.enroll({**ANNA, "record_number": "B-2"})  # nobody listens any more
    assert post(clinic) == 0


def test_what_a_receiver_says_is_not_stored(clinic: Clinic, receiver: Receiver) -> None:
    """Its words may fit no column, and must not undo what became of the others."""
    endpoint, _ = listen(clinic, receiver)
    receiver.reason = "\xff\xfe" + "x" * 300
    clinic.enroll()
    assert post(clinic) == 1
    assert post(clinic) == 0
    _, log = webhooks.log_of(clinic.app.context, endpoint)
    assert [(one.status, one.answer) for one in log] == [(DeliveryStatus.DELIVERED, "200 OK")]


def test_a_secret_that_does_not_open_is_said_and_holds_up_nobody(clinic: Clinic, receiver: Receiver) -> None:
    broken, _ = webhooks.add(clinic.app.context, f"{receiver.url}/other", "tests")
    listen(clinic, receiver)
    with clinic.database.write() as tx:
        row = webhook_endpoints.c.id == broken
        tx.connection.execute(update(webhook_endpoints).where(row).values(sealed_secret=b"\0" * 40))
    clinic.enroll()
    post(clinic)
    assert types(receiver) == ["enrollment.created"]
    clinic.clock.advance(timedelta(days=10))
    for _ in range(20):
        post(clinic)
        clinic.clock.advance(timedelta(days=1))
    _, log = webhooks.log_of(clinic.app.context, broken)
    assert {one.status for one in log if one.type == "enrollment.created"} == {DeliveryStatus.FAILED}
    assert "does not open" in str(log[0].answer)


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "[::ffff:169.254.169.254]", "169.254.169.254.", "[fe80::1]", "0.0.0.0"]
)
def test_a_cloud_machines_own_keys_are_no_receiver(clinic: Clinic, host: str) -> None:
    with pytest.raises(Refusal, match="own provider"):
        webhooks.add(clinic.app.context, f"https://{host}/latest", "tests")


def test_a_name_that_leads_there_is_found_out_when_it_is_looked_up() -> None:
    async def look_up(host: str) -> int:
        return len(await CarefulResolver().resolve(host, 443))

    with pytest.raises(OSError, match="own provider"):
        asyncio.run(look_up("169.254.169.254"))
    assert asyncio.run(look_up("127.0.0.1")) == 1


def test_a_receiver_that_is_away_is_told_when_it_is_back(clinic: Clinic) -> None:
    with Receiver() as away:
        endpoint, _ = listen(clinic, away)
    clinic.enroll()
    post(clinic)
    _, log = webhooks.log_of(clinic.app.context, endpoint)
    assert log[0].status is DeliveryStatus.PENDING
    assert "cannot be reached" in str(log[0].answer)


def test_stopping_and_going_on_keeps_what_waits(clinic: Clinic, receiver: Receiver) -> None:
    endpoint, _ = listen(clinic, receiver)
    clinic.enroll()
    webhooks.turn(clinic.app.context, endpoint, "tests", on=False)
    assert post(clinic) == 0
    webhooks.turn(clinic.app.context, endpoint, "tests", on=True)
    assert post(clinic) == 1


def test_an_opt_out_tells_of_the_messages_that_it_changed(clinic: Clinic, receiver: Receiver) -> None:
    listen(clinic, receiver)
    clinic.enroll(email=False)
    suppressing.stop(clinic.app.context, Channel.SMS, str(ANNA["phone"]), source="patient")
    post(clinic)
    assert "message.skipped" in types(receiver)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://hospital.example", "http://hospital.example/hook", "https://", "https://a b",
        "javascript:alert(1)", "https://user:pass@hospital.example", "https://hospital.example:99999/",
        "https://169.254.169.254/latest", "https://h.example/#x", "https://h.example/" + "x" * 500,
        "https://[::1", "",
    ],
)  # fmt: skip
def test_what_is_no_address_to_tell_is_refused(embedded_clinic: Clinic, url: str) -> None:
    with pytest.raises(Refusal):
        webhooks.add(embedded_clinic.app.context, url, "tests")
