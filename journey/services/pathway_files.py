"""Pathway files and their templates: read, checked as a whole, and refused with file, line and mend."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from journey.domain.contact import LOCALES
from journey.domain.pathway import Channel, Pathway, Quotes
from journey.rendering.message import template_name
from journey.rendering.templates import TemplateError, variables
from journey.services.template_checks import check_templates

BUILT_IN = Path(__file__).parent.parent / "templates"


class PathwayFileError(ValueError):
    """A pathway that cannot be used. `faults` are lines of "file:line: what, and what to do"."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class PathwayContent:
    """A checked pathway with its templates, as stored in a version."""

    pathway: Pathway
    templates: dict[str, str]

    def as_json(self) -> dict[str, Any]:
        dumped = self.pathway.model_dump(mode="json", by_alias=True, exclude_none=True)
        return {"pathway": dumped, "templates": self.templates}

    @property
    def digest(self) -> str:
        text = json.dumps(self.as_json(), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


def built_in_pathways() -> list[str]:
    return sorted(path.stem for path in (BUILT_IN / "pathways").glob("*.yaml"))


@lru_cache(maxsize=64)
def load_built_in(key: str) -> PathwayContent:
    """A pathway that ships with Journey. Checked once per process: its files do not change."""
    return load_pathway(key)


def load_pathway(key: str, root: Path = BUILT_IN) -> PathwayContent:
    """Reads `pathways/<key>.yaml` and `messages/<key>/`. Raises PathwayFileError with every fault."""
    path = root / "pathways" / f"{key}.yaml"
    pathway = _read_file(path)
    if pathway.key != key:
        raise PathwayFileError([f"{path.name}:1: key is {pathway.key}; make it {key}, as the file"])
    templates = _read_templates(root / "messages" / key)
    faults = [*_missing(pathway, templates), *_strangers(pathway, templates)]
    if not faults:
        pathway, faults = _with_quotes(pathway, templates)
    faults = faults or check_templates(pathway, templates)
    if faults:
        raise PathwayFileError(faults)
    return PathwayContent(pathway, templates)


def _read_file(path: Path) -> Pathway:
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), yaml.SafeLoader)
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise PathwayFileError([f"{path.name}: there is no such file in {path.parent}"]) from None
    except UnicodeDecodeError as error:
        raise PathwayFileError([f"{path.name}: is not UTF-8 text ({error.reason})"]) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise PathwayFileError([f"{path.name}:{line}: {getattr(error, 'problem', error)}"]) from None
    try:
        return Pathway.model_validate(raw)
    except ValidationError as error:
        faults = [_explain(path.name, node, fault) for fault in error.errors()]
        raise PathwayFileError(faults) from None


def _explain(file: str, node: Any, fault: Any) -> str:
    location = [part for part in fault["loc"] if not (isinstance(part, str) and part[:1].isupper())]
    place = ".".join(str(part) for part in location)
    said = str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        said = "there is no such field; check its spelling against docs/pathways.md"
    if fault["type"] == "missing":
        said = "is missing; add it"
    line = _line_of(node, location, said)
    return f"{file}:{line}: {place + ': ' if place else ''}{said}"


def _line_of(node: Any, location: list[Any], said: str) -> int:
    """The line of the deepest node on the way; for a rule across steps, the line of the named step."""
    for part in location:
        found = _child(node, part)
        if found is None:
            break
        node = found
    if not location:
        for step in _children(_child(node, "steps")):
            key = _child(step, "key")
            if key is not None and f"step {key.value} " in said + " ":
                return int(key.start_mark.line) + 1
        return _line_of_doubled(node, said)
    return int(node.start_mark.line) + 1


def _line_of_doubled(node: Any, said: str) -> int:
    lines = [
        int(key.start_mark.line) + 1
        for part in ("steps", "facts")
        for item in _children(_child(node, part))
        if (key := _child(item, "key")) is not None and f"key {key.value};" in said
    ]
    return lines[-1] if lines else 1


def _child(node: Any, part: Any) -> Any:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == part), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
        return node.value[part] if part < len(node.value) else None
    return None


def _children(node: Any) -> list[Any]:
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _read_templates(folder: Path) -> dict[str, str]:
    found = {}
    for path in sorted(folder.glob("*.*")):
        try:
            found[path.name] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise PathwayFileError([f"{path.name}: is not UTF-8 text ({error.reason})"]) from None
    return found


def _expected(pathway: Pathway) -> Iterator[tuple[str, str]]:
    """Every step with each file it needs. Both channels, since any can stand in for the other."""
    for key in [*(step.key for step in pathway.steps), pathway.correction.key]:
        for locale in LOCALES:
            for channel in Channel:
                yield key, template_name(key, locale, channel)


def _missing(pathway: Pathway, templates: dict[str, str]) -> list[str]:
    return [
        f"{name}: is missing; write it in messages/{pathway.key}/"
        for _, name in _expected(pathway)
        if name not in templates
    ]


def _strangers(pathway: Pathway, templates: dict[str, str]) -> list[str]:
    known = {name for _, name in _expected(pathway)}
    return [
        f"{name}: belongs to no step of {pathway.key}; rename or remove it"
        for name in templates
        if name not in known
    ]


def _with_quotes(pathway: Pathway, templates: dict[str, str]) -> tuple[Pathway, list[str]]:
    """Notes on each step what its templates tell the patient, as far as a reschedule can change it."""
    mentioned: dict[str, set[str]] = {}
    faults = []
    for key, name in _expected(pathway):
        try:
            mentioned.setdefault(key, set()).update(variables(templates[name]))
        except TemplateError as error:
            faults.append(f"{name}:{error.line or 1}: {error}")
    if faults:
        return pathway, faults
    steps = [step.model_copy(update={"quotes": _quotes(mentioned[step.key])}) for step in pathway.steps]
    return pathway.model_copy(update={"steps": tuple(steps)}), []


def _quotes(names: set[str]) -> Quotes:
    if any(name == "procedure.arrival_time" or name.startswith("fasting.") for name in names):
        return Quotes.ARRIVAL
    return Quotes.DATE if "procedure.date" in names else Quotes.NOTHING
