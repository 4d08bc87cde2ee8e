"""What staff or a patient may do in the demonstration: shown first with all that follows, then done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from journey.bootstrap import App
from journey.domain.calendar import read_zone
from journey.domain.contact import read_date
from journey.domain.pathway import Channel
from journey.services import changing, suppressing, wishes
from journey.services.admission import read_arrival, read_procedure_date
from journey.services.context import Refusal
from journey.services.wishes import Wish
from journey.store.enrollments import LIVE
from journey.web.charts.cards import Chart
from journey.web.charts.consequences import (
    CHANGES,
    FALLS_AWAY,
    Consequences,
    Line,
    consequences_of,
    summarize,
)
from journey.web.words import CHANNELS, count, say_day

ACTOR = "demonstration page"
BOOKED = "booked"
_USUAL_ARRIVAL = "09:00"


@dataclass(frozen=True, slots=True)
class Act:
    """One thing to do. `question` heads the page that shows what follows; `button` does it."""

    key: str
    label: str
    question: str
    button: str


ACTS = {
    act.key: act
    for act in (
        Act("move", "Move the date", "Move {name}’s procedure?", "Move the procedure"),
        Act("arrival", "Set the arrival time", "When does {name} arrive?", "Set the arrival time"),
        Act("cancel", "Cancel the procedure", "Cancel {name}’s procedure?", "Cancel the procedure"),
        Act("went-ahead", "It went ahead", "Did {name}’s procedure go ahead?", "Yes, it went ahead"),
        Act("booked", "Follow-up booked", "Has {name} booked the follow-up?", "Yes, it is booked"),
        Act("stop-texts", "Stop texts", "Stop texts to {name}?", "Stop texts"),
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


def acts_for(chart: Chart, now: datetime, *, texts_stopped: bool) -> list[Act]:
    """What makes sense for a patient now."""
    enrollment = chart.enrollment
    if enrollment.status not in LIVE:
        return []
    today = now.astimezone(read_zone(chart.site.zone)).date()
    is_over = enrollment.procedure_date is not None and enrollment.procedure_date <= today
    done = enrollment.completed_on is not None
    wanted = {
        "arrival": not done and bool(enrollment.procedure_date) and enrollment.arrival_time is None,
        "move": not done,
        "went-ahead": is_over and not done,
        "booked": is_over and BOOKED not in enrollment.goals,
        "stop-texts": not texts_stopped,
        "cancel": not is_over,
    }
    return [ACTS[key] for key, is_wanted in wanted.items() if is_wanted]


def first_guess(chart: Chart, act: Act) -> Asked:
    """What the form starts with: a week later at the same time, or an ordinary arrival time."""
    day, arrival = chart.enrollment.procedure_date, chart.enrollment.arrival_time
    if act.key == "arrival":
        return Asked(act, str(day or ""), _USUAL_ARRIVAL)
    if act.key == "move":
        later = str(day + timedelta(days=7)) if day else ""
        return Asked(act, later, f"{arrival:%H:%M}" if arrival else "")
    return Asked(act)


def wish_of(chart: Chart, asked: Asked, now: datetime) -> Wish | None:
    """The change to the enrollment, or None where it is the address that changes."""

    def new_terms() -> Wish:
        return wishes.reschedule(*_date_and_time(chart, asked, now))

    makers: dict[str, Callable[[], Wish]] = {
        "move": new_terms,
        "arrival": new_terms,
        "cancel": wishes.cancel,
        "went-ahead": wishes.complete,
        "booked": lambda: wishes.reach_goal(BOOKED),
    }
    maker = makers.get(asked.act.key)
    return maker() if maker else None


def _date_and_time(chart: Chart, asked: Asked, now: datetime) -> tuple[date, time | None]:
    today = now.astimezone(read_zone(chart.site.zone)).date()
    try:
        if asked.day and read_date(asked.day) < today:
            raise ValueError(f"{say_day(read_date(asked.day))} is past; choose a later day")
        day = read_procedure_date(asked.day, today)
    except ValueError as error:
        raise FieldFault("day", f"New date: {error}") from None
    try:
        return day, read_arrival(asked.arrival)
    except ValueError as error:
        raise FieldFault("arrival", f"Arrival time: {error}") from None


def consequences(app: App, chart: Chart, asked: Asked, now: datetime) -> Consequences:
    """What would follow, without doing it. Raises Refusal with what to mend."""
    wish = wish_of(chart, asked, now)
    if wish is None:
        return _without_texts(chart)
    return consequences_of(chart, changing.preview_change(app.context, chart.id, wish).changes)


def perform(app: App, chart: Chart, asked: Asked, revision: int, now: datetime) -> None:
    """Does it. Raises Stale where somebody else was first."""
    wish = wish_of(chart, asked, now)
    if wish is not None:
        changing.change(app.context, chart.id, wish, ACTOR, revision=revision)
        return
    phone = chart.patient.person.phone
    assert phone is not None  # the act is offered only where texts can be stopped
    suppressing.stop(app.context, Channel.SMS, phone, source=ACTOR)


def _without_texts(chart: Chart) -> Consequences:
    """Planned texts take another channel where their step has one and the patient too."""
    has_mail = chart.patient.address(Channel.EMAIL) and chart.patient.consents_to(Channel.EMAIL)
    texts = [card for card in chart.cards if card.is_open and card.channel == CHANNELS[Channel.SMS]]
    tag = CHANGES if has_mail else FALLS_AWAY
    note = "by e-mail" if has_mail else "no other way is left"
    lines = [
        Line(tag, card.title, card.at, card.at if has_mail else None, card.at_clinic, note) for card in texts
    ]
    what = "will go out by e-mail instead" if has_mail else "will not go out"
    return Consequences(summarize([f"{count(len(texts), 'text')} {what}"] if texts else []), lines, [])
