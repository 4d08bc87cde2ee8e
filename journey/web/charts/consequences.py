"""What a change does to a patient's messages, in words: what moves, falls away, is new, or stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from journey.domain.changes import Action, Change
from journey.domain.delivery import Status
from journey.domain.explain import explain_reason
from journey.domain.plan import Verdict
from journey.web.charts.cards import Chart, clinic_time, step_title
from journey.web.words import CHANNELS, Tag, count, join

# What becomes of a message, and how the summary says it. A move that leaves time, way and state alone
# only notes the new terms: for a reader it stays.
STAYS, MOVES, CHANGES, WAITS_NO_MORE, FALLS_AWAY, IS_NEW, CORRECTS = (
    Tag("Stays", "quiet"),
    Tag("Moves", "info"),
    Tag("Changes", "info"),
    Tag("Waits no more", "good"),
    Tag("Will not go out", "bad"),
    Tag("New", "good"),
    Tag("Correction", "warn"),
)
_SUMMARY = (
    (FALLS_AWAY, "will not go out"),
    (MOVES, "will move"),
    (CHANGES, "will change"),
    (WAITS_NO_MORE, "will wait no more"),
    (IS_NEW, "will be added"),
    (CORRECTS, "will correct what was said"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """What becomes of one message."""

    tag: Tag
    title: str
    before: datetime | None
    after: datetime | None
    at_clinic: str
    note: str


@dataclass(frozen=True, slots=True)
class Consequences:
    """The page's content: a sentence, what changes, and what stays."""

    summary: str
    changes: Sequence[Line]
    stays: Sequence[Line]


def consequences_of(chart: Chart, changes: Sequence[Change]) -> Consequences:
    """A preview's changes as the page shows them."""
    lines = _in_time([_line(chart, change) for change in changes])
    said = [
        f"{count(number, 'message')} {what}"
        for tag, what in _SUMMARY
        if (number := sum(line.tag is tag for line in lines))
    ]
    return Consequences(
        summary=summarize(said),
        changes=[line for line in lines if line.tag is not STAYS],
        stays=[line for line in lines if line.tag is STAYS],
    )


def _line(chart: Chart, change: Change) -> Line:
    old, new = change.existing, change.target
    tag = _tag(change)
    before = old.due_at.astimezone(chart.zone) if old else None
    after = new.due_at.astimezone(chart.zone) if new and tag is not STAYS else None
    return Line(
        tag=tag,
        title=step_title(chart.pathway, change.step),
        before=before,
        after=after,
        at_clinic=clinic_time(after, chart.site) if after else "",
        note=_note(change, tag),
    )


def _tag(change: Change) -> Tag:
    plain = {
        Action.KEEP: STAYS,
        Action.CANCEL: FALLS_AWAY,
        Action.ADD: IS_NEW,
        Action.CORRECT: CORRECTS,
    }
    old, new = change.existing, change.target
    if change.action in plain or old is None or new is None:
        return plain.get(change.action, CHANGES)
    if new.verdict is Verdict.SKIP:
        return FALLS_AWAY
    if old.status is Status.HELD and new.verdict is Verdict.SEND:
        return WAITS_NO_MORE
    if old.due_at != new.due_at:
        return MOVES
    same = (old.channel, old.status.value) == (new.channel, new.verdict.value)
    return STAYS if same else CHANGES


def _note(change: Change, tag: Tag) -> str:
    """The reason, and another channel where that is the change."""
    old, new = change.existing, change.target
    if tag is STAYS:
        return old.status.value if old else ""
    parts = []
    if new is not None and new.verdict is Verdict.HOLD:
        parts.append("held")
    if change.reason is not None:
        parts.append(explain_reason(change.reason))
    if old and new and new.channel and new.channel is not old.channel:
        parts.append(f"by {CHANNELS[new.channel].lower()}")
    return ": ".join(parts)


def _in_time(lines: list[Line]) -> list[Line]:
    def place(line: Line) -> tuple[bool, float, str]:
        at = line.after or line.before
        return at is None, at.timestamp() if at else 0.0, line.title

    return sorted(lines, key=place)


def summarize(parts: list[str]) -> str:
    return f"{join(parts)}." if parts else "No message changes."
