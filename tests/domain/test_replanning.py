"""Changes to what stands, as small stories on one simple pathway."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from journey.domain.calendar import Window
from journey.domain.changes import Action, Change, ExistingMessage
from journey.domain.delivery import Reason, Status
from journey.domain.pathway import Channel, Pathway
from journey.domain.plan import Anchors, Policies
from tests.domain.standing import CORRECTION, Standing, standing
from tests.strategies import Scenario

LONDON = ZoneInfo("Europe/London")
NOW = datetime(2026, 12, 1, 10, tzinfo=UTC)
A, B, C = date(2026, 12, 15), date(2026, 12, 22), date(2027, 1, 12)
NINE = time(9)
PATHWAY = Pathway.model_validate(
    {
        "key": "p",
        "title": "P",
        "facts": [{"key": "arrival_time", "label": "Arrival", "type": "time"}],
        "steps": [
            {"key": "welcome", "title": "W", "anchor": "enrollment", "day": 0, "time": "at once"}
            | {"channels": ["sms", "email"], "quotes": "date", "on_reschedule": "keep", "late": "send"},
            {"key": "confirm", "title": "C", "anchor": "procedure", "day": -5, "time": "10:00"}
            | {"channels": ["sms", "email"], "quotes": "date", "late": "send"},
            {"key": "once", "title": "O", "anchor": "procedure", "day": -5, "time": "11:00"}
            | {"channels": ["sms", "email"], "on_reschedule": "keep"},
            {"key": "fasting", "title": "F", "anchor": "procedure", "day": -1, "time": "16:00"}
            | {"channels": ["sms"], "needs": ["arrival_time"], "quotes": "arrival", "critical": True}
            | {"late": "call"},
            {"key": "day-1", "title": "D", "anchor": "completion", "day": 1, "time": "10:00"}
            | {"channels": ["sms", "email"]},
        ],
    }
)


def anna(arrival: time | None = NINE) -> Standing:
    """Enrolled for A on 1 December at ten, and welcomed at once."""
    policies = Policies(Window(LONDON), LONDON)
    stands = standing(Scenario(PATHWAY, Anchors(NOW, A, arrival), {}, policies, NOW))
    stands.work_until(NOW)
    return stands


def reschedule(stands: Standing, day: date | None, arrival: time | None = NINE) -> dict[str, Change]:
    before = stands.scenario.anchors
    stands.move_to(day, arrival)
    gone = Reason.DATE_MOVED if day else Reason.POSTPONED
    moved = (before.procedure_date, before.arrival_time) != (day, arrival)
    return {change.step: change for change in stands.replan(gone, is_new_date=moved)}


def actions(changes: dict[str, Change]) -> dict[str, str]:
    return {step: change.action.value for step, change in changes.items()}


def test_before_anything_but_the_welcome_went_out_a_new_date_moves_the_rest() -> None:
    assert actions(reschedule(anna(), B)) == {
        "welcome": "keep",
        "confirm": "move",
        "once": "move",
        "fasting": "move",
        "day-1": "move",
        CORRECTION: "correct",
    }


def test_what_went_out_for_the_old_date_comes_again_only_where_the_step_says_so() -> None:
    stands = anna()
    stands.work_until(datetime(2026, 12, 11, tzinfo=UTC))
    changes = reschedule(stands, B)
    assert (changes["confirm"].action, changes["confirm"].occurrence) == (Action.ADD, 1)
    assert changes["once"].action is Action.KEEP


def test_an_earlier_date_than_the_steps_follows_each_late_rule() -> None:
    stands = anna()
    changes = reschedule(stands, date(2026, 12, 2), NINE)
    targets = {step: change.target for step, change in changes.items() if change.target}
    assert targets["confirm"].due_at == NOW
    assert targets["once"].reason is Reason.LATE
    assert (targets["fasting"].reason, changes["fasting"].call) == (None, False)  # at 16:00 today


@pytest.mark.parametrize("hour", [10, 23])
def test_a_correction_goes_out_at_once_but_not_at_night(hour: int) -> None:
    stands = anna()
    stands.now = NOW.replace(hour=hour)
    target = reschedule(stands, B)[CORRECTION].target
    assert target is not None
    assert target.due_at == (NOW if hour == 10 else datetime(2026, 12, 2, 8, tzinfo=UTC))


def test_nobody_is_corrected_who_was_never_told() -> None:
    stands = anna()
    stands.rows = [replace(row, status=Status.PLANNED, sent_at=None) for row in stands.rows]
    assert CORRECTION not in reschedule(stands, B)


@pytest.mark.parametrize(
    ("status", "corrected"),
    [
        (Status.DELIVERED, True),
        (Status.ACCEPTED, True),
        (Status.SENDING, True),  # may have gone out
        (Status.UNKNOWN, True),
        (Status.FAILED, False),  # the patient never got it
        (Status.SKIPPED, False),
        (Status.EXPIRED, False),
    ],
)
def test_whoever_may_have_been_told_is_corrected(status: Status, corrected: bool) -> None:
    stands = anna()
    stands.rows = [
        replace(row, status=status, reason=Reason.LATE) if row.step == "welcome" else row
        for row in stands.rows
    ]
    assert (CORRECTION in reschedule(stands, B)) is corrected


def test_each_change_of_date_has_a_correction_of_its_own() -> None:
    stands = anna()
    for day in (B, C, A):
        assert reschedule(stands, day)[CORRECTION].action is Action.CORRECT
        stands.work_until(stands.now + timedelta(hours=1))
    assert [row.procedure_date for row in stands.corrections()] == [B, C, A]


def test_a_second_change_before_the_correction_left_supersedes_it() -> None:
    stands = anna()
    reschedule(stands, B)
    reschedule(stands, C)
    first, second = stands.corrections()
    assert (first.status, first.reason) == (Status.CANCELLED, Reason.SUPERSEDED)
    assert (second.status, second.procedure_date) == (Status.PLANNED, C)


def test_there_and_back_before_the_correction_left_sends_none() -> None:
    stands = anna()
    reschedule(stands, B)
    reschedule(stands, A)
    (only,) = stands.corrections()
    assert (only.status, only.reason) == (Status.CANCELLED, Reason.SUPERSEDED)


@pytest.mark.parametrize("by_way_of_none", [False, True])
def test_there_and_back_before_anything_left_repeats_no_message_that_the_patient_has(
    by_way_of_none: bool,
) -> None:
    stands = anna()
    stands.work_until(datetime(2026, 12, 10, 12, tzinfo=UTC))  # the confirmation has gone out
    reschedule(stands, B)
    if by_way_of_none:
        reschedule(stands, None, None)
    reschedule(stands, A)
    stands.work_until(datetime(2026, 12, 30, tzinfo=UTC))
    sent = [(row.step, row.procedure_date) for row in stands.rows if row.status is Status.DELIVERED]
    assert len(sent) == len(set(sent))


def test_a_message_that_was_contradicted_since_comes_again_with_the_old_date() -> None:
    stands = anna()
    stands.work_until(datetime(2026, 12, 10, 12, tzinfo=UTC))
    reschedule(stands, B)
    stands.work_until(stands.now + timedelta(hours=1))  # the correction has gone out
    reschedule(stands, A)
    (open_one,) = [r for r in stands.rows if r.step == "confirm" and r.status is Status.PLANNED]
    assert open_one.procedure_date == A


def test_there_and_back_after_the_correction_left_sends_a_second_one() -> None:
    stands = anna()
    reschedule(stands, B)
    stands.work_until(NOW + timedelta(hours=1))
    reschedule(stands, A)
    assert [row.procedure_date for row in stands.corrections()] == [B, A]


def test_there_and_back_and_there_again_is_told_once() -> None:
    stands = anna()
    for day in (B, A, B):
        reschedule(stands, day)
    assert [row.status for row in stands.corrections()] == [Status.CANCELLED, Status.PLANNED]


@pytest.mark.parametrize("end", [Status.FAILED, Status.SKIPPED, Status.EXPIRED])
def test_a_correction_that_never_arrived_does_not_answer_a_later_change_to_the_same_date(end: Status) -> None:
    stands = anna()
    reschedule(stands, B)
    stands.work_until(stands.now + timedelta(hours=1), end)
    assert reschedule(stands, B)[CORRECTION].action is Action.KEEP  # nothing has changed
    assert CORRECTION not in reschedule(stands, A)
    assert reschedule(stands, B)[CORRECTION].action is Action.CORRECT
    assert reschedule(stands, B)[CORRECTION].action is Action.KEEP


def test_a_correction_that_failed_does_not_answer_a_later_change_that_a_pause_held() -> None:
    stands = anna()
    reschedule(stands, B)
    stands.work_until(stands.now + timedelta(hours=1), Status.FAILED)
    reschedule(stands, A)
    stands.move_to(A, NINE, paused=True)
    stands.replan()
    reschedule(stands, B)
    stands.replan()  # looked at again while paused
    stands.move_to(B, NINE, paused=False)
    stands.replan()
    assert [row.status for row in stands.corrections()] == [Status.FAILED, Status.PLANNED]
    assert {change.action for change in stands.replan()} == {Action.KEEP}


def test_a_correction_that_reached_nobody_goes_out_once_somebody_can_be_reached() -> None:
    stands = anna()
    reachable = stands.scenario.policies
    stands.scenario = replace(stands.scenario, policies=replace(reachable, reachable=()))
    reschedule(stands, B)
    assert stands.corrections()[-1].status is Status.SKIPPED
    stands.scenario = replace(stands.scenario, policies=reachable)
    stands.replan()
    assert stands.corrections()[-1].status is Status.PLANNED
    assert {change.action for change in stands.replan()} == {Action.KEEP}


def test_a_message_that_was_tried_gets_a_new_row_for_a_new_date() -> None:
    """So that a late receipt for the try does not say that the new date was told."""
    stands = anna()
    (confirm,) = [row for row in stands.rows if row.step == "confirm"]
    stands.rows[stands.rows.index(confirm)] = replace(confirm, sent_at=NOW, reason=Reason.PROVIDER_BUSY)
    reschedule(stands, B)
    old, new = sorted((r for r in stands.rows if r.step == "confirm"), key=lambda r: r.occurrence)
    assert (old.status, old.reason) == (Status.CANCELLED, Reason.DATE_MOVED)
    assert (new.status, new.procedure_date) == (Status.PLANNED, B)


def _failed_with_stand_in(stands: Standing, step: str) -> ExistingMessage:
    """The step's text failed, and an e-mail waits to go out instead."""
    (own,) = [row for row in stands.rows if row.step == step]
    stands.rows[stands.rows.index(own)] = replace(own, status=Status.FAILED, sent_at=NOW)
    stand_in = replace(
        own,
        id=UUID(int=999),
        occurrence=1,
        status=Status.PLANNED,
        channel=Channel.EMAIL,
        due_at=NOW + timedelta(hours=1),
        is_escalation=True,
        sent_at=None,
    )
    stands.rows.append(stand_in)
    return stand_in


