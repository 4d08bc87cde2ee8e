"""What must hold for every pathway, patient, place and moment: the bold rules of planning."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from journey.domain.calendar import Shift
from journey.domain.changes import Action, Change
from journey.domain.delivery import OPEN, Reason, Status
from journey.domain.pathway import Anchor, Channel, Late, Pathway, Step
from journey.domain.plan import PlannedMessage, Verdict
from journey.domain.replanning import diff_plan
from tests.domain.standing import Standing, planned, standing
from tests.strategies import Scenario, arrivals, scenarios


def _instant(day: date, wall: time, zone: object) -> datetime:
    return datetime.combine(day, wall).replace(tzinfo=zone).astimezone(UTC)  # type: ignore[arg-type]


def begins(scenario: Scenario) -> datetime:
    """When the procedure begins: at the arrival, or at midnight where no time is set."""
    anchors = scenario.anchors
    assert anchors.procedure_date is not None
    return _instant(anchors.procedure_date, anchors.arrival_time or time(0), scenario.policies.site_zone)


def is_over(scenario: Scenario) -> datetime:
    anchors, pathway = scenario.anchors, scenario.pathway
    assert anchors.procedure_date is not None
    if anchors.arrival_time is None:
        return _instant(anchors.procedure_date, pathway.done_by, scenario.policies.site_zone)
    return begins(scenario) + pathway.stay


def enrolled(scenario: Scenario) -> list[Change]:
    return diff_plan(planned(scenario), [], scenario.now)


def targets(scenario: Scenario) -> list[tuple[Step, PlannedMessage]]:
    """Each step's message as it would be written on enrolling at `now`."""
    return [
        (scenario.pathway.step(change.step), change.target)
        for change in enrolled(scenario)
        if change.target is not None
    ]


def sendable(scenario: Scenario) -> list[tuple[Step, PlannedMessage]]:
    return [(s, m) for s, m in targets(scenario) if m.verdict is Verdict.SEND]


def at_the_arrival(scenario: Scenario) -> Scenario:
    """The same patient, looked at in the very instant in which the procedure begins."""
    return replace(scenario, now=max(scenario.anchors.enrolled_at, begins(scenario)))


@given(scenarios(), st.booleans())
def test_no_preparation_lands_once_the_procedure_has_begun(scenario: Scenario, at_arrival: bool) -> None:
    scenario = at_the_arrival(scenario) if at_arrival else scenario
    for step, message in sendable(scenario):
        if step.anchor is not Anchor.COMPLETION:
            assert message.due_at < begins(scenario), (step.key, message)
            assert message.send_by <= begins(scenario)


@given(scenarios())
def test_no_recovery_message_lands_before_the_procedure_is_over(scenario: Scenario) -> None:
    for step, message in targets(scenario):
        if step.anchor is Anchor.COMPLETION and message.verdict is not Verdict.SKIP:
            assert message.at >= is_over(scenario), (step.key, message)
            assert message.due_at >= is_over(scenario)


@given(scenarios())
def test_whatever_is_sent_lies_within_the_patients_hours_and_its_deadline(scenario: Scenario) -> None:
    window = scenario.policies.window
    for _, message in sendable(scenario):
        local = message.due_at.astimezone(window.zone).time()
        assert window.opens <= local < window.closes
        assert message.at <= message.due_at <= message.send_by


@given(scenarios())
def test_every_row_however_it_ends_is_due_before_its_deadline(scenario: Scenario) -> None:
    # The database holds this as a constraint: a row that breaks it would undo the whole change.
    plan = planned(scenario)
    rows = [change.target for change in diff_plan(plan, [], scenario.now)]
    for message in [*rows, plan.correction]:
        assert message is not None
        assert message.due_at <= message.send_by, message


@given(scenarios())
def test_closed_days_get_only_what_may_go_out_on_them(scenario: Scenario) -> None:
    window = scenario.policies.window
    for step, message in sendable(scenario):
        late = Shift.LATE in message.why.shifts
        if step.closed_days == "shift" and step.anchor is not Anchor.ENROLLMENT and not late:
            assert window.is_open_day(message.due_at.astimezone(window.zone).date())


