"""What must hold of every message at the moment the provider accepts it, and after every step."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from uuid import UUID

from journey.channels.protocol import Outgoing
from journey.domain.calendar import HARD_CLOSES, HARD_OPENS, read_zone
from journey.domain.delivery import GONE_OUT, Event, Status, next_status
from journey.domain.goals import CONFIRMED
from journey.domain.pathway import Channel, Pathway
from journey.domain.site import Site
from journey.rendering.filters import LocalDate, long_date, short_date
from journey.simulation.facts import Facts, is_recovery, of_messages, procedure_bounds
from journey.simulation.faults import RULES
from journey.simulation.history import History
from journey.simulation.looks import Happening, Looks
from journey.simulation.provider import Accept
from journey.simulation.scheduler import VirtualClock
from journey.store.database import Database

# Whether it may go is asked at the claim: a request may end this much later.
TOLERANCE = timedelta(seconds=RULES.begin + RULES.request + 1)
_NOT_SENT = (Status.SKIPPED, Status.EXPIRED, Status.CANCELLED, Status.FAILED)
_LIVE = ("active", "paused")


@dataclass
class Told:
    """An accepted message that told the patient a date, and perhaps an arrival time."""

    entry: Accept
    date: date | None
    arrival: time | None
    is_correction: bool

    @property
    def arrives(self) -> bool:
        """Whether the provider will deliver it, which its receipt says later."""
        return self.entry.outcome != "undelivered"


@dataclass(frozen=True, slots=True)
class _Said:
    """A step's last accepted message: for which date and arrival, and how much was told until then."""

    entry: Accept
    basis: tuple[date | None, time | None]
    told: int


