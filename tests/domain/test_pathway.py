"""What a pathway may say: the grammar of times, conditions, and every rule that refuses a wrong one."""

from datetime import time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from journey.domain.conditions import Condition
from journey.domain.pathway import Pathway, Phase, Step
from journey.domain.site import Site
from journey.domain.steptime import (
    StepTime,
    format_duration,
    parse_duration,
    parse_step_time,
    parse_wall_time,
)
from tests.strategies import pathways, steps


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("00:00", StepTime(time(0))),
        ("09:05", StepTime(time(9, 5))),
        ("23:59", StepTime(time(23, 59))),
        ("at once", StepTime()),
        ("arrival", StepTime(from_arrival=timedelta(0))),
        ("arrival-4h", StepTime(from_arrival=timedelta(hours=-4))),
        ("arrival+90m", StepTime(from_arrival=timedelta(minutes=90))),
        ("arrival-2h30m", StepTime(from_arrival=timedelta(hours=-2, minutes=-30))),
    ],
)
def test_a_steps_time_is_one_of_three_things(text: str, parsed: StepTime) -> None:
    assert parse_step_time(text) == parsed
    assert parse_step_time(str(parsed)) == parsed


@pytest.mark.parametrize(
    "text",
    [
        *(1080, "9:00", "24:00", "10:60", "10.00", "", None, True, "noon", 10.5, "10:00 ", "at  once"),
        *("arrival-", "arrival+-1h", "arrival-1x", "Arrival", "arrival - 1h"),
    ],
)
def test_anything_else_is_refused_with_an_example(text: Any) -> None:
    with pytest.raises(ValueError, match=r'(write it (as "HH:MM"|like "4h")|put it in quotes)'):
        parse_step_time(text)


