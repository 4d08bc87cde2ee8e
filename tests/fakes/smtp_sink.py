"""A real SMTP server that keeps what it accepts, and misbehaves for certain recipients.

`perm-550@` and `temp-451@` are refused at RCPT. `drop-before@` and `hang@` go wrong before a
message is kept; `drop-after@` and `hang-after@` after it is in the ledger, with no answer.
A tag is ignored, so `hang-after+anna@example.org` works too.
"""

import argparse
import asyncio
import ssl
import time
from email import message_from_bytes
from email.policy import SMTP as SMTP_POLICY
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.fakes.certificate import make_certificate
from tests.fakes.ledger import Event, Ledger
from tests.fakes.serving import announce_and_wait, base_parser

REFUSALS = {
    "perm-550": "550 5.1.1 No such mailbox",
    "temp-451": "451 4.7.1 Try again later",
}
FAULTS = {"drop-before", "drop-after", "hang", "hang-after"}


def control_word(address: str) -> str:
    """The local part without its tag."""
    return address.partition("@")[0].partition("+")[0].lower()


class Sink:
    """Handler for aiosmtpd, which finds the methods by their names: one ledger line per
    message, on the disk before the 250."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        refusal = REFUSALS.get(control_word(address))
        if refusal:
            await self._ledger.append(
                {"event": "refused", "to": [address], "answer": refusal, "at": time.time()}
            )
            return refusal
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        faults = FAULTS & {control_word(address) for address in envelope.rcpt_tos}
        event = as_event(envelope)
        if faults:
            event["action"] = min(faults)
        if faults & {"drop-before", "hang"}:
            event["event"] = "dropped"
        await self._ledger.append(event)
        if faults & {"drop-before", "drop-after"}:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        if faults:
            await asyncio.Event().wait()  # aiosmtpd cancels us when the connection is gone
        return "250 OK"


def as_event(envelope: Envelope) -> Event:
    content = envelope.original_content or b""
    message = message_from_bytes(content, policy=SMTP_POLICY)
    return {
        "event": "accepted",
        "message_id": message["Message-ID"],
        "from": envelope.mail_from,
        "to": envelope.rcpt_tos,
        "subject": message["Subject"],
        "headers": {name: str(value) for name, value in message.items()},
        "raw": content.decode("utf-8", "replace"),
        "at": time.time(),
    }


def authenticator(credentials: str) -> Any:
    """A check of `user:password` in the form aiosmtpd asks for."""
    user, _, password = credentials.partition(":")
    expected = LoginPassword(user.encode(), password.encode())

    def check(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        # handled=False: aiosmtpd itself answers 535 to a wrong password.
        return AuthResult(success=data == expected, handled=False)

    return check


def smtp_options(options: argparse.Namespace) -> dict[str, Any]:
    chosen: dict[str, Any] = {"hostname": "localhost"}
    if options.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(make_certificate(options.ledger.parent))
        chosen |= {"tls_context": context, "require_starttls": True}
    if options.auth:
        chosen |= {"authenticator": authenticator(options.auth), "auth_required": True}
        chosen["auth_require_tls"] = options.tls
    return chosen


async def serve(options: argparse.Namespace) -> None:
    sink = Sink(Ledger(options.ledger, fsync=not options.no_fsync))
    chosen = smtp_options(options)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(sink, loop=loop, **chosen), "127.0.0.1", options.port)
    port = server.sockets[0].getsockname()[1]
    await announce_and_wait(f"smtp://127.0.0.1:{port}")
    server.close()


def main() -> None:
    parser = base_parser("An SMTP server that keeps what it accepts.")
    parser.add_argument("--tls", action="store_true", help="ask for STARTTLS, self-signed")
    parser.add_argument("--auth", metavar="USER:PASSWORD", help="ask for a sign-in")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
