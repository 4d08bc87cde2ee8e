"""SIGKILL and SIGSTOP of whatever sends, at every point of its work."""

import os
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.fakes.twilio_process import FakeTwilio
from tests.faults.counting import assert_all_sent_once
from tests.faults.doomed import KILL_POINTS, STOP
from tests.faults.plant import Patient, Plant

PROVIDER_KILLS = ("kill_peer_before", "kill_peer_after")


def start_doomed(plant: Plant, *points: str) -> None:
    """Whatever sends, to die once at each point, with a supervisor that starts it again."""
    engine = ["up", "--port", str(plant.port)] if plant.is_embedded else ["worker", "--concurrency", "2"]
    plant.start(",".join(points), str(plant.folder), *engine, module="tests.faults.doomed", restart=True)


def assert_died_at(plant: Plant, *points: str) -> None:
    assert all((plant.folder / point).exists() for point in points)


def kill_during_calls(twilio: FakeTwilio, victims: Sequence[Patient]) -> None:
    """Whoever sends these messages dies of it; they are batches apart."""
    pairs = zip(victims, PROVIDER_KILLS, strict=True)
    twilio.control(rules=[{"when": {"to": who.phone}, "action": action} for who, action in pairs])


def kills(twilio: FakeTwilio) -> list[str]:
    return [event["action"] for event in twilio.events() if event["event"] == "killed" and event["pids"]]


def test_workers_that_die_at_every_point_in_turn_lose_and_double_nothing(
    plant_on_postgres: Plant, fake_twilio: FakeTwilio
) -> None:
    plant = plant_on_postgres
    patients = plant.enroll(100)
    kill_during_calls(fake_twilio, [patients[5], patients[55]])
    start_doomed(plant, *KILL_POINTS)
    plant.settle()
    assert_all_sent_once(plant, fake_twilio, 100)
    assert_died_at(plant, *KILL_POINTS)
    assert sorted(kills(fake_twilio)) == sorted(PROVIDER_KILLS)


@pytest.mark.slow
def test_one_process_that_dies_between_call_and_record_loses_and_doubles_nothing(
    plant_on_sqlite: Plant, fake_twilio: FakeTwilio
) -> None:
    plant = plant_on_sqlite
    plant.enroll(60)
    start_doomed(plant, "before-recording")
    plant.settle()
    assert_all_sent_once(plant, fake_twilio, 60)
    assert_died_at(plant, "before-recording")


@pytest.mark.slow
def test_a_worker_that_was_stopped_past_its_lease_sends_nothing_when_it_goes_on(
    plant_on_postgres: Plant, fake_twilio: FakeTwilio, tmp_path: Path
) -> None:
    plant = plant_on_postgres
    plant.enroll(60)
    start_doomed(plant, STOP)
    plant.settle()  # by the worker's other process
    assert_died_at(plant, STOP)
    for service in plant.services:
        os.killpg(service.child.pid, signal.SIGCONT)
    plant.enroll(20, first=60)
    plant.settle()
    assert_all_sent_once(plant, fake_twilio, 80)


@pytest.mark.slow
@pytest.mark.parametrize("point", KILL_POINTS)
def test_a_process_that_dies_at_one_point_and_is_started_again_loses_and_doubles_nothing(
    plant_on_sqlite: Plant, fake_twilio: FakeTwilio, point: str
) -> None:
    plant = plant_on_sqlite
    plant.enroll(100)
    fake_twilio.control(latency=0.02)
    start_doomed(plant, point)
    plant.settle()
    assert_all_sent_once(plant, fake_twilio, 100)
    assert_died_at(plant, point)


@pytest.mark.slow
@pytest.mark.parametrize("action", PROVIDER_KILLS)
def test_a_death_during_the_call_loses_and_doubles_nothing(
    plant_on_both: Plant, fake_twilio: FakeTwilio, action: str
) -> None:
    plant = plant_on_both
    plant.enroll(100)
    fake_twilio.control(rules=[{"when": {"every": 30}, "times": 3, "action": action}])
    plant.start_engine(restart=True)
    plant.settle()
    assert_all_sent_once(plant, fake_twilio, 100)
    # Of three, since a client that hung up just before (its time limit here is a second) cannot be hit.
    assert len(kills(fake_twilio)) >= 2


@pytest.mark.slow
def test_everything_killed_at_once_again_and_again_loses_and_doubles_nothing(
    plant_on_both: Plant, fake_twilio: FakeTwilio
) -> None:
    plant = plant_on_both
    plant.enroll(400)
    fake_twilio.control(latency=0.05)
    plant.start_engine(restart=True)
    for goal in (50, 150, 250):
        plant.until(lambda goal=goal: len(fake_twilio.accepted()) >= goal, f"{goal} accepts")  # type: ignore[misc]
        plant.kill_all()
    plant.settle()
    assert_all_sent_once(plant, fake_twilio, 400)
