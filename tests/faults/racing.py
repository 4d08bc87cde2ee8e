"""Dispatchers in threads, and wishes of staff and patients that race them, with the times of both."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from journey.bootstrap import App
from journey.domain.pathway import Channel
from journey.services.dispatching import deliver
from journey.services.sweeping import sweep
from tests.fakes.ledger import Event
from tests.fakes.twilio_process import FakeTwilio
from tests.faults.plant import Patient, Plant

SLICE = 25  # patients whose messages fall due together
HANDS = 6  # wishes at once
SPREAD = 0.15  # seconds over which the wishes of a slice fall; a slice takes about that long to send
DISPATCHERS = 2


@dataclass(frozen=True, slots=True)
class Raced:
    """A patient, and when the call that changed things for them had returned (Unix time)."""

    patient: Patient
    returned: float


def race(plant: Plant, people: Sequence[dict[str, str]], wish: Callable[[Patient], None]) -> list[Raced]:
    """Enrolls in slices; while a slice goes out, a wish is made for each of its patients."""
    raced: list[Raced] = []
    with dispatchers(plant.clinic.app) as may_send, ThreadPoolExecutor(HANDS) as hands:
        for start in range(0, len(people), SLICE):
            may_send.clear()
            patients = plant.enroll_people(people[start : start + SLICE])
            may_send.set()  # both sides start at the same moment, on a machine of any speed
            # From the other end than the queue, so that each side is first for some.
            raced += hands.map(lambda who: _after_a_moment(who, wish), reversed(patients))
        plant.settle()
    return raced


def _after_a_moment(patient: Patient, wish: Callable[[Patient], None]) -> Raced:
    time.sleep(random.uniform(0, SPREAD))
    wish(patient)
    return Raced(patient, time.time())


@contextmanager
def dispatchers(app: App) -> Iterator[threading.Event]:
    """Threads that send and sweep until the end of the block, while the event that it gives is set.

    What went wrong in one is raised at the end.
    """
    over, faults = threading.Event(), list[BaseException]()
    may_send = threading.Event()
    may_send.set()

    def work() -> None:
        worker = app.worker()
        try:
            while not over.is_set():
                may_send.wait(1)
                for channel in Channel:
                    deliver(worker, channel, seconds=5.0)
                sweep(worker)
                over.wait(0.01)
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(DISPATCHERS)]
    for thread in threads:
        thread.start()
    try:
        yield may_send
    finally:
        over.set()
        for thread in threads:
            thread.join(30)
    if faults:
        raise faults[0]


def accepted_to(twilio: FakeTwilio) -> dict[str, list[Event]]:
    found: dict[str, list[Event]] = {}
    for event in twilio.accepted():
        found.setdefault(event["to"], []).append(event)
    return found


def after_return(raced: Sequence[Raced], twilio: FakeTwilio, quoting: str = "") -> list[Any]:
    """Texts that the provider accepted for somebody after their call had returned."""
    by_phone = accepted_to(twilio)
    return [
        (one.patient.phone, event["at"] - one.returned, event["body"])
        for one in raced
        for event in by_phone.get(one.patient.phone, [])
        if event["at"] > one.returned and quoting in event["body"]
    ]
