"""Staff, patients, time and a bad provider in any order: never twice, never after the end, never silent."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter, deque
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from journey.domain.changes import Action
from journey.domain.delivery import Event, Reason, Status
from journey.domain.outcomes import Receipt
from journey.domain.pathway import Anchor, Channel
from journey.services import wishes
from journey.services.clockwatch import Stamp
from journey.services.context import Refusal
from journey.services.pathway_files import load_built_in
from journey.services.preparing import claim_due
from journey.services.receipts import receive
from journey.services.recording import record
from journey.services.suppressing import restart, stop
from journey.services.sweeping import sweep
from journey.store import audit, enrollments
from journey.store.enrollments import LIVE, Enrollment
from journey.store.messages import Message
from tests.clinic import START, Clinic, ManualClock
from tests.services.scripted import ANSWERS, Entry, Ledger, scripted_factories
from tests.strategies import arrivals

PATHWAY = load_built_in("bvn-ablation").pathway
LONDON = ZoneInfo("Europe/London")
PEOPLE = [
    {"given_name": name, "family_name": "Test", "phone": phone, "email": email, "record_number": name}
    for name, phone, email in (
        ("Anna", "+447700900101", "anna@example.org"),
        ("Ben", "+447700900102", None),
        ("Cleo", "+447700900103", "cleo@example.org"),
    )
]
MUST_SAY_WHY = {
    Status.HELD,
    Status.UNKNOWN,
    Status.FAILED,
    Status.SKIPPED,
    Status.EXPIRED,
    Status.CANCELLED,
}
_YES_OR_NO = (wishes.confirm, wishes.unconfirm)
UNFINISHED = {Status.PLANNED, Status.HELD, Status.SENDING, Status.UNKNOWN}
_MEMORY = Path("/dev/shm")
_channels = st.sampled_from(Channel)
_picks = st.integers(0, 99)
_ROUNDS_TO_REST = 4  # sent; swept back to the plan; moved to the other channel; sent there


@lru_cache(maxsize=1)
def _template() -> Path:
    """A migrated database with the pathway published, to copy for every run."""
    folder = Path(tempfile.mkdtemp(prefix="journey-stateful-", dir=_MEMORY if _MEMORY.exists() else None))
    clinic = Clinic(folder)
    clinic.close()
    return folder


class Practice(RuleBasedStateMachine):
    """The real services on SQLite, a clock that stands still until told, and a scripted provider."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="run-", dir=_template()))
        for path in _template().glob("journey.sqlite3*"):
            shutil.copy(path, self.folder)
        self.clinic = Clinic(self.folder, published=False, clock=ManualClock(START))
        self.ledger = Ledger()
        self.clinic.app.factories = scripted_factories(self.ledger)
        self.ledger.on_early_receipt = lambda entry: self._receive(entry, Event.DELIVER)
        self.enrolled: list[UUID] = []
        self.closed_at: dict[UUID, int] = {}  # how many acceptances there were when it ended
        self.stopped: set[tuple[Channel, str]] = set()
        self.checked = 0

    # --- what staff do ---------------------------------------------------------------------------

    @initialize(ahead=st.integers(2, 14), arrival=arrivals)
    def open_the_clinic(self, ahead: int, arrival: time | None) -> None:
        self.enroll(0, ahead, arrival)
        self.enroll(1, ahead + 1, time(9))

    @rule(who=st.sampled_from(range(len(PEOPLE))), ahead=st.integers(1, 20), arrival=arrivals)
    def enroll(self, who: int, ahead: int, arrival: time | None) -> None:
        day = self.clinic.clock.now().date() + timedelta(days=ahead)
        text = arrival.strftime("%H:%M") if arrival else None
        done = self.clinic.enroll(PEOPLE[who], day=day, arrival=text)
        if done.is_new:
            self.enrolled.append(done.enrollment_id)

    @precondition(lambda self: self.enrolled)
    @rule(pick=_picks, ahead=st.integers(1, 25), arrival=arrivals)
    def reschedule(self, pick: int, ahead: int, arrival: time | None) -> None:
        day = self.clinic.clock.now().date() + timedelta(days=ahead)
        self._change(pick, wishes.reschedule(day, arrival))

    @precondition(lambda self: self.enrolled)
    @rule(pick=_picks, arrival=arrivals)
    def set_arrival(self, pick: int, arrival: time | None) -> None:
        enrollment = self._enrollment(self._pick(pick))
        tomorrow = self.clinic.clock.now().date() + timedelta(days=1)
        if enrollment.procedure_date and enrollment.procedure_date >= tomorrow:
            self._change(pick, wishes.reschedule(enrollment.procedure_date, arrival))

    @precondition(lambda self: self.enrolled)
    @rule(
        pick=_picks,
        wish=st.sampled_from((wishes.pause, wishes.resume, wishes.postpone, wishes.complete, *_YES_OR_NO)),
    )
    def change(self, pick: int, wish: Callable[[], wishes.Wish]) -> None:
        self._change(pick, wish())

    @precondition(lambda self: self.enrolled)
    @rule(pick=_picks)
    def book(self, pick: int) -> None:
        self._change(pick, wishes.reach_goal("booked"))

    @precondition(lambda self: self.enrolled)
    @rule(pick=_picks, wish=st.sampled_from((wishes.cancel, wishes.withdraw)))
    def end(self, pick: int, wish: Callable[[], wishes.Wish]) -> None:
        if self._change(pick, wish()):
            self.closed_at[self._pick(pick)] = len(self.ledger.entries)

    # --- what patients do ------------------------------------------------------------------------

    @rule(who=st.sampled_from(PEOPLE), channel=_channels)
    def opt_out(self, who: dict[str, str | None], channel: Channel) -> None:
        address = who["phone"] if channel is Channel.SMS else who["email"]
        if address:
            stop(self.clinic.app.context, channel, address, source="tests")
            self.stopped.add((channel, address))

    @precondition(lambda self: self.stopped)
    @rule(data=st.data())
    def opt_in_again(self, data: st.DataObject) -> None:
        channel, address = data.draw(st.sampled_from(sorted(self.stopped)))
        assert restart(self.clinic.app.context, channel, address, source="tests")
        self.stopped.discard((channel, address))

    # --- what time, workers and the provider do ----------------------------------------------------

    @rule(
        answers=st.lists(st.sampled_from(ANSWERS), min_size=1, max_size=3),
        can_look_up=st.booleans(),
        seconds=st.sampled_from((1, 44, 46, 3700)),
    )
    def a_message_meets_trouble(self, answers: list[str], can_look_up: bool, seconds: int) -> None:
        """The next one is due, the provider stumbles over it, and the workers go on."""
        self.time_goes_to_the_next_message()
        self.ledger.answers = deque(answers)
        self.clinic.work()
        self.ledger.can_look_up = can_look_up
        self.clinic.clock.advance(timedelta(seconds=seconds))
        self.clinic.work()
        self.clinic.work()

    @rule(minutes=st.sampled_from((1, 17, 60, 60 * 7, 60 * 24, 60 * 24 * 4)))
    def time_passes(self, minutes: int) -> None:
        self.clinic.clock.advance(timedelta(minutes=minutes))

    @rule(days=st.integers(1, 12))
    def no_worker_runs_for_days(self, days: int) -> None:
        self.time_goes_to_the_next_message()
        self.clinic.clock.advance(timedelta(days=days))
        self.clinic.work()

    @rule()
    def time_goes_to_the_next_message(self) -> None:
        due = [row.due_at for row in self._rows() if row.status is Status.PLANNED]
        self.clinic.clock.at = max(self.clinic.clock.at, min(due, default=self.clinic.clock.at))

    @rule(answers=st.lists(st.sampled_from(ANSWERS), max_size=4), can_look_up=st.booleans())
    def provider_turns(self, answers: list[str], can_look_up: bool) -> None:
        self.ledger.answers.extend(answers)
        self.ledger.can_look_up = can_look_up

    @rule()
    def work(self) -> None:
        """Nothing due is left lying. A sweep may return a lost message to the plan, due at once."""
        for _ in range(_ROUNDS_TO_REST):
            self.clinic.work()
            now = self.clinic.clock.now()
            if not [r for r in self._rows() if r.status is Status.PLANNED and r.due_at <= now]:
                return
        raise AssertionError("a due message stays in the plan, round after round")

    @rule(channel=_channels, sends=st.booleans(), records=st.booleans())
    def a_worker_dies_or_wakes_too_late(self, channel: Channel, sends: bool, records: bool) -> None:
        """After its claim, or after the provider accepted; the lease runs out; it may still record."""
        worker, context = self.clinic.app.worker(), self.clinic.app.context
        begun = Stamp.of(context.clock)
        claimed, _ = claim_due(context, worker.library, channel, 10)
        outcomes = []
        if sends and claimed:
            outcomes = worker.sender.send_all(channel, [one.outgoing for one in claimed], begun)
        self.clinic.clock.advance(timedelta(seconds=context.rules.lease + 1))
        sweep(worker)
        if outcomes and records:
            record(context, worker.library, claimed, outcomes)

    @rule(channel=_channels)
    def a_worker_sleeps_between_claim_and_call(self, channel: Channel) -> None:
        worker, context = self.clinic.app.worker(), self.clinic.app.context
        begun = Stamp.of(context.clock)
        claimed, _ = claim_due(context, worker.library, channel, 10)
        self.clinic.clock.advance(timedelta(seconds=context.rules.begin + 1))
        before = len(self.ledger.entries)
        if claimed:
            outcomes = worker.sender.send_all(channel, [one.outgoing for one in claimed], begun)
            record(context, worker.library, claimed, outcomes)
        assert len(self.ledger.entries) == before

    @precondition(lambda self: self.ledger.entries)
    @rule(
        pick=_picks,
        events=st.lists(st.sampled_from((Event.ACCEPT, Event.DELIVER, Event.UNDELIVER)), min_size=1),
    )
    def receipts_come(self, pick: int, events: list[Event]) -> None:
        """In any order, doubled, and long after."""
        entry = self.ledger.entries[-1 - pick % len(self.ledger.entries)]
        for event in events:
            self._receive(entry, event)

    # --- what must always hold -------------------------------------------------------------------

    @invariant()
    def no_text_is_accepted_twice(self) -> None:
        texts = Counter(e.message_id for e in self.ledger.entries if e.channel is Channel.SMS)
        assert not [message for message, count in texts.items() if count > 1]

    @invariant()
    def no_email_is_accepted_again_once_its_answer_came(self) -> None:
        seen: set[UUID] = set()
        for entry in self.ledger.entries:
            if entry.channel is Channel.EMAIL:
                assert entry.message_id not in seen
                if not entry.lost:
                    seen.add(entry.message_id)

    @invariant()
    def what_may_have_left_is_never_taken_for_unsent_nor_sent_another_way(self) -> None:
        accepted = {(e.message_id, e.channel) for e in self.ledger.entries}
        both = {message for message, _ in accepted if {(message, c) for c in Channel} <= accepted}
        assert not both
        mailed = {message for message, channel in accepted if channel is Channel.EMAIL}
        for row in self._rows():
            if row.id in mailed:
                assert row.status not in (Status.CANCELLED, Status.SKIPPED, Status.EXPIRED, Status.HELD)
                assert row.status is not Status.PLANNED or row.reason is Reason.IN_DOUBT

    @invariant()
    def what_was_accepted_was_still_right(self) -> None:
        rows = {row.id: row for row in self._rows()}
        fresh = range(self.checked, len(self.ledger.entries))
        for number in fresh:
            entry = self.ledger.entries[number]
            row = rows[entry.message_id]
            assert number < self.closed_at.get(row.enrollment_id, number + 1), "sent after the end"
            self._check_moment(self._enrollment(row.enrollment_id), row, entry)
        self.checked = len(self.ledger.entries)

    def _check_moment(self, enrollment: Enrollment, row: Message, entry: Entry) -> None:
        assert (entry.channel, entry.to) not in self.stopped, "sent to somebody who opted out"
        assert entry.at <= row.send_by
        is_correction = row.step == PATHWAY.correction.key
        anchor = Anchor.PROCEDURE if is_correction else PATHWAY.step(row.step).anchor
        if enrollment.procedure_date is None:
            assert anchor is Anchor.ENROLLMENT
            return
        day, arrival = enrollment.procedure_date, enrollment.arrival_time
        begins = _instant(day, arrival or time(0))
        over = begins + PATHWAY.stay if arrival else _instant(day, PATHWAY.done_by)
        if anchor is Anchor.COMPLETION:
            assert entry.at >= over, "recovery before the procedure was over"
        else:
            assert entry.at <= begins, "preparation after the procedure began"

    @invariant()
    def every_end_has_a_reason(self) -> None:
        for row in self._rows():
            assert row.reason is not None or row.status not in MUST_SAY_WHY, (row.step, row.status)
            assert row.due_at <= row.send_by

    @invariant()
    def an_accepted_text_never_looks_unsent(self) -> None:
        """What the provider has and said so is never back in the plan, nor given up as unsent."""
        answered = {e.message_id for e in self.ledger.entries if not e.lost and e.channel is Channel.SMS}
        for row in self._rows():
            if row.id in answered:
                assert row.status not in (Status.PLANNED, Status.HELD, Status.CANCELLED), row.status

    def teardown(self) -> None:
        try:
            self._close_the_books()
        finally:
            self.clinic.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    def _close_the_books(self) -> None:
        """A year on, with a provider that works, every message has ended; nothing changed on a replan."""
        self.ledger.answers.clear()
        self.ledger.can_look_up = True
        for enrollment_id in self.enrolled:
            if self._enrollment(enrollment_id).status in LIVE:
                again = self.clinic.change(enrollment_id, wishes.replan())
                once_more = self.clinic.change(enrollment_id, wishes.replan())
                assert {change.action for change in once_more.changes} <= {Action.KEEP}, again
        for span in (timedelta(minutes=2), timedelta(days=400), timedelta(hours=2), timedelta(hours=2)):
            self.clinic.clock.advance(span)
            self.clinic.work()
        self.no_text_is_accepted_twice()
        self.every_end_has_a_reason()
        asked = {task["message_id"] for task in self.clinic.tasks() if task["kind"] == "outcome_unknown"}
        for row in self._rows():
            # No mail server says what became of an e-mail: staff are asked, and it stays unknown.
            undecided = row.channel is Channel.EMAIL and row.id in asked
            assert row.status not in UNFINISHED or undecided, (row.step, row.status)
        with self.clinic.database.read() as tx:
            assert audit.verify(tx).broken_at is None

    # --- small helps -----------------------------------------------------------------------------

    def _pick(self, pick: int) -> UUID:
        return self.enrolled[pick % len(self.enrolled)]

    def _change(self, pick: int, wish: wishes.Wish) -> bool:
        try:
            self.clinic.change(self._pick(pick), wish)
        except Refusal:
            return False  # it has ended, went ahead, or has no date
        return True

    def _enrollment(self, enrollment_id: UUID) -> Enrollment:
        with self.clinic.database.read() as tx:
            found = enrollments.get(tx, enrollment_id)
        assert found is not None
        return found

    def _rows(self) -> list[Message]:
        return [row for one in self.enrolled for row in self.clinic.messages(one)]

    def _receive(self, entry: Entry, event: Event) -> None:
        reason = Reason.UNDELIVERED if event is Event.UNDELIVER else None
        receipt = Receipt(event, entry.provider_id, "30008" if reason else "", reason, resend=bool(reason))
        worker = self.clinic.app.worker()
        assert receive(self.clinic.app.context, worker.library, entry.message_id, entry.attempt, receipt)


def _instant(day: date, wall: time) -> datetime:
    return datetime.combine(day, wall, LONDON).astimezone(UTC)


TestPractice = Practice.TestCase
TestPractice.settings = settings(max_examples=25, stateful_step_count=30)
