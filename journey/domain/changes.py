"""Messages that stand, and the changes that a new plan makes in them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from uuid import UUID

from journey.domain.delivery import GONE_OUT, IN_FLIGHT, OPEN, Reason, Status
from journey.domain.pathway import Channel, Quotes
from journey.domain.plan import PlannedMessage


class Action(StrEnum):
    KEEP = "keep"
    MOVE = "move"
    CANCEL = "cancel"
    ADD = "add"
    CORRECT = "correct"


@dataclass(frozen=True, slots=True)
class ExistingMessage:
    """A stored message as far as replanning needs it. `planned_at` is the time the plan gave it."""

    id: UUID
    step: str
    occurrence: int
    status: Status
    reason: Reason | None
    planned_at: datetime
    due_at: datetime
    send_by: datetime
    channel: Channel | None
    quotes: Quotes
    procedure_date: date | None
    arrival_time: time | None
    sent_at: datetime | None = None  # when it was last claimed for sending
    is_escalation: bool = False
    is_written: bool = False  # by somebody on staff: no step of the pathway

    @property
    def is_open(self) -> bool:
        """Whether a change may still move it or take it back."""
        return self.status in OPEN and self.reason is not Reason.IN_DOUBT

    @property
    def may_have_gone_out(self) -> bool:
        # A failed one was refused or undelivered: the patient was not told.
        return self.status in GONE_OUT or self.status in IN_FLIGHT or self.reason is Reason.IN_DOUBT

    @property
    def tells_a_date(self) -> bool:
        """Whether the patient may know a procedure date from it."""
        return self.may_have_gone_out and self.quotes is not Quotes.NOTHING


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a preview, and of what is then written.

    `target` is the message as it will stand (keep: as planned); `call` asks for a staff task.
    """

    action: Action
    step: str
    existing: ExistingMessage | None = None
    target: PlannedMessage | None = None
    occurrence: int = 0
    reason: Reason | None = None
    call: bool = False


def cancelled(row: ExistingMessage, reason: Reason) -> Change:
    return Change(Action.CANCEL, row.step, row, None, row.occurrence, reason)


def basis_moved(row: ExistingMessage, wanted: PlannedMessage) -> bool:
    """Whether the row was made for another date or arrival time than the plan has now."""
    return (row.procedure_date, row.arrival_time) != (wanted.procedure_date, wanted.arrival_time)


def next_occurrence(rows: Iterable[ExistingMessage]) -> int:
    return max((row.occurrence for row in rows), default=-1) + 1
