"""Plans as tables: where one step lands for one patient, and why."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from journey.domain.calendar import Shift, Window
from journey.domain.changes import Change
from journey.domain.conditions import Facts
from journey.domain.delivery import Reason
from journey.domain.pathway import Channel, Pathway
from journey.domain.plan import Anchors, PlannedMessage, Policies, Verdict
from journey.domain.planning import plan_messages
from journey.domain.replanning import diff_plan

LONDON = ZoneInfo("Europe/London")
ENROLLED = datetime(2026, 12, 1, 10, tzinfo=UTC)
TUESDAY = date(2026, 12, 15)
ARRIVAL = datetime(2026, 12, 15, 9, tzinfo=UTC)
PLACE = Policies(Window(LONDON, open_weekdays=frozenset(range(5))), LONDON)
STEP = {
    "key": "one",
    "title": "One",
    "anchor": "procedure",
    "day": -5,
    "time": "10:00",
    "channels": ["sms", "email"],
}
FACTS = [
    {"key": "thinners", "label": "Thinners", "type": "boolean", "default": False},
    {"key": "arrival_time", "label": "Arrival", "type": "time"},
]


def pathway(*, completion: str = "assumed", **step: Any) -> Pathway:
    return Pathway.model_validate(
        {
            "key": "p",
            "title": "P",
            "completion": completion,
            "facts": FACTS,
            "goals": ["booked"],
            "steps": [STEP | {"if" if name == "when" else name: value for name, value in step.items()}],
        }
    )


def plan(
    path: Pathway, anchors: Anchors, policies: Policies = PLACE, facts: Facts | None = None
) -> list[PlannedMessage]:
    return list(plan_messages(path, anchors, facts or {}, policies).messages)


def only(path: Pathway, arrival: time | None = time(9), policies: Policies = PLACE) -> PlannedMessage:
    (message,) = plan(path, Anchors(ENROLLED, TUESDAY, arrival), policies)
    return message


def applied(path: Pathway, now: datetime, arrival: time | None = time(9)) -> Change:
    made = plan_messages(path, Anchors(ENROLLED, TUESDAY, arrival), {}, PLACE)
    (change,) = diff_plan(made, [], now)
    return change


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("step", "at", "shifts"),
    [
        ({"day": -5}, "2026-12-10 10:00", ()),
        ({"day": -2}, "2026-12-11 10:00", (Shift.CLOSED_DAY,)),  # Sunday before: Friday
        ({"day": -2, "closed_days": "send"}, "2026-12-13 10:00", ()),
        ({"day": -1, "time": "21:30"}, "2026-12-14 19:30", (Shift.QUIET_HOURS,)),
        ({"day": -1, "time": "06:00"}, "2026-12-11 19:30", (Shift.QUIET_HOURS, Shift.CLOSED_DAY)),
        ({"day": 0, "time": "arrival-30m"}, "2026-12-15 08:30", ()),
        ({"day": 0, "time": "arrival"}, "2026-12-15 08:00", (Shift.BEFORE_PROCEDURE,)),
        ({"day": 0, "time": "14:00"}, "2026-12-15 08:00", (Shift.BEFORE_PROCEDURE,)),
        ({"anchor": "completion", "day": 0, "time": "18:00"}, "2026-12-15 18:00", ()),
        ({"anchor": "completion", "day": 0, "time": "10:00"}, "2026-12-15 13:00", (Shift.AFTER_PROCEDURE,)),
        ({"anchor": "completion", "day": 4, "time": "10:00"}, "2026-12-21 10:00", (Shift.CLOSED_DAY,)),
        ({"anchor": "completion", "day": 1, "time": "22:00"}, "2026-12-17 08:00", (Shift.QUIET_HOURS,)),
        ({"anchor": "completion", "day": 0, "time": "arrival+6h"}, "2026-12-15 15:00", ()),
        ({"anchor": "enrollment", "day": 0, "time": "at once"}, "2026-12-01 10:00", ()),
        ({"anchor": "enrollment", "day": 1, "time": "09:00"}, "2026-12-02 09:00", ()),
        ({"anchor": "enrollment", "day": 4, "time": "09:00"}, "2026-12-07 09:00", (Shift.CLOSED_DAY,)),
        ({"anchor": "enrollment", "day": 41, "time": "09:00"}, "2026-12-15 08:00", (Shift.BEFORE_PROCEDURE,)),
    ],
)
def test_a_step_lands_where_its_rules_say(step: dict[str, Any], at: str, shifts: tuple[Shift, ...]) -> None:
    message = only(pathway(**step))
    assert (message.at, message.why.shifts) == (utc(at), shifts)
    assert message.verdict is Verdict.SEND


@pytest.mark.parametrize(
    ("zone", "procedure", "at"),
    [
        ("Europe/London", date(2026, 3, 31), "2026-03-29 09:00"),  # the Sunday the clocks go forward
        ("Europe/London", date(2026, 10, 27), "2026-10-25 10:00"),
        ("America/New_York", date(2026, 3, 10), "2026-03-08 14:00"),
        ("America/New_York", date(2026, 11, 3), "2026-11-01 15:00"),
        ("Australia/Lord_Howe", date(2026, 4, 7), "2026-04-04 23:30"),
        ("Australia/Lord_Howe", date(2026, 10, 6), "2026-10-03 23:00"),
        ("Asia/Kolkata", date(2026, 3, 31), "2026-03-29 04:30"),
        ("America/Phoenix", date(2026, 3, 10), "2026-03-08 17:00"),
    ],
)
def test_ten_oclock_is_ten_oclock_on_the_day_the_clocks_change(zone: str, procedure: date, at: str) -> None:
    place = Policies(Window(ZoneInfo(zone)), ZoneInfo(zone))
    (message,) = plan(pathway(day=-2), Anchors(utc("2026-01-05 12:00"), procedure, time(9)), place)
    assert message.at == utc(at)


def test_wall_times_are_the_patients_and_arrival_is_the_clinics() -> None:
    abroad = replace(PLACE, window=Window(ZoneInfo("America/New_York")))
    assert only(pathway(), policies=abroad).at == utc("2026-12-10 15:00")
    on_the_day = only(pathway(day=0, time="arrival-4h"), policies=abroad)
    assert on_the_day.at == utc("2026-12-15 00:30")  # 04:00 in London is 23:00 in New York: 19:30 there


def test_without_an_arrival_time_the_whole_procedure_day_counts_as_begun() -> None:
    message = only(pathway(day=0, time="06:00"), arrival=None)
    assert message.at == utc("2026-12-14 19:30")
    recovery = only(pathway(anchor="completion", day=0, time="10:00"), arrival=None)
    assert recovery.at == utc("2026-12-15 18:00")  # done_by


@pytest.mark.parametrize(
    ("step", "send_by"),
    [
        ({}, "2026-12-15 09:00"),  # a preparation may go out until the procedure
        ({"send_by": {"day": -3, "time": "18:00"}}, "2026-12-12 18:00"),
        ({"send_by": {"day": 0, "time": "18:00"}}, "2026-12-15 09:00"),  # never past the procedure
        ({"anchor": "completion", "day": 1}, "2026-12-17 10:00"),  # a day by default
        ({"anchor": "completion", "day": 1, "send_by": {"day": 3, "time": "12:00"}}, "2026-12-18 12:00"),
        ({"anchor": "enrollment", "day": 0, "time": "at once"}, "2026-12-15 09:00"),
    ],
)
def test_every_step_has_a_deadline(step: dict[str, Any], send_by: str) -> None:
    found = only(pathway(**step)).send_by
    # A deadline that is the procedure itself may leave a little room before it, never after.
    room = timedelta(minutes=5 if utc(send_by) == ARRIVAL else 0)
    assert utc(send_by) - room <= found <= utc(send_by)


def test_a_shift_past_the_deadline_leaves_no_time_and_says_so() -> None:
    late = pathway(anchor="completion", day=4, send_by={"day": 5, "time": "18:00"})  # Saturday, to Sunday
    message = only(late)
    assert (message.verdict, message.reason) == (Verdict.SKIP, Reason.NO_TIME_LEFT)


@pytest.mark.parametrize(
    ("rule", "now", "verdict", "reason", "due", "call"),
    [
        ("send", "2026-12-10 10:00", Verdict.SEND, None, "2026-12-10 10:00", False),  # on the dot
        ("send", "2026-12-11 12:00", Verdict.SEND, None, "2026-12-11 12:00", False),
        ("send", "2026-12-11 23:00", Verdict.SEND, None, "2026-12-12 08:00", False),  # any day, not any hour
        ("send", "2026-12-12 17:59", Verdict.SEND, None, "2026-12-12 17:59", False),
        ("send", "2026-12-12 18:00", Verdict.SKIP, Reason.NO_TIME_LEFT, None, False),  # too late to begin
        ("send", "2026-12-12 18:01", Verdict.SKIP, Reason.PAST_DEADLINE, None, False),
        ("skip", "2026-12-10 10:01", Verdict.SKIP, Reason.LATE, None, False),
        ("call", "2026-12-10 10:01", Verdict.SKIP, Reason.LATE_CALL, None, True),
        ("call", "2026-12-10 10:00", Verdict.SEND, None, "2026-12-10 10:00", False),
    ],
)
def test_a_late_step_follows_its_rule(
    rule: str, now: str, verdict: Verdict, reason: Reason | None, due: str | None, call: bool
) -> None:
    change = applied(pathway(late=rule, send_by={"day": -3, "time": "18:00"}), utc(now))
    assert change.target is not None
    assert (change.target.verdict, change.target.reason, change.call) == (verdict, reason, call)
    if due is not None:
        assert change.target.due_at == utc(due)
        assert (Shift.LATE in change.target.why.shifts) == (change.target.at < utc(now))


def test_at_night_with_a_deadline_before_the_morning_there_is_no_time_left() -> None:
    step = pathway(late="send", critical=True, send_by={"day": -4, "time": "07:30"})
    change = applied(step, utc("2026-12-10 23:00"))
    assert (change.reason, change.call) == (Reason.NO_TIME_LEFT, True)


@pytest.mark.parametrize(("critical", "call"), [(True, True), (False, False)])
def test_a_critical_message_that_cannot_go_out_asks_for_a_call(critical: bool, call: bool) -> None:
    assert applied(pathway(critical=critical), utc("2026-12-14 12:00")).call is call


def test_nothing_is_sent_late_in_the_very_instant_in_which_the_procedure_begins() -> None:
    change = applied(pathway(late="send"), utc("2026-12-15 09:00"))
    assert change.target is not None
    assert change.target.verdict is Verdict.SKIP


def test_what_needs_the_arrival_time_is_held_until_it_is_set_even_when_it_is_late() -> None:
    step = pathway(day=-1, needs=["arrival_time"], late="send")
    held = only(step, arrival=None)
    assert (held.verdict, held.reason) == (Verdict.HOLD, Reason.NEEDS_ARRIVAL)
    assert only(step).verdict is Verdict.SEND
    late = applied(step, utc("2026-12-14 12:00"), arrival=None)
    assert late.target is not None
    assert late.target.verdict is Verdict.HOLD
    gone = applied(step, utc("2026-12-15 00:01"), arrival=None)
    assert gone.reason is Reason.PAST_DEADLINE


def test_an_offset_from_arrival_needs_the_arrival_time() -> None:
    held = only(pathway(day=0, time="arrival-1h"), arrival=None)
    assert (held.verdict, held.reason) == (Verdict.HOLD, Reason.NEEDS_ARRIVAL)


def test_recovery_waits_for_staff_where_completion_must_be_confirmed() -> None:
    step = pathway(completion="confirmed", anchor="completion", day=1)
    held = only(step)
    assert (held.verdict, held.reason) == (Verdict.HOLD, Reason.NEEDS_COMPLETION)
    (free,) = plan(step, Anchors(ENROLLED, TUESDAY, time(9), completed_on=TUESDAY))
    assert free.verdict is Verdict.SEND
    assert only(pathway(completion="assumed", anchor="completion", day=1)).verdict is Verdict.SEND
    assert only(pathway(completion="confirmed")).verdict is Verdict.SEND  # preparation does not wait


def test_recovery_counts_from_the_day_it_really_went_ahead() -> None:
    path = pathway(anchor="completion", day=1)
    (message,) = plan(path, Anchors(ENROLLED, TUESDAY, None, completed_on=date(2026, 12, 16)))
    assert message.at == utc("2026-12-17 10:00")


@pytest.mark.parametrize("arrival", [None, time(9)])
def test_a_procedure_on_a_later_day_than_planned_bounds_recovery_by_that_day(arrival: time | None) -> None:
    path = pathway(anchor="completion", day=0, time="11:00")
    (message,) = plan(path, Anchors(ENROLLED, TUESDAY, arrival, completed_on=date(2026, 12, 16)))
    assert message.at.date() == date(2026, 12, 16)
    assert message.at >= utc("2026-12-16 18:00")  # when the pathway's day is over at the latest


def test_a_procedure_on_an_earlier_day_than_planned_holds_up_no_recovery_and_ends_preparation() -> None:
    done = Anchors(ENROLLED, TUESDAY, time(9), completed_on=date(2026, 12, 9))
    (message,) = plan(pathway(anchor="completion", day=1), done)
    assert message.at == utc("2026-12-10 10:00")
    (reminder,) = plan(pathway(anchor="procedure", day=-1), done)
    assert reminder.at < utc("2026-12-09 00:00")


def test_a_goal_that_is_reached_ends_the_steps_that_ask_for_it() -> None:
    step = pathway(anchor="completion", day=21, until="booked")
    anchors = Anchors(ENROLLED, TUESDAY, time(9))
    assert len(plan(step, anchors)) == 1
    assert plan(step, anchors, replace(PLACE, goals=frozenset({"booked"}))) == []
    assert len(plan(step, anchors, replace(PLACE, goals=frozenset({"other"})))) == 1


def test_a_step_goes_to_those_for_whom_its_condition_holds() -> None:
    step = pathway(when={"fact": "thinners", "is": True})
    anchors = Anchors(ENROLLED, TUESDAY, time(9))
    assert len(plan(step, anchors, facts={"thinners": True})) == 1
    assert plan(step, anchors, facts={"thinners": False}) == []


@pytest.mark.parametrize(
    ("wanted", "reachable", "prefers", "channel"),
    [
        (["sms", "email"], ("sms", "email"), None, "sms"),
        (["email", "sms"], ("sms", "email"), None, "email"),
        (["sms", "email"], ("sms", "email"), "email", "email"),
        (["sms"], ("sms", "email"), "email", "sms"),  # the step does not offer what is preferred
        (["sms", "email"], ("email",), "sms", "email"),
        (["sms"], ("email",), None, None),
        (["sms", "email"], (), None, None),
    ],
)
def test_the_channel_is_the_patients_where_the_step_allows_it(
    wanted: list[str], reachable: tuple[str, ...], prefers: str | None, channel: str | None
) -> None:
    policies = replace(
        PLACE,
        reachable=tuple(Channel(name) for name in reachable),
        prefers=Channel(prefers) if prefers else None,
    )
    message = only(pathway(channels=wanted), policies=policies)
    assert message.channel == (Channel(channel) if channel else None)
    if channel is None:
        assert (message.verdict, message.reason) == (Verdict.SKIP, Reason.NO_ADDRESS)


def test_a_paused_patient_has_everything_held() -> None:
    message = only(pathway(), policies=replace(PLACE, paused=True))
    assert (message.verdict, message.reason) == (Verdict.HOLD, Reason.PAUSED)


def test_without_a_date_only_what_follows_from_enrolling_is_planned() -> None:
    anchors = Anchors(ENROLLED, None)
    assert plan(pathway(), anchors) == []
    assert plan(pathway(anchor="completion", day=1), anchors) == []
    assert len(plan(pathway(anchor="enrollment", day=1), anchors)) == 1
    assert plan_messages(pathway(), anchors, {}, PLACE).correction is None


def test_a_naive_moment_is_refused_at_the_door() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        Anchors(datetime(2026, 12, 1, 10), TUESDAY)  # noqa: DTZ001
    made = plan_messages(pathway(), Anchors(ENROLLED, TUESDAY), {}, PLACE)
    with pytest.raises(ValueError, match="no time zone"):
        diff_plan(made, [], datetime(2026, 12, 1, 10))  # noqa: DTZ001


def test_enrolling_in_another_offset_is_the_same_moment() -> None:
    india = ZoneInfo("Asia/Kolkata")
    one = plan(pathway(), Anchors(ENROLLED, TUESDAY))
    assert plan(pathway(), Anchors(ENROLLED.astimezone(india), TUESDAY)) == one
    assert all(message.at.utcoffset() == timedelta(0) for message in one)
