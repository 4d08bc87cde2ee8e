"""What staff and patients do, drawn from the seed: on their own time, and right while messages leave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import time, timedelta
from functools import partial
from random import Random
from uuid import UUID

from journey.domain.calendar import read_zone, to_instant
from journey.domain.contact import FieldErrors
from journey.domain.pathway import Channel
from journey.services import changing, wishes
from journey.services.admission import prepare
from journey.services.changing import change
from journey.services.context import Context, Refusal
from journey.services.enrolling import Enrolled
from journey.services.enrolling import enroll as enroll_one
from journey.services.suppressing import restart, stop
from journey.services.wishes import Wish
from journey.simulation.people import (
    SITES,
    Case,
    Patient,
    local_today,
    make_partner,
    make_patient,
    make_request,
    pick_arrival,
    pick_day,
)
from journey.simulation.scheduler import DAY, HOUR, MINUTE, SECOND
from journey.simulation.world import World
from journey.store import messages

_RACE = 0.05  # of all requests to the provider have somebody act on that enrollment meanwhile


def invite(world: World, patients: int, days: int) -> None:
    """Draws who is enrolled when; some share a phone, some come twice."""
    draw = world.people
    number = 0
    while number < patients:
        patient = make_patient(draw, number)
        number += 1
        when = draw.randrange(max(1, (days - 5) * DAY)) if days > 5 else draw.randrange(days * DAY)
        day_and_arrival = draw.random()
        world.scheduler.at(when, partial(enroll, world, patient, day_and_arrival))
        if number < patients and draw.random() < 0.06:
            partner = make_partner(draw, patient, number)
            number += 1
            world.scheduler.at(when + draw.randrange(HOUR), partial(enroll, world, partner, day_and_arrival))
        if draw.random() < 0.12:
            again = when + draw.randrange(90 * DAY)
            if again < days * DAY:
                world.scheduler.at(again, partial(enroll, world, patient, draw.random()))


def enroll(world: World, patient: Patient, luck: float) -> None:
    """`luck` decides the date, so that partners can have the same one."""
    own = Random(luck)
    setting = world.settings[patient.site]
    day = pick_day(own, local_today(patient, world.clock.now()))
    arrival = None if own.random() < 0.25 else pick_arrival(own)

    def use(context: Context) -> Enrolled:
        try:
            prepared = prepare(make_request(patient, day, arrival), setting, context.clock.now())
        except FieldErrors as errors:
            raise Refusal(str(errors)) from None
        return enroll_one(context, setting, prepared)

    made: Enrolled | None = world.use("enroll", None, use)
    if made is None or not made.is_new:
        return
    case = Case(made.enrollment_id, patient, day, arrival, world.scheduler.now)
    world.cases[case.id] = case
    world.history.note(f"enrolled for {day} {arrival} at {SITES[patient.site].key}, {patient.zone}", case.id)
    _plan_life(world, case)


def _begins(world: World, case: Case) -> int:
    """When the procedure begins, in virtual time."""
    day = case.day or local_today(case.patient, world.clock.now())
    at = to_instant(day, case.arrival or time(9), read_zone(SITES[case.patient.site].zone))
    return world.clock.instant_of(at)


def _plan_life(world: World, case: Case) -> None:
    draw, now = world.people, world.scheduler.now
    begins = max(_begins(world, case), now + HOUR)
    lead = begins - now

    def at(chance: float, when: int, act: Callable[[World, Case], None]) -> None:
        if draw.random() < chance:
            world.scheduler.at(when, partial(act, world, case))

    if case.arrival is None:
        at(0.8, now + int(lead * draw.uniform(0.1, 0.99)), set_arrival)
    for chance in (0.3, 0.15, 0.05):
        at(chance, now + int(lead * draw.uniform(0, 1.02)), reschedule)
    at(0.35, now + int(lead * draw.random()), confirm)
    at(0.06, now + int(lead * draw.random()), postpone)
    at(0.06, now + int(lead * draw.uniform(0, 1.2)), cancel)
    at(0.03, now + draw.randrange(60 * DAY), withdraw)
    at(0.6, begins + draw.randrange(5 * HOUR, 40 * HOUR), complete)
    at(0.12, now + draw.randrange(lead + 20 * DAY), pause)
    at(0.12, now + draw.randrange(lead + 30 * DAY), opt_out)
    at(0.4, begins + draw.randrange(10 * DAY, 40 * DAY), book)
    at(0.05, now + draw.randrange(lead + 30 * DAY), replan)


def interfere(world: World, message: UUID) -> None:
    """Somebody acts on this enrollment within the seconds that its message takes to leave."""
    if world.people.random() >= _RACE:
        return
    with world.database.read() as tx:
        case = world.cases.get(messages.by_ids(tx, [message])[0].enrollment_id)
    if case is None:
        return
    change_date = (reschedule, reschedule, set_arrival, postpone, cancel)
    choices = (*change_date, pause, opt_out, opt_out, replan, book, confirm)
    act = world.people.choice(choices)
    world.actions["during a request"] += 1
    world.scheduler.after(world.people.randrange(13 * SECOND), partial(act, world, case))


def _change(world: World, name: str, case: Case, wish: Wish) -> bool:
    outcome: changing.Outcome | None = world.use(
        name, case, lambda context: change(context, case.id, wish, "staff")
    )
    if outcome is None:
        return False
    counts = Counter(one.action.value for one in outcome.changes)
    world.history.note(f"{name} did {dict(sorted(counts.items()))}", case.id)
    return True


def reschedule(world: World, case: Case) -> None:
    draw = world.people
    today = local_today(case.patient, world.clock.now())
    day = pick_day(draw, today)
    if case.day is not None and draw.random() < 0.3:
        day = max(today, case.day + timedelta(days=draw.randint(-3, 3)))
    case.day = day
    case.arrival = None if draw.random() < 0.2 else pick_arrival(draw)
    world.history.note(f"wants {case.day} {case.arrival}", case.id)
    _change(world, "reschedule", case, wishes.reschedule(case.day, case.arrival))


def set_arrival(world: World, case: Case) -> None:
    case.arrival = pick_arrival(world.people)
    if case.day is not None:
        world.history.note(f"wants {case.day} {case.arrival}", case.id)
        _change(world, "set arrival", case, wishes.reschedule(case.day, case.arrival))


def postpone(world: World, case: Case) -> None:
    case.day = case.arrival = None
    _change(world, "postpone", case, wishes.postpone())
    if world.people.random() < 0.75:
        world.scheduler.after(world.people.randrange(10 * DAY), partial(reschedule, world, case))


def cancel(world: World, case: Case) -> None:
    _change(world, "cancel", case, wishes.cancel())


def withdraw(world: World, case: Case) -> None:
    _change(world, "withdraw", case, wishes.withdraw())


def complete(world: World, case: Case) -> None:
    """Only what has begun can have gone ahead: a new date may lie ahead by now."""
    if case.day is not None and _begins(world, case) < world.scheduler.now:
        _change(world, "complete", case, wishes.complete())


def pause(world: World, case: Case) -> None:
    _change(world, "pause", case, wishes.pause())
    if world.people.random() < 0.85:
        long = 10 * DAY if world.people.random() < 0.5 else 20 * MINUTE
        world.scheduler.after(world.people.randrange(long), partial(resume, world, case))


def resume(world: World, case: Case) -> None:
    _change(world, "resume", case, wishes.resume())


def book(world: World, case: Case) -> None:
    _change(world, "book", case, wishes.reach_goal("booked"))


def confirm(world: World, case: Case) -> None:
    """Only of a date that is to come, and now and then taken back."""
    if case.day is not None and _begins(world, case) > world.scheduler.now + DAY:
        _change(world, "confirm", case, wishes.confirm())
        if world.people.random() < 0.2:
            world.scheduler.after(world.people.randrange(2 * DAY), partial(unconfirm, world, case))


def unconfirm(world: World, case: Case) -> None:
    _change(world, "unconfirm", case, wishes.unconfirm())


def replan(world: World, case: Case) -> None:
    _change(world, "replan", case, wishes.replan())


def opt_out(world: World, case: Case) -> None:
    """A STOP or an unsubscribe. Its web hook is called again until it answers."""
    draw = world.people
    channel = draw.choice(list(Channel))
    address = case.patient.person["phone" if channel is Channel.SMS else "email"]
    if address is None:
        return
    _stop(world, case, channel, address)
    if draw.random() < 0.6:
        long = 20 * DAY if draw.random() < 0.5 else 10 * MINUTE
        world.scheduler.after(draw.randrange(long), partial(_restart, world, case, channel, address))


def _stop(world: World, case: Case, channel: Channel, address: str) -> None:
    begun = world.scheduler.now
    done = world.use(f"stop {channel}", case, lambda c: (stop(c, channel, address, source="patient"), True))
    key = channel, address.casefold()
    if done is None:
        world.scheduler.after(
            world.people.randrange(1, 5 * MINUTE), partial(_stop, world, case, channel, address)
        )
    elif world.restarted.get(key, -1) < begun:
        world.invariants.stopped.add(key)


def _restart(world: World, case: Case, channel: Channel, address: str) -> None:
    key = channel, address.casefold()
    world.restarted[key] = world.scheduler.now
    world.invariants.stopped.discard(key)
    world.use(f"restart {channel}", case, lambda c: (restart(c, channel, address, source="patient"), True))
