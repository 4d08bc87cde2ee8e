"""SMS through Twilio's own SDK, with its async client."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import aiohttp
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.base.values import unset
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from twilio.rest.api.v2010.account.message import MessageInstance
from yarl import URL

from journey.channels.protocol import Candidates, CannotSay, ChannelPort, Incoming, Outgoing, Sent, Verdict
from journey.channels.twilio_codes import read_refusal
from journey.domain.delivery import Reason
from journey.domain.outcomes import Accepted, NoAnswer, NotNow, Outcome
from journey.domain.pathway import Channel

_DEFAULT_BASE = "https://api.twilio.com"
_MAX_VALIDITY = 36_000  # seconds; Twilio's own limit
# Their clock against ours. Wide, since a clock that is ahead must not hide a message; ids that other
# messages have are left out anyway.
_SKEW = timedelta(hours=1)
_LOOK_BACK = 200  # messages to one number that a look-up reads at most
_MOST_RECEIVED = 10_000  # messages that came in; the newest ones are listed first


class _HttpClient(AsyncTwilioHttpClient):
    """The SDK's client with another base address, without a log, and at half the cost of a call.

    The SDK's log names the numbers that are looked up. What it formats for that log, and what it encodes
    anew for each request, cost as much as the request. SDK 9.13 ignores a time limit given to its client.
    """

    def __init__(self, base: str, seconds: float) -> None:
        super().__init__()
        self._base = base.rstrip("/")
        self._limit = aiohttp.ClientTimeout(total=seconds)

    async def request(  # the SDK's own signature
        self,
        method: str,
        url: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        sent = dict(headers or {})
        if auth:
            sent["Authorization"] = _basic(*auth)
        async with self.session.request(
            method,
            _address(url.replace(_DEFAULT_BASE, self._base, 1)),
            params=params,
            data=encode_form(data) if data else None,
            headers=sent,
            timeout=self._limit,
            allow_redirects=allow_redirects,
        ) as answer:
            return Response(answer.status, await answer.text(), answer.headers)


@lru_cache(maxsize=4)
def _basic(user: str, password: str) -> str:
    return aiohttp.BasicAuth(user, password).encode()


@lru_cache(maxsize=64)
def _address(url: str) -> URL:
    return URL(url)


def encode_form(data: Mapping[str, Any]) -> bytes:
    """A form as `urllib.parse.urlencode` writes it, by yarl's quoting in C: a fifth of the time."""
    return URL.build(scheme="http", host="form", query=data).raw_query_string.encode()


class TwilioSms(ChannelPort):
    """Make it inside the event loop it is used in: the SDK's client belongs to one loop."""

    kind = Channel.SMS
    may_resend = False

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: str,
        sender: str,
        messaging_service_sid: str,
        api_url: str,
        callback_url: str,
        seconds: float,
    ) -> None:
        self._http = _HttpClient(api_url, seconds)
        self._client = Client(account_sid, auth_token, http_client=self._http)
        self._sender = sender or unset
        self._service = messaging_service_sid or unset
        self._callback_url = callback_url
        self._seconds = seconds

    async def send(self, outgoing: Outgoing, now: datetime) -> Outcome:
        attempt = f"message={outgoing.message_id}&attempt={outgoing.attempt}"
        left = int((outgoing.send_by - now).total_seconds())
        try:
            async with asyncio.timeout(self._seconds):
                created = await self._client.messages.create_async(
                    to=outgoing.to,
                    from_=self._sender,
                    messaging_service_sid=self._service,
                    body=outgoing.text,
                    status_callback=f"{self._callback_url}?{attempt}",
                    validity_period=max(1, min(left, _MAX_VALIDITY)),
                )
        except TwilioRestException as error:
            if error.status >= 500:
                return NoAnswer(f"Twilio answered {error.status}")
            return read_refusal(error.code, error.status)
        except aiohttp.ClientConnectorError:
            # No connection was made, so nothing was written.
            return NotNow(Reason.NO_ANSWER, "no-connection")
        except (TimeoutError, aiohttp.ClientError, TwilioException, ValueError, OSError) as error:
            # ValueError: an answer that is no JSON. Whatever it was, the request was written.
            return NoAnswer(type(error).__name__)
        return Accepted(str(created.sid)) if created.sid else NoAnswer("answer without an id")

    async def find(self, sent: Sent) -> Verdict:
        """Lists what went to that number since the try, and looks for the same words.

        Filtered here by creation time: Twilio's own date filter is by sending time, which a message
        that still queues does not have.
        """
        since = sent.tried_at.astimezone(UTC) - _SKEW
        try:
            async with asyncio.timeout(self._seconds * 2):
                listed = await self._client.messages.list_async(to=sent.to, limit=_LOOK_BACK)
        except (TimeoutError, aiohttp.ClientError, TwilioException, ValueError, OSError):
            return CannotSay()
        return Candidates(
            tuple(
                str(one.sid)
                for one in listed
                if one.body == sent.text and one.sid and one.date_created is not None
                if one.date_created.astimezone(UTC) >= since
            )
        )

    async def received(self, since: datetime, until: datetime) -> Sequence[Incoming] | CannotSay:
        """Lists what came to our own number; a messaging service alone has none that could be listed."""
        if self._sender is unset:
            return ()
        try:
            async with asyncio.timeout(self._seconds * 2):
                listed = await self._client.messages.list_async(
                    to=self._sender, date_sent_after=since, date_sent_before=until, limit=_MOST_RECEIVED
                )
        except (TimeoutError, aiohttp.ClientError, TwilioException, ValueError, OSError):
            return CannotSay()
        if len(listed) == _MOST_RECEIVED:
            return CannotSay()  # the oldest are left out of such a list
        return tuple(
            _as_incoming(one) for one in listed if one.direction == "inbound" and one.sid and one.date_created
        )

    async def close(self) -> None:
        await self._http.close()


def _as_incoming(one: MessageInstance) -> Incoming:
    pictures = int(one.num_media) if str(one.num_media).isdecimal() else 0
    at: datetime = (one.date_sent or one.date_created).astimezone(UTC)
    return Incoming(str(one.sid), one.from_ or "", one.body or "", pictures, fetched_at=at)


def is_signed_by_twilio(auth_token: str, url: str, form: dict[str, str], signature: str) -> bool:
    """Checks X-Twilio-Signature over the configured public URL, query included."""
    return bool(RequestValidator(auth_token).validate(url, form, signature))