@given(scenarios())
def test_a_shift_goes_earlier_before_the_procedure_and_later_after_it(scenario: Scenario) -> None:
    zone = scenario.policies.window.zone
    for step, message in targets(scenario):
        if step.time.wall is None or Shift.DST in message.why.shifts or step.anchor is Anchor.ENROLLMENT:
            continue
        plain = _instant(message.why.anchor_date + timedelta(days=step.day), step.time.wall, zone)
        if step.anchor is Anchor.PROCEDURE:
            assert message.at <= plain
        else:
            assert message.at >= plain
        assert bool(message.why.shifts) >= (message.at != plain), "a moved time says why"


@given(scenarios())
def test_every_step_that_applies_is_one_visible_row_and_a_late_one_says_why(scenario: Scenario) -> None:
    wanted = {
        step.key
        for step in scenario.pathway.steps
        if (step.when is None or step.when.holds(scenario.facts))
        and step.until not in scenario.policies.goals
    }
    rows = targets(scenario)
    assert sorted(step.key for step, _ in rows) == sorted(wanted)
    for step, message in rows:
        if message.verdict is not Verdict.SEND:
            assert message.reason is not None
        elif message.at < scenario.now:
            assert step.late is Late.SEND
            assert Shift.LATE in message.why.shifts
            assert message.due_at >= scenario.now


@given(scenarios())
def test_a_step_given_up_asks_for_a_call_exactly_where_the_pathway_wants_one(scenario: Scenario) -> None:
    for change in enrolled(scenario):
        assert change.target is not None
        step = scenario.pathway.step(change.step)
        given_up = change.target.verdict is Verdict.SKIP
        if change.call:
            assert given_up
            assert step.critical or step.late is Late.CALL
        elif given_up:
            assert not step.critical
            assert change.reason is not Reason.LATE_CALL


@given(scenarios())
def test_the_same_patient_has_the_same_plan_every_time(scenario: Scenario) -> None:
    assert planned(scenario) == planned(scenario)
    assert enrolled(scenario) == enrolled(scenario)


# What stands, and what a new plan makes of it.

_waits = st.integers(0, 40 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes))


@given(scenarios(), _waits, st.booleans())
def test_replanning_with_nothing_changed_changes_nothing(
    scenario: Scenario, wait: timedelta, with_worker: bool
) -> None:
    stands = standing(scenario)
    assert {change.action for change in stands.diff()} <= {Action.KEEP}
    if with_worker:
        stands.work_until(scenario.now + wait)
    stands.now = scenario.now + wait
    assert {change.action for change in stands.diff()} <= {Action.KEEP}


_moves = st.integers(1, 60).map(lambda days: timedelta(days=days))


@given(scenarios(), _waits, _moves, arrivals)
def test_rescheduling_twice_to_the_same_date_changes_nothing_the_second_time(
    scenario: Scenario, wait: timedelta, by: timedelta, arrival: time | None
) -> None:
    stands = standing(scenario)
    stands.work_until(scenario.now + wait)
    assert scenario.anchors.procedure_date is not None
    stands.move_to(scenario.anchors.procedure_date + by, arrival)
    stands.replan(Reason.DATE_MOVED)
    assert {change.action for change in stands.replan(Reason.DATE_MOVED)} <= {Action.KEEP}


@given(scenarios(), _waits, _moves, arrivals)
def test_a_new_date_is_corrected_exactly_once_where_the_old_one_was_told(
    scenario: Scenario, wait: timedelta, by: timedelta, arrival: time | None
) -> None:
    stands = standing(scenario)
    stands.work_until(scenario.now + wait)
    assert scenario.anchors.procedure_date is not None
    stands.move_to(scenario.anchors.procedure_date + by, arrival)
    corrections = [c for c in stands.replan(Reason.DATE_MOVED) if c.action is Action.CORRECT]
    told = stands.told() is not None and not scenario.policies.paused
    assert len(corrections) == (1 if told else 0)
    again = [c for c in stands.replan(Reason.DATE_MOVED) if c.action is Action.CORRECT]
    assert again == []


