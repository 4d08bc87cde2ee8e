"""Messages whose words differ between two versions of a pathway, word by word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from journey.domain.delivery import OPEN, Status
from journey.domain.pathway import Pathway
from journey.services.describing import Described
from journey.web.charts.cards import step_title


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of text. `kind`: "same", "gone" or "new"."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Reworded:
    title: str
    spans: Sequence[Span]


def rewordings(before: Described, after: Described, pathway: Pathway) -> list[Reworded]:
    """What is still to go, and would read otherwise."""
    known = {one.id: one for one in before.messages if one.id is not None}
    found = []
    for new in after.messages:
        old = known.get(new.id) if new.id else None
        if old is None or Status(new.status) not in OPEN:
            continue
        texts = [f"{one.subject}\n{one.text}".strip() for one in (old, new)]
        if texts[0] != texts[1]:
            found.append(Reworded(step_title(pathway, new.step), list(_compare(*texts))))
    return found


def _compare(old: str, new: str) -> Iterator[Span]:
    before, after = (re.findall(r"\s*\S+", text) for text in (old, new))
    matcher = SequenceMatcher(a=before, b=after, autojunk=False)
    for kind, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        gone, fresh = "".join(before[old_from:old_to]), "".join(after[new_from:new_to])
        if kind == "equal":
            yield Span("same", gone)
            continue
        if gone:
            yield Span("gone", gone)
        if fresh:
            yield Span("new", fresh)
