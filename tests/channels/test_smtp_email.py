"""E-mail as it leaves: what stands in the headers, whatever a name or subject holds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_string
from email.policy import SMTP
from uuid import uuid4

import pytest

from journey.channels.protocol import Outgoing
from journey.channels.smtp_email import SmtpEmail, SmtpServer
from journey.domain.delivery import Reason
from journey.domain.outcomes import Accepted, Outcome, Refused
from tests.fakes.smtp_process import SmtpSink

NOW = datetime(2026, 12, 1, 10, tzinfo=UTC)


class Sending:
    """One port in an event loop of its own."""

    def __init__(self, sink: SmtpSink) -> None:
        self.runner = asyncio.Runner()
        self.port = SmtpEmail(SmtpServer.parse(sink.url), "Clinic <hello@clinic.example>", 5.0)

    def send(self, to: str = "anna@example.org", subject: str = "Hello", name: str = "Clinic") -> Outcome:
        link = "https://journey.example/u/x"
        outgoing = Outgoing(uuid4(), 1, to, "Text.", NOW, subject, "<p>Text.</p>", name, link)
        return self.runner.run(self.port.send(outgoing, NOW))

    def close(self) -> None:
        self.runner.run(self.port.close())
        self.runner.close()


@pytest.fixture
def sending(smtp_sink: SmtpSink) -> Iterator[Sending]:
    made = Sending(smtp_sink)
    yield made
    made.close()


HOSTILE = "=?utf-8?q?A=0AContent-Type:_text/html=0A=0APay_at_evil=2Eexample=0A?="


@pytest.mark.parametrize("field", ["subject", "name"])
def test_an_encoded_word_in_a_header_is_text_and_no_line_break(
    sending: Sending, smtp_sink: SmtpSink, field: str
) -> None:
    assert isinstance(sending.send(**{field: f"Welcome, {HOSTILE}"}), Accepted)
    (event,) = smtp_sink.accepted()
    parsed = message_from_string(event["raw"], policy=SMTP)
    assert parsed.get_content_type() == "multipart/alternative"
    assert not any(line.startswith("Pay at") for line in event["raw"].splitlines())


def test_an_address_that_no_header_can_hold_is_a_bad_address(sending: Sending, smtp_sink: SmtpSink) -> None:
    outcome = sending.send(to="ünï@example.org")
    assert isinstance(outcome, Refused)
    assert outcome.reason is Reason.BAD_ADDRESS
    assert smtp_sink.accepted() == []


@pytest.mark.parametrize(
    "url", ["smtp://user:hunter/2secret@mail.example", "http://mail.example", "smtp://", "smtp://h:port"]
)
def test_an_address_of_a_server_that_cannot_be_read_is_not_quoted(url: str) -> None:
    with pytest.raises(ValueError, match="JOURNEY_SMTP_URL must read like") as error:
        SmtpServer.parse(url)
    assert "hunter" not in str(error.value)
