"""Replies that Twilio could not tell us of are fetched, and those that it told are not kept twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from journey.channels.protocol import Incoming
from journey.domain.pathway import Channel
from journey.services import suppressing
from journey.services.conversation.catching_up import NotListed, catch_up
from journey.services.conversation.receiving import receive
from journey.store import installation, replies
from tests.clinic import ANNA, Clinic, RealClock
from tests.fakes.twilio_process import ACCOUNT_SID, AUTH_TOKEN, FakeTwilio

OURS, PHONE = "+447700900001", str(ANNA["phone"])


def open_clinic(folder: Path, twilio: FakeTwilio, **sender: Any) -> Clinic:
    return Clinic(
        folder,
        clock=RealClock(),
        sms="twilio",
        twilio_account_sid=ACCOUNT_SID,
        twilio_auth_token=AUTH_TOKEN,
        twilio_api_url=twilio.url,
        public_url="https://journey.example.org",
        **sender,
    )


@pytest.fixture
def clinic(tmp_path: Path, fake_twilio: FakeTwilio) -> Iterator[Clinic]:
    clinic = open_clinic(tmp_path, fake_twilio, twilio_from=OURS)
    clinic.enroll(day=datetime.now(UTC).date() + timedelta(days=300))
    yield clinic
    clinic.close()


def said(clinic: Clinic) -> list[str]:
    with clinic.database.read() as tx:
        return [task["kind"] for task in clinic.tasks()] + [
            one.text for one in replies.of_tasks(tx, [task["id"] for task in clinic.tasks()]).values()
        ]


def test_what_was_never_told_is_fetched_once(clinic: Clinic, fake_twilio: FakeTwilio) -> None:
    fake_twilio.text_in(PHONE, "Where do I park?", to=OURS)
    fake_twilio.text_in(PHONE, "somebody else's", to="+447700900002")
    worker = clinic.app.worker()
    assert catch_up(worker) == 1
    assert said(clinic) == ["reply", "Where do I park?"]
    assert catch_up(worker) == 0


def test_what_was_told_is_not_fetched_again(clinic: Clinic, fake_twilio: FakeTwilio) -> None:
    sid = fake_twilio.text_in(PHONE, "Where do I park?", to=OURS)
    receive(clinic.app.context, clinic.app.library, Incoming(sid, PHONE, "Where do I park?"))
    assert catch_up(clinic.app.worker()) == 0
    assert said(clinic) == ["reply", "Where do I park?"]


def test_a_stop_that_was_never_told_counts(clinic: Clinic, fake_twilio: FakeTwilio) -> None:
    fake_twilio.text_in(PHONE, "STOP", to=OURS)
    catch_up(clinic.app.worker())
    assert suppressing.is_stopped(clinic.app.context, Channel.SMS, PHONE)


def test_while_twilio_does_not_answer_nothing_is_taken_for_fetched(
    clinic: Clinic, fake_twilio: FakeTwilio
) -> None:
    worker = clinic.app.worker()
    fake_twilio.text_in(PHONE, "My leg is weak", to=OURS)
    fake_twilio.control(lookup="down")
    with pytest.raises(NotListed):
        catch_up(worker)
    assert said(clinic) == []
    with clinic.database.read() as tx:
        assert installation.fetched_until(tx) is not None  # so that the figure shows that it never worked
    fake_twilio.control(lookup="ok")
    assert catch_up(worker) == 1
    assert said(clinic) == ["red_flag", "My leg is weak"]


def test_a_messaging_service_alone_has_nothing_to_list(tmp_path: Path, fake_twilio: FakeTwilio) -> None:
    clinic = open_clinic(tmp_path / "other", fake_twilio, twilio_messaging_service_sid="MG" + "1" * 32)
    fake_twilio.text_in(PHONE, "Where do I park?", to=OURS)
    assert catch_up(clinic.app.worker()) == 0
    clinic.close()


def test_where_texts_stay_here_there_is_nobody_to_ask(embedded_clinic: Clinic) -> None:
    assert catch_up(embedded_clinic.app.worker()) == 0
