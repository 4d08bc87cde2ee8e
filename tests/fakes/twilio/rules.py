"""Which creates go wrong, and how: control rules parsed to values and matched."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# name: (kind, accepted into the ledger, number of arguments after the name)
ACTIONS: dict[str, tuple[str, bool, int]] = {
    "accept": ("answer", True, 0),
    "delay": ("delay", True, 1),  # accepted only after the wait: a late arrival
    "delay_after": ("delay_after", True, 1),  # accepted at once, answered late
    "hang_before": ("hang", False, 0),
    "hang_after": ("hang", True, 0),
    "reset_before": ("reset", False, 0),
    "reset_after": ("reset", True, 0),
    "garbage_before": ("garbage", False, 0),
    "garbage_after": ("garbage", True, 0),
    "429": ("error", False, 0),
    "500_before": ("error", False, 0),
    "500_after": ("error", True, 0),
    "error": ("error", False, 2),
    "kill_before": ("kill", False, 1),
    "kill_after": ("kill", True, 1),
    "killpg_before": ("killpg", False, 1),
    "killpg_after": ("killpg", True, 1),
    "kill_peer_before": ("kill_peer", False, 0),
    "kill_peer_after": ("kill_peer", True, 0),
}
CONDITIONS = {"nth", "every", "to", "body_contains"}


@dataclass(frozen=True, slots=True)
class Action:
    """What to do to one create; `accepts` says whether the message is taken first."""

    name: str
    kind: str
    accepts: bool
    seconds: float = 0.0
    pid: int = 0  # or a process group
    code: int = 0  # Twilio's error code
    status: int = 0  # HTTP status


def parse_action(text: str) -> Action:
    """Raise ValueError for an unknown action or wrong arguments."""
    name, *arguments = text.split(":")
    if name not in ACTIONS:
        raise ValueError(f"unknown action: {text}")
    kind, accepts, count = ACTIONS[name]
    if len(arguments) != count:
        raise ValueError(f"{name} takes {count} arguments: {text}")
    if kind in ("delay", "delay_after"):
        return Action(text, kind, accepts, seconds=float(arguments[0]))
    if kind in ("kill", "killpg"):
        pid = int(arguments[0])
        if pid <= 1:  # 0, 1 and -1 mean our own group, init, and everybody
            raise ValueError(f"will not kill {pid}")
        return Action(text, kind, accepts, pid=pid)
    if kind == "error":
        code, status = {
            "429": (20429, 429),
            "500_before": (20500, 500),
            "500_after": (20500, 500),
        }.get(name) or (int(arguments[0]), int(arguments[1]))
        return Action(text, kind, accepts, code=code, status=status)
    return Action(text, kind, accepts)


@dataclass(slots=True)
class Rule:
    """A condition, an action, and how often it may still fire (None: for ever)."""

    when: Mapping[str, Any]
    action: Action
    left: int | None = 1

    def matches(self, number: int, to: str, body: str) -> bool:
        when = self.when
        return (
            (self.left is None or self.left > 0)
            and ("nth" not in when or number == when["nth"])
            and ("every" not in when or number % when["every"] == 0)
            and ("to" not in when or to == when["to"])
            and ("body_contains" not in when or when["body_contains"] in body)
        )


def parse_rule(raw: Mapping[str, Any]) -> Rule:
    unknown = set(raw) - {"when", "times", "action"}
    when = raw.get("when", {})
    if unknown or set(when) - CONDITIONS:
        raise ValueError(f"unknown keys in rule: {dict(raw)}")
    if int(when.get("every", 1)) < 1:
        raise ValueError("every must be 1 or more")
    times = int(raw.get("times", 1))
    return Rule(when, parse_action(raw["action"]), times or None)


class RuleBook:
    """The rules of one control call; `nth` and `every` count creates since that call."""

    def __init__(self, rules: Sequence[Rule] = ()) -> None:
        self._rules = rules
        self._seen = 0

    def choose(self, to: str, body: str) -> Action | None:
        """Count this create and return the action of the first rule that matches."""
        self._seen += 1
        for rule in self._rules:
            if rule.matches(self._seen, to, body):
                if rule.left is not None:
                    rule.left -= 1
                return rule.action
        return None
