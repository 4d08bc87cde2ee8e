"""Local time as tables: both clock changes, zones without any, a skipped day, quiet hours, closed days."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from journey.domain.calendar import (
    Shift,
    UnknownZone,
    Window,
    check_aware,
    is_skipped,
    read_zone,
    to_instant,
)

LONDON = ZoneInfo("Europe/London")


@pytest.mark.parametrize(
    ("zone", "wall", "instant", "skipped"),
    [
        # Europe/London: 01:00 to 02:00 is skipped on 29 March, 01:00 to 02:00 is repeated on 25 October
        ("Europe/London", "2026-03-28 10:00", "2026-03-28 10:00", False),
        ("Europe/London", "2026-03-29 00:59", "2026-03-29 00:59", False),
        ("Europe/London", "2026-03-29 01:30", "2026-03-29 01:30", True),  # shows 02:30
        ("Europe/London", "2026-03-29 02:00", "2026-03-29 01:00", False),
        ("Europe/London", "2026-03-29 10:00", "2026-03-29 09:00", False),
        ("Europe/London", "2026-10-24 10:00", "2026-10-24 09:00", False),
        ("Europe/London", "2026-10-25 01:30", "2026-10-25 00:30", False),  # the first of two
        ("Europe/London", "2026-10-25 02:00", "2026-10-25 02:00", False),
        ("Europe/London", "2026-10-25 10:00", "2026-10-25 10:00", False),
        # America/New_York: 02:00 to 03:00 is skipped on 8 March, 01:00 to 02:00 repeated on 1 November
        ("America/New_York", "2026-03-07 10:00", "2026-03-07 15:00", False),
        ("America/New_York", "2026-03-08 02:30", "2026-03-08 07:30", True),  # shows 03:30
        ("America/New_York", "2026-03-08 10:00", "2026-03-08 14:00", False),
        ("America/New_York", "2026-10-31 10:00", "2026-10-31 14:00", False),
        ("America/New_York", "2026-11-01 01:30", "2026-11-01 05:30", False),  # the first of two
        ("America/New_York", "2026-11-01 10:00", "2026-11-01 15:00", False),
        # Australia/Lord_Howe: half an hour, the other way round in the year
        ("Australia/Lord_Howe", "2026-04-04 10:00", "2026-04-03 23:00", False),
        ("Australia/Lord_Howe", "2026-04-05 01:45", "2026-04-04 14:45", False),  # the first of two
        ("Australia/Lord_Howe", "2026-04-05 10:00", "2026-04-04 23:30", False),
        ("Australia/Lord_Howe", "2026-10-03 10:00", "2026-10-02 23:30", False),
        ("Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-03 15:45", True),  # shows 02:45
        ("Australia/Lord_Howe", "2026-10-04 10:00", "2026-10-03 23:00", False),
        # zones without a change, on the days on which others change
        ("Asia/Kolkata", "2026-03-29 01:30", "2026-03-28 20:00", False),
        ("Asia/Kolkata", "2026-10-25 10:00", "2026-10-25 04:30", False),
        ("America/Phoenix", "2026-03-08 02:30", "2026-03-08 09:30", False),
        ("America/Phoenix", "2026-11-01 01:30", "2026-11-01 08:30", False),
        # Samoa went over the date line: 30 December 2011 never was
        ("Pacific/Apia", "2011-12-29 10:00", "2011-12-29 20:00", False),
        ("Pacific/Apia", "2011-12-30 10:00", "2011-12-30 20:00", True),  # is 31 December there
        ("Pacific/Apia", "2011-12-31 10:00", "2011-12-30 20:00", False),
    ],
)
def test_a_wall_time_is_one_instant(zone: str, wall: str, instant: str, skipped: bool) -> None:
    local, there = datetime.fromisoformat(wall), read_zone(zone)
    expected = datetime.fromisoformat(instant).replace(tzinfo=UTC)
    assert to_instant(local.date(), local.time(), there) == expected
    assert is_skipped(local.date(), local.time(), there) is skipped


def test_a_repeated_time_is_the_first_one_whatever_fold_the_caller_had() -> None:
    first = to_instant(date(2026, 10, 25), time(1, 30), LONDON)
    assert to_instant(date(2026, 10, 25), time(1, 30, fold=1), LONDON) == first


@pytest.mark.parametrize("name", ["", "Europe/Atlantis", "GMT+1", "europe/london", "../etc/passwd", "BST"])
def test_an_unknown_zone_is_an_error_that_names_it(name: str) -> None:
    with pytest.raises(UnknownZone, match="use an IANA name such as Europe/London") as error:
        read_zone(name)
    assert repr(name) in str(error.value)


def test_a_naive_datetime_is_refused_and_any_offset_becomes_utc() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        check_aware(datetime(2026, 12, 1, 10))  # noqa: DTZ001
    india = timezone(timedelta(hours=5, minutes=30))
    assert check_aware(datetime(2026, 12, 1, 10, tzinfo=india)) == datetime(2026, 12, 1, 4, 30, tzinfo=UTC)
    assert check_aware(datetime(2026, 12, 1, 10, tzinfo=india)).tzinfo is UTC


WEEKDAYS = frozenset(range(5))
OFFICE = Window(LONDON, time(8), time(20), WEEKDAYS, frozenset({date(2026, 12, 25)}))
QUIET, CLOSED = Shift.QUIET_HOURS, Shift.CLOSED_DAY
EARLIER, LATER = False, True


@pytest.mark.parametrize(
    ("at", "later", "settled", "shifts"),
    [
        ("2026-12-15 10:00", EARLIER, "2026-12-15 10:00", ()),  # a Tuesday
        ("2026-12-15 10:00", LATER, "2026-12-15 10:00", ()),
        ("2026-12-15 08:00", EARLIER, "2026-12-15 08:00", ()),  # opens is inside
        ("2026-12-15 19:59", LATER, "2026-12-15 19:59", ()),
        ("2026-12-15 20:00", EARLIER, "2026-12-15 19:30", (QUIET,)),  # closes is outside
        ("2026-12-15 20:00", LATER, "2026-12-16 08:00", (QUIET,)),
        ("2026-12-15 07:59", EARLIER, "2026-12-14 19:30", (QUIET,)),
        ("2026-12-15 07:59", LATER, "2026-12-15 08:00", (QUIET,)),
        ("2026-12-19 10:00", EARLIER, "2026-12-18 10:00", (CLOSED,)),  # a Saturday
        ("2026-12-19 10:00", LATER, "2026-12-21 10:00", (CLOSED,)),
        ("2026-12-19 07:00", EARLIER, "2026-12-18 19:30", (QUIET,)),
        ("2026-12-20 07:00", EARLIER, "2026-12-18 19:30", (QUIET, CLOSED)),
        ("2026-12-18 23:00", LATER, "2026-12-21 08:00", (QUIET, CLOSED)),
        ("2026-12-25 10:00", EARLIER, "2026-12-24 10:00", (CLOSED,)),  # a closed date, then a weekend
        ("2026-12-25 10:00", LATER, "2026-12-28 10:00", (CLOSED,)),
        ("2026-03-29 10:00", EARLIER, "2026-03-27 10:00", (CLOSED,)),  # the wall time stays through DST
        ("2026-10-25 10:00", LATER, "2026-10-26 10:00", (CLOSED,)),
    ],
)
def test_hours_and_days_shift_in_one_direction(
    at: str, later: bool, settled: str, shifts: tuple[Shift, ...]
) -> None:
    assert OFFICE.settle(_london(at), later=later, any_day=False) == (_london(settled), shifts)


@pytest.mark.parametrize("later", [EARLIER, LATER])
def test_a_step_for_any_day_minds_the_hours_alone(later: bool) -> None:
    assert OFFICE.settle(_london("2026-12-19 10:00"), later=later, any_day=True)[1] == ()
    assert OFFICE.settle(_london("2026-12-19 22:00"), later=later, any_day=True)[1] == (QUIET,)


def test_hours_are_the_patients_own() -> None:
    abroad = Window(ZoneInfo("Asia/Kolkata"))
    assert not abroad.allows(_london("2026-12-15 15:00"), any_day=True)  # 20:30 there
    settled, _ = abroad.settle(_london("2026-12-15 15:00"), later=True, any_day=True)
    assert settled == datetime(2026, 12, 16, 2, 30, tzinfo=UTC)


@pytest.mark.parametrize(("opens", "closes"), [(7, 20), (8, 22), (20, 8), (9, 9)])
def test_no_site_widens_the_hard_hours(opens: int, closes: int) -> None:
    with pytest.raises(ValueError, match="lie within 08:00-21:00"):
        Window(LONDON, time(opens), time(closes))


def test_a_clinic_that_never_opens_is_refused() -> None:
    with pytest.raises(ValueError, match="open at least one"):
        Window(LONDON, open_weekdays=frozenset())
    years = frozenset(date(2026, 1, 1) + timedelta(days=n) for n in range(900))
    with pytest.raises(ValueError, match="no open day within"):
        Window(LONDON, closed_dates=years).settle(_london("2026-06-01 10:00"), later=True, any_day=False)


def _london(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LONDON).astimezone(UTC)


def test_a_window_shorter_than_the_time_before_closing_is_never_left() -> None:
    short = Window(LONDON, time(8), time(8, 20))
    at, _ = short.settle(datetime(2026, 12, 1, 20, tzinfo=UTC), later=False, any_day=True)
    assert at == datetime(2026, 12, 1, 8, tzinfo=UTC)
    assert short.allows(at, any_day=True)
