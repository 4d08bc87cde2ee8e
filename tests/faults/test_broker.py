"""Redis, beats and several workers: wake-ups may be lost or doubled, messages not."""

import time
from collections.abc import Callable
from contextlib import suppress

import psycopg
import pytest

from tests.fakes.twilio_process import FakeTwilio
from tests.faults.counting import assert_all_sent_once
from tests.faults.dispatcher import GO
from tests.faults.marks import ON_POSTGRES_FIRST
from tests.faults.plant import Plant
from tests.servers import RedisServer


@ON_POSTGRES_FIRST
def test_four_dispatchers_share_one_backlog_without_doubling(
    plant_on_both: Plant, fake_twilio: FakeTwilio
) -> None:
    plant = plant_on_both
    plant.enroll(200)
    fake_twilio.control(latency=0.02)
    for _ in range(4):
        plant.start(module="tests.faults.dispatcher")
    (plant.folder / GO).touch()
    plant.settle()
    assert_all_sent_once(plant, fake_twilio, 200)


@pytest.mark.slow
def test_without_a_beat_nothing_is_lost_and_a_beat_that_starts_later_sends_it(
    plant_on_postgres: Plant, fake_twilio: FakeTwilio
) -> None:
    plant = plant_on_postgres
    plant.enroll(100)
    plant.start(module="tests.faults.beatless")
    time.sleep(6)
    assert fake_twilio.accepted() == []
    plant.start("beat")
    plant.settle()
    assert_all_sent_once(plant, fake_twilio, 100)


@pytest.mark.slow
def test_three_beats_and_three_workers_double_nothing(
    plant_on_postgres: Plant, fake_twilio: FakeTwilio
) -> None:
    plant = plant_on_postgres
    for _ in range(3):
        plant.start("worker", "--concurrency", "2")
    plant.start("beat")
    fake_twilio.control(latency=0.02)
    plant.enroll(1000)
    plant.settle()
    assert_all_sent_once(plant, fake_twilio, 1000)


@pytest.mark.slow
def test_a_redis_that_is_flushed_every_two_seconds_loses_no_message(
    plant_on_postgres: Plant, fake_twilio: FakeTwilio, redis: RedisServer
) -> None:
    plant = plant_on_postgres
    fake_twilio.control(latency=0.2)
    plant.enroll(1000)
    plant.start_engine()
    flushes = settle_meanwhile(plant, redis.flush_all, every=2.0)
    assert flushes >= 3
    assert_all_sent_once(plant, fake_twilio, 1000)


@pytest.mark.slow
def test_a_redis_that_is_restarted_and_gone_for_a_while_loses_no_message(
    plant_on_postgres: Plant, fake_twilio: FakeTwilio, redis: RedisServer
) -> None:
    plant = plant_on_postgres
    fake_twilio.control(latency=0.2)
    plant.start_engine()
    for round_number in range(3):
        plant.enroll(100, first=100 * round_number)
        goal = 100 * round_number + 30
        plant.until(lambda goal=goal: len(fake_twilio.accepted()) >= goal, "the first")  # type: ignore[misc]
        redis.stop()
        time.sleep(2)
        redis.start()
    plant.settle()
    assert_all_sent_once(plant, fake_twilio, 300)


@pytest.mark.slow
def test_database_connections_that_are_cut_again_and_again_lose_and_double_nothing(
    plant_on_postgres: Plant, fake_twilio: FakeTwilio
) -> None:
    plant = plant_on_postgres
    fake_twilio.control(latency=0.1)
    plant.enroll(400)
    plant.start_engine()
    plant.until(lambda: bool(fake_twilio.accepted()), "the first")
    cuts = settle_meanwhile(plant, lambda: cut_connections(plant), every=0.7)
    assert cuts >= 2
    assert_all_sent_once(plant, fake_twilio, 400)


def cut_connections(plant: Plant) -> None:
    address = plant.clinic.app.settings.effective_database_url.replace("+psycopg", "")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def settle_meanwhile(plant: Plant, harm: Callable[[], None], *, every: float) -> int:
    """Does harm while messages go out. Returns how often."""
    times, last = 0, time.monotonic()

    def is_over() -> bool:
        nonlocal times, last
        if time.monotonic() - last > every:
            harm()
            times, last = times + 1, time.monotonic()
        with suppress(Exception):  # our own look may be what was cut
            return plant.is_at_rest()
        return False

    plant.until(is_over, "everything coming to rest")
    return times
