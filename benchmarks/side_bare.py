"""The bare side: nothing but the SDK's own calls, with the same number of processes and in flight."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any, Self

from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

from benchmarks.scene import CALLBACKS, IN_FLIGHT, PROCESSES, SENDER, Scene

TWILIO = "https://api.twilio.com"
CALLBACK = CALLBACKS + "/hooks/twilio/status?message=019ad1f4-0000-7000-8000-000000000000&attempt=1"


@dataclass(frozen=True, slots=True)
class BarePace:
    messages: int
    seconds: float
    cpu_seconds: float

    @property
    def per_second(self) -> float:
        return self.messages / self.seconds

    def as_run(self) -> dict[str, Any]:
        return {
            "bare_per_second": round(self.per_second, 1),
            "bare_cpu_ms": round(1000 * self.cpu_seconds / self.messages, 3),
        }


class BareLoops:
    """Processes that keep their client and connections between runs, as a worker does."""

    def __init__(self, scene: Scene, text: str) -> None:
        context = multiprocessing.get_context("spawn")
        provider = scene.provider
        self._pool = ProcessPoolExecutor(
            PROCESSES,
            mp_context=context,
            initializer=_open,
            initargs=(context.Barrier(PROCESSES), provider.url, provider.account_sid, provider.auth_token),
        )
        self._text, self._provider = text, provider

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def run(self, number: int, *, latency: float = 0.0) -> BarePace:
        self._provider.reset()
        self._provider.control(latency=latency)
        share = number // PROCESSES
        runs = [self._pool.submit(_send_all, share, self._text) for _ in range(PROCESSES)]
        ends = [run.result(timeout=120) for run in runs]
        assert len(self._provider.accepted()) == share * PROCESSES
        begun, ended = min(one[0] for one in ends), max(one[1] for one in ends)
        return BarePace(share * PROCESSES, ended - begun, sum(one[2] for one in ends))


class _Redirected(AsyncTwilioHttpClient):  # type: ignore[misc]
    """The SDK's own async client as it comes; only the address differs."""

    base = ""

    async def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        return await super().request(method, url.replace(TWILIO, self.base, 1), *args, **kwargs)


_mine: dict[str, Any] = {}


def _open(barrier: Any, url: str, account: str, token: str) -> None:
    _mine.update(barrier=barrier, runner=asyncio.Runner(), address=(url, account, token))


def _send_all(number: int, text: str) -> tuple[float, float, float]:
    """Unix times of begin and end, and the seconds of CPU between them."""
    _mine["barrier"].wait(timeout=30)  # one task for each process, all at the same moment
    begun, used = time.time(), time.process_time()
    _mine["runner"].run(_loop(number, text))
    return begun, time.time(), time.process_time() - used


async def _loop(number: int, text: str) -> None:
    if "client" not in _mine:  # its session belongs to the loop
        url, account, token = _mine["address"]
        http = _Redirected()
        http.base = url
        _mine["client"] = Client(account, token, http_client=http)
    client, waiting = _mine["client"], iter(range(number))

    async def send_one_by_one() -> None:
        for n in waiting:
            await client.messages.create_async(
                to=f"+4474{n:08d}",
                from_=SENDER,
                body=text,
                status_callback=CALLBACK,
                validity_period=36_000,
            )

    await asyncio.gather(*(send_one_by_one() for _ in range(IN_FLIGHT)))
