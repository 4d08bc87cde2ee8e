"""The last look before a message leaves, and what a provider's answers lead to, as tables."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from journey.domain.calendar import Window
from journey.domain.delivery import Reason
from journey.domain.eligibility import (
    Answer,
    EnrollmentStatus,
    Go,
    Situation,
    Stop,
    Wait,
    may_send,
)
from journey.domain.outcomes import GiveUp, NotNow, Retry, decide_retry
from journey.domain.pathway import Channel

TEN = datetime(2026, 12, 10, 10, tzinfo=UTC)
DAY, NINE = date(2026, 12, 15), time(9)
GOOD = Situation(
    channel=Channel.SMS,
    send_by=datetime(2026, 12, 12, 18, tzinfo=UTC),
    procedure_date=DAY,
    arrival_time=NINE,
    enrollment=EnrollmentStatus.ACTIVE,
    enrolled_date=DAY,
    enrolled_arrival=NINE,
    reachable=(Channel.SMS, Channel.EMAIL),
    step_channels=(Channel.SMS, Channel.EMAIL),
    is_done=False,
    window=Window(ZoneInfo("Europe/London")),
)


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({}, Go()),
        ({"procedure_date": None, "arrival_time": None}, Go()),  # depends on no date
        ({"arrival_time": None, "enrolled_arrival": time(11)}, Go()),  # never spoke of the time
        ({"enrollment": EnrollmentStatus.CANCELLED}, Stop(Reason.ENROLLMENT_CANCELLED)),
        ({"enrollment": EnrollmentStatus.WITHDRAWN}, Stop(Reason.WITHDRAWN)),
        ({"enrollment": EnrollmentStatus.PAUSED}, Wait(Reason.PAUSED)),
        ({"enrolled_date": date(2026, 12, 22)}, Stop(Reason.DATE_MOVED)),
        ({"enrolled_date": None}, Stop(Reason.DATE_MOVED)),
        ({"enrolled_arrival": time(11)}, Stop(Reason.DATE_MOVED)),
        ({"send_by": TEN - timedelta(seconds=1)}, Stop(Reason.PAST_DEADLINE)),
        ({"reachable": (Channel.EMAIL,)}, Wait(Reason.OPTED_OUT, channel=Channel.EMAIL)),
        ({"reachable": ()}, Stop(Reason.OPTED_OUT)),
        (
            {"reachable": (Channel.EMAIL,), "step_channels": (Channel.SMS,)},
            Stop(Reason.OPTED_OUT),
        ),
        # an end outranks a pause, and a pause outranks the deadline of a message that may be moved
        (
            {"enrollment": EnrollmentStatus.CANCELLED, "reachable": ()},
            Stop(Reason.ENROLLMENT_CANCELLED),
        ),
    ],
)
def test_everything_is_asked_again_at_the_last_moment(changes: dict[str, object], answer: Answer) -> None:
    assert may_send(replace(GOOD, **changes), TEN) == answer  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("now", "answer"),
    [
        ("2026-12-10 08:00", Go()),
        ("2026-12-10 20:59", Go()),  # past closing, but within what the law allows: a backlog drains
        ("2026-12-10 21:00", Wait(Reason.OUTSIDE_HOURS, datetime(2026, 12, 11, 8, tzinfo=UTC))),
        ("2026-12-10 07:59", Wait(Reason.OUTSIDE_HOURS, datetime(2026, 12, 10, 8, tzinfo=UTC))),
    ],
)
def test_a_backlog_never_writes_at_night(now: str, answer: Answer) -> None:
    assert may_send(GOOD, datetime.fromisoformat(now).replace(tzinfo=UTC)) == answer


def test_a_message_whose_deadline_falls_into_the_night_is_stopped() -> None:
    night = datetime(2026, 12, 10, 22, tzinfo=UTC)
    late = replace(GOOD, send_by=night + timedelta(hours=2))
    assert may_send(late, night) == Stop(Reason.PAST_DEADLINE)


def test_the_hours_are_the_patients() -> None:
    abroad = replace(GOOD, window=Window(ZoneInfo("America/New_York")))
    assert may_send(abroad, TEN) == Wait(Reason.OUTSIDE_HOURS, datetime(2026, 12, 10, 13, tzinfo=UTC))


BUSY, HALTED = NotNow(Reason.PROVIDER_BUSY), NotNow(Reason.PROVIDER_HALTED, halts=True)


@pytest.mark.parametrize(
    ("outcome", "attempts", "seconds"),
    [
        (BUSY, 1, 5),
        (BUSY, 2, 15),
        (BUSY, 3, 60),
        (BUSY, 4, 180),
        (BUSY, 5, 600),
        (BUSY, 6, 1200),
        (BUSY, 60, 1200),
        (HALTED, 1, 60),
        (HALTED, 60, 60),  # staff are on it: no growing pause
    ],
)
def test_pauses_grow_and_stop_growing(outcome: NotNow, attempts: int, seconds: int) -> None:
    verdict = decide_retry(outcome, attempts, TEN + timedelta(days=1), TEN)
    assert verdict == Retry(TEN + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("left", "verdict"),
    [
        (6, Retry(TEN + timedelta(seconds=5))),
        (5, GiveUp(Reason.PAST_DEADLINE)),
        (-1, GiveUp(Reason.PAST_DEADLINE)),
    ],
)
def test_no_retry_is_planned_past_the_deadline(left: int, verdict: Retry | GiveUp) -> None:
    assert decide_retry(BUSY, 1, TEN + timedelta(seconds=left), TEN) == verdict
