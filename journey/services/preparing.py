"""From due rows to what goes out: the last check, the text, and the claim, in one short transaction."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from journey.channels.protocol import Outgoing
from journey.domain.contact import Person
from journey.domain.delivery import Event, Reason
from journey.domain.eligibility import Answer, Go, Situation, Stop, Wait, may_send
from journey.domain.pathway import ANSWERS, Channel, Pathway
from journey.domain.site import Site
from journey.domain.sms import measure
from journey.rendering.message import Rendered
from journey.rendering.templates import TemplateError
from journey.services.context import Context
from journey.services.library import Library, window_for
from journey.services.reaching import address_tokens, reachable_channels
from journey.services.unsettled import ask_staff
from journey.services.unsubscribing import unsubscribe_url
from journey.services.wording import Reader, word
from journey.store import enrollments, installation, messages, staff_tasks, suppressions
from journey.store.database import Tx
from journey.store.enrollments import SendingContext
from journey.store.messages import Message, Move
from journey.store.patients import open_person, read_contact
from journey.store.sealing import SealError
from journey.store.staff_tasks import NewTask, TaskKind

_UNREADABLE_PAUSE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that is now `sending`, with what goes out."""

    message: Message
    outgoing: Outgoing


@dataclass(frozen=True, slots=True)
class _Decision:
    """What happens to one due message, and what staff must do about it."""

    move: Move
    tasks: Sequence[NewTask]
    claimed: Claimed | None = None


@dataclass(frozen=True, slots=True)
class _Recipient:
    context: SendingContext
    person: Person
    site: Site
    pathway: Pathway
    templates: Any
    reachable: tuple[Channel, ...]

    def address(self, channel: Channel) -> str:
        address = self.person.phone if channel is Channel.SMS else self.person.email
        assert address is not None  # a channel is reachable only with an address
        return address


def claim_due(context: Context, library: Library, channel: Channel, limit: int) -> tuple[list[Claimed], int]:
    """Claims up to `limit` due messages. Returns what to send, and how many rows were looked at."""
    now = context.clock.now()
    with context.database.write() as tx:
        due = messages.take_due(tx, channel, now, limit)
        if not due:
            return [], 0
        recipients = _load_recipients(tx, library, due)
        tried = [one for one in due if one.attempts]
        void = messages.superseded(tx, tried) if tried else set()
        decided = [
            _decide(context, one, recipients.get(one.enrollment_id), now, is_superseded=one.id in void)
            for one in due
        ]
        won = {move.id for move in messages.move(tx, [one.move for one in decided])}
        staff_tasks.open_all(tx, [task for one in decided for task in one.tasks], now)
    return [one.claimed for one in decided if one.claimed and one.move.id in won], len(due)


def _decide(
    context: Context, message: Message, recipient: _Recipient | None, now: datetime, *, is_superseded: bool
) -> _Decision:
    """What becomes of a due message: claimed with its words, or put aside with a reason."""
    if recipient is None:
        aside = _Decision(_postpone_unreadable(message, now), [_unreadable_task(message, now)])
        return _leave_to_staff(message, aside, now)
    situation = replace(_situation(message, recipient), is_superseded=is_superseded)
    answer = may_send(situation, now)
    tasks: list[NewTask] = []
    if isinstance(answer, Go):
        rendered = _render(context, message, recipient)
        if isinstance(rendered, Rendered):
            claimed, move = _claim(context, message, recipient, rendered, now)
            return _Decision(move, [], claimed)
        answer = Stop(Reason.CANNOT_RENDER)
        tasks = [_broken_template(message, rendered, now)]
    tasks += _consequence(message, answer, now)
    return _leave_to_staff(message, _Decision(_put_aside(message, answer, now), tasks), now)


def _leave_to_staff(message: Message, aside: _Decision, now: datetime) -> _Decision:
    """A message in doubt goes out again as it is or not at all: by another channel, or taken for unsent,
    it could reach the patient twice or be thought lost."""
    if message.reason is not Reason.IN_DOUBT:
        return aside
    move, task = ask_staff(message, now, look_again=None)
    return _Decision(move, [task])


def _load_recipients(tx: Tx, library: Library, due: Sequence[Message]) -> dict[Any, _Recipient]:
    contexts = enrollments.sending_contexts(tx, list({m.enrollment_id for m in due}))
    people: dict[Any, Person] = {}
    for key, context in contexts.items():
        with suppress(SealError):  # one damaged record must not hold up everybody behind it
            people[key] = open_person(tx.sealer, context.patient_id, context.sealed_person)
    if len(people) < len(contexts):
        installation.open_mark(tx)  # raises if the whole key ring is wrong: then nothing is touched
    tokens = {key: address_tokens(tx, person) for key, person in people.items()}
    every = [t for by_channel in tokens.values() for found in by_channel.values() for t in found]
    suppressed = suppressions.active(tx, every)
    found = {}
    for key, person in people.items():
        context = contexts[key]
        version = library.version(tx, context.pathway_version_id)
        found[key] = _Recipient(
            context=context,
            person=person,
            site=library.site(tx, context.site_id),
            pathway=version.pathway,
            templates=version.templates,
            reachable=reachable_channels(tokens[key], suppressed, read_contact(context)),
        )
    return found


