"""When a message did not get through: another channel, then a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from journey.domain.delivery import GONE_OUT, IN_FLIGHT, OPEN, Reason, Status
from journey.domain.eligibility import EnrollmentStatus
from journey.domain.pathway import Channel
from journey.services.library import Library, window_for
from journey.services.reaching import address_tokens, reachable_channels
from journey.store import enrollments, messages, staff_tasks, suppressions
from journey.store.database import Tx
from journey.store.enrollments import LIVE, SendingContext
from journey.store.ids import new_id
from journey.store.messages import Message
from journey.store.patients import open_person, read_contact
from journey.store.staff_tasks import NewTask, TaskKind

_RESEND_PAUSE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Trouble:
    """A message that did not get through. `same_channel`: the provider says once more can help."""

    message: Message
    reason: Reason
    same_channel: bool = False


def escalate(tx: Tx, library: Library, trouble: Trouble, now: datetime) -> None:
    """Plans a stand-in on the next channel; asks staff where there is none, or it is critical."""
    message = trouble.message
    context = enrollments.sending_contexts(tx, [message.enrollment_id])[message.enrollment_id]
    if context.status not in LIVE or messages.has_stand_in(tx, message):
        return
    if messages.superseded(tx, [message], IN_FLIGHT | GONE_OUT):
        return  # the patient has it from a later message, which has troubles of its own
    is_replaced = bool(messages.superseded(tx, [message], OPEN))
    channel = message.channel if is_replaced else _next_channel(tx, library, trouble, context)
    due = _stand_in_time(tx, library, trouble, context, now)
    if channel is not None and due is not None and not is_replaced:
        row = _stand_in(tx, message, channel, due)
        if context.status is EnrollmentStatus.PAUSED:  # it goes on when staff resume
            row |= {"status": Status.HELD.value, "reason": Reason.PAUSED.value, "check_at": message.send_by}
        messages.insert_rows(tx, [row])
    if message.critical:
        staff_tasks.open_all(tx, [_task(trouble, channel if due else None, now)], now)


def _next_channel(tx: Tx, library: Library, trouble: Trouble, context: SendingContext) -> Channel | None:
    message = trouble.message
    if message.written_by is not None:
        return None  # words of staff are theirs to send again: a person is told instead
    if trouble.same_channel:
        # Once: a stand-in that fails again is not repeated on its own channel.
        return message.channel if message.stands_in_for is None else None
    person = open_person(tx.sealer, context.patient_id, context.sealed_person)
    tokens = address_tokens(tx, person)
    every = [token for found in tokens.values() for token in found]
    reachable = reachable_channels(tokens, suppressions.active(tx, every), read_contact(context))
    pathway = library.version(tx, context.pathway_version_id).pathway
    tried = {message.channel, *_channels_tried(tx, message)}
    wanted = pathway.channels_of(message.step)
    return next((c for c in wanted if c in reachable and c not in tried), None)


def _channels_tried(tx: Tx, message: Message) -> set[Channel | None]:
    """The channels of the messages that this one stands in for."""
    tried: set[Channel | None] = set()
    while message.stands_in_for is not None:
        message = messages.by_ids(tx, [message.stands_in_for])[0]
        tried.add(message.channel)
    return tried


def _stand_in_time(
    tx: Tx, library: Library, trouble: Trouble, context: SendingContext, now: datetime
) -> datetime | None:
    site = library.site(tx, context.site_id)
    window = window_for(site, context.time_zone or site.zone, now.year)
    wanted = now + _RESEND_PAUSE if trouble.same_channel else now
    due, _ = window.settle(wanted, later=True, any_day=True)
    return due if due < trouble.message.send_by else None


def _stand_in(tx: Tx, message: Message, channel: Channel, due: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "enrollment_id": message.enrollment_id,
        "step": message.step,
        "occurrence": messages.next_occurrence(tx, message.enrollment_id, message.step),
        "stands_in_for": message.id,
        "phase": message.phase,
        "channel": channel.value,
        "status": Status.PLANNED.value,
        "reason": Reason.ESCALATED.value,
        "planned_at": message.planned_at,
        "due_at": due,
        "send_by": message.send_by,
        "why": dict(message.why),
        "critical": message.critical,
        "quotes": message.quotes.value,
        "procedure_date": message.procedure_date,
        "arrival_time": message.arrival_time,
    }


def _task(trouble: Trouble, stand_in: Channel | None, now: datetime) -> NewTask:
    message = trouble.message
    instead = f"{_a(stand_in)} goes out instead" if stand_in else "no other way is left"
    if trouble.reason is Reason.NO_RECEIPT:
        what = f"no receipt came for {_a(message.channel)}"
    else:
        what = f"{_a(message.channel)} did not get through ({trouble.reason.value})"
    detail = f"Make sure that the patient knows about “{message.step}”: {what}; {instead}."
    due = max(now, message.send_by) if stand_in else now
    return NewTask(TaskKind.NOT_DELIVERED, str(message.id), detail, due, message.enrollment_id, message.id)


def _a(channel: Channel | None) -> str:
    return "an e-mail" if channel is Channel.EMAIL else "a text"