@given(scenarios(), _waits, _moves, st.booleans())
def test_there_and_back_again_needs_no_correction_unless_the_patient_was_told(
    scenario: Scenario, wait: timedelta, by: timedelta, correction_went_out: bool
) -> None:
    assume(not scenario.policies.paused and scenario.policies.reachable)
    first, arrival = scenario.anchors.procedure_date, scenario.anchors.arrival_time
    assert first is not None
    stands = standing(scenario)
    stands.work_until(scenario.now + wait)
    stands.move_to(first + by, arrival)
    stands.replan(Reason.DATE_MOVED)
    if correction_went_out:
        stands.work_until(stands.now + timedelta(days=1))
    told_new = stands.told() is not None and not stands.told_another_date()
    stands.move_to(first, arrival)
    stands.replan(Reason.DATE_MOVED)
    open_ones = [row for row in stands.corrections() if row.status in OPEN]
    if told_new:
        assert stands.corrections()[-1].procedure_date == first
    else:
        assert open_ones == []


_stories = st.lists(st.sampled_from("ABBNNPRW"), min_size=6, max_size=8)


@settings(max_examples=300)
@given(scenarios(), st.integers(14, 90), _moves, _stories)
def test_through_any_changes_the_patient_is_told_of_the_date_that_holds(
    scenario: Scenario, ahead: int, by: timedelta, story: list[str]
) -> None:
    """A and B are dates, N is no date; P pauses, R resumes, W lets two days pass with a worker."""
    first, arrival = scenario.anchors.procedure_date, scenario.anchors.arrival_time
    assert first is not None
    stands = standing(_told_at_once(_enrolled_before(scenario, first, ahead)))
    stands.work_until(stands.now + timedelta(days=3))
    for act in story:
        _act(stands, act, {"A": first, "B": first + by}, arrival)
        _check_rows(stands)


def _enrolled_before(scenario: Scenario, procedure: date, days: int) -> Scenario:
    enrolled = datetime.combine(procedure, time(11), UTC) - timedelta(days=days)
    return replace(scenario, anchors=replace(scenario.anchors, enrolled_at=enrolled), now=enrolled)


def _told_at_once(scenario: Scenario) -> Scenario:
    """The same patient, who is welcomed with the date, is not paused, and has an address."""
    raw = scenario.pathway.model_dump(mode="json", by_alias=True, exclude_none=True)
    raw["steps"].append(_WELCOME)
    policies = replace(scenario.policies, paused=False, reachable=(Channel.SMS,), prefers=None)
    return replace(scenario, pathway=Pathway.model_validate(raw), policies=policies)


_WELCOME = {
    "key": "welcome",
    "title": "Welcome",
    "anchor": "enrollment",
    "day": 0,
    "time": "at once",
    "channels": ["sms"],
    "late": "send",
    "quotes": "date",
}


def _act(stands: Standing, act: str, days: dict[str, date], arrival: time | None) -> None:
    present = stands.scenario.anchors
    if act == "W":
        stands.work_until(stands.now + timedelta(days=2))
        return
    if act in "AB":
        stands.move_to(days[act], arrival)
        stands.replan(Reason.DATE_MOVED)
    elif act == "N":
        stands.move_to(None, None)
        stands.replan(Reason.POSTPONED)
    else:
        stands.move_to(present.procedure_date, present.arrival_time, paused=act == "P")
        stands.replan()
    assert {change.action for change in stands.diff()} <= {Action.KEEP}, act


def _check_rows(stands: Standing) -> None:
    day = stands.scenario.anchors.procedure_date
    for row in stands.rows:
        if row.status in OPEN:
            assert row.procedure_date in (None, day), "an open message names a date that no longer holds"
        if row.status not in OPEN and row.sent_at is None:
            assert row.reason is not None, "a message ended without a reason"
    waiting = [row for row in stands.corrections() if row.status in OPEN]
    assert len(waiting) <= 1
    if day is None or stands.scenario.policies.paused:
        assert waiting == []
    elif stands.told_another_date():
        assert stands.corrections(), "the patient was told another date, and nothing says so"
        newest = stands.corrections()[-1]
        assert newest.procedure_date == day
        assert newest.status is not Status.CANCELLED, "the correction was taken back and never came again"


@given(scenarios(), st.integers(1, 40))
def test_messages_that_went_out_are_never_touched(scenario: Scenario, days: int) -> None:
    stands = standing(scenario)
    stands.work_until(scenario.now + timedelta(days=days))
    gone = [row for row in stands.rows if row.sent_at]
    assert scenario.anchors.procedure_date is not None
    stands.move_to(scenario.anchors.procedure_date + timedelta(days=days), None)
    stands.replan(Reason.DATE_MOVED)
    assert [row for row in gone if row not in stands.rows] == []
