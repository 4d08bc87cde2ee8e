"""Moving the clock by hand never makes a message late, lost or sent twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from uuid import UUID

import pytest

from journey.demo import stage as stages
from journey.demo.clock import DemoClock
from journey.demo.stage import Stage
from journey.domain.delivery import Status
from journey.services.context import Refusal
from journey.store import messages
from tests.clinic import START, Clinic


class Hands:
    """A worker in a thread of its own, which looks for work all the time until told to stop."""

    def __init__(self, clinic: Clinic) -> None:
        self._clinic = clinic
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(0.01):
            self._clinic.work()
        self._clinic.app.worker().sender.close()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    made = Clinic(tmp_path, clock=DemoClock(START))
    yield made
    made.close()


@pytest.fixture
def stage(clinic: Clinic) -> Iterator[Stage]:
    hands = Hands(clinic)
    made = stage_of(clinic)
    yield made
    made.close()
    hands.stop()


def stage_of(clinic: Clinic) -> Stage:
    assert isinstance(clinic.clock, DemoClock)
    return Stage(clinic.app.context, clinic.clock, lambda: None)


def statuses(clinic: Clinic, one: UUID) -> dict[str, Status]:
    return {message.step: message.status for message in clinic.messages(one)}


def test_the_clock_only_moves_forward() -> None:
    clock = DemoClock(START)
    clock.move_to(START - timedelta(days=1))
    assert clock.now() == START
    clock.move_to(START + timedelta(days=1))
    assert clock.now() == START + timedelta(days=1)
    assert clock.monotonic() == 24 * 3600  # what is skipped has passed, for leases too


def test_to_the_next_message_sends_it_and_stays_there(clinic: Clinic, stage: Stage) -> None:
    one = clinic.enroll().enrollment_id
    stage.settle()
    assert statuses(clinic, one)["welcome"] is Status.DELIVERED
    due = clinic.message(one, "confirm").due_at
    stage.to_next()
    assert clinic.clock.now() == due
    assert statuses(clinic, one)["confirm"] is Status.DELIVERED


def test_a_long_jump_stops_at_each_message_so_that_none_is_late(clinic: Clinic, stage: Stage) -> None:
    one = clinic.enroll().enrollment_id
    stage.ahead(150)
    assert clinic.clock.now() == datetime(2027, 4, 30, 9, tzinfo=UTC)  # ten o'clock, now summer time
    assert set(statuses(clinic, one).values()) == {Status.DELIVERED}
    for message in clinic.messages(one):
        assert message.accepted_at == message.due_at
    assert stage.next_moment() is None
    stage.to_next()  # nothing is left: it stays
    assert clinic.clock.now() == datetime(2027, 4, 30, 9, tzinfo=UTC)


def test_no_claim_is_ever_judged_lost(clinic: Clinic, stage: Stage) -> None:
    ids = [
        clinic.enroll({"given_name": "P", "family_name": "Q", "phone": f"+44770090020{n}"}).enrollment_id
        for n in range(5)
    ]
    heard: list[tuple[int, int]] = []
    stage.to_the_end(lambda done, total: heard.append((done, total)))
    assert heard[-1][0] == heard[-1][1]
    with clinic.database.read() as tx:
        for one in ids:
            for message in messages.of_enrollment(tx, one):
                events = [row["event"] for row in messages.events_of(tx, message.id)]
                assert "lose" not in events
                assert message.attempts <= 1


def test_a_deadline_that_passes_counts_as_something_that_happens(clinic: Clinic, stage: Stage) -> None:
    one = clinic.enroll(arrival=None).enrollment_id
    stage.to_the_end(lambda *_: None)
    assert statuses(clinic, one)["fasting-reminder"] is Status.EXPIRED
    assert any(task["kind"] == "call" for task in clinic.tasks())


def test_playing_runs_until_paused(clinic: Clinic, stage: Stage) -> None:
    clinic.enroll()
    stage.play()
    give_up = monotonic() + 20
    while clinic.clock.now() < START + timedelta(days=3) and monotonic() < give_up:
        sleep(0.05)
    assert stage.is_playing
    stage.pause()
    with stage.still():
        stood = clinic.clock.now()
    sleep(0.2)
    assert clinic.clock.now() == stood >= START + timedelta(days=3)


def test_playing_ends_by_itself_when_nothing_is_planned(clinic: Clinic, stage: Stage) -> None:
    stage.play()
    give_up = monotonic() + 20
    while stage.is_playing and monotonic() < give_up:
        sleep(0.05)
    assert not stage.is_playing


def test_many_hands_on_the_buttons_do_no_harm(clinic: Clinic, stage: Stage) -> None:
    one = clinic.enroll().enrollment_id
    stage.play()
    pressing = [threading.Thread(target=stage.to_next) for _ in range(4)]
    pressing += [threading.Thread(target=stage.ahead, args=(1,)) for _ in range(4)]
    for thread in pressing:
        thread.start()
    for thread in pressing:
        thread.join()
    stage.settle()
    stage.to_the_end(lambda *_: None)
    sent = clinic.outbox()
    assert len({letter.message_id for letter in sent}) == len(sent)
    assert set(statuses(clinic, one).values()) == {Status.DELIVERED}


def test_a_worker_that_does_not_answer_is_said_so(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "_PATIENCE", 0.05)
    clinic.enroll()
    with pytest.raises(Refusal, match="does not answer"):
        stage_of(clinic).settle()
