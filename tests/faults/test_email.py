"""E-mail: a lost answer means the same e-mail again under its Message-ID; a dead mailbox, another way."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from journey.domain.delivery import Reason, Status
from journey.store.schema import suppressions
from tests.fakes.smtp_process import SmtpSink
from tests.fakes.twilio_process import FakeTwilio
from tests.faults.marks import ON_SQLITE_FIRST
from tests.faults.plant import Plant, plant
from tests.servers import RedisServer


@pytest.fixture
def mailing(
    tmp_path: Path, database_url: str, redis: RedisServer, fake_twilio: FakeTwilio, smtp_sink: SmtpSink
) -> Iterator[Plant]:
    """On both databases, with SMTP to the sink."""
    settings = {"email": "smtp", "smtp_url": smtp_sink.url, "email_from": "Clinic <hello@clinic.example>"}
    with plant(tmp_path, database_url, redis.url, fake_twilio, **settings) as made:
        yield made


def writing_to(*addresses: str, **more: str) -> list[dict[str, str]]:
    person = {"given_name": "Mel", "family_name": "Post"} | more
    return [person | {"email": one, "record_number": f"M-{n}"} for n, one in enumerate(addresses)]


def copies(sink: SmtpSink, address: str) -> list[str]:
    return [event["message_id"] for event in sink.accepted() if event["to"] == [address]]


@ON_SQLITE_FIRST
def test_a_lost_answer_repeats_the_email_under_one_id_and_a_dead_mailbox_takes_another_way(
    mailing: Plant, smtp_sink: SmtpSink, fake_twilio: FakeTwilio
) -> None:
    unsure, dead, late = "drop-after+1@example.org", "perm-550+2@example.org", "temp-451+3@example.org"
    good = [f"good-{number}@example.org" for number in range(20)]
    mailing.enroll_people(writing_to(unsure, late, *good))
    by_text, *_ = mailing.enroll(1, email=dead, prefers="email")
    mailing.start_engine()
    mailing.until(lambda: len(copies(smtp_sink, unsure)) >= 2, "a second try")
    mailing.until(lambda: len(fake_twilio.accepted()) == 1, "the text instead")
    mailing.until(lambda: all(copies(smtp_sink, one) for one in good), "the good ones")
    assert len(set(copies(smtp_sink, unsure))) == 1
    assert [len(copies(smtp_sink, one)) for one in good] == [1] * len(good)
    rows = {row.channel: row for row in mailing.rows() if row.enrollment_id == by_text.enrollment}
    assert (rows["email"].status, rows["email"].reason) == (Status.FAILED, Reason.BAD_ADDRESS)
    assert rows["sms"].stands_in_for == rows["email"].id
    assert fake_twilio.accepted()[0]["to"] == by_text.phone
    assert [task["kind"] for task in mailing.clinic.tasks()] == ["bad_address"]
    assert suppressed(mailing) == [("email", Reason.BAD_ADDRESS)]
    waiting = [row.reason for row in mailing.rows() if row.status not in (Status.ACCEPTED, Status.SENDING)]
    assert all(waiting)


def suppressed(plant: Plant) -> list[tuple[str, str]]:
    query = select(suppressions.c.channel, suppressions.c.reason)
    with plant.clinic.database.read() as tx:
        return [(row.channel, row.reason) for row in tx.connection.execute(query)]
