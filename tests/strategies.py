"""Random pathways, places, people and moments for the property tests; stable from run to run.

Explore with fresh examples: pytest --hypothesis-profile=explore tests/domain
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from journey.domain.calendar import Window
from journey.domain.conditions import FactValue
from journey.domain.pathway import Channel, Pathway, Quotes
from journey.domain.plan import Anchors, Policies

_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
# Explaining a failure line by line takes minutes on Python 3.11, and the smallest example says enough.
_PHASES = [phase for phase in Phase if phase is not Phase.explain]
settings.register_profile(
    "journey", deadline=None, derandomize=True, phases=_PHASES, suppress_health_check=_SLOW
)
settings.register_profile(
    "explore", deadline=None, max_examples=2000, phases=_PHASES, suppress_health_check=_SLOW
)
if settings.get_current_profile_name() in ("default", "ci"):
    settings.load_profile("journey")

# DST of an hour, of half an hour, at midnight, against the sun's hemisphere, and none; both date lines.
ZONES = (
    "Europe/London",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "America/Phoenix",
    "America/Havana",
    "Africa/Casablanca",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
)
FIRST, LAST = date(2024, 1, 1), date(2032, 12, 31)


def _transitions() -> list[date]:
    """The days on which some zone's clocks change, found by asking for each day's offset."""
    found = set()
    for name in ("Europe/London", "America/New_York", "Australia/Lord_Howe", "America/Havana"):
        zone, day = ZoneInfo(name), FIRST
        while day < LAST:
            after = day + timedelta(days=1)
            if _offset(day, zone) != _offset(after, zone):
                found.add(day)
            day = after
    return sorted(found)


def _offset(day: date, zone: ZoneInfo) -> timedelta | None:
    return datetime.combine(day, time(0), zone).utcoffset()


zones = st.sampled_from(ZONES).map(ZoneInfo)
dates = st.one_of(
    st.dates(FIRST, LAST),
    st.builds(
        lambda day, off: day + timedelta(days=off), st.sampled_from(_transitions()), st.integers(-3, 4)
    ),
)
quarters = st.builds(time, st.integers(0, 23), st.sampled_from((0, 15, 30, 59)))
arrivals = st.none() | st.builds(time, st.integers(6, 18), st.sampled_from((0, 30)))
_walls = quarters.map(lambda t: t.strftime("%H:%M"))
_spans = st.sampled_from(("30m", "1h", "2h30m", "6h", "12h"))

_CONDITIONS: tuple[Any, ...] = (
    None,
    {"fact": "thinners", "is": True},
    {"fact": "anesthesia", "in": ["general", "sedation"]},
    {"not": {"fact": "thinners", "is": True}},
    {"all": [{"fact": "thinners", "is": True}, {"fact": "anesthesia", "is": "general"}]},
    {"any": [{"fact": "thinners", "is": True}, {"fact": "anesthesia", "is": "local"}]},
)
_FACTS = [
    {"key": "thinners", "label": "Thinners", "type": "boolean", "default": False},
    {
        "key": "anesthesia",
        "label": "Anesthesia",
        "type": "choice",
        "choices": ["sedation", "general", "local"],
        "default": "sedation",
    },
    {"key": "arrival_time", "label": "Arrival", "type": "time"},
]


@st.composite
def steps(draw: st.DrawFn, key: str) -> dict[str, Any]:
    """A step as a pathway file would write it: every rule of the grammar, and only valid ones."""
    anchor = draw(st.sampled_from(("enrollment", "procedure", "procedure", "completion", "completion")))
    low, high = {"enrollment": (0, 20), "procedure": (-30, 0), "completion": (0, 60)}[anchor]
    # Where the rules bite is the procedure day itself, and the days beside it.
    near = st.integers(max(low, -2), min(high, 2))
    day = draw(st.one_of(st.just(0), near, st.integers(low, high)))
    times: list[st.SearchStrategy[str]] = [_walls]
    if anchor == "enrollment":
        times.append(st.just("at once"))
    if anchor != "enrollment" and day == 0:
        times.append(st.builds(lambda sign, span: f"arrival{sign}{span}", st.sampled_from("+-"), _spans))
        times.append(st.just("arrival"))
    step: dict[str, Any] = {
        "key": key,
        "title": key,
        "anchor": anchor,
        "day": day,
        "time": draw(st.one_of(times)),
        "channels": draw(st.permutations(("sms", "email")))[: draw(st.integers(1, 2))],
        "late": draw(st.sampled_from(("send", "skip", "call"))),
        "closed_days": draw(st.sampled_from(("shift", "send"))),
        "critical": draw(st.booleans()),
        "on_reschedule": draw(st.sampled_from(("repeat", "keep"))),
        "quotes": draw(st.sampled_from(("nothing", "date", "arrival"))),
    }
    if draw(st.integers(0, 3)) == 0:
        step["until"] = draw(st.sampled_from(("booked", "confirmed")))
    if draw(st.integers(0, 3)) == 0:
        step["needs"] = ["arrival_time"]
    condition = draw(st.sampled_from(_CONDITIONS))
    if condition is not None:
        step["if"] = condition
    if draw(st.booleans()):
        step["send_by"] = {"day": day + draw(st.integers(1, 10)), "time": draw(_walls)}
    return step


@st.composite
def pathways(draw: st.DrawFn) -> Pathway:
    count = draw(st.integers(1, 6))
    return Pathway.model_validate(
        {
            "key": "random",
            "title": "Random",
            "completion": draw(st.sampled_from(("assumed", "confirmed"))),
            "stay": draw(st.sampled_from(("30m", "4h", "11h"))),
            "done_by": draw(st.sampled_from(("13:00", "18:00", "23:30"))),
            "facts": _FACTS,
            "goals": ["booked"],
            "steps": [draw(steps(f"step-{number}")) for number in range(count)],
        }
    )


@st.composite
def windows(draw: st.DrawFn, zone: ZoneInfo, around: date) -> Window:
    opens = draw(st.sampled_from((time(8), time(9, 30), time(11))))
    closes = draw(st.sampled_from((time(17), time(20), time(21))))
    weekdays = draw(st.sampled_from((range(7), range(5), (0, 2), (6,))))
    closed = draw(st.sets(st.integers(-10, 10), max_size=4))
    return Window(
        zone, opens, closes, frozenset(weekdays), frozenset(around + timedelta(days=n) for n in closed)
    )


@dataclass(frozen=True)
class Scenario:
    """One virtual patient. `now` is when the plan is applied, at or after the enrollment."""

    pathway: Pathway
    anchors: Anchors
    facts: dict[str, FactValue]
    policies: Policies
    now: datetime


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    day, arrival = draw(dates), draw(arrivals)
    zone, site_zone = draw(zones), draw(zones)
    if draw(st.booleans()):
        site_zone = zone
    midday = datetime.combine(day, time(12), UTC)
    enrolled = midday + timedelta(minutes=draw(st.integers(-60 * 24 * 60, 24 * 60)))
    now = enrolled + draw(st.one_of(st.just(timedelta(0)), _delays))
    facts: dict[str, FactValue] = {
        "thinners": draw(st.booleans()),
        "anesthesia": draw(st.sampled_from(("sedation", "general", "local"))),
    }
    reachable = draw(st.sampled_from(((Channel.SMS, Channel.EMAIL), (Channel.EMAIL,), (Channel.SMS,), ())))
    policies = Policies(
        window=draw(windows(zone, day)),
        site_zone=site_zone,
        reachable=reachable,
        prefers=draw(st.sampled_from((None, Channel.SMS, Channel.EMAIL))),
        goals=draw(st.sampled_from((frozenset[str](), frozenset({"booked"}), frozenset({"confirmed"})))),
        paused=draw(st.integers(0, 5)) == 0,
    )
    return Scenario(draw(pathways()), Anchors(enrolled, day, arrival), facts, policies, now)


_delays = st.integers(0, 70 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes))
quotes = st.sampled_from(Quotes)
