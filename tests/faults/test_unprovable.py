"""When the provider can neither answer nor be asked: never sent again, and a person knows of each."""

from uuid import UUID

import pytest

from journey.domain.delivery import Reason, Status
from tests.fakes.twilio_process import FakeTwilio
from tests.faults.counting import assert_all_sent_once, count
from tests.faults.plant import Plant

LOST = ["hang_before", "hang_after", "reset_after", "500_before", "garbage_after"]


def lose_every_third(twilio: FakeTwilio) -> None:
    rules = [{"when": {"every": 3}, "action": fault, "times": 4} for fault in LOST]
    twilio.control(rules=rules, lookup="down")


def is_all_decided_or_asked(plant: Plant) -> bool:
    open_ends = (Status.PLANNED, Status.SENDING, Status.UNKNOWN)
    return all(row.status not in open_ends or row.reason == Reason.UNPROVABLE for row in plant.rows())


def undecided(plant: Plant) -> set[UUID]:
    return {row.id for row in plant.rows() if row.status == Status.UNKNOWN}


def asked(plant: Plant) -> set[UUID]:
    return {task["message_id"] for task in plant.clinic.tasks() if task["kind"] == "outcome_unknown"}


@pytest.mark.slow
def test_without_a_look_up_nothing_is_sent_twice_and_each_undecided_message_is_an_open_task(
    plant_on_postgres: Plant, fake_twilio: FakeTwilio
) -> None:
    plant = plant_on_postgres
    plant.enroll(60)
    lose_every_third(fake_twilio)
    plant.start_engine()
    plant.until(lambda: is_all_decided_or_asked(plant), "every message decided or asked about")
    tally = count(plant, fake_twilio)
    assert tally.is_sound, tally
    assert len(undecided(plant)) == 4 * len(LOST)
    assert asked(plant) == undecided(plant)


@pytest.mark.slow
@pytest.mark.parametrize("lookup", ["down", "hang"])
def test_when_the_look_up_comes_back_all_is_sent_once_and_every_question_closes(
    plant_on_both: Plant, fake_twilio: FakeTwilio, lookup: str
) -> None:
    plant = plant_on_both
    plant.enroll(60)
    lose_every_third(fake_twilio)
    fake_twilio.control(lookup=lookup)
    plant.start_engine()
    plant.until(lambda: is_all_decided_or_asked(plant), "every message decided or asked about")
    assert asked(plant) == undecided(plant)
    fake_twilio.control(lookup="ok")
    plant.settle()
    assert_all_sent_once(plant, fake_twilio, 60)
    assert plant.clinic.tasks() == []


@pytest.mark.slow
def test_a_look_up_that_lags_less_than_the_grace_time_doubles_nothing(
    plant_on_both: Plant, fake_twilio: FakeTwilio
) -> None:
    plant = plant_on_both
    plant.enroll(60)
    lose_every_third(fake_twilio)
    fake_twilio.control(lookup="lag:1.5")
    plant.start_engine()
    plant.settle()
    assert_all_sent_once(plant, fake_twilio, 60)
