"""A provider in memory that does what a test tells it, and keeps a ledger of what it accepted."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from journey.channels.protocol import Candidates, CannotSay, ChannelPort, Outgoing, Sent, Verdict
from journey.domain.delivery import Reason
from journey.domain.outcomes import Accepted, NoAnswer, NotNow, Outcome, Refused
from journey.domain.pathway import Channel
from journey.services.sending import PortFactory

ANSWERS = (
    "accept",
    "accept early",  # the receipt overtakes the answer
    "lose before",  # no answer, and it was not accepted
    "lose after",  # no answer, though it was accepted
    "refuse",
    "block",  # refused, and the address takes no more
    "busy",
    "halt",
)


@dataclass(frozen=True)
class Entry:
    """One acceptance. `lost`: the answer never reached the caller."""

    channel: Channel
    provider_id: str
    message_id: UUID
    attempt: int
    to: str
    text: str
    at: datetime
    lost: bool


@dataclass
class Ledger:
    """What both channels accepted, in order, and how they will answer next."""

    entries: list[Entry] = field(default_factory=list)
    answers: deque[str] = field(default_factory=deque)
    can_look_up: bool = True
    on_early_receipt: Callable[[Entry], None] = lambda entry: None

    def next_answer(self) -> str:
        return self.answers.popleft() if self.answers else "accept"


class ScriptedPort(ChannelPort):
    """SMS is never sent again unseen; e-mail may be, under the same Message-ID."""

    def __init__(self, kind: Channel, ledger: Ledger) -> None:
        self.kind = kind
        self.may_resend = kind is Channel.EMAIL
        self._ledger = ledger

    async def send(self, outgoing: Outgoing, now: datetime) -> Outcome:
        answer = self._ledger.next_answer()
        if answer in ("accept", "accept early", "lose after"):
            entry = self._accept(outgoing, now, lost=answer == "lose after")
            if answer == "accept early":
                self._ledger.on_early_receipt(entry)
            return NoAnswer("scripted") if entry.lost else Accepted(entry.provider_id)
        other: dict[str, Outcome] = {
            "lose before": NoAnswer("scripted"),
            "refuse": Refused(Reason.REFUSED, "30007"),
            "block": Refused(Reason.BAD_ADDRESS, "21211", blocks_address=True),
            "busy": NotNow(Reason.PROVIDER_BUSY, "20429"),
            "halt": NotNow(Reason.PROVIDER_HALTED, "20003", halts=True),
        }
        return other[answer]

    def _accept(self, outgoing: Outgoing, now: datetime, *, lost: bool) -> Entry:
        entry = Entry(
            self.kind,
            f"{self.kind.value}-{len(self._ledger.entries)}",
            outgoing.message_id,
            outgoing.attempt,
            outgoing.to,
            outgoing.text,
            now,
            lost,
        )
        self._ledger.entries.append(entry)
        return entry

    async def find(self, sent: Sent) -> Verdict:
        if self.kind is Channel.EMAIL or not self._ledger.can_look_up:
            return CannotSay()
        since = sent.tried_at - timedelta(minutes=2)
        return Candidates(
            tuple(
                entry.provider_id
                for entry in self._ledger.entries
                if entry.channel is self.kind and (entry.to, entry.text) == (sent.to, sent.text)
                if entry.at >= since
            )
        )

    async def close(self) -> None:
        return


def scripted_factories(ledger: Ledger) -> dict[Channel, PortFactory]:
    """What an app makes its channels with, once it is told to use the scripted provider."""

    def factory(kind: Channel) -> PortFactory:
        return lambda: ScriptedPort(kind, ledger)

    return {channel: factory(channel) for channel in Channel}
