"""E-mail through any SMTP server: TLS, reused connections, a stable Message-ID, one-click unsubscribe."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime, formataddr, parseaddr
from urllib.parse import unquote, urlsplit

import aiosmtplib

from journey.channels.protocol import CannotSay, ChannelPort, Outgoing, Sent, Verdict
from journey.domain.delivery import Reason
from journey.domain.outcomes import Accepted, NoAnswer, NotNow, Outcome, Refused
from journey.domain.pathway import Channel

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_IDLE_CONNECTIONS = 4


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where to hand e-mail in. Plain text is only spoken to this very machine."""

    host: str
    port: int
    username: str | None
    password: str | None
    implicit_tls: bool

    @classmethod
    def parse(cls, url: str) -> SmtpServer:
        """Reads smtp://user:password@host:587 (STARTTLS) or smtps://host:465. Raises ValueError."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:  # its words would quote a part of the password
            host, port = None, None
        if not host or parts.scheme not in ("smtp", "smtps"):
            raise ValueError(
                "JOURNEY_SMTP_URL must read like smtp://user:password@host:587, with special characters of "
                "user and password percent-encoded (/ is %2F)"
            )
        implicit = parts.scheme == "smtps"
        return cls(
            host,
            port or (465 if implicit else 587),
            unquote(parts.username) if parts.username else None,
            unquote(parts.password) if parts.password else None,
            implicit,
        )

    def client(self, seconds: float) -> aiosmtplib.SMTP:
        # STARTTLS is demanded of another machine, taken if offered on this one.
        start_tls = False if self.implicit_tls else None if self.host in _LOOPBACK else True
        return aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            username=self.username,
            password=self.password,
            use_tls=self.implicit_tls,
            start_tls=start_tls,
            timeout=seconds,
        )


class SmtpEmail(ChannelPort):
    """Make it inside the event loop it is used in."""

    kind = Channel.EMAIL
    # A second copy under the same Message-ID is one e-mail to the reader.
    may_resend = True

    def __init__(self, server: SmtpServer, sender: str, seconds: float) -> None:
        self._server = server
        self._sender = parseaddr(sender)[1]
        self._seconds = seconds
        self._idle: list[aiosmtplib.SMTP] = []

    async def send(self, outgoing: Outgoing, now: datetime) -> Outcome:
        if not outgoing.to.isascii():  # no header and no command can hold it
            return Refused(Reason.BAD_ADDRESS, "not ASCII", blocks_address=True)
        message = self._compose(outgoing, now)
        try:
            async with asyncio.timeout(self._seconds):
                async with self._connection() as connection:
                    await connection.sendmail(self._sender, [outgoing.to], message.as_bytes())
        except _NotConnected as error:
            return NotNow(error.reason, "no-connection", halts=error.halts)
        except aiosmtplib.SMTPRecipientsRefused as error:
            return _read_reply(error.recipients[0].code, is_recipient=True)
        except aiosmtplib.SMTPResponseException as error:
            return _read_reply(error.code, is_recipient=False)
        except (aiosmtplib.SMTPException, TimeoutError, OSError) as error:
            return NoAnswer(type(error).__name__)
        return Accepted(str(message["Message-ID"]))

    async def find(self, sent: Sent) -> Verdict:
        return CannotSay()  # SMTP has no look-up

    async def close(self) -> None:
        for connection in self._idle:
            connection.close()
        self._idle.clear()

    def _compose(self, outgoing: Outgoing, now: datetime) -> EmailMessage:
        message = EmailMessage(policy=SMTP_POLICY)
        message["From"] = formataddr((_literal(outgoing.from_name), self._sender))
        message["To"] = outgoing.to
        message["Subject"] = _literal(outgoing.subject)
        message["Date"] = format_datetime(now)
        # No attempt number in it: a retry is the same e-mail.
        message["Message-ID"] = f"<{outgoing.message_id}@{self._sender.partition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        if outgoing.unsubscribe_url:
            message["List-Unsubscribe"] = f"<{outgoing.unsubscribe_url}>"
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message.set_content(outgoing.text)
        message.add_alternative(outgoing.html, subtype="html")
        return message

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[aiosmtplib.SMTP]:
        """A connection of its own for the block, kept for the next one if the block went well."""
        connection = await self._reuse() or await self._connect()
        try:
            yield connection
        except aiosmtplib.SMTPRecipientsRefused:
            self._keep(connection)  # the server is fine, the address is not
            raise
        except BaseException:
            connection.close()
            raise
        self._keep(connection)

    async def _reuse(self) -> aiosmtplib.SMTP | None:
        """An idle connection that still answers: one that the server closed would lose a message."""
        while self._idle:
            connection = self._idle.pop()
            try:
                await connection.rset()
                return connection
            except (aiosmtplib.SMTPException, OSError):
                connection.close()
        return None

    async def _connect(self) -> aiosmtplib.SMTP:
        connection = self._server.client(self._seconds)
        try:
            await connection.connect()
        except aiosmtplib.SMTPAuthenticationError as error:
            raise _NotConnected(Reason.PROVIDER_HALTED, halts=True) from error
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise _NotConnected(Reason.NO_ANSWER, halts=False) from error
        return connection

    def _keep(self, connection: aiosmtplib.SMTP) -> None:
        if len(self._idle) < _IDLE_CONNECTIONS:
            self._idle.append(connection)
        else:
            connection.close()


def _literal(text: str) -> str:
    """Without encoded words: Python before 3.13 would decode them, line breaks included."""
    return text.replace("=?", "= ?")


class _NotConnected(Exception):
    """Nothing was handed in yet."""

    def __init__(self, reason: Reason, *, halts: bool) -> None:
        super().__init__(reason.value)
        self.reason, self.halts = reason, halts


def _read_reply(code: int, *, is_recipient: bool) -> Outcome:
    """4xx: later. 5xx about the recipient: a bad address. Any other 5xx: a final no."""
    if 400 <= code < 500:
        return NotNow(Reason.PROVIDER_BUSY, str(code))
    if code in (530, 534, 535, 538):
        return NotNow(Reason.PROVIDER_HALTED, str(code), halts=True)
    if is_recipient and code in (550, 551, 553):
        return Refused(Reason.BAD_ADDRESS, str(code), blocks_address=True)
    return Refused(Reason.REFUSED, str(code))
