"""A message of which nobody can say whether it was sent: a person is asked."""

from __future__ import annotations

from datetime import datetime

from journey.domain.delivery import Event, Reason
from journey.store.messages import Message, Move
from journey.store.staff_tasks import NewTask, TaskKind


def ask_staff(message: Message, now: datetime, *, look_again: datetime | None) -> tuple[Move, NewTask]:
    """The message becomes, or stays, unknown. `look_again`: None where the provider has no look-up."""
    reason = Reason.UNPROVABLE.value
    move = Move.of(message, Event.ASK_STAFF, now, reason=reason, check_at=look_again)
    task = NewTask(
        TaskKind.OUTCOME_UNKNOWN,
        str(message.id),
        f"It is not known whether “{message.step}” was sent, and the provider cannot say. It is not sent "
        "again by itself; ask the patient if it matters.",
        now,
        message.enrollment_id,
        message.id,
    )
    return move, task