def test_a_stand_in_that_postponing_took_back_comes_again_with_the_same_date() -> None:
    stands = anna()
    _failed_with_stand_in(stands, "confirm")
    reschedule(stands, None, None)
    reschedule(stands, A)
    assert [r.status for r in stands.rows if r.step == "confirm"] == [
        Status.FAILED,
        Status.CANCELLED,
        Status.PLANNED,
    ]
    assert {change.action for change in stands.replan()} == {Action.KEEP}


def test_a_stand_in_of_a_step_that_goes_out_once_follows_the_date() -> None:
    stands = anna()
    _failed_with_stand_in(stands, "once")
    reschedule(stands, B)
    stand_in = [row for row in stands.rows if row.is_escalation][-1]
    assert (stand_in.status, stand_in.procedure_date) == (Status.PLANNED, B)
    assert {change.action for change in stands.replan()} <= {Action.KEEP}


def test_what_arrived_as_a_stand_in_is_not_repeated_after_a_change_taken_back() -> None:
    stands = anna()
    stand_in = _failed_with_stand_in(stands, "confirm")
    stands.rows[-1] = replace(stand_in, status=Status.ACCEPTED, sent_at=NOW + timedelta(hours=1))
    stands.move_to(A, NINE, paused=True)
    stands.replan()
    reschedule(stands, B)
    reschedule(stands, A)
    stands.move_to(A, NINE, paused=False)
    stands.replan()
    stands.work_until(datetime(2026, 12, 30, tzinfo=UTC))
    told = [r for r in stands.rows if r.step == "confirm" and r.status in (Status.ACCEPTED, Status.DELIVERED)]
    assert len(told) == 1


