"""The time limits that every promise here rests on: the SDK's client really gives up."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from journey.channels.protocol import CannotSay, Outgoing, Sent
from journey.channels.twilio_sms import TwilioSms
from journey.domain.outcomes import NoAnswer, Outcome
from tests.fakes.sdk import SDK_WARNINGS
from tests.fakes.twilio_process import FakeTwilio

pytestmark = pytest.mark.filterwarnings(SDK_WARNINGS)
SECONDS = 0.3
PATIENCE = 15.0  # far above the limit, far below for ever


def port_to(fake: FakeTwilio) -> TwilioSms:
    """Made inside the loop that uses it."""
    return TwilioSms(
        account_sid=fake.account_sid,
        auth_token=fake.auth_token,
        sender="+15005550006",
        messaging_service_sid="",
        api_url=fake.url,
        callback_url="http://127.0.0.1:1/hooks/twilio/status",
        seconds=SECONDS,
    )


@pytest.mark.parametrize("fault", ["hang_before", "hang_after", "delay_after:60"])
def test_a_send_to_a_server_that_hangs_ends_without_an_answer(fake_twilio: FakeTwilio, fault: str) -> None:
    fake_twilio.control(rules=[{"action": fault}])
    now = datetime.now(UTC)
    outgoing = Outgoing(uuid4(), 1, "+447700900123", "Hello", now + timedelta(hours=1))

    async def send() -> Outcome:
        port = port_to(fake_twilio)
        try:
            return await asyncio.wait_for(port.send(outgoing, now), PATIENCE)
        finally:
            await port.close()

    assert isinstance(asyncio.run(send()), NoAnswer)


def test_the_sdk_client_alone_gives_up_on_a_server_that_hangs(fake_twilio: FakeTwilio) -> None:
    fake_twilio.control(lookup="hang")

    async def ask() -> None:
        port = port_to(fake_twilio)
        try:
            # Past our own guard, on the client itself: SDK 9.13 ignores the limit given to its client.
            async with asyncio.timeout(PATIENCE) as guard:
                with pytest.raises(TimeoutError):
                    await port._client.messages.list_async(to="+447700900123", limit=1)
            assert not guard.expired()
        finally:
            await port.close()

    asyncio.run(ask())


def test_a_look_up_at_a_server_that_hangs_says_that_it_cannot_say(fake_twilio: FakeTwilio) -> None:
    fake_twilio.control(lookup="hang")
    sent = Sent(uuid4(), 1, "+447700900123", "Hello", datetime.now(UTC))

    async def find() -> object:
        port = port_to(fake_twilio)
        try:
            return await asyncio.wait_for(port.find(sent), PATIENCE)
        finally:
            await port.close()

    assert isinstance(asyncio.run(find()), CannotSay)
