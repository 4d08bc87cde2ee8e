"""What is wrong with a pathway file, in words: "file:line: where: what, and what to do"."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import yaml
from pydantic import BaseModel

from journey.domain.calendar import HARD_CLOSES, HARD_OPENS
from journey.domain.conditions import FactIs
from journey.domain.facts import Fact
from journey.domain.pathway import Anchor, Channel, Correction, Deadline, Pathway, Step
from journey.domain.triage import RedFlag, Replies

_CONDITION = "a condition looks like { fact: diabetic, is: true }"
_SHAPES = {  # what a field holds that is neither a text nor a list
    "if": _CONDITION,
    "all": _CONDITION,
    "any": _CONDITION,
    "not": _CONDITION,
    "send_by": 'write it like { day: -1, time: "18:00" }',
    "correction": "write it like { key: date-changed, channels: [sms, email] }",
    "steps": "a step is a list item with key, title, anchor, day, time and channels",
    "facts": "a fact is a list item with key, label and type",
    "replies": "write it like { answers: [urgent, help] }",
    "red_flags": "a red flag is a list item with title and words",
}
_YAML_HINTS = {
    "found character '\\t'": "a tab stands here; indent with spaces",
    "mapping values are not allowed here": "a second colon stands here; put the text in quotes",
    "expected <block end>": "this line does not fit the one before: mind its indentation and open quotes",
    "expected ',' or ']'": "a list is not closed before this; write [a, b]",
    "expected ',' or '}'": "a { is not closed before this; write { a: b }",
}
_WORDS = {  # by the beginning of pydantic's name for the fault
    "missing": "is missing; add it",
    "tuple_type": 'must be a list; write [one, two], or lines that begin with "- "',
    "too_short": "needs at least one",
    "string_type": "{value!r} must be text; put it in quotes",
    "int_": "{value!r} must be a whole number of days",
    "greater_than": "{value!r} is too small; the first day is -365",
    "less_than": "{value!r} is too large; the last day is 730",
    "bool_": "{value!r} must be true or false, without quotes",
}
_MODELS: dict[str, type[BaseModel]] = {
    "steps": Step,
    "facts": Fact,
    "send_by": Deadline,
    "correction": Correction,
    "if": FactIs,
    "replies": Replies,
    "red_flags": RedFlag,
}


def explain_yaml(file: str, error: yaml.YAMLError) -> str:
    """A file that is no YAML."""
    mark, opened = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    problem = str(getattr(error, "problem", None) or error)
    hint = next((hint for start, hint in _YAML_HINTS.items() if problem.startswith(start)), problem)
    since = f" (it began on line {opened.line + 1})" if opened and mark and opened.line != mark.line else ""
    return f"{file}:{mark.line + 1 if mark else 1}: {hint}{since}"


def doubled_names(file: str, node: Any) -> list[str]:
    """Names that stand twice in one mapping: YAML keeps the last and says nothing."""
    return [f"{file}:{line}: {name} stands twice here; keep one of them" for name, line in _doubled(node)]


def _doubled(node: Any) -> Iterator[tuple[str, int]]:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                yield str(key.value), int(key.start_mark.line) + 1
            seen.add(str(key.value))
            yield from _doubled(value)
    for item in _children(node):
        yield from _doubled(item)


def explain_fault(file: str, node: Any, fault: Any) -> str:
    """One of pydantic's findings, with the line it is about."""
    location = [part for part in fault["loc"] if not (isinstance(part, str) and part[:1].isupper())]
    said = _say(location, fault)
    place = _place(node, location)
    return f"{file}:{_line_of(node, location, said)}: {place + ': ' if place else ''}{said}"


