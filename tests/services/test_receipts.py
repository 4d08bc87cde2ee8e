"""Receipts that come when nobody expects them any more: they tell the truth, so they are believed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations

import pytest

from journey.domain.delivery import Event, Reason, Status
from journey.domain.outcomes import Receipt
from journey.domain.pathway import Channel
from journey.services.receipts import receive
from journey.services.sweeping import sweep
from tests.clinic import ANNA, START, Clinic
from tests.services.scripted import Ledger, scripted_factories

BEN = ANNA | {"given_name": "Ben", "email": "ben@example.org", "record_number": "B-1"}


@pytest.fixture
def ledger(clinic: Clinic) -> Ledger:
    """The clinic's provider, scripted."""
    ledger = Ledger()
    clinic.app.factories = scripted_factories(ledger)
    return ledger


def _receive(clinic: Clinic, message_id: object, attempt: int, event: Event, provider_id: str) -> bool:
    reason = Reason.UNDELIVERED if event is Event.UNDELIVER else None
    receipt = Receipt(event, provider_id, "30005" if reason else "", reason)
    library = clinic.app.worker().library
    return receive(clinic.app.context, library, message_id, attempt, receipt)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "events", [*permutations((Event.ACCEPT, Event.DELIVER)), (Event.DELIVER, Event.DELIVER, Event.ACCEPT)]
)
def test_in_any_order_the_end_is_delivered(clinic: Clinic, ledger: Ledger, events: Sequence[Event]) -> None:
    enrolled = clinic.enroll()
    clinic.work()
    for event in events:
        entry = ledger.entries[0]
        assert _receive(clinic, entry.message_id, entry.attempt, event, entry.provider_id)
    assert clinic.message(enrolled.enrollment_id, "welcome").status is Status.DELIVERED


def test_what_failed_stays_failed_and_what_arrived_stays_delivered(clinic: Clinic, ledger: Ledger) -> None:
    enrolled = clinic.enroll()
    clinic.work()
    entry = ledger.entries[0]
    _receive(clinic, entry.message_id, 1, Event.UNDELIVER, entry.provider_id)
    _receive(clinic, entry.message_id, 1, Event.DELIVER, entry.provider_id)
    first = min(
        (row for row in clinic.messages(enrolled.enrollment_id) if row.step == "welcome"),
        key=lambda row: row.occurrence,
    )
    assert first.status is Status.FAILED


def test_a_receipt_about_nothing_of_ours_is_said_to_be_so(clinic: Clinic, ledger: Ledger) -> None:
    enrolled = clinic.enroll()
    row = clinic.message(enrolled.enrollment_id, "welcome")
    assert not _receive(clinic, enrolled.patient_id, 1, Event.DELIVER, "SM1")
    assert not _receive(clinic, row.id, 1, Event.DELIVER, "SM1")  # never tried yet


def test_a_receipt_after_the_look_up_found_nothing_stops_the_second_try(
    clinic: Clinic, ledger: Ledger
) -> None:
    """The look-up lagged beyond its grace; the receipt comes before the message goes out again."""
    enrolled = clinic.enroll()
    ledger.answers.append("lose before")  # as far as the look-up can see
    clinic.work()
    clinic.clock.advance(timedelta(seconds=46))
    sweep(clinic.app.worker())
    row = clinic.message(enrolled.enrollment_id, "welcome")
    assert row.status is Status.PLANNED
    assert _receive(clinic, row.id, 1, Event.DELIVER, "SM-late")
    clinic.work()
    assert ledger.entries == [], "the patient has it already"


def test_a_receipt_about_an_older_try_stops_the_next_one_and_says_why(clinic: Clinic, ledger: Ledger) -> None:
    enrolled = clinic.enroll()
    ledger.answers.extend(["busy", "busy"])
    clinic.work()
    clinic.clock.advance(timedelta(seconds=5))
    clinic.work()
    row = clinic.message(enrolled.enrollment_id, "welcome")
    assert (row.status, row.attempts) == (Status.PLANNED, 2)
    assert _receive(clinic, row.id, 1, Event.DELIVER, "SM-first")
    clinic.clock.advance(timedelta(minutes=1))
    clinic.work()
    assert ledger.entries == []
    ended = clinic.message(enrolled.enrollment_id, "welcome")
    assert ended.status is Status.DELIVERED or ended.reason not in (None, Reason.PROVIDER_BUSY)


def test_twins_that_a_look_up_confused_do_no_harm(clinic: Clinic, ledger: Ledger) -> None:
    """Two patients share a phone and get the same words at once; one of the two was accepted."""
    enrolled = [clinic.enroll(ANNA), clinic.enroll(BEN)]
    ledger.answers.extend(["lose after", "lose before"])
    clinic.work()
    clinic.clock.advance(timedelta(seconds=46))
    clinic.work()
    (first, *_) = ledger.entries
    for one in enrolled:
        row = clinic.message(one.enrollment_id, "welcome")
        _receive(clinic, row.id, 1, Event.DELIVER, first.provider_id)
    texts = [entry for entry in ledger.entries if entry.channel is Channel.SMS]
    assert len(texts) <= 2
    clinic.clock.at = START + timedelta(days=1)
    clinic.work()
    for one in enrolled:
        assert clinic.message(one.enrollment_id, "welcome").status in (Status.ACCEPTED, Status.DELIVERED)
