"""What nature does: clocks that are set, providers that fail, workers that die, at the worst moment."""

from __future__ import annotations

from collections.abc import Callable

from journey.simulation.scheduler import DAY, MINUTE, SECOND, Act
from journey.simulation.world import World

_FURTHEST = 10 * MINUTE


def brew(world: World, days: int) -> None:
    """Draws the run's bad days."""
    if not world.faults.on:
        return
    plans: list[tuple[str, int, Act]] = [
        ("clock set", 6, lambda: set_clock(world)),
        ("provider halted", 4, world.provider.outage),
        ("look-ups down", 4, world.provider.fall_silent),
        ("power cut", 12, world.workers.all_down),
    ]
    for name, a_year, act in plans:
        for _ in range(max(1, round(a_year * days / 365))):
            world.scheduler.at(world.faults.random.randrange(days * DAY), _when_on(world, name, act))


def _when_on(world: World, name: str, act: Act) -> Act:
    def happen() -> None:
        if world.faults.strikes(name, 1):
            world.history.note(name)
            act()

    return happen


def set_clock(world: World) -> None:
    """Somebody, or a time server, sets the wall clock; later it is put right."""
    world.clock.step(world.faults.random.randint(-_FURTHEST, _FURTHEST))
    world.workers.rearm()
    world.scheduler.after(world.faults.span(60, 7200), lambda: put_right(world))


def put_right(world: World) -> None:
    world.clock.step(0)
    world.workers.rearm()


def strike_at_work(world: World, *, is_lost: bool) -> None:
    """Right when a request is on its way is when a fault does most harm, most of all if it gets lost."""
    worse = 30 if is_lost else 1
    blows: list[tuple[str, float, Act]] = [
        ("killed at work", 0.012 * worse, world.workers.kill_busy),
        ("clock set at work", 0.002 * worse, lambda: set_clock(world)),
        ("look-ups down at work", 0.01 * worse, world.provider.fall_silent),
    ]
    for name, chance, act in blows:
        if world.faults.strikes(name, chance):
            world.scheduler.after(world.faults.random.randint(0, 40 * SECOND), _noted(world, name, act))


def _noted(world: World, name: str, act: Act) -> Callable[[], None]:
    def happen() -> None:
        if world.faults.on:
            world.history.note(name)
            act()

    return happen


def clear_up(world: World) -> None:
    """The faults end; what they broke is repaired, and the engine gets its quiet time."""
    world.faults.on = False
    world.workers.is_calm = True
    world.provider.recover()
    put_right(world)
    world.history.note("all is calm")
