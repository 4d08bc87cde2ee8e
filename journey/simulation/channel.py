"""The channel port over the simulated provider: requests that take virtual time, side by side."""

from __future__ import annotations

import asyncio
import heapq
import itertools

from journey.channels.protocol import CannotSay, ChannelPort, Outgoing, Sent, Verdict
from journey.domain.outcomes import Outcome
from journey.domain.pathway import Channel
from journey.simulation.faults import Process, SimulatedCrash
from journey.simulation.provider import Provider
from journey.simulation.scheduler import SECOND


class SimulatedChannel(ChannelPort):
    """One process's connection to the provider. It dies with its process."""

    def __init__(self, kind: Channel, provider: Provider, process: Process) -> None:
        self.kind = kind
        self.may_resend = kind is Channel.EMAIL
        self._provider = provider
        self._process = process
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()
        self._is_pumping = False

    async def send(self, outgoing: Outgoing, now: object) -> Outcome:
        self._process.may_crash("before a request", 0.004)
        fate = self._provider.begin(self.kind, outgoing)
        await self._wait(fate.after)
        self._process.may_crash("before an answer was read", 0.004)
        return fate.outcome

    async def find(self, sent: Sent) -> Verdict:
        if self.kind is Channel.EMAIL:
            return CannotSay()
        await self._wait(self._provider.random.randint(SECOND // 10, 2 * SECOND))
        return self._provider.find(sent)

    async def close(self) -> None:
        return

    async def _wait(self, span: int) -> None:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        wake = self._process.scheduler.now + span
        heapq.heappush(self._waiting, (wake, next(self._numbers), future))
        if not self._is_pumping:
            self._is_pumping = True
            loop.call_soon(self._pump, loop)
        await future

    def _pump(self, loop: asyncio.AbstractEventLoop) -> None:
        """Every request of the loop waits: the time goes on to the first that ends."""
        scheduler = self._process.scheduler
        wake, _, future = heapq.heappop(self._waiting)
        scheduler.sleep(wake - scheduler.now)
        if not future.done():
            if self._process.is_alive:
                future.set_result(None)
            else:
                future.set_exception(SimulatedCrash(f"{self._process.name} was killed"))
        self._is_pumping = bool(self._waiting)
        if self._is_pumping:
            loop.call_soon(self._pump, loop)
