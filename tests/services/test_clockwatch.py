"""A wall clock that jumps: nothing is taken for lost or absent until time has really passed."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from journey.domain.delivery import Status
from journey.domain.pathway import Channel
from journey.services.clockwatch import ClockWatch, Stamp
from journey.services.preparing import claim_due
from journey.services.sweeping import sweep
from tests.clinic import START, Clinic
from tests.services.scripted import Ledger, scripted_factories


class TwoClocks:
    """A wall clock that can be set, beside a monotonic one that cannot."""

    def __init__(self) -> None:
        self.at, self.ticks = START, 1000.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.ticks

    def pass_by(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self.ticks += seconds

    def set(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def test_a_clock_set_forward_counts_again_after_its_time() -> None:
    clock = TwoClocks()
    watch = ClockWatch(clock, 45.0)
    clock.pass_by(3600)
    assert watch.is_settled()
    clock.set(60)
    assert not watch.is_settled()
    clock.pass_by(44)
    assert not watch.is_settled()
    clock.pass_by(1)
    assert watch.is_settled()


def test_a_clock_set_back_or_corrected_by_little_is_believed() -> None:
    clock = TwoClocks()
    watch = ClockWatch(clock, 45.0)
    clock.set(-3600)
    assert watch.is_settled()
    clock.set(0.5)
    assert watch.is_settled()


@pytest.fixture
def clock() -> TwoClocks:
    return TwoClocks()


@pytest.fixture
def clinic(tmp_path: Path, clock: TwoClocks) -> Iterator[Clinic]:
    clinic = Clinic(tmp_path, clock=clock)
    yield clinic
    clinic.close()


def test_a_text_on_its_way_is_not_called_lost_when_the_clock_is_set(clinic: Clinic, clock: TwoClocks) -> None:
    ledger = Ledger()
    clinic.app.factories = scripted_factories(ledger)
    patient = clinic.enroll(sms=True, email=False).enrollment_id
    worker, context = clinic.app.worker(), clinic.app.context
    claimed, _ = claim_due(context, worker.library, Channel.SMS, 10)
    assert claimed
    clock.set(600)
    sweep(worker)
    assert clinic.message(patient, claimed[0].message.step).status is Status.SENDING
    clock.pass_by(context.rules.lookup_grace)
    sweep(worker)
    assert clinic.message(patient, claimed[0].message.step).status is not Status.SENDING


@pytest.mark.parametrize(("wall", "ticks"), [(600, 0), (0, 600), (600, 600)])
def test_what_was_claimed_before_a_sleep_of_process_or_machine_does_not_begin(
    clinic: Clinic, clock: TwoClocks, wall: float, ticks: float
) -> None:
    ledger = Ledger()
    clinic.app.factories = scripted_factories(ledger)
    clinic.enroll(sms=True, email=False)
    worker, context = clinic.app.worker(), clinic.app.context
    begun = Stamp.of(context.clock)
    claimed, _ = claim_due(context, worker.library, Channel.SMS, 10)
    clock.at += timedelta(seconds=wall)
    clock.ticks += ticks
    worker.sender.send_all(Channel.SMS, [one.outgoing for one in claimed], begun)
    assert ledger.entries == []
