"""What staff may do with an enrollment: each act shown first with all that follows, then done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from journey.domain.calendar import read_zone
from journey.domain.contact import read_date
from journey.domain.eligibility import EnrollmentStatus
from journey.services import wishes
from journey.services.admission import read_arrival, read_procedure_date
from journey.services.context import Refusal
from journey.services.taking_back import NOTHING
from journey.services.wishes import Terms, Wish
from journey.store.enrollments import LIVE
from journey.web.charts.cards import Chart
from journey.web.words import say_day

BOOKED = "booked"
_USUAL_ARRIVAL = "09:00"


@dataclass(frozen=True, slots=True)
class Act:
    """One thing to do. `question` heads the page that shows what follows; `button` does it.

    `fields`: what the page asks for, "day" and "arrival". `is_ending`: it takes messages away for good.
    """

    key: str
    label: str
    question: str
    button: str
    fields: tuple[str, ...] = ()
    is_ending: bool = False

    def ask(self, chart: Chart) -> str:
        day = chart.enrollment.procedure_date
        return self.question.format(name=chart.name, day=say_day(day) if day else "no date")


ACTS = {
    act.key: act
    for act in (
        Act(
            "arrival",
            "Set the arrival time",
            "When does {name} arrive?",
            "Set the arrival time",
            ("arrival",),
        ),
        Act(
            "went-ahead", "It went ahead", "Did {name}’s procedure go ahead?", "Yes, it went ahead", ("day",)
        ),
        Act("confirmed", "The patient confirmed", "Has {name} said yes to {day}?", "Yes, confirmed"),
        Act(
            "unconfirmed", "Not confirmed after all", "Take back that {name} confirmed {day}?", "Take it back"
        ),
        Act("move", "Move the date", "Move {name}’s procedure?", "Move the procedure", ("day", "arrival")),
        Act("postpone", "Postpone", "Postpone {name}’s procedure without a date?", "Postpone", (), True),
        Act("booked", "Follow-up booked", "Has {name} booked the follow-up?", "Yes, it is booked"),
        Act("pause", "Pause messages", "Pause {name}’s messages?", "Pause"),
        Act("resume", "Resume messages", "Resume {name}’s messages?", "Resume"),
        Act("version", "Newer messages", "Move {name} to the newer messages?", "Move to the newer version"),
        Act("withdraw", "No more messages", "Send {name} no more messages?", "Send no more", (), True),
        Act(
            "take-back",
            "Not called off after all",
            "Take back that {name}’s procedure was called off?",
            "Take it back",
        ),
        Act("cancel", "Cancel the procedure", "Cancel {name}’s procedure?", "Cancel the procedure", (), True),
    )
}


@dataclass(frozen=True, slots=True)
class Asked:
    """An act with what was typed."""

    act: Act
    day: str = ""
    arrival: str = ""


class FieldFault(Refusal):
    """What was typed cannot be used; `field` is the id of its input."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


@dataclass(frozen=True, slots=True)
class Ways:
    """What an act may need. `newer`: a version of the pathway to move to. `before`: to go back to, where the
    procedure was called off a moment ago."""

    newer: UUID | None = None
    before: Terms | None = None


def acts_for(chart: Chart, now: datetime, ways: Ways = Ways()) -> list[Act]:
    """What makes sense for a patient now."""
    enrollment = chart.enrollment
    if enrollment.status not in LIVE:
        return [ACTS["take-back"]] if ways.before else []
    is_over = enrollment.procedure_date is not None and enrollment.procedure_date <= _today(chart, now)
    is_ahead = enrollment.procedure_date is not None and enrollment.procedure_date >= _today(chart, now)
    done = enrollment.completed_on is not None
    paused = enrollment.status is EnrollmentStatus.PAUSED
    wanted = {
        "arrival": not done and bool(enrollment.procedure_date) and enrollment.arrival_time is None,
        "went-ahead": is_over and not done,
        "confirmed": is_ahead and not done and not enrollment.is_confirmed,
        "unconfirmed": is_ahead and not done and enrollment.is_confirmed,
        "move": not done,
        "postpone": not done and enrollment.procedure_date is not None,
        "booked": BOOKED in chart.pathway.goals and BOOKED not in enrollment.goals and (is_over or done),
        "pause": not paused,
        "resume": paused,
        "version": ways.newer is not None,
        "take-back": ways.before is not None,
        "withdraw": True,
        "cancel": not done,
    }
    return [act for key, act in ACTS.items() if wanted[key]]


def _today(chart: Chart, now: datetime) -> date:
    return now.astimezone(read_zone(chart.site.zone)).date()


def first_guess(chart: Chart, act: Act) -> Asked:
    """What the form starts with: a week later at the same time, or an ordinary arrival time."""
    day, arrival = chart.enrollment.procedure_date, chart.enrollment.arrival_time
    if act.key == "arrival":
        return Asked(act, str(day or ""), _USUAL_ARRIVAL)
    if act.key == "went-ahead":
        return Asked(act, str(day or ""))
    if act.key == "move":
        later = str(day + timedelta(days=7)) if day else ""
        return Asked(act, later, f"{arrival:%H:%M}" if arrival else "")
    return Asked(act)


def wish_of(chart: Chart, asked: Asked, now: datetime, ways: Ways = Ways()) -> Wish:
    """The change to the enrollment. Raises FieldFault for what was typed."""

    def new_terms() -> Wish:
        return wishes.reschedule(*_date_and_time(chart, asked, now))

    def to_newer() -> Wish:
        if ways.newer is None:
            raise Refusal("there is no newer version of these messages")
        return wishes.take_version(ways.newer)

    def as_before() -> Wish:
        if ways.before is None:
            raise Refusal(NOTHING)
        return wishes.take_back(ways.before)

    makers: dict[str, Callable[[], Wish]] = {
        "move": new_terms,
        "arrival": new_terms,
        "postpone": wishes.postpone,
        "cancel": wishes.cancel,
        "withdraw": wishes.withdraw,
        "went-ahead": lambda: wishes.complete(_day_it_went_ahead(asked)),
        "confirmed": wishes.confirm,
        "unconfirmed": wishes.unconfirm,
        "booked": lambda: wishes.reach_goal(BOOKED),
        "pause": wishes.pause,
        "resume": wishes.resume,
        "version": to_newer,
        "take-back": as_before,
    }
    return makers[asked.act.key]()


def _day_it_went_ahead(asked: Asked) -> date | None:
    try:
        return read_date(asked.day) if asked.day else None
    except ValueError as error:
        raise FieldFault("day", f"The day: {error}") from None


def _date_and_time(chart: Chart, asked: Asked, now: datetime) -> tuple[date, time | None]:
    today = _today(chart, now)
    given = asked.day
    if asked.act.key == "arrival":
        given = str(chart.enrollment.procedure_date or "")
    try:
        if given and read_date(given) < today:
            raise ValueError(f"{say_day(read_date(given))} is past; choose a later day")
        day = read_procedure_date(given, today)
    except ValueError as error:
        raise FieldFault("day", f"New date: {error}") from None
    try:
        return day, read_arrival(asked.arrival)
    except ValueError as error:
        raise FieldFault("arrival", f"Arrival time: {error}") from None