def _say(location: list[Any], fault: Any) -> str:
    kind, value, context = str(fault["type"]), fault["input"], fault.get("ctx", {})
    if kind == "extra_forbidden":
        return f"there is no such field; {_nearest(location)}"
    if kind.endswith(("model_type", "attributes_type", "dict_type")):
        names = [part for part in location if isinstance(part, str)]
        return _SHAPES.get(names[-1] if names else "", "must begin with key: and title:")
    if kind == "string_type" and isinstance(value, bool):
        return f"YAML reads yes and no as true and false; put {str(value).lower()} in quotes"
    if kind == "string_pattern_mismatch":
        return f"{value!r} must be lower case words; write {_as_key(str(value), str(context['pattern']))}"
    if kind == "string_too_long":
        return f"has more than {context['max_length']} characters; shorten it"
    if kind in ("enum", "literal_error"):
        return f"{value!r} must be one of: {str(context['expected']).replace(' or ', ', ')}"
    words = next((said for start, said in _WORDS.items() if kind.startswith(start)), None)
    return words.format(value=value) if words else str(fault["msg"]).removeprefix("Value error, ")


def _as_key(text: str, pattern: str) -> str:
    mark = "_" if "_" in pattern else "-"
    return "".join(char if char.isalnum() else mark for char in text.lower()).strip(mark) or "a name"


def _nearest(location: list[Any]) -> str:
    model: type[BaseModel] = Pathway
    for part in location[:-1]:
        model = _MODELS.get(part, model)
    known = [field.alias or name for name, field in model.model_fields.items() if name != "quotes"]
    close = difflib.get_close_matches(str(location[-1]), known, 1)
    return f"did you mean {close[0]}?" if close else f"there are: {', '.join(known)}"


def unwise_steps(file: str, node: Any, pathway: Pathway) -> Iterator[str]:
    """Steps that could be planned and would never do what their author meant."""
    for number, step in enumerate(pathway.steps):
        for name, said in _unwise(step):
            location = ["steps", number, name]
            yield f"{file}:{_line_of(node, location, said)}: {_place(node, location)}: {said}"


def _unwise(step: Step) -> Iterator[tuple[str, str]]:
    wall, from_arrival = step.time.wall, step.time.from_arrival
    if wall is not None and not HARD_OPENS <= wall < HARD_CLOSES:
        hours = f"{HARD_OPENS:%H:%M} to {HARD_CLOSES:%H:%M}"
        yield "time", f"nothing is ever sent at {wall:%H:%M}; choose a time from {hours}"
    if step.anchor is Anchor.PROCEDURE and from_arrival is not None and from_arrival >= timedelta(0):
        yield "time", f"{step.time} is no preparation any more; use the anchor completion"
    if step.critical and Channel.SMS in step.channels[1:]:
        yield "channels", "a critical step lists sms first: only a text has a receipt to wait for"
    if not step.critical and step.escalate_after != Step.model_fields["escalate_after"].default:
        yield "escalate_after", "only a critical step escalates; add critical: true, or leave this out"


def _place(node: Any, location: list[Any]) -> str:
    """Such as "step welcome, late": people do not count from nought."""
    parts: list[str] = []
    for number, part in enumerate(location):
        if isinstance(part, int) and number and location[number - 1] in ("steps", "facts"):
            key = _child(_child(_child(node, location[number - 1]), part), "key")
            parts[-1] = f"{location[number - 1][:-1]} {key.value if key is not None else part + 1}"
        else:
            parts.append(f"item {part + 1}" if isinstance(part, int) else str(part))
    return ", ".join(parts)


def _line_of(node: Any, location: list[Any], said: str) -> int:
    """The line of the deepest node on the way; for a rule across steps, the line of the named step."""
    if not location:
        return _line_named(node, said)
    for part in location:
        found = _child(node, part)
        if found is None:
            break
        node = found
    return int(node.start_mark.line) + 1


def _line_named(node: Any, said: str) -> int:
    for step in _children(_child(node, "steps")):
        key = _child(step, "key")
        if key is not None and f"step {key.value} " in said + " ":
            about = next((_child(step, n) for n in ("if", "until") if f"({n})" in said), None)
            return int((about or key).start_mark.line) + 1
    doubled = [
        int(key.start_mark.line) + 1
        for part in ("steps", "facts")
        for item in _children(_child(node, part))
        if (key := _child(item, "key")) is not None and f"key {key.value};" in said
    ]
    return doubled[-1] if doubled else 1


def _child(node: Any, part: Any) -> Any:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == part), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
        return node.value[part] if part < len(node.value) else None
    return None


def _children(node: Any) -> list[Any]:
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []
