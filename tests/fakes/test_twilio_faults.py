"""The faults and callbacks of the fake Twilio, through the real SDK."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest
from twilio.base.exceptions import TwilioRestException

from tests.fakes.hook import Hook, running_hook
from tests.fakes.process import REPOSITORY, wait_until
from tests.fakes.sdk import SDK_WARNINGS, sdk_client
from tests.fakes.twilio_process import FakeTwilio

pytestmark = pytest.mark.filterwarnings(SDK_WARNINGS)

ANNA = "+447700900123"
SENDER = "+15005550006"


async def create(fake: FakeTwilio, *, to: str = ANNA, body: str = "Hello", **more: Any) -> str:
    """What the caller saw: the status of the message, or the name of the exception."""
    async with sdk_client(fake, seconds=0.5) as client:
        try:
            message = await client.messages.create_async(to=to, from_=SENDER, body=body, **more)
        except TwilioRestException as error:
            return f"{error.status} {error.code}"
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            return type(error).__name__
        return str(message.status)


@pytest.mark.parametrize(
    ("action", "seen", "event"),
    [
        ("accept", "queued", "accepted"),
        ("delay:0.05", "queued", "accepted"),
        ("delay_after:5", "TimeoutError", "accepted"),
        ("hang_before", "TimeoutError", "dropped"),
        ("hang_after", "TimeoutError", "accepted"),
        ("reset_before", "ClientOSError", "dropped"),
        ("reset_after", "ClientOSError", "accepted"),
        ("garbage_before", "JSONDecodeError", "dropped"),
        ("garbage_after", "JSONDecodeError", "accepted"),
        ("429", "429 20429", "refused"),
        ("500_before", "500 20500", "refused"),
        ("500_after", "500 20500", "accepted"),
        ("error:30034:400", "400 30034", "refused"),
    ],
)
def test_fault(fake_twilio: FakeTwilio, action: str, seen: str, event: str) -> None:
    fake_twilio.control(rules=[{"action": action}])
    assert asyncio.run(create(fake_twilio)) == seen
    assert [line["event"] for line in fake_twilio.events()] == [event]
    assert asyncio.run(create(fake_twilio)) == "queued"  # a rule fires once by default


def test_first_matching_rule_counts_from_its_control_call(fake_twilio: FakeTwilio) -> None:
    async def scenario() -> list[str]:
        await create(fake_twilio)
        fake_twilio.control(
            rules=[
                {"when": {"body_contains": "secret"}, "action": "error:30007:400"},
                {"when": {"nth": 2}, "action": "429"},
                {"when": {"every": 3}, "times": 0, "action": "500_before"},
                {"when": {"to": "+15551230000"}, "action": "error:21408:403"},
            ]
        )
        texts = ["one", "two", "three", "secret", "five", "six"]
        results = [await create(fake_twilio, body=text) for text in texts]
        return [*results, await create(fake_twilio, to="+15551230000")]

    assert asyncio.run(scenario()) == [
        "queued",
        "429 20429",
        "500 20500",
        "400 30007",
        "queued",
        "500 20500",
        "403 21408",
    ]


PEER = """
import socket, sys
body = b"To=%2B447700900123&From=%2B15005550006&Body=Hi"
connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
connection.sendall(
    b"POST " + sys.argv[2].encode() + b" HTTP/1.1\\r\\nHost: fake\\r\\nAuthorization: "
    + sys.argv[3].encode() + b"\\r\\nContent-Type: application/x-www-form-urlencoded\\r\\n"
    b"Content-Length: %d\\r\\n\\r\\n" % len(body) + body
)
connection.recv(1000)
"""


@pytest.mark.parametrize(
    ("action", "events"),
    [
        ("kill_peer_before", ["dropped", "killed"]),
        ("kill_peer_after", ["accepted", "killed"]),
    ],
)
def test_process_behind_the_request_is_killed(
    fake_twilio: FakeTwilio, action: str, events: list[str]
) -> None:
    fake_twilio.control(rules=[{"action": action}])
    path = f"/2010-04-01/Accounts/{fake_twilio.account_sid}/Messages.json"
    credentials = aiohttp.encode_basic_auth(fake_twilio.account_sid, fake_twilio.auth_token)
    port = fake_twilio.url.rpartition(":")[2]
    peer = subprocess.run([sys.executable, "-c", PEER, port, path, credentials], check=False, timeout=10)
    assert peer.returncode == -9
    assert [line["event"] for line in fake_twilio.events()] == events


@pytest.mark.parametrize("kind", ["kill", "killpg"])
def test_named_process_is_killed_after_the_ledger_line(fake_twilio: FakeTwilio, kind: str) -> None:
    with subprocess.Popen(["sleep", "5"], process_group=0) as victim:
        fake_twilio.control(rules=[{"action": f"{kind}_after:{victim.pid}"}])
        asyncio.run(create(fake_twilio))
        assert victim.wait(5) == -9
    assert fake_twilio.events()[-1]["pids"] == [victim.pid]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("in_order", ["sent", "delivered"]),
        ("reversed", ["delivered", "sent"]),
        ("doubled", ["sent", "sent", "delivered", "delivered"]),
        ("early", ["sent", "delivered"]),
    ],
)
def test_callbacks_are_signed_and_ordered(fake_twilio: FakeTwilio, mode: str, expected: list[str]) -> None:
    async def scenario() -> Hook:
        async with running_hook(fake_twilio.auth_token) as hook:
            plan = {"statuses": ["sent", "delivered"], "delay": 0.01, "mode": mode}
            fake_twilio.control(callbacks=plan)
            await create(fake_twilio, status_callback=hook.url)
            if mode == "early":
                assert hook.statuses == expected  # already there when the answer comes
            await asyncio.to_thread(fake_twilio.wait_for_callbacks)
            return hook

    hook = asyncio.run(scenario())
    assert hook.statuses == expected
    assert all(hook.signatures_hold)
    assert {form["MessageSid"] for form in hook.received} == {fake_twilio.accepted()[0]["sid"]}


def test_failed_callback_has_an_error_code_and_is_tried_again(fake_twilio: FakeTwilio) -> None:
    async def scenario() -> Hook:
        async with running_hook(fake_twilio.auth_token) as hook:
            hook.refusals = 2
            fake_twilio.control(callbacks={"statuses": ["undelivered"], "error_code": 30005})
            await create(fake_twilio, status_callback=hook.url)
            await asyncio.to_thread(fake_twilio.wait_for_callbacks)
            return hook

    hook = asyncio.run(scenario())
    assert [form["ErrorCode"] for form in hook.received] == ["30005"]
    assert fake_twilio.messages()[0]["status"] == "undelivered"
    assert fake_twilio.state()["callbacks_delivered"] == 1


OWNER = """
import os, pathlib, sys
from tests.fakes.twilio_process import FakeTwilio
fake = FakeTwilio(pathlib.Path(sys.argv[1]))
print(fake.pid, flush=True)
os.kill(os.getpid(), 9)
"""


def test_fake_ends_when_its_owner_is_killed(tmp_path: Path) -> None:
    owner = subprocess.run(
        [sys.executable, "-c", OWNER, str(tmp_path)],
        check=False,
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        timeout=20,
    )
    wait_until(lambda: has_ended(int(owner.stdout)), "end of the fake", timeout=5.0)


def has_ended(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