@dataclass
class Invariants:
    """Keeps what the ledger and the timeline have shown so far."""

    database: Database
    clock: VirtualClock
    history: History
    looks: Looks
    sites: Mapping[UUID, Site]
    pathway: Pathway
    tries: dict[tuple[str, str], set[UUID]] = field(default_factory=lambda: defaultdict(set))
    accepts: dict[UUID, list[Accept]] = field(default_factory=lambda: defaultdict(list))
    by_words: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    told: dict[UUID, list[Told]] = field(default_factory=lambda: defaultdict(list))
    last_of: dict[tuple[UUID, str], _Said] = field(default_factory=dict)
    stopped: set[tuple[Channel, str]] = field(default_factory=set)
    statuses: dict[UUID, Status] = field(default_factory=dict)
    settled: set[UUID] = field(default_factory=set)
    unsure_of: set[UUID] = field(default_factory=set)  # enrollments: the engine once did not know
    words_of: dict[UUID, tuple[str, str]] = field(default_factory=dict)

    def tried(self, channel: Channel, outgoing: Outgoing) -> None:
        words = outgoing.to, outgoing.text
        self.words_of[outgoing.message_id] = words
        self.tries[words].add(outgoing.message_id)

    def has_twin(self, message_id: UUID) -> bool:
        """Whether another message has the same words for the same number, so that nobody can tell."""
        return len(self.tries[self.words_of[message_id]]) > 1 if message_id in self.words_of else False

    def accepted(self, entry: Accept) -> None:
        """Everything that is asked of a message right when the provider takes it."""
        with self.database.read() as tx:
            facts = of_messages(tx, [entry.message_id])[entry.message_id]
        words = f"{' '.join(entry.text.split())[:50]}… {hashlib.sha256(entry.text.encode()).hexdigest()[:8]}"
        name = f"{facts.step}/{facts.occurrence} attempt {entry.attempt}"
        self.history.note(f"ledger: {entry.channel} {name}: {words}", facts.enrollment_id)
        self._once(entry, facts)
        self._wanted(entry, facts)
        self._in_time(facts)
        self._says_what_is_true(entry, facts)
        self._says_it_once(entry, facts)
        self._corrects_once(entry, facts)
        self.accepts[entry.message_id].append(entry)
        self.by_words[entry.to, entry.text] += 1

    def _fail(self, rule: str, facts: Facts, more: str = "") -> None:
        self.history.violate(rule, f"{facts.step}/{facts.occurrence} {more}".strip(), facts.enrollment_id)

    def _once(self, entry: Accept, facts: Facts) -> None:
        before = self.accepts[entry.message_id]
        if not before:
            return
        if entry.channel is Channel.SMS:
            # Twins (one number, the same words) cannot be told apart by a look-up, nor by the patient.
            if self.by_words[entry.to, entry.text] >= len(self.tries[entry.to, entry.text]):
                self._fail("accepted twice", facts, f"attempts {before[-1].attempt} and {entry.attempt}")
        elif entry.message_id in self.settled:
            self._fail("e-mail sent again after its answer was recorded", facts)
        elif before[-1].text != entry.text:
            self._fail("e-mail sent again with other words under one Message-ID", facts)

    def _wanted(self, entry: Accept, facts: Facts) -> None:
        if facts.enrollment_status not in _LIVE:
            self._fail("accepted after the enrollment ended", facts, facts.enrollment_status)
        if facts.enrollment_status == "paused":
            self._fail("accepted while paused", facts)
        if (entry.channel, entry.to.casefold()) in self.stopped:
            self._fail("accepted after an opt-out returned", facts, entry.channel)
        until = None if facts.step == self.pathway.correction.key else self.pathway.step(facts.step).until
        is_confirmed = facts.enrolled_date is not None and facts.enrolled_date == facts.confirmed_for
        if until in facts.goals or (until == CONFIRMED and is_confirmed):
            self._fail("accepted after its goal was reached", facts)

    def _in_time(self, facts: Facts) -> None:
        site = self.sites[facts.site_id]
        zone = read_zone(facts.zone or site.zone)
        self._holds_of_clock("accepted outside legal hours", facts, lambda at: _is_legal(at, zone))
        self._holds_of_clock("accepted past its deadline", facts, lambda at: at - TOLERANCE <= facts.send_by)
        bounds = procedure_bounds(facts, site, self.pathway)
        if bounds is None:
            return
        begins, ends = bounds
        if is_recovery(facts.step, self.pathway):
            self._holds_of_clock("recovery before the procedure was over", facts, lambda at: at >= ends)
        else:
            self._holds_of_clock(
                "preparation after the procedure began", facts, lambda at: at - TOLERANCE < begins
            )

    def _holds_of_clock(self, rule: str, facts: Facts, holds: Callable[[datetime], bool]) -> None:
        """By the clock that the engine was shown: right after it was set, either reading is excused."""
        if not any(holds(reading) for reading in self.clock.recent()):
            self._fail(rule, facts, f"at {self.clock.now():%Y-%m-%d %H:%M:%S}")

    def _says_what_is_true(self, entry: Accept, facts: Facts) -> None:
        if facts.procedure_date not in (None, facts.enrolled_date):
            self._fail("accepted for an old date", facts, f"{facts.procedure_date}")
        if facts.arrival_time not in (None, facts.enrolled_arrival):
            self._fail("accepted for an old arrival time", facts, f"{facts.arrival_time}")
        if facts.quotes == "nothing" or facts.enrolled_date is None:
            return
        forms = {
            written(LocalDate(facts.enrolled_date, locale))
            for locale in ("en-GB", "en-US")
            for written in (short_date, long_date)
        }
        if not any(form in entry.text for form in forms):
            self._fail("the text names another date", facts, entry.text[:80])

    def _says_it_once(self, entry: Accept, facts: Facts) -> None:
        """A step comes again only for another date, or if something else was told in between."""
        basis = facts.procedure_date, facts.arrival_time
        last = self.last_of.get((facts.enrollment_id, facts.step))
        told = self.told[facts.enrollment_id]
        self.last_of[facts.enrollment_id, facts.step] = _Said(entry, basis, len(told))
        if last is None or last.basis != basis or last.entry.message_id == entry.message_id:
            return
        if facts.stands_in_for is None and last.entry.outcome != "undelivered":
            if not any(is_otherwise(one, *basis) for one in told[last.told :]):
                self._fail("the same step twice for one date", facts)

    def _corrects_once(self, entry: Accept, facts: Facts) -> None:
        """A correction needs something told that it corrects."""
        if facts.quotes == "nothing":
            return
        told = self.told[facts.enrollment_id]
        is_correction = facts.step == self.pathway.correction.key and facts.stands_in_for is None
        again = bool(self.accepts[entry.message_id])
        # What was unknown for a while counted as told: the safe side, which no ledger shows.
        if is_correction and not again and facts.enrollment_id not in self.unsure_of:
            # A correction that never arrived settled nothing. Of other messages nobody knows that
            # yet when the date changes, so that they count as told.
            settled = (n for n, one in enumerate(told) if one.is_correction and one.arrives)
            since = max(settled, default=0)
            if not any(is_otherwise(one, facts.procedure_date, facts.arrival_time) for one in told[since:]):
                self._fail("a correction that corrects nothing", facts)
        told.append(Told(entry, facts.procedure_date, facts.arrival_time, is_correction))

    def after_step(self) -> None:
        """Follows the timeline: each event must be one that its message's state allows."""
        for one in self.looks.new_events():
            self.history.note(
                f"{one.step}/{one.occurrence} {one.event}: {one.status} ({one.attempt}, {one.reason})",
                one.enrollment_id,
            )
            self._follow(one)
            self.statuses[one.message_id] = one.status
            if one.event is Event.LOSE:
                self.unsure_of.add(one.enrollment_id)
            if one.status in GONE_OUT:
                self.settled.add(one.message_id)

    def _follow(self, one: Happening) -> None:
        name = f"{one.step}/{one.occurrence}"
        if not _can_follow(self.statuses.get(one.message_id), one):
            before = self.statuses.get(one.message_id)
            self.history.violate(
                "an event its state forbids", f"{name} {before} {one.event}", one.enrollment_id
            )
        if one.status in _NOT_SENT and not one.reason:
            self.history.violate("stopped without a reason", f"{name} {one.event}", one.enrollment_id)
        if one.status in GONE_OUT and not self.accepts.get(one.message_id):
            if not self.has_twin(one.message_id):
                self.history.violate("accepted, but not in the ledger", name, one.enrollment_id)


def _can_follow(before: Status | None, one: Happening) -> bool:
    """Claims leave no event: a row last seen planned may be sending. Rows begin without an event."""
    if before is None:
        return one.status is not Status.UNKNOWN or one.event is Event.LOSE
    if next_status(before, one.event) is one.status:
        return True
    return before is Status.PLANNED and next_status(Status.SENDING, one.event) is one.status


def _is_legal(at: datetime, zone: object) -> bool:
    local = at.astimezone(zone)  # type: ignore[arg-type]
    earlier = (at - TOLERANCE).astimezone(zone)  # type: ignore[arg-type]
    return local.time() >= HARD_OPENS and earlier.time() < HARD_CLOSES


def is_otherwise(told: Told, day: date | None, arrival: time | None) -> bool:
    """Whether what was told differs from this date, or from this arrival time where both name one."""
    if told.date != day:
        return True
    return told.arrival is not None and arrival is not None and told.arrival != arrival
