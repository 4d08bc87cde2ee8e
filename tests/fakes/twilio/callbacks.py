"""Signed status callbacks: in order, reversed, shuffled, doubled, or before the answer."""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from twilio.request_validator import RequestValidator
from yarl import URL

from tests.fakes.twilio.messages import API_VERSION, Message

MODES = {"in_order", "reversed", "shuffled", "doubled", "early"}
CONCURRENCY = 16
ATTEMPTS = 3  # the first and two retries
ATTEMPT_SECONDS = 5.0
RETRY_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class CallbackPlan:
    """What every accepted message with a StatusCallback is told, `delay` seconds apart."""

    statuses: tuple[str, ...] = ()
    delay: float = 0.05
    mode: str = "in_order"
    error_code: int | None = None  # sent with failed and undelivered

    def order(self) -> list[str]:
        statuses = list(self.statuses)
        if self.mode == "reversed":
            statuses.reverse()
        elif self.mode == "shuffled":
            random.shuffle(statuses)
        elif self.mode == "doubled":
            statuses = [status for status in statuses for _ in range(2)]
        return statuses


def parse_plan(raw: Mapping[str, Any]) -> CallbackPlan:
    plan = CallbackPlan(**{**raw, "statuses": tuple(raw.get("statuses", ()))})
    if plan.mode not in MODES:
        raise ValueError(f"unknown callback mode: {plan.mode}")
    return plan


class CallbackSender:
    """Posts callbacks beside the creates; a bound on connections keeps them from crowding."""

    def __init__(self, auth_token: str) -> None:
        self._validator = RequestValidator(auth_token)
        self._session: aiohttp.ClientSession | None = None
        self._free = asyncio.Semaphore(CONCURRENCY)
        self._tasks: set[asyncio.Task[None]] = set()
        self.delivered = 0
        self.failed = 0
        self.last_error: str | None = None

    @property
    def pending(self) -> int:
        return len(self._tasks)

    def schedule(self, message: Message, plan: CallbackPlan) -> None:
        task = asyncio.create_task(self.send_all(message, plan, delay=plan.delay))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def send_all(self, message: Message, plan: CallbackPlan, *, delay: float = 0.0) -> None:
        for status in plan.order():
            await asyncio.sleep(delay)
            async with self._free:
                await self._send(message, status, plan)

    async def _send(self, message: Message, status: str, plan: CallbackPlan) -> None:
        assert message.callback is not None
        parameters = callback_parameters(message, status)
        message.status = status
        if status in ("failed", "undelivered") and plan.error_code:
            message.error_code = plan.error_code
            parameters["ErrorCode"] = str(plan.error_code)
        for attempt in range(ATTEMPTS):
            await asyncio.sleep(RETRY_SECONDS * attempt)
            if await self._post(message.callback, parameters):
                self.delivered += 1
                return
        self.failed += 1

    async def tell(self, message: Message, url: str) -> None:
        """Tells of a message that came in, once: Twilio does not try again."""
        if await self._post(url, incoming_parameters(message)):
            self.delivered += 1
        else:
            self.failed += 1

    async def _post(self, url: str, parameters: dict[str, str]) -> bool:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=ATTEMPT_SECONDS),
                connector=aiohttp.TCPConnector(limit=CONCURRENCY),
            )
        signature = self._validator.compute_signature(url, parameters)
        try:
            # The address goes out exactly as it was given, for that is what was signed.
            async with self._session.post(
                URL(url, encoded=True), data=parameters, headers={"X-Twilio-Signature": signature}
            ) as response:
                if response.status < 400:
                    return True
                self.last_error = f"HTTP {response.status}"
        except (aiohttp.ClientError, OSError, ValueError) as error:  # TimeoutError is an OSError
            self.last_error = repr(error)
        return False

    def reset(self) -> None:
        """Forget what is still to be sent; a callback already on its way may arrive."""
        for task in self._tasks:
            task.cancel()
        self.delivered = self.failed = 0
        self.last_error = None

    async def close(self) -> None:
        self.reset()
        if self._session is not None:
            await self._session.close()


def callback_parameters(message: Message, status: str) -> dict[str, str]:
    parameters = {
        "AccountSid": message.account,
        "ApiVersion": API_VERSION,
        "From": message.sender or "+15005550006",
        "MessageSid": message.sid,
        "MessageStatus": status,
        "SmsSid": message.sid,
        "SmsStatus": status,
        "To": message.to,
    }
    if message.service:
        parameters["MessagingServiceSid"] = message.service
    return parameters


def incoming_parameters(message: Message) -> dict[str, str]:
    return {
        "AccountSid": message.account,
        "ApiVersion": API_VERSION,
        "Body": message.body,
        "From": str(message.sender),
        "MessageSid": message.sid,
        "NumMedia": str(message.pictures),
        "NumSegments": "1",
        "SmsMessageSid": message.sid,
        "SmsSid": message.sid,
        "SmsStatus": "received",
        "To": message.to,
    }
