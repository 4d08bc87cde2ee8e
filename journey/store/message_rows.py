"""A stored message, and the columns that a plan writes into a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from journey.domain.changes import ExistingMessage
from journey.domain.delivery import Reason, Status
from journey.domain.explain import why_as_data
from journey.domain.pathway import Channel, Phase, Quotes
from journey.domain.plan import PlannedMessage
from journey.domain.sms import measure
from journey.store.ids import new_id
from journey.store.schema import messages


@dataclass(frozen=True, slots=True)
class Message:
    """A stored message. Instants are UTC; `attempts` counts claims and tells two of them apart."""

    id: UUID
    enrollment_id: UUID
    step: str
    occurrence: int
    stands_in_for: UUID | None
    phase: str
    channel: Channel | None
    status: Status
    reason: Reason | None
    planned_at: datetime
    due_at: datetime
    send_by: datetime
    why: Mapping[str, Any]
    critical: bool
    quotes: Quotes
    procedure_date: date | None
    arrival_time: time | None
    attempts: int
    claimed_at: datetime | None
    accepted_at: datetime | None
    delivered_at: datetime | None
    provider_id: str | None
    code: str | None
    segments: int | None
    sealed_content: bytes | None
    written_by: str | None

    @property
    def existing(self) -> ExistingMessage:
        """The message as replanning sees it."""
        return ExistingMessage(
            id=self.id,
            step=self.step,
            occurrence=self.occurrence,
            status=self.status,
            reason=self.reason,
            planned_at=self.planned_at,
            due_at=self.due_at,
            send_by=self.send_by,
            channel=self.channel,
            quotes=self.quotes,
            procedure_date=self.procedure_date,
            arrival_time=self.arrival_time,
            sent_at=self.claimed_at,
            is_escalation=self.stands_in_for is not None,
            is_written=self.written_by is not None,
        )


COLUMNS = [messages.c[name] for name in Message.__slots__]


def read_row(row: Row[Any]) -> Message:
    values = dict(row._mapping)
    values["status"] = Status(values["status"])
    values["reason"] = Reason(values["reason"]) if values["reason"] else None
    values["channel"] = Channel(values["channel"]) if values["channel"] else None
    values["quotes"] = Quotes(values["quotes"])
    return Message(**values)


def new_row(enrollment_id: UUID, message: PlannedMessage, occurrence: int) -> dict[str, Any]:
    return {
        "id": new_id(),
        "enrollment_id": enrollment_id,
        "step": message.step,
        "occurrence": occurrence,
        "phase": message.phase,
        "status": message.verdict.value,
        **plan_values(message),
        "critical": message.critical,
        "quotes": message.quotes.value,
    }


@dataclass(frozen=True, slots=True)
class HandMade:
    """A message of no step, whose words are there before it leaves: by staff, or an automatic answer.

    `why`: what its time says for itself. `critical`: somebody counts on it, and is told if it fails.
    """

    id: UUID
    enrollment_id: UUID
    step: str
    occurrence: int
    written_by: str
    channel: Channel
    content: dict[str, str]  # to, subject and text
    at: datetime
    due_at: datetime  # `at`, or earlier for what leaves before all else
    send_by: datetime
    why: dict[str, Any]
    critical: bool


def hand_made_row(one: HandMade, sealed_content: bytes) -> dict[str, Any]:
    size = measure(one.content["text"]) if one.channel is Channel.SMS else None
    return {
        "id": one.id,
        "enrollment_id": one.enrollment_id,
        "step": one.step,
        "occurrence": one.occurrence,
        "written_by": one.written_by,
        "phase": Phase.BEFORE.value,
        "channel": one.channel.value,
        "status": Status.PLANNED.value,
        "planned_at": one.at,
        "due_at": one.due_at,
        "send_by": one.send_by,
        "why": one.why,
        "critical": one.critical,
        "quotes": Quotes.NOTHING.value,
        "segments": size.segments if size else None,
        "sealed_content": sealed_content,
    }


def plan_values(message: PlannedMessage) -> dict[str, Any]:
    """The columns that a plan sets, on a new row and when it moves an open one."""
    held = message.verdict.value == Status.HELD.value
    return {
        "channel": message.channel.value if message.channel else None,
        "reason": message.reason.value if message.reason else None,
        "planned_at": message.at,
        "due_at": message.due_at,
        "send_by": message.send_by,
        "check_at": message.send_by if held else None,
        "why": why_as_data(message.why),
        "procedure_date": message.procedure_date,
        "arrival_time": message.arrival_time,
    }
