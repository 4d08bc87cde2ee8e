"""Cancelling, rescheduling and opting out while the message is on its way: whoever returns first is right."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from journey.domain.delivery import Status
from journey.domain.pathway import Channel
from journey.services import changing, wishes
from journey.services.suppressing import stop
from tests.fakes.sdk import SDK_WARNINGS
from tests.fakes.twilio_process import FakeTwilio
from tests.faults.counting import count
from tests.faults.plant import Patient, Plant
from tests.faults.racing import Raced, accepted_to, after_return, race

pytestmark = [
    pytest.mark.filterwarnings(SDK_WARNINGS),
    pytest.mark.filterwarnings("ignore:.*auth.*:DeprecationWarning"),
]
SIZES = [50, pytest.param(1000, marks=[pytest.mark.slow, pytest.mark.timeout(300)])]


def someone(number: int) -> dict[str, str]:
    """The first thousand numbers of a Twilio range that reaches nobody."""
    return {
        "given_name": "Ray",
        "family_name": f"Racer {number}",
        "phone": f"+1500555{5000 + number}",
        "record_number": f"R-{number}",
    }


def run(plant: Plant, twilio: FakeTwilio, size: int, wish: Callable[[Patient], None]) -> list[Raced]:
    """Answers take a moment, some accepts are late: the windows that a race needs."""
    rules = [{"when": {"every": 4}, "times": 0, "action": "delay:0.05"}]
    twilio.control(latency=0.02, rules=rules)
    raced = race(plant, [someone(number) for number in range(size)], wish)
    tally = count(plant, twilio)
    assert tally.is_sound, tally
    assert len(raced) == size
    return raced


@pytest.mark.parametrize("size", SIZES)
def test_after_a_cancellation_has_returned_nothing_is_accepted(
    racecourse: Plant, fake_twilio: FakeTwilio, size: int
) -> None:
    plant = racecourse
    raced = run(plant, fake_twilio, size, lambda who: cancel(plant, who))
    assert after_return(raced, fake_twilio) == []
    assert 0 < len(fake_twilio.accepted()) < size  # each side won at times


@pytest.mark.parametrize("size", SIZES)
def test_after_an_opt_out_has_returned_no_text_is_accepted(
    racecourse: Plant, fake_twilio: FakeTwilio, size: int
) -> None:
    plant = racecourse
    context = plant.clinic.app.context

    def opt_out(who: Patient) -> None:
        assert stop(context, Channel.SMS, who.phone, source="STOP")

    raced = run(plant, fake_twilio, size, opt_out)
    assert after_return(raced, fake_twilio) == []
    assert 0 < len(fake_twilio.accepted()) < size


@pytest.mark.parametrize("size", SIZES)
def test_after_a_new_date_has_returned_nothing_quotes_the_old_one_and_each_patient_knows_the_new(
    racecourse: Plant, fake_twilio: FakeTwilio, size: int
) -> None:
    plant = racecourse
    today = datetime.now(UTC).date()
    old, new = today + timedelta(days=60), today + timedelta(days=67)

    def reschedule(who: Patient) -> None:
        wish = wishes.reschedule(new, None)
        changing.change(plant.clinic.app.context, who.enrollment, wish, "faults")

    raced = run(plant, fake_twilio, size, reschedule)
    assert after_return(raced, fake_twilio, quoting=f"{old.day} {old:%b}") == []
    by_phone = accepted_to(fake_twilio)
    texts = [[event["body"] for event in by_phone[one.patient.phone]] for one in raced]
    assert all(f"{new.day} {new:%b}" in bodies[-1] for bodies in texts)
    corrected = sum(len(bodies) == 2 for bodies in texts)
    assert {len(bodies) for bodies in texts} <= {1, 2}
    assert 0 < corrected < size


@pytest.mark.parametrize("size", [50])
def test_refusals_that_race_a_cancellation_neither_block_each_other_nor_are_silent(
    racecourse: Plant, fake_twilio: FakeTwilio, size: int
) -> None:
    plant = racecourse
    fake_twilio.control(rules=[{"when": {"every": 1}, "times": 0, "action": "error:21211:400"}])
    raced = race(plant, [someone(number) for number in range(size)], lambda who: cancel(plant, who))
    assert len(raced) == size
    assert count(plant, fake_twilio).is_sound
    states = {row.status for row in plant.rows()}
    assert states <= {Status.CANCELLED, Status.FAILED, Status.SKIPPED}


def cancel(plant: Plant, who: Patient) -> None:
    changing.change(plant.clinic.app.context, who.enrollment, wishes.cancel(), "faults")
