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
from journey.domain.pathway import Pathway, Quotes
from journey.rendering.message import template_name
from journey.rendering.templates import TemplateError, variables
from journey.services.pathway_faults import doubled_names, explain_fault, explain_yaml, unwise_steps
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
    text = _read_text(path)
    try:
        node = yaml.compose(text, yaml.SafeLoader)
        raw = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise PathwayFileError([explain_yaml(path.name, error)]) from None
    except RecursionError:
        raise PathwayFileError([f"{path.name}: is nested too deeply"]) from None
    if not isinstance(raw, dict):
        what = "is empty" if raw is None else "is no mapping of names to values"
        raise PathwayFileError([f"{path.name}:1: {what}; it must begin with key: and title:"])
    faults = doubled_names(path.name, node)
    try:
        pathway = Pathway.model_validate(raw)
    except ValidationError as error:
        faults += [explain_fault(path.name, node, fault) for fault in error.errors()]
        raise PathwayFileError(faults) from None
    faults += unwise_steps(path.name, node, pathway)
    if faults:
        raise PathwayFileError(faults)
    return pathway


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")  # some editors put a mark before the text
    except FileNotFoundError:
        near = ", ".join(sorted(other.stem for other in path.parent.glob("*.yaml"))) or "none"
        raise PathwayFileError(
            [
                f"{path.name}: there is no such file in {path.parent}; give the pathway's key and the folder "
                f"that holds pathways/ and messages/ (keys there: {near})"
            ]
        ) from None
    except IsADirectoryError:
        raise PathwayFileError([f"{path.name}: is a folder; move it elsewhere"]) from None
    except UnicodeDecodeError as error:
        raise PathwayFileError([f"{path.name}: is not UTF-8 text ({error.reason})"]) from None


def _read_templates(folder: Path) -> dict[str, str]:
    """Every file there but the hidden ones that systems leave behind."""
    if not folder.is_dir():
        where = folder.parent.parent
        raise PathwayFileError([f"messages/{folder.name}/: there is no such folder in {where}"])
    return {path.name: _read_text(path) for path in sorted(folder.iterdir()) if path.name[0] != "."}


def _expected(pathway: Pathway) -> Iterator[tuple[str, str]]:
    """Every message with each file that it needs."""
    for key, channels in pathway.worded:
        for locale in LOCALES:
            for channel in channels:
                yield key, template_name(key, locale, channel)


def _missing(pathway: Pathway, templates: dict[str, str]) -> list[str]:
    gone = [name for _, name in _expected(pathway) if name not in templates]
    faults = []
    for locale in LOCALES:
        of_locale = [name for _, name in _expected(pathway) if f".{locale}." in name]
        if set(of_locale) <= set(gone):
            faults.append(f"messages/{pathway.key}/: has no {locale} templates; write all {len(of_locale)}")
            gone = [name for name in gone if name not in of_locale]
    return faults + [f"{name}: is missing; write it in messages/{pathway.key}/" for name in gone]


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
            faults.append(f"{name}:{error.line or 1}: {error.message}")
    if faults:
        return pathway, faults
    steps = [step.model_copy(update={"quotes": _quotes(mentioned[step.key])}) for step in pathway.steps]
    return pathway.model_copy(update={"steps": tuple(steps)}), []


def _quotes(names: set[str]) -> Quotes:
    if any(name == "procedure.arrival_time" or name.startswith("fasting.") for name in names):
        return Quotes.ARRIVAL
    return Quotes.DATE if "procedure.date" in names else Quotes.NOTHING
