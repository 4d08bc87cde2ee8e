"""What the pages need of the demonstration behind them: its clock's buttons and its patients' stories."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

from fastapi import Request


class Controls(Protocol):
    """Moves the shown time. Every method may be called from any thread."""

    @property
    def is_playing(self) -> bool: ...

    @property
    def stories(self) -> Mapping[UUID, str]:
        """What each enrollment shows, in a sentence."""
        ...

    @property
    def news_after(self) -> datetime:
        """Where the clock was before it last moved: what went out later is new."""
        ...

    def next_moment(self) -> datetime | None:
        """When something happens next; None when nothing is planned any more."""
        ...

    def to_next(self) -> None: ...

    def ahead(self, days: int) -> None: ...

    def play(self) -> None: ...

    def pause(self) -> None: ...

    def still(self) -> AbstractContextManager[None]:
        """The clock does not move inside the block."""
        ...


def controls_of(request: Request) -> Controls:
    controls: Controls = request.app.state.demonstration
    return controls