@given(st.timedeltas(timedelta(0), timedelta(hours=999)))
def test_durations_read_back_as_written(span: timedelta) -> None:
    whole = timedelta(minutes=int(span.total_seconds()) // 60)
    assert parse_duration(format_duration(whole)) == whole


@pytest.mark.parametrize("text", ["", "h", "4", "4 h", "-4h", "4m2h", "1d", None, 4])
def test_what_is_no_duration_is_refused(text: Any) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(text)


def test_an_unquoted_time_in_yaml_is_explained() -> None:
    with pytest.raises(ValueError, match=r"1080 is not a time of day; put it in quotes"):
        parse_wall_time(1080)


THINNERS = {"fact": "thinners", "is": True}
GENERAL = {"fact": "anesthesia", "in": ["general", "sedation"]}


@pytest.mark.parametrize(
    ("condition", "facts", "holds"),
    [
        (THINNERS, {"thinners": True}, True),
        (THINNERS, {"thinners": False}, False),
        (THINNERS, {"thinners": None}, False),
        (THINNERS, {}, False),
        (GENERAL, {"anesthesia": "general"}, True),
        (GENERAL, {"anesthesia": "local"}, False),
        (GENERAL, {}, False),
        ({"not": THINNERS}, {"thinners": True}, False),
        ({"not": THINNERS}, {}, True),
        ({"all": [THINNERS, GENERAL]}, {"thinners": True, "anesthesia": "general"}, True),
        ({"all": [THINNERS, GENERAL]}, {"thinners": True, "anesthesia": "local"}, False),
        ({"any": [THINNERS, GENERAL]}, {"thinners": False, "anesthesia": "general"}, True),
        ({"any": [THINNERS, GENERAL]}, {"thinners": False, "anesthesia": "local"}, False),
        ({"not": {"any": [THINNERS, {"not": GENERAL}]}}, {"anesthesia": "general"}, True),
    ],
)
def test_a_condition_is_data(condition: Any, facts: Any, holds: bool) -> None:
    assert TypeAdapter(Condition).validate_python(condition).holds(facts) is holds


@pytest.mark.parametrize(
    "condition",
    [
        *({}, {"all": []}, {"any": []}, {"fact": "x", "is": True, "typo": 1}, {"not": "x"}, "x"),
        *({"is": True}, {"all": [THINNERS], "any": [THINNERS]}),
    ],
)
def test_a_condition_of_another_shape_is_refused(condition: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Condition).validate_python(condition)


STEP = {"key": "one", "title": "One", "anchor": "procedure", "day": -2, "time": "10:00", "channels": ["sms"]}
ARRIVAL = {"key": "arrival_time", "label": "Arrival", "type": "time"}


def make(*steps: dict[str, Any], **more: Any) -> Pathway:
    raw = {"key": "p", "title": "P", "facts": [ARRIVAL], "steps": [STEP | step for step in steps or ({},)]}
    return Pathway.model_validate(raw | more)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ({"if": {"fact": "typo", "is": True}}, "uses the unknown fact typo; declare it under facts"),
        ({"if": {"any": [{"not": {"fact": "deep", "is": 1 == 1}}]}}, "unknown fact deep"),
        ({"until": "Confirmed"}, "unknown goal Confirmed"),
        ({"until": "typo"}, "ends with the unknown goal typo; declare it under goals"),
        ({"send_by": {"day": -2, "time": "10:00"}}, "send_by is before the step's own time"),
        ({"send_by": {"day": -2, "time": "09:59"}}, "send_by is before the step's own time"),
        ({"send_by": {"day": -3, "time": "18:00"}}, "send_by is before the step's own time"),
        ({"day": 0, "time": "arrival", "send_by": {"day": -1, "time": "18:00"}}, "send_by is before"),
        ({"day": 1}, "takes the anchor completion"),
        ({"anchor": "completion"}, "takes the anchor procedure"),
        ({"anchor": "enrollment"}, "before the enrollment"),
        ({"time": "at once"}, "only goes with the anchor enrollment"),
        ({"time": "arrival-1h"}, "for steps of the procedure day"),
        ({"anchor": "enrollment", "day": 0, "time": "arrival"}, "for steps of the procedure day"),
        ({"channels": ["sms", "sms"]}, "names one channel twice"),
        ({"channels": []}, "channels"),
        ({"channels": ["pigeon"]}, "channels"),
        ({"late": "maybe"}, "late"),
        ({"day": -366}, "day"),
        ({"key": "One Step"}, "key"),
        ({"typo": 1}, "typo"),
        ({"time": 1080}, "put it in quotes"),
        ({"key": "date-changed"}, "two steps have the key date-changed"),
    ],
)
def test_a_wrong_step_is_refused(step: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        make(step)


def test_doubled_keys_are_refused() -> None:
    with pytest.raises(ValidationError, match="two steps have the key one; give one of them another key"):
        make({}, {})
    with pytest.raises(ValidationError, match="two facts have the key arrival_time"):
        make(facts=[ARRIVAL, ARRIVAL])


def test_the_arrival_time_must_be_declared_where_a_step_needs_it() -> None:
    for step in ({"needs": ["arrival_time"]}, {"day": 0, "time": "arrival-1h"}):
        with pytest.raises(ValidationError, match="unknown fact arrival_time"):
            make(step, facts=[])


@pytest.mark.parametrize(
    ("fact", "said"),
    [
        ({"type": "choice"}, "choices exactly when its type is choice"),
        ({"type": "boolean", "choices": ["a"]}, "choices exactly when its type is choice"),
        ({"type": "choice", "choices": ["a"], "default": "b"}, "must be one of a, not 'b'"),
        ({"type": "boolean", "default": "maybe"}, "must be yes or no"),
        ({"type": "number"}, "type"),
        ({"key": "Big Key", "type": "boolean"}, "key"),
    ],
)
def test_a_wrong_fact_is_refused(fact: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        make(facts=[ARRIVAL, {"key": "f", "label": "F"} | fact])


@pytest.mark.parametrize(
    ("stated", "read"),
    [("yes", True), ("TRUE ", True), ("1", True), ("no", False), (False, False), (None, None)],
)
def test_stated_facts_are_read_as_declared(stated: Any, read: Any) -> None:
    path = make(facts=[ARRIVAL, {"key": "f", "label": "F", "type": "boolean"}])
    assert path.read_facts({"f": stated}) == {"f": read}


def test_facts_that_do_not_fit_are_refused() -> None:
    path = make(facts=[ARRIVAL, {"key": "f", "label": "F", "type": "boolean", "default": True}])
    assert path.read_facts({}) == {"f": True}
    with pytest.raises(ValueError, match="f must be yes or no, not 'perhaps'"):
        path.read_facts({"f": "perhaps"})
    with pytest.raises(ValueError, match="p has no fact g; it knows f"):
        path.read_facts({"g": True})


@pytest.mark.parametrize(
    ("step", "phase"),
    [
        ({}, Phase.BEFORE),
        ({"day": 0}, Phase.DAY),
        ({"anchor": "enrollment", "day": 0}, Phase.BEFORE),
        ({"anchor": "completion", "day": 0}, Phase.DAY),
        ({"anchor": "completion", "day": 1}, Phase.AFTER),
    ],
)
def test_each_step_belongs_to_a_phase(step: dict[str, Any], phase: Phase) -> None:
    assert Step.model_validate(STEP | step).phase is phase


@given(pathways())
def test_a_pathway_reads_back_from_its_stored_form(pathway: Pathway) -> None:
    stored = pathway.model_dump(mode="json", by_alias=True, exclude_none=True)
    assert Pathway.model_validate(stored) == pathway


@given(steps("one"))
def test_what_the_strategy_builds_is_valid(step: dict[str, Any]) -> None:
    Step.model_validate(step)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("zone", "Europe/Atlantis", "no time zone"),
        ("locale", "de-DE", "has no messages"),
        ("opens", "07:00", "lie within 08:00-21:00"),
        ("closes", "22:00", "lie within 08:00-21:00"),
        ("open_weekdays", (), "open at least one"),
        ("open_weekdays", (7,), "counts from 0"),
        ("sms_name", "Clinic “X”", "more than halve"),
        ("fluids_before_arrival", "7h", "at least as long as food"),
        ("country", "Britain", "country"),
        ("typo", "x", "typo"),
    ],
)
def test_a_site_that_cannot_work_is_refused(field: str, value: Any, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Site.model_validate({field: value})
