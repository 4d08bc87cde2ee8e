"""The worker's own parts for talking to providers: an event loop, and each channel made inside it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from journey.channels.protocol import CannotSay, ChannelPort, Incoming, Outgoing, Sent, Verdict
from journey.domain.delivery import Reason
from journey.domain.outcomes import NoAnswer, NotNow, Outcome
from journey.domain.pathway import Channel
from journey.services.clockwatch import Stamp
from journey.services.context import Context

PortFactory = Callable[[], ChannelPort]
RELEASED = NotNow(Reason.RELEASED, "not-begun")


class Sender:
    """One per thread: an event loop and its connections belong together."""

    def __init__(self, context: Context, factories: Mapping[Channel, PortFactory]) -> None:
        self._context = context
        self._factories = factories
        self._ports: dict[Channel, ChannelPort] = {}
        self._runner = asyncio.Runner()
        self._closed = False

    def may_resend(self, channel: Channel) -> bool:
        async def ask() -> bool:
            return self._port(channel).may_resend

        return self._runner.run(ask())

    def send_all(self, channel: Channel, batch: Sequence[Outgoing], claimed: Stamp) -> list[Outcome]:
        """Sends concurrently, within the bounds.

        What cannot begin within its window goes back unsent: its claim may be void by then.
        """
        return self._runner.run(self._send_all(channel, batch, claimed))

    async def _send_all(self, channel: Channel, batch: Sequence[Outgoing], claimed: Stamp) -> list[Outcome]:
        rules, clock = self._context.rules, self._context.clock
        port = self._port(channel)
        outcomes: list[Outcome] = [RELEASED] * len(batch)
        waiting = iter(enumerate(batch))

        async def send_one_by_one() -> None:
            for place, outgoing in waiting:
                # Looked at right before the write. A stopped process shows on both clocks, a machine that
                # was asleep on the wall clock alone, one that was set back on the monotonic one alone.
                if max(claimed.seconds_until(Stamp.of(clock))) > rules.begin:
                    return
                try:
                    outcomes[place] = await port.send(outgoing, clock.now())
                except Exception as error:  # a fault of ours must not lose the batch's outcomes
                    outcomes[place] = NoAnswer(f"internal {type(error).__name__}")

        await asyncio.gather(*(send_one_by_one() for _ in range(min(rules.in_flight, len(batch)))))
        return outcomes

    def find_all(self, channel: Channel, lost: Sequence[Sent]) -> list[Verdict]:
        """Asks the provider about messages whose outcome is unknown."""
        return self._runner.run(self._find_all(channel, lost))

    async def _find_all(self, channel: Channel, lost: Sequence[Sent]) -> list[Verdict]:
        port, places = self._port(channel), asyncio.Semaphore(self._context.rules.in_flight)

        async def find_one(sent: Sent) -> Verdict:
            async with places:
                return await port.find(sent)

        return list(await asyncio.gather(*(find_one(sent) for sent in lost)))

    def received(self, channel: Channel, since: datetime, until: datetime) -> Sequence[Incoming] | CannotSay:
        """Asks the provider what came in."""

        async def ask() -> Sequence[Incoming] | CannotSay:
            return await self._port(channel).received(since, until)

        return self._runner.run(ask())

    def _port(self, channel: Channel) -> ChannelPort:
        """The channel's port, made on first use. Runs inside the loop."""
        if channel not in self._ports:
            self._ports[channel] = self._factories[channel]()
        return self._ports[channel]

    def close(self) -> None:
        """Closes every connection; doing it twice is fine."""
        if self._closed:
            return
        self._closed = True

        async def close_ports() -> None:
            for port in self._ports.values():
                await port.close()

        self._runner.run(close_ports())
        self._runner.close()
