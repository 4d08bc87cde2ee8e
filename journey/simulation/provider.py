"""A simulated provider for texts and e-mail, with its own ledger: the independent truth of a run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from uuid import UUID

from journey.channels.protocol import Candidates, CannotSay, Outgoing, Sent, Verdict
from journey.channels.twilio_codes import read_receipt, read_refusal
from journey.domain.delivery import Reason
from journey.domain.outcomes import Accepted, NoAnswer, NotNow, Outcome, Receipt, Refused
from journey.domain.pathway import Channel
from journey.simulation.faults import RULES, Faults
from journey.simulation.scheduler import HOUR, MINUTE, SECOND, Scheduler, VirtualClock, span_of

# As long as twilio_sms looks back before the try, and as late as a listing may show a message.
SKEW = timedelta(hours=1)
LONGEST_LAG = 25
_REFUSALS = (21610, 21211, 21614, 30007, 99999)
_FAILURES = ("30003", "30003", "30008", "30005", "30006", "30007", "99999")


@dataclass
class Accept:
    """One line of the ledger. `outcome` is what became of it in the end, as far as the provider knows."""

    provider_id: str
    channel: Channel
    message_id: UUID
    attempt: int
    to: str
    text: str
    at: int
    listed_at: int
    outcome: str = "silent"
    code: str = ""
    answer_lost: bool = False


@dataclass(frozen=True, slots=True)
class Fate:
    """What the caller hears, and after how long."""

    after: int
    outcome: Outcome


@dataclass
class Provider:
    """Takes requests, tells receipts, answers look-ups. The hooks are the rest of the world's."""

    scheduler: Scheduler
    clock: VirtualClock
    faults: Faults
    random: Random
    ledger: list[Accept] = field(default_factory=list)
    halted_until: int = -1
    silent_until: int = -1  # look-ups fail until then
    on_try: Callable[[Channel, Outgoing, Outcome], None] = lambda channel, outgoing, outcome: None
    on_accept: Callable[[Accept], None] = lambda entry: None
    on_receipt: Callable[[Accept, Receipt], None] = lambda entry, receipt: None
    by_number: dict[str, list[Accept]] = field(default_factory=lambda: defaultdict(list))
    _count: int = 0

    def begin(self, channel: Channel, outgoing: Outgoing) -> Fate:
        """A request is written. What is accepted is accepted, whoever lives to hear of it."""
        fate = self._decide(channel, outgoing)
        self.on_try(channel, outgoing, fate.outcome)
        return fate

    def _decide(self, channel: Channel, outgoing: Outgoing) -> Fate:
        took = int(self.random.uniform(0.05, 1.5) * SECOND)
        if self.faults.strikes("provider slow", 0.05):
            took = self.faults.span(1.5, RULES.request - 0.1)
        refusal = self._refusal(channel)
        if refusal is not None:
            return Fate(took, refusal)
        if self.faults.strikes("request lost", 0.02):
            return Fate(self._until_noticed(0), NoAnswer("lost on its way"))
        entry = self._entry(channel, outgoing, took)
        self.scheduler.at(entry.at, lambda: self._accept(entry))
        if self.faults.strikes("answer lost", 0.03):
            entry.answer_lost = True
            return Fate(self._until_noticed(took), NoAnswer("the answer was lost"))
        return Fate(took, Accepted(entry.provider_id))

    def _until_noticed(self, at_least: int) -> int:
        """A connection that is reset is noticed at once; one that hangs, by the time limit."""
        limit = int(RULES.request * SECOND)
        return limit if self.faults.random.random() < 0.5 else self.faults.random.randint(at_least, limit)

    def _refusal(self, channel: Channel) -> Outcome | None:
        sms = channel is Channel.SMS
        if self.scheduler.now < self.halted_until:
            return read_refusal(20003, 401) if sms else NotNow(Reason.PROVIDER_HALTED, "535", halts=True)
        if self.faults.strikes("provider busy", 0.03):
            return read_refusal(20429, 429) if sms else NotNow(Reason.PROVIDER_BUSY, "421")
        if self.faults.strikes("no connection", 0.01):
            return NotNow(Reason.NO_ANSWER, "no-connection")
        if self.faults.strikes("refused", 0.015):
            bad_mailbox = Refused(Reason.BAD_ADDRESS, "550", blocks_address=True)
            return read_refusal(self.faults.random.choice(_REFUSALS), 400) if sms else bad_mailbox
        return None

    def _entry(self, channel: Channel, outgoing: Outgoing, took: int) -> Accept:
        self._count += 1
        sms = channel is Channel.SMS
        at = self.scheduler.now + int(took * self.random.uniform(0.1, 0.99))
        lag = self.faults.span(1, LONGEST_LAG) if self.faults.strikes("listing late", 0.3) else 0
        entry = Accept(
            f"SM{self._count:032x}" if sms else f"<{outgoing.message_id}@simulation>",
            channel,
            outgoing.message_id,
            outgoing.attempt,
            outgoing.to,
            outgoing.text,
            at,
            at + lag,
        )
        if sms:
            entry.outcome = "delivered"
            if self.faults.strikes("undelivered", 0.04):
                entry.outcome, entry.code = "undelivered", self.faults.random.choice(_FAILURES)
            elif self.faults.strikes("never reported", 0.01):
                entry.outcome = "silent"
        return entry

    def _accept(self, entry: Accept) -> None:
        self.ledger.append(entry)
        self.by_number[entry.to].append(entry)
        self.on_accept(entry)
        if entry.channel is Channel.SMS:
            self._plan_receipts(entry)

    def _plan_receipts(self, entry: Accept) -> None:
        statuses = ["sent"] if self.random.random() < 0.3 else []
        statuses += [] if entry.outcome == "silent" else [entry.outcome]
        wait = int(self.random.uniform(0.01, 20) * SECOND)
        for status in statuses:
            if self.faults.strikes("receipt late", 0.05):
                wait += self.faults.span(60, 6 * 3600)
            times = [wait]
            if self.faults.strikes("receipt doubled", 0.05):
                times.append(wait + self.faults.span(0, 600))
            # Trouble seldom comes alone; a receipt would settle what the lost answer leaves open.
            if self.faults.strikes("receipt lost", 0.6 if entry.answer_lost else 0.03):
                times = []
            for after in times:
                self.scheduler.after(after, self._tell(entry, status))
            # The next one may overtake this one.
            wait = int(self.random.uniform(0.01, 60) * SECOND)

    def _tell(self, entry: Accept, status: str) -> Callable[[], None]:
        receipt = read_receipt(status, entry.provider_id, entry.code if status == "undelivered" else "")
        assert receipt is not None
        return lambda: self.on_receipt(entry, receipt)

    def find(self, sent: Sent) -> Verdict:
        """Lists by number and looks for the words, as twilio_sms does: by the provider's own clock."""
        now = self.scheduler.now
        if now < self.silent_until:
            return CannotSay()
        since = self.clock.instant_of(sent.tried_at) + self.clock.offset - span_of(SKEW)
        return Candidates(
            tuple(
                entry.provider_id
                for entry in reversed(self.by_number[sent.to])
                if entry.text == sent.text and entry.at >= since and entry.listed_at <= now
            )
        )

    def outage(self) -> None:
        """Refuses everything for a while."""
        self.halted_until = self.scheduler.now + self.faults.span(60, 4 * 3600)

    def fall_silent(self) -> None:
        """Look-ups fail for a while."""
        longest = 10 * MINUTE if self.faults.random.random() < 0.7 else 8 * HOUR
        self.silent_until = self.scheduler.now + self.faults.random.randint(MINUTE, longest)

    def recover(self) -> None:
        self.halted_until = self.silent_until = -1
