"""Virtual time: order, sleeping in the middle, and clocks that are set."""

from datetime import UTC, datetime, timedelta

import pytest

from journey.simulation.scheduler import SECOND, Scheduler, VirtualClock

START = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_sleeper_lets_others_act_and_goes_on_at_its_time() -> None:
    scheduler, seen = Scheduler(), list[tuple[str, int]]()

    def long_job() -> None:
        seen.append(("begins", scheduler.now))
        scheduler.sleep(10)
        seen.append(("goes on", scheduler.now))

    scheduler.at(1, long_job)
    scheduler.at(5, lambda: seen.append(("between", scheduler.now)))
    scheduler.at(11, lambda: seen.append(("same time, asked first", scheduler.now)))
    scheduler.at(30, lambda: seen.append(("too late", scheduler.now)))
    scheduler.run(20)
    assert seen == [("begins", 1), ("between", 5), ("same time, asked first", 11), ("goes on", 11)]
    assert scheduler.now == 20


def test_the_end_waits_for_whoever_is_in_the_middle() -> None:
    scheduler, seen = Scheduler(), list[str]()

    def job() -> None:
        scheduler.at(15, lambda: seen.append("other"))
        scheduler.sleep(100)
        seen.append("done")

    scheduler.at(5, job)
    scheduler.run(10)
    assert seen == ["other", "done"]


def test_what_a_job_raises_comes_out_of_the_run() -> None:
    scheduler = Scheduler()
    scheduler.at(1, lambda: scheduler.sleep(5))
    scheduler.at(2, lambda: [][0])
    with pytest.raises(IndexError):
        scheduler.run(10)


def test_a_clock_that_is_set_keeps_its_monotonic_time() -> None:
    scheduler = Scheduler()
    clock = VirtualClock(scheduler, START)
    scheduler.sleep(60 * SECOND)
    clock.step(-30 * SECOND)
    assert clock.now() == START + timedelta(seconds=30)
    assert clock.true_time() == START + timedelta(seconds=60)
    assert clock.monotonic() == 60
    assert clock.instant_of(START + timedelta(seconds=40)) == 70 * SECOND
    assert clock.recent() == [START + timedelta(seconds=30), START + timedelta(seconds=60)]
    scheduler.sleep(120 * SECOND)
    assert clock.recent() == [clock.now()]
