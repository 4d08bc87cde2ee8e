"""What staff or a patient may do in the demonstration: shown first with all that follows, then done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from journey.bootstrap import App
from journey.domain.calendar import read_zone
from journey.domain.changes import Action, Change
from journey.domain.contact import read_date
from journey.domain.delivery import Status
from journey.domain.explain import explain_reason
from journey.domain.pathway import Channel
from journey.domain.plan import Verdict
from journey.services import changing, suppressing, wishes
from journey.services.admission import read_arrival, read_procedure_date
from journey.services.context import Refusal
from journey.services.wishes import Wish
from journey.store.enrollments import LIVE
from journey.web.demo.cards import Chart, clinic_time, step_title
from journey.web.words import CHANNELS, Tag, count, join, say_day

ACTOR = "demonstration page"
# What becomes of a message, and how the summary says it. A move that leaves time, way and state alone
# only notes the new terms: for a reader it stays.
STAYS, MOVES, CHANGES, WAITS_NO_MORE, FALLS_AWAY, IS_NEW, CORRECTS = (
    Tag("Stays", "quiet"),
    Tag("Moves", "info"),
    Tag("Changes", "info"),
    Tag("Waits no more", "good"),
    Tag("Will not go out", "bad"),
    Tag("New", "good"),
    Tag("Correction", "warn"),
)
_SUMMARY = (
    (FALLS_AWAY, "will not go out"),
    (MOVES, "will move"),
    (CHANGES, "will change"),
    (WAITS_NO_MORE, "will wait no more"),
    (IS_NEW, "will be added"),
    (CORRECTS, "will correct what was said"),
)
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


@dataclass(frozen=True, slots=True)
class Line:
    """What becomes of one message."""

    tag: Tag
    title: str
    before: datetime | None
    after: datetime | None
    at_clinic: str
    note: str


@dataclass(frozen=True, slots=True)
class Consequences:
    """The page's content: a sentence, what changes, and what stays."""

    summary: str
    changes: Sequence[Line]
    stays: Sequence[Line]


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
    changes = changing.preview_change(app.context, chart.id, wish).changes
    lines = _in_time([_line(chart, change) for change in changes])
    said = [
        f"{count(number, 'message')} {what}"
        for tag, what in _SUMMARY
        if (number := sum(line.tag is tag for line in lines))
    ]
    return Consequences(
        summary=_sentence(said),
        changes=[line for line in lines if line.tag is not STAYS],
        stays=[line for line in lines if line.tag is STAYS],
    )


def perform(app: App, chart: Chart, asked: Asked, revision: int, now: datetime) -> None:
    """Does it. Raises Stale where somebody else was first."""
    wish = wish_of(chart, asked, now)
    if wish is not None:
        changing.change(app.context, chart.id, wish, ACTOR, revision=revision)
        return
    phone = chart.patient.person.phone
    assert phone is not None  # the act is offered only where texts can be stopped
    suppressing.stop(app.context, Channel.SMS, phone, source=ACTOR)


def _line(chart: Chart, change: Change) -> Line:
    old, new = change.existing, change.target
    tag = _tag(change)
    before = old.due_at.astimezone(chart.zone) if old else None
    after = new.due_at.astimezone(chart.zone) if new and tag is not STAYS else None
    return Line(
        tag=tag,
        title=step_title(chart.pathway, change.step),
        before=before,
        after=after,
        at_clinic=clinic_time(after, chart.site) if after else "",
        note=_note(change, tag),
    )


def _tag(change: Change) -> Tag:
    plain = {
        Action.KEEP: STAYS,
        Action.CANCEL: FALLS_AWAY,
        Action.ADD: IS_NEW,
        Action.CORRECT: CORRECTS,
    }
    old, new = change.existing, change.target
    if change.action in plain or old is None or new is None:
        return plain.get(change.action, CHANGES)
    if new.verdict is Verdict.SKIP:
        return FALLS_AWAY
    if old.status is Status.HELD and new.verdict is Verdict.SEND:
        return WAITS_NO_MORE
    if old.due_at != new.due_at:
        return MOVES
    same = (old.channel, old.status.value) == (new.channel, new.verdict.value)
    return STAYS if same else CHANGES


def _note(change: Change, tag: Tag) -> str:
    """The reason, and another channel where that is the change."""
    old, new = change.existing, change.target
    if tag is STAYS:
        return old.status.value if old else ""
    parts = []
    if new is not None and new.verdict is Verdict.HOLD:
        parts.append("held")
    if change.reason is not None:
        parts.append(explain_reason(change.reason))
    if old and new and new.channel and new.channel is not old.channel:
        parts.append(f"by {CHANNELS[new.channel].lower()}")
    return ": ".join(parts)


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
    return Consequences(_sentence([f"{count(len(texts), 'text')} {what}"] if texts else []), lines, [])


def _in_time(lines: list[Line]) -> list[Line]:
    def place(line: Line) -> tuple[bool, float, str]:
        at = line.after or line.before
        return at is None, at.timestamp() if at else 0.0, line.title

    return sorted(lines, key=place)


def _sentence(parts: list[str]) -> str:
    return f"{join(parts)}." if parts else "No message changes."