def test_a_message_in_doubt_is_neither_moved_nor_taken_back_and_counts_as_told() -> None:
    stands = anna()
    stands.work_until(datetime(2026, 12, 10, 10, tzinfo=UTC))
    (confirm,) = [row for row in stands.rows if row.step == "confirm"]
    doubt = replace(confirm, status=Status.PLANNED, reason=Reason.IN_DOUBT, procedure_date=A)
    stands.rows[stands.rows.index(confirm)] = doubt
    changes = reschedule(stands, B)
    assert (changes["confirm"].action, changes[CORRECTION].action) == (Action.ADD, Action.CORRECT)
    reschedule(stands, None, None)
    assert doubt in stands.rows


def test_a_correction_that_postponing_took_back_comes_again_with_the_same_date() -> None:
    stands = anna()
    reschedule(stands, B)
    reschedule(stands, None, None)
    assert stands.corrections()[-1].reason is Reason.POSTPONED
    assert reschedule(stands, B)[CORRECTION].action is Action.CORRECT


def test_a_new_arrival_time_is_a_correction_only_for_whoever_was_told_the_old_one() -> None:
    stands = anna()
    assert CORRECTION not in reschedule(stands, A, time(11))
    stands.work_until(datetime(2026, 12, 14, 17, tzinfo=UTC))
    assert reschedule(stands, A, time(13))[CORRECTION].action is Action.CORRECT


