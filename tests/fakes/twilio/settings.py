"""What `/_control` can change, parsed as one value so that it applies all at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tests.fakes.twilio.callbacks import CallbackPlan, parse_plan
from tests.fakes.twilio.rules import RuleBook, parse_rule

LOOKUP_MODES = {"ok", "down", "hang", "empty", "lag"}


@dataclass(frozen=True, slots=True)
class Lookup:
    """How lists and fetches behave; with a lag, younger messages do not show yet."""

    mode: str = "ok"
    lag: float = 0.0  # seconds


def parse_lookup(text: str) -> Lookup:
    mode, _, seconds = text.partition(":")
    if mode not in LOOKUP_MODES or (mode == "lag") != bool(seconds):
        raise ValueError(f"unknown lookup: {text}")
    return Lookup(mode, float(seconds or 0))


@dataclass(frozen=True, slots=True)
class Settings:
    """Nothing goes wrong and nobody is called back, until somebody asks for it."""

    rules: RuleBook = field(default_factory=RuleBook)
    callbacks: CallbackPlan = field(default_factory=CallbackPlan)
    lookup: Lookup = field(default_factory=Lookup)
    latency: float = 0.0  # seconds between accepting a create and answering it
    opted_out: frozenset[str] = frozenset()


PARSERS: dict[str, Callable[[Any], Any]] = {
    "rules": lambda raw: RuleBook([parse_rule(rule) for rule in raw]),
    "callbacks": parse_plan,
    "lookup": parse_lookup,
    "latency": float,
    "opted_out": frozenset,
}


def changed(settings: Settings, raw: Mapping[str, Any]) -> Settings:
    """Each key given replaces that setting whole; an unknown key is a KeyError."""
    return replace(settings, **{key: PARSERS[key](value) for key, value in raw.items()})
