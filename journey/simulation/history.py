"""What happened in a run, line by line: its digest proves a replay, its tail explains a violation."""

from __future__ import annotations

import hashlib
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

_TAIL = 40
_MOST = 50


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken invariant, when it was noticed, and what had happened to that enrollment."""

    rule: str
    detail: str
    at: datetime
    trail: tuple[str, ...] = ()


@dataclass
class History:
    """Lines are kept per enrollment, and only the last ones."""

    now: Callable[[], datetime]
    violations: list[Violation] = field(default_factory=list)
    lines: int = 0
    _hash: hashlib._Hash = field(default_factory=hashlib.sha256)
    _tails: dict[UUID | None, deque[str]] = field(
        default_factory=lambda: defaultdict(lambda: deque(maxlen=_TAIL))
    )
    _seen: set[tuple[str, UUID | None]] = field(default_factory=set)

    def note(self, text: str, enrollment: UUID | None = None) -> None:
        line = f"{self.now():%Y-%m-%d %H:%M:%S.%f} {enrollment or '-'} {text}"
        self._hash.update(line.encode() + b"\n")
        self._tails[enrollment].append(line)
        self.lines += 1

    def violate(self, rule: str, detail: str, enrollment: UUID | None = None) -> None:
        """Once per rule and enrollment: the first sight of a fault says most."""
        if (rule, enrollment) in self._seen or len(self.violations) >= _MOST:
            return
        self._seen.add((rule, enrollment))
        self.note(f"VIOLATION {rule}: {detail}", enrollment)
        self.violations.append(Violation(rule, detail, self.now(), tuple(self._tails[enrollment])))

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()
