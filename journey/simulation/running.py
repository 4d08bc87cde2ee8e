"""One run: a practice of simulated patients over simulated days, checked after every step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

from journey.channels.protocol import Outgoing
from journey.domain.outcomes import NoAnswer, Outcome
from journey.domain.pathway import Channel
from journey.services.admission import Setting
from journey.services.context import Context
from journey.services.library import public_holidays
from journey.services.publishing import find_setting, install_content, publish
from journey.simulation import acting, weather
from journey.simulation.closing import Closing
from journey.simulation.faults import RULES, Faults
from journey.simulation.history import History, Violation
from journey.simulation.invariants import Invariants
from journey.simulation.looks import Looks
from journey.simulation.people import PATHWAY, SITES, first_instant
from journey.simulation.provider import Provider
from journey.simulation.scheduler import DAY, Scheduler, VirtualClock
from journey.simulation.seams import simulated_machine
from journey.simulation.workers import Workers
from journey.simulation.world import World
from journey.store import messages, sites
from journey.store.database import Database
from journey.store.migrating import migrate
from journey.store.sealing import Sealer

Progress = Callable[[float], None]
# Longer than the longest receipt, power cut and pause between two look-ups.
_CALM_DAYS = 2


@dataclass(frozen=True, slots=True)
class Result:
    """What a run came to. The same arguments give an equal one, whose digest covers every step."""

    patients: int
    days: int
    seed: int
    faults: bool
    began: str
    steps: int
    enrollments: int
    accepted: Mapping[str, int]
    statuses: Mapping[str, int]
    fault_counts: Mapping[str, int]
    actions: Mapping[str, int]
    digest: str
    violations: list[Violation] = field(default_factory=list)

    @property
    def replay(self) -> str:
        """The command that gives exactly this run again."""
        command = f"journey simulate --patients {self.patients} --days {self.days} --seed {self.seed}"
        return f"{command} --faults" if self.faults else command


def run_simulation(
    patients: int, days: int, seed: int, faults: bool, progress: Progress | None = None
) -> Result:
    """Runs the real services and store in memory, in virtual time. One run at a time in a process."""
    scheduler = Scheduler()
    with simulated_machine(scheduler, seed):
        world = _make_world(scheduler, days, seed, faults)
        try:
            return _run(world, patients, days, seed, faults, progress)
        finally:
            world.workers.close()
            world.database.close()


def _run(
    world: World, patients: int, days: int, seed: int, faults: bool, progress: Progress | None
) -> Result:
    began = world.clock.now()
    acting.invite(world, patients, days)
    weather.brew(world, days)
    world.scheduler.at(days * DAY, lambda: weather.clear_up(world))
    world.scheduler.after_step = _after_step(world, (days + _CALM_DAYS) * DAY, progress)
    world.workers.start()
    world.scheduler.run((days + _CALM_DAYS) * DAY)
    closing = Closing(world.invariants, world.history, world.provider.ledger, world.clock.now())
    with world.database.read() as tx:
        closing.check(tx)
        statuses = messages.counts_by_status(tx)
    if progress is not None:
        progress(1.0)
    channels = [entry.channel.value for entry in world.provider.ledger]
    return Result(
        patients=patients,
        days=days,
        seed=seed,
        faults=faults,
        began=began.isoformat(),
        steps=world.scheduler.steps,
        enrollments=len(world.cases),
        accepted={channel.value: channels.count(channel.value) for channel in Channel},
        statuses=dict(sorted(statuses.items())),
        fault_counts=dict(sorted(world.faults.counts.items())),
        actions=dict(sorted(world.actions.items())),
        digest=world.history.digest,
        violations=world.history.violations,
    )


def _after_step(world: World, end: int, progress: Progress | None) -> Callable[[], None]:
    shown = 0

    def check() -> None:
        nonlocal shown
        world.invariants.after_step()
        percent = world.scheduler.now * 100 // end
        if progress is not None and percent > shown:
            shown = percent
            progress(min(percent, 100) / 100)

    return check


def _make_world(scheduler: Scheduler, days: int, seed: int, faults: bool) -> World:
    people = Random(f"people/{seed}")
    clock = VirtualClock(scheduler, first_instant(people, days))
    drawn = Faults(seed, on=faults)
    database = Database("sqlite:///:memory:", Sealer([bytes(range(32))]))
    settings = _furnish(database, clock)
    looks = Looks(database)
    history = History(clock.true_time)
    provider = Provider(scheduler, clock, drawn, Random(f"provider/{seed}"))
    known = {setting.site.id: setting.site.site for setting in settings}
    pathway = settings[0].version.pathway
    invariants = Invariants(database, clock, history, looks, known, pathway)
    world = World(scheduler, clock, drawn, provider, history, invariants, database, settings, people)
    world.workers = Workers(
        scheduler, clock, drawn, provider, looks, Random(f"workers/{seed}"), world.context_of, world.trouble
    )

    def on_try(channel: Channel, outgoing: Outgoing, outcome: Outcome) -> None:
        invariants.tried(channel, outgoing)
        weather.strike_at_work(world, is_lost=isinstance(outcome, NoAnswer))
        acting.interfere(world, outgoing.message_id)

    provider.on_try, provider.on_accept, provider.on_receipt = on_try, invariants.accepted, world.on_receipt
    return world


def _furnish(database: Database, clock: VirtualClock) -> list[Setting]:
    """An installed practice with three sites and a published pathway."""
    context = Context(database, clock, RULES, "https://example.org")
    migrate(database)
    install_content(context, SITES[0])
    with database.write() as tx:
        for site in SITES[1:]:
            sites.add(tx, site)
    publish(context, PATHWAY, "the simulation")
    for site in SITES:
        public_holidays(site.country, clock.now().year)  # read before the first step, not during it
    with database.read() as tx:
        return [find_setting(tx, PATHWAY, site.key, "staff") for site in SITES]