def _situation(message: Message, recipient: _Recipient) -> Situation:
    context = recipient.context
    assert message.channel is not None
    zone = context.time_zone or recipient.site.zone
    return Situation(
        channel=message.channel,
        send_by=message.send_by,
        procedure_date=message.procedure_date,
        arrival_time=message.arrival_time,
        enrollment=context.status,
        enrolled_date=recipient.pathway.day_of(message.step, context.procedure_date, context.completed_on),
        enrolled_arrival=context.arrival_time,
        reachable=recipient.reachable,
        step_channels=recipient.pathway.channels_of(message.step),
        is_done=recipient.pathway.goal_of(message.step) in context.goals_reached,
        window=window_for(recipient.site, zone, message.due_at.year),
        is_answer=message.step.startswith(ANSWERS),
    )


def _render(context: Context, message: Message, recipient: _Recipient) -> Rendered | TemplateError:
    assert message.channel is not None
    row = recipient.context
    reader = Reader(
        recipient.site, recipient.person, row.locale, row.procedure_date, row.arrival_time, row.facts
    )
    try:
        unsubscribe = _unsubscribe(context, recipient, message.channel)
        return word(context.sealer, message, message.channel, reader, recipient.templates, unsubscribe)
    except TemplateError as error:
        return error


def _unsubscribe(context: Context, recipient: _Recipient, channel: Channel) -> str:
    return unsubscribe_url(context, recipient.address(channel)) if channel is Channel.EMAIL else ""


def _claim(
    context: Context, message: Message, recipient: _Recipient, rendered: Rendered, now: datetime
) -> tuple[Claimed, Move]:
    """The claim keeps the words before they leave: a look-up after a crash must know them."""
    channel = message.channel
    assert channel is not None
    content = {
        "to": recipient.address(channel),
        "subject": rendered.subject,
        "text": rendered.text,
    }
    lease = now + timedelta(seconds=context.rules.lease)
    move = Move.of(
        message,
        Event.CLAIM,
        now,
        claimed_at=now,
        check_at=lease,
        segments=measure(rendered.text).segments if channel is Channel.SMS else None,
        sealed_content=context.sealer.seal(content, messages.CONTENT, message.id),
    )
    outgoing = Outgoing(
        message_id=message.id,
        attempt=message.attempts + 1,
        to=recipient.address(channel),
        text=rendered.text,
        send_by=message.send_by,
        subject=rendered.subject,
        html=rendered.html,
        from_name=recipient.site.name,
        unsubscribe_url=_unsubscribe(context, recipient, channel),
    )
    taken = replace(
        message,
        status=move.after,
        attempts=message.attempts + 1,
        claimed_at=now,
        sealed_content=move.values["sealed_content"],
    )
    return Claimed(taken, outgoing), move


def _put_aside(message: Message, answer: Answer, now: datetime) -> Move:
    """What becomes of a due message that must not go out now."""
    if isinstance(answer, Stop):
        expired = answer.reason is Reason.PAST_DEADLINE
        event = Event.EXPIRE if expired else Event.SKIP
        return Move.of(message, event, now, reason=answer.reason.value)
    assert isinstance(answer, Wait)
    if answer.channel is not None:
        return Move.of(message, Event.MOVE, now, channel=answer.channel.value, reason=answer.reason.value)
    if answer.until is not None:
        return Move.of(message, Event.MOVE, now, due_at=answer.until, reason=answer.reason.value)
    return Move.of(message, Event.HOLD, now, reason=answer.reason.value, check_at=message.send_by)


def _consequence(message: Message, answer: Answer, now: datetime) -> list[NewTask]:
    if not (isinstance(answer, Stop) and message.critical):
        return []
    if answer.reason not in (Reason.PAST_DEADLINE, Reason.OPTED_OUT, Reason.CANNOT_RENDER):
        return []
    return [call_task(message, answer.reason, now)]


def call_task(message: Message, reason: Reason, now: datetime) -> NewTask:
    """A critical message that will not arrive by itself: somebody phones."""
    return NewTask(
        TaskKind.CALL,
        str(message.id),
        f"Call the patient about “{message.step}”: it was not sent ({reason.value}).",
        now,
        message.enrollment_id,
        message.id,
    )


def _broken_template(message: Message, error: TemplateError, now: datetime) -> NewTask:
    return NewTask(
        TaskKind.CANNOT_RENDER,
        str(message.id),
        f"“{message.step}” could not be written: {error}",
        now,
        message.enrollment_id,
        message.id,
    )


def _postpone_unreadable(message: Message, now: datetime) -> Move:
    """Not final: a key that is missing from the ring comes back, and then it goes out."""
    if now >= message.send_by:
        return Move.of(message, Event.EXPIRE, now, reason=Reason.PAST_DEADLINE.value)
    later = min(now + _UNREADABLE_PAUSE, message.send_by)
    return Move.of(message, Event.MOVE, now, due_at=later, reason=Reason.CANNOT_RENDER.value)


def _unreadable_task(message: Message, now: datetime) -> NewTask:
    return NewTask(
        TaskKind.CANNOT_RENDER,
        str(message.enrollment_id),
        "The patient's record does not open: run journey doctor, and call the patient.",
        now,
        message.enrollment_id,
        message.id,
    )
