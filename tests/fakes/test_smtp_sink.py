"""The SMTP sink, through aiosmtplib."""

import asyncio
import gc
import ssl
import warnings
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiosmtplib
import pytest

from tests.fakes.smtp_process import SmtpSink


def letter(to: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "clinic@example.org"
    message["To"] = to
    message["Subject"] = "Größe 1"
    message["Message-ID"] = "<step-1@example.org>"
    message.set_content("Please bring an escort.")
    return message


def send(sink: SmtpSink, to: str = "anna@example.org", **options: Any) -> None:
    asyncio.run(aiosmtplib.send(letter(to), hostname="127.0.0.1", port=sink.port, timeout=1.0, **options))


def test_message_is_kept_as_sent(smtp_sink: SmtpSink) -> None:
    send(smtp_sink)
    (message,) = smtp_sink.accepted()
    assert message["message_id"] == "<step-1@example.org>"
    assert (message["from"], message["to"]) == ("clinic@example.org", ["anna@example.org"])
    assert message["subject"] == message["headers"]["Subject"] == "Größe 1"
    assert "Please bring an escort." in message["raw"]


@pytest.mark.parametrize(("word", "code"), [("perm-550", 550), ("temp-451", 451)])
def test_refused_recipient(smtp_sink: SmtpSink, word: str, code: int) -> None:
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as refused:
        send(smtp_sink, f"{word}+anna@example.org")
    assert refused.value.recipients[0].code == code
    assert [event["event"] for event in smtp_sink.events()] == ["refused"]


@pytest.mark.parametrize(
    ("word", "error", "event"),
    [
        ("drop-before", aiosmtplib.SMTPServerDisconnected, "dropped"),
        ("drop-after", aiosmtplib.SMTPServerDisconnected, "accepted"),
        ("hang", aiosmtplib.SMTPReadTimeoutError, "dropped"),
        ("hang-after", aiosmtplib.SMTPReadTimeoutError, "accepted"),
    ],
)
def test_fault(smtp_sink: SmtpSink, word: str, error: type[Exception], event: str) -> None:
    with pytest.raises(error):
        send(smtp_sink, f"{word}@example.org")
    assert [line["event"] for line in smtp_sink.events()] == [event]


def test_tls_and_sign_in_are_asked_for(tmp_path: Path) -> None:
    with SmtpSink(tmp_path, tls=True, auth="clinic:s3cret") as sink:
        trust = ssl.create_default_context(cafile=str(sink.certificate_path))
        send(sink, tls_context=trust, start_tls=True, username="clinic", password="s3cret")
        with warnings.catch_warnings():
            # The library leaves a refused connection to the garbage collector, whenever that comes by.
            warnings.simplefilter("ignore", ResourceWarning)
            with pytest.raises(aiosmtplib.SMTPAuthenticationError):
                send(sink, tls_context=trust, start_tls=True, username="clinic", password="wrong")
            with pytest.raises(aiosmtplib.SMTPResponseException, match="STARTTLS"):
                send(sink, start_tls=False)
            gc.collect()
        assert len(sink.accepted()) == 1
