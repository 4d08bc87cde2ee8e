"""The fake Twilio, through the real SDK."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException

from tests.fakes.sdk import SDK_WARNINGS, sdk_client
from tests.fakes.twilio_process import FakeTwilio

pytestmark = pytest.mark.filterwarnings(SDK_WARNINGS)

ANNA = "+447700900123"
BEN = "+447700900456"
CLINIC = "+15005550006"


async def create(client: Any, to: str = ANNA, body: str = "Hello", **more: Any) -> Any:
    sender = {} if "messaging_service_sid" in more else {"from_": CLINIC}
    return await client.messages.create_async(to=to, body=body, **sender, **more)


def test_create_is_answered_as_by_twilio_and_kept(fake_twilio: FakeTwilio) -> None:
    async def scenario() -> Any:
        async with sdk_client(fake_twilio) as client:
            return await create(client, validity_period=600)

    message = asyncio.run(scenario())
    assert (message.sid[:2], len(message.sid), message.status) == ("SM", 34, "queued")
    assert (message.to, message.from_, message.body) == (ANNA, CLINIC, "Hello")
    assert abs(datetime.now(UTC) - message.date_created) < timedelta(seconds=5)
    (line,) = fake_twilio.accepted()
    assert line["sid"] == message.sid
    assert (line["to"], line["body"], line["n"], line["validity"]) == (ANNA, "Hello", 1, 600)


def test_messaging_service_has_no_sender_yet(fake_twilio: FakeTwilio) -> None:
    async def scenario() -> Any:
        async with sdk_client(fake_twilio) as client:
            return await create(client, messaging_service_sid="MG" + "1" * 32)

    message = asyncio.run(scenario())
    assert (message.status, message.from_, message.num_segments) == ("accepted", None, "0")


def test_list_filters_by_recipient_and_date_across_pages(fake_twilio: FakeTwilio) -> None:
    async def scenario() -> None:
        async with sdk_client(fake_twilio) as client:
            sent = [(await create(client, body=f"No {n}")).sid for n in range(7)]
            await create(client, to=BEN)
            now = datetime.now(UTC)
            listed = await client.messages.list_async(
                to=ANNA, date_sent_after=now - timedelta(minutes=1), page_size=3
            )
            assert [message.sid for message in listed] == sent[::-1]
            hour = timedelta(hours=1)
            assert not await client.messages.list_async(to=ANNA, date_sent_after=now + hour)
            assert not await client.messages.list_async(to=ANNA, date_sent_before=now - hour)
            assert len(await client.messages.list_async(date_sent=listed[0].date_sent)) == 8
            assert (await client.messages(sent[0]).fetch_async()).body == "No 0"

    asyncio.run(scenario())


@pytest.mark.parametrize(("lookup", "found"), [("ok", 1), ("empty", 0), ("lag:60", 0), ("lag:0", 1)])
def test_look_up_modes(fake_twilio: FakeTwilio, lookup: str, found: int) -> None:
    async def scenario() -> int:
        async with sdk_client(fake_twilio) as client:
            await create(client)
            fake_twilio.control(lookup=lookup)
            return len(await client.messages.list_async(to=ANNA))

    assert asyncio.run(scenario()) == found


def test_look_up_that_is_down_raises(fake_twilio: FakeTwilio) -> None:
    async def scenario() -> None:
        async with sdk_client(fake_twilio, seconds=0.2) as client:
            fake_twilio.control(lookup="down")
            with pytest.raises(TwilioRestException) as down:
                await client.messages("SM" + "0" * 32).fetch_async()
            assert down.value.status == 503
            fake_twilio.control(lookup="hang")
            with pytest.raises(TimeoutError):
                await client.messages.list_async(to=ANNA)

    asyncio.run(scenario())


@pytest.mark.parametrize(("to", "code"), [("+15005550001", 21211), ("+15005550009", 21614), (BEN, 21610)])
def test_numbers_that_twilio_refuses(fake_twilio: FakeTwilio, to: str, code: int) -> None:
    fake_twilio.control(opted_out=[BEN])

    async def scenario() -> None:
        async with sdk_client(fake_twilio) as client:
            await create(client, to=to)

    with pytest.raises(TwilioRestException) as refused:
        asyncio.run(scenario())
    assert (refused.value.status, refused.value.code) == (400, code)
    assert [event["code"] for event in fake_twilio.events()] == [code]


def test_wrong_token_is_not_let_in(fake_twilio: FakeTwilio) -> None:
    async def scenario() -> None:
        async with sdk_client(fake_twilio, auth_token="wrong") as client:
            await create(client)

    with pytest.raises(TwilioRestException) as refused:
        asyncio.run(scenario())
    assert (refused.value.status, refused.value.code) == (401, 20003)
    assert fake_twilio.events() == []


def test_control_applies_all_or_nothing(fake_twilio: FakeTwilio) -> None:
    with pytest.raises(OSError, match="400"):
        fake_twilio.control(lookup="down", rules=[{"action": "explode"}])
    assert fake_twilio.control(lookup="ok")["creates"] == 0

    async def scenario() -> None:
        async with sdk_client(fake_twilio) as client:
            await create(client)

    asyncio.run(scenario())
    assert len(fake_twilio.messages()) == 1


def test_stopped_fake_is_revived_by_reset(fake_twilio: FakeTwilio) -> None:
    url = fake_twilio.url
    fake_twilio.stop()
    fake_twilio.reset()
    assert (fake_twilio.url, fake_twilio.state()["creates"]) == (url, 0)
