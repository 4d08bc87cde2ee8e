"""What a pathway is: its declared facts, its steps and the rules each step follows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Literal, Self

from pydantic import Field, model_validator

from journey.domain.conditions import Condition, FactIs, Facts, FactValue
from journey.domain.facts import ARRIVAL_FACT, Fact, Strict, list_written
from journey.domain.goals import CONFIRMED
from journey.domain.steptime import Duration, StepTime, WallTime, WhenInDay
from journey.domain.triage import Replies

WRITTEN = "written"  # what stands as the step of a message that somebody on staff wrote
ANSWERS = "answer-"  # how the step of an automatic answer to a patient's reply begins
KEY = r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*"


class Anchor(StrEnum):
    ENROLLMENT = "enrollment"  # the moment staff enrolled the patient
    PROCEDURE = "procedure"  # the procedure date
    COMPLETION = "completion"  # the procedure went ahead (assumed or confirmed)


class Channel(StrEnum):
    SMS = "sms"
    EMAIL = "email"


class Late(StrEnum):
    SEND = "send"  # at once, if the deadline still allows it
    SKIP = "skip"  # not at all; shown with its reason
    CALL = "call"  # not at all; staff are asked to call


class OnReschedule(StrEnum):
    REPEAT = "repeat"  # sent again for the new date, even if it went out for the old one
    KEEP = "keep"  # once is enough


class Completion(StrEnum):
    ASSUMED = "assumed"  # the date passes and nobody said otherwise
    CONFIRMED = "confirmed"  # recovery is held until staff say that it went ahead


class Purpose(StrEnum):
    CARE = "care"
    ADMINISTRATIVE = "administrative"


class Phase(StrEnum):
    BEFORE = "before"  # preparation, and what goes out on enrolling
    DAY = "day"  # on the procedure day
    AFTER = "after"  # recovery and follow-up


class Quotes(StrEnum):
    """What a message tells the patient that a reschedule can make wrong."""

    NOTHING = "nothing"
    DATE = "date"
    ARRIVAL = "arrival"  # the arrival time, and so the date too


class Deadline(Strict):
    """The last moment to send, in local calendar days from the step's anchor."""

    day: int
    time: WallTime


class Step(Strict):
    """One message of the pathway. Days are local calendar days from the anchor."""

    key: str = Field(pattern=f"^{KEY}$", max_length=40)
    title: str = Field(max_length=80)
    anchor: Anchor
    day: int = Field(ge=-365, le=730)
    time: WhenInDay
    channels: tuple[Channel, ...] = Field(min_length=1)
    when: Condition | None = Field(default=None, alias="if")
    needs: tuple[Literal["arrival_time"], ...] = ()
    purpose: Purpose = Purpose.CARE
    late: Late = Late.SKIP
    send_by: Deadline | None = None
    closed_days: Literal["shift", "send"] = "shift"
    critical: bool = False
    escalate_after: Duration = timedelta(hours=2)
    on_reschedule: OnReschedule = OnReschedule.REPEAT
    until: str | None = None
    warns: bool = False  # it asks after danger signs, so that a plain yes to it is one
    quotes: Quotes = Quotes.NOTHING  # read off the templates when the pathway is loaded

    # Cached, since every plan of every patient asks: a published step never changes.
    @cached_property
    def is_recovery(self) -> bool:
        """Recovery never goes out before the procedure; everything else never after it."""
        return self.anchor is Anchor.COMPLETION

    @cached_property
    def phase(self) -> Phase:
        if self.anchor is Anchor.ENROLLMENT:
            return Phase.BEFORE
        if self.day == 0:
            return Phase.DAY
        return Phase.AFTER if self.is_recovery else Phase.BEFORE

    @cached_property
    def needs_arrival(self) -> bool:
        return ARRIVAL_FACT in self.needs or self.time.from_arrival is not None

    @cached_property
    def any_day(self) -> bool:
        """Whether it may go out on days on which the clinic is closed."""
        return self.closed_days == "send"

    @cached_property
    def time_text(self) -> str:
        return str(self.time)

    def applies(self, facts: Facts) -> bool:
        return self.when is None or self.when.holds(facts)

    @model_validator(mode="after")
    def _is_coherent(self) -> Self:
        if len(set(self.channels)) != len(self.channels):
            raise ValueError("channels names one channel twice")
        if self.anchor is Anchor.PROCEDURE and self.day > 0:
            raise ValueError("a step after the procedure takes the anchor completion")
        if self.is_recovery and self.day < 0:
            raise ValueError("a step before the procedure takes the anchor procedure")
        if self.anchor is Anchor.ENROLLMENT and self.day < 0:
            raise ValueError("nothing can be sent before the enrollment")
        if self.time == StepTime() and self.anchor is not Anchor.ENROLLMENT:
            raise ValueError('"at once" only goes with the anchor enrollment')
        if self.time.from_arrival is not None and (self.anchor is Anchor.ENROLLMENT or self.day):
            raise ValueError("an offset from arrival is for steps of the procedure day")
        if self.warns and self.until == CONFIRMED:
            raise ValueError("a step that asks for a yes cannot also be one to which a yes is a danger sign")
        if self.send_by and not _is_after(self.send_by, self):
            raise ValueError("send_by is before the step's own time; give a later day or time")
        return self


class Correction(Strict):
    """The one message that goes out when something already sent quoted the old date."""

    key: str = Field(default="date-changed", pattern=f"^{KEY}$")
    title: str = "Your date has changed"
    channels: tuple[Channel, ...] = (Channel.SMS, Channel.EMAIL)
    escalate_after: Duration = timedelta(hours=2)