def test_an_arrival_time_that_is_set_for_the_first_time_corrects_nothing_and_releases_what_waited() -> None:
    stands = anna(arrival=None)
    changes = reschedule(stands, A, NINE)
    assert CORRECTION not in changes
    assert changes["fasting"].action is Action.MOVE
    assert {row.status for row in stands.rows if row.step == "fasting"} == {Status.PLANNED}


def test_postponing_takes_back_what_hangs_on_the_date_and_a_new_date_brings_it_again() -> None:
    stands = anna()
    assert actions(reschedule(stands, None, None)) == {
        "confirm": "cancel",
        "once": "cancel",
        "fasting": "cancel",
        "day-1": "cancel",
    }
    assert {row.reason for row in stands.rows if row.step == "once"} == {Reason.POSTPONED}
    changes = actions(reschedule(stands, B))
    assert {step for step, action in changes.items() if action == "add"} == {
        "confirm",
        "once",
        "fasting",
        "day-1",
    }
    assert changes[CORRECTION] == "correct"


def test_pausing_holds_and_resuming_releases() -> None:
    stands = anna()
    stands.move_to(A, NINE, paused=True)
    stands.replan()
    assert {row.reason for row in stands.rows if row.status is Status.HELD} == {Reason.PAUSED}
    stands.move_to(A, NINE, paused=False)
    stands.replan()
    assert not [row for row in stands.rows if row.status is Status.HELD]


def test_no_correction_leaves_while_paused_and_it_comes_when_messages_resume() -> None:
    stands = anna()
    stands.move_to(B, NINE, paused=True)
    assert CORRECTION not in {change.step for change in stands.replan(Reason.DATE_MOVED)}
    stands.move_to(B, NINE, paused=False)
    assert CORRECTION in {change.step for change in stands.replan()}


def test_a_stand_in_that_a_pause_held_goes_on_when_messages_resume() -> None:
    stands = anna()
    stands.work_until(datetime(2026, 12, 14, 16, tzinfo=UTC))
    fasting = next(row for row in stands.rows if row.step == "fasting")
    held = replace(fasting, occurrence=1, status=Status.HELD, reason=Reason.PAUSED, sent_at=None)
    stands.rows.append(replace(held, is_escalation=True))
    stands.rows = [replace(r, status=Status.FAILED) if r is fasting else r for r in stands.rows]
    stands.replan()
    stand_in = next(row for row in stands.rows if row.is_escalation)
    assert stand_in.status is not Status.HELD


def test_a_stand_in_for_the_old_date_is_taken_back() -> None:
    stands = anna()
    stands.work_until(datetime(2026, 12, 10, 10, tzinfo=UTC))
    confirm = next(row for row in stands.rows if row.step == "confirm")
    stands.rows.append(
        replace(confirm, occurrence=1, status=Status.PLANNED, sent_at=None, is_escalation=True)
    )
    reschedule(stands, B)
    stand_in = next(row for row in stands.rows if row.is_escalation)
    assert (stand_in.status, stand_in.reason) == (Status.CANCELLED, Reason.DATE_MOVED)
    assert [row.occurrence for row in stands.rows if row.step == "confirm"] == [0, 1, 2]


def test_a_channel_that_closes_moves_the_message_to_the_other_and_keeps_its_time() -> None:
    stands = anna()
    policies = replace(stands.scenario.policies, reachable=(Channel.EMAIL,))
    stands.scenario = replace(stands.scenario, policies=policies)
    changes = {change.step: change for change in stands.replan()}
    assert changes["confirm"].action is Action.MOVE
    assert {row.channel for row in stands.rows if row.step == "confirm"} == {Channel.EMAIL}
    assert changes["fasting"].reason is Reason.NO_ADDRESS  # a text only


def test_a_retry_that_waits_keeps_its_later_time_when_nothing_changes() -> None:
    stands = anna()
    stands.rows = [
        replace(row, due_at=row.due_at + timedelta(minutes=3), reason=Reason.PROVIDER_BUSY)
        if row.step == "confirm"
        else row
        for row in stands.rows
    ]
    assert {change.action for change in stands.replan()} == {Action.KEEP}


def test_a_date_before_the_enrollment_still_gives_rows_that_the_database_takes() -> None:
    stands = anna()
    reschedule(stands, date(2026, 11, 20), None)
    assert all(row.due_at <= row.send_by for row in stands.rows)