class Pathway(Strict):
    """A procedure's whole course of messages. Immutable once published."""

    key: str = Field(pattern=f"^{KEY}$", max_length=40)
    title: str = Field(max_length=80)
    completion: Completion = Completion.ASSUMED
    stay: Duration = timedelta(hours=4)  # from arrival to going home
    done_by: WallTime = time(18, 0)  # taken as over by then, where no arrival time is set
    facts: tuple[Fact, ...] = ()
    goals: tuple[str, ...] = ()  # what can end a step early, such as booked; besides confirmed
    steps: tuple[Step, ...] = Field(min_length=1)
    correction: Correction = Correction()
    replies: Replies = Replies()

    @model_validator(mode="after")
    def _is_coherent(self) -> Self:
        _refuse_doubles("step", [step.key for step in self.steps] + [self.correction.key])
        for key in (self.correction.key, *(step.key for step in self.steps)):
            if key == WRITTEN or key.startswith(ANSWERS):
                raise ValueError(
                    f"no step may be called {key}, as messages of no step are; choose another key"
                )
        _refuse_doubles("fact", [fact.key for fact in self.facts])
        declared = {fact.key: fact for fact in self.facts}
        for step in self.steps:
            tests = list(step.when.tests()) if step.when else []
            used = {test.fact for test in tests} | ({ARRIVAL_FACT} if step.needs_arrival else set())
            for name in sorted(used - declared.keys()):
                raise ValueError(_unknown_fact(step, name, declared))
            for test in tests:
                _refuse_never(step, declared[test.fact], test)
            if step.until is not None and step.until not in (CONFIRMED, *self.goals):
                raise ValueError(
                    f"step {step.key} (until) ends with the unknown goal {step.until}; declare it under goals"
                )
        return self

    @property
    def worded(self) -> list[tuple[str, tuple[Channel, ...]]]:
        """Everything that needs a template, with its channels. Steps need both, since either can stand in for
        the other; an automatic answer goes back the way that the reply came."""
        steps = [(key, tuple(Channel)) for key in (*(step.key for step in self.steps), self.correction.key)]
        return steps + [(f"{ANSWERS}{name}", (Channel.SMS,)) for name in self.replies.answers]

    def step(self, key: str) -> Step:
        return next(step for step in self.steps if step.key == key)

    def _known(self, key: str) -> Step | None:
        """None for the correction, for what staff wrote, and for a step that this version has no more."""
        return next((step for step in self.steps if step.key == key), None)

    def channels_of(self, key: str) -> tuple[Channel, ...]:
        """The channels of a step, or of the correction, in order of preference. What staff wrote goes the way
        that its writer chose, or not at all."""
        step = self.correction if key == self.correction.key else self._known(key)
        return step.channels if step else ()

    def day_of(self, key: str, procedure_date: date | None, completed_on: date | None) -> date | None:
        """The day that a step counts from: recovery advice from the one on which it went ahead."""
        step = self._known(key)
        return (completed_on or procedure_date) if step and step.is_recovery else procedure_date

    def goal_of(self, key: str) -> str | None:
        """The goal that ends a step early, if it has one."""
        step = self._known(key)
        return step.until if step else None

    def warns(self, key: str) -> bool:
        """Whether a step asks after danger signs."""
        step = self._known(key)
        return step is not None and step.warns

    def escalate_after(self, key: str) -> timedelta:
        """How long a critical text may stay without a receipt."""
        return (self._known(key) or self.correction).escalate_after

    def read_facts(self, stated: Facts) -> dict[str, FactValue]:
        """Every declared fact with its stated or default value. Raises ValueError on a stranger."""
        known = {fact.key: fact for fact in self.facts if fact.key != ARRIVAL_FACT}
        for name in stated:
            if name not in known:
                raise ValueError(f"{self.key} has no fact {name}; it knows {', '.join(known) or 'none'}")
        return {
            key: fact.read(stated[key]) if stated.get(key) is not None else fact.default
            for key, fact in known.items()
        }


def _unknown_fact(step: Step, name: str, declared: Mapping[str, Fact]) -> str:
    in_if = step.when is not None and any(test.fact == name for test in step.when.tests())
    said = f"step {step.key} {'(if) ' if in_if else ''}uses the unknown fact {name}; "
    if name == ARRIVAL_FACT:
        return f"{said}add it under facts: {{ key: arrival_time, label: Arrival time, type: time }}"
    return f"{said}declare it under facts, or use one of: {', '.join(sorted(declared)) or 'none declared'}"


def _refuse_never(step: Step, fact: Fact, test: FactIs) -> None:
    """A condition that no value of the fact can meet is a spelling mistake."""
    for value in (test.equals,) if test.one_of is None else test.one_of:
        if not any(value == one and type(value) is type(one) for one in fact.possible):
            raise ValueError(
                f"step {step.key} (if) asks whether {fact.key} is {value!r}, which it never is; it can be "
                f"{list_written(fact.possible) or 'tested by needs: [arrival_time] only'}"
            )


def _is_after(deadline: Deadline, step: Step) -> bool:
    if step.time.wall is None:
        return deadline.day >= step.day
    return (deadline.day, deadline.time) > (step.day, step.time.wall)


def _refuse_doubles(noun: str, keys: list[str]) -> None:
    doubled = sorted({key for key in keys if keys.count(key) > 1})
    if doubled:
        raise ValueError(f"two {noun}s have the key {doubled[0]}; give one of them another key")
