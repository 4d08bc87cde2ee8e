"""Writing down what a provider said about each message of a batch, whatever raced it meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from journey.domain.delivery import Event, Reason, Status, next_status
from journey.domain.outcomes import (
    Accepted,
    GiveUp,
    NoAnswer,
    NotNow,
    Outcome,
    Refused,
    Retry,
    decide_retry,
)
from journey.domain.pathway import Channel
from journey.services.context import Context
from journey.services.escalating import Trouble, escalate
from journey.services.library import Library
from journey.services.preparing import Claimed, call_task
from journey.services.unsettled import ask_staff
from journey.store import enrollments, messages, staff_tasks, suppressions
from journey.store.database import Conflict, Tx
from journey.store.messages import Message, Move
from journey.store.staff_tasks import NewTask, TaskKind


def record(
    context: Context, library: Library, claimed: Sequence[Claimed], outcomes: Sequence[Outcome]
) -> None:
    """One transaction for the batch; row by row if two messages claim one provider id."""
    pairs = list(zip((one.message for one in claimed), outcomes, strict=True))
    try:
        _record(context, library, pairs)
    except Conflict:
        for message, outcome in pairs:
            try:
                _record(context, library, [(message, outcome)])
            except Conflict:
                # A look-up gave this id to a twin: same words, same number, same moment.
                known = Accepted("") if isinstance(outcome, Accepted) else outcome
                _record(context, library, [(message, known)])


def _record(context: Context, library: Library, pairs: Sequence[tuple[Message, Outcome]]) -> None:
    now = context.clock.now()
    with context.database.write() as tx:
        steps = _escalation_times(tx, library, [m for m, o in pairs if isinstance(o, Accepted)])
        moves = [_as_move(m, o, now, steps.get(m.id), context) for m, o in pairs]
        won = {move.id for move in messages.move(tx, moves)}
        for message, outcome in pairs:
            if message.id in won:
                _follow_up(tx, library, message, outcome, now)
        late = [(m, o) for m, o in pairs if m.id not in won and not isinstance(o, NotNow | NoAnswer)]
        if late:
            _tell_late_truth(tx, library, late, now)


def _as_move(
    message: Message,
    outcome: Outcome,
    now: datetime,
    escalate_after: timedelta | None,
    context: Context,
) -> Move:
    if isinstance(outcome, Accepted):
        if outcome.delivered:
            return _deliver_move(message, outcome.provider_id, now)
        return accept_move(message, outcome.provider_id, now, escalate_after)
    if isinstance(outcome, Refused) and message.reason is Reason.IN_DOUBT:
        return ask_staff(message, now, look_again=None)[0]  # this copy was refused; the first may be there
    if isinstance(outcome, Refused):
        return Move.of(message, Event.REFUSE, now, reason=outcome.reason.value, code=outcome.code)
    if isinstance(outcome, NoAnswer):
        look_up = (message.claimed_at or now) + timedelta(seconds=context.rules.lookup_grace)
        return Move.of(
            message,
            Event.LOSE,
            now,
            outcome.detail,
            reason=Reason.NO_ANSWER.value,
            check_at=max(now, look_up),
        )
    return _as_return(message, outcome, now)


def _as_return(message: Message, outcome: NotNow, now: datetime) -> Move:
    # An earlier try may have reached the patient: that stays known whatever becomes of this one.
    reason = (Reason.IN_DOUBT if message.reason is Reason.IN_DOUBT else outcome.reason).value
    if outcome.reason is Reason.RELEASED:
        return Move.of(message, Event.RETURN, now, reason=reason, code=outcome.code)
    verdict = decide_retry(outcome, message.attempts, message.send_by, now)
    if isinstance(verdict, Retry):
        return Move.of(message, Event.RETURN, now, reason=reason, code=outcome.code, due_at=verdict.at)
    if message.reason is Reason.IN_DOUBT:
        return ask_staff(message, now, look_again=None)[0]
    return Move.of(message, Event.EXPIRE, now, reason=verdict.reason.value, code=outcome.code)


def accept_move(message: Message, provider_id: str, now: datetime, escalate_after: timedelta | None) -> Move:
    """Accepted; a critical text without a receipt is looked at again after its time."""
    return Move.of(
        message,
        Event.ACCEPT,
        now,
        provider_id=provider_id or None,
        accepted_at=now,
        reason=None,
        code=None,
        check_at=now + escalate_after if escalate_after else None,
    )


def _deliver_move(message: Message, provider_id: str, now: datetime) -> Move:
    return Move.of(
        message,
        Event.DELIVER,
        now,
        provider_id=provider_id,
        accepted_at=now,
        delivered_at=now,
        reason=None,
        code=None,
    )


def _escalation_times(tx: Tx, library: Library, accepted: Sequence[Message]) -> dict[Any, timedelta]:
    """How long each critical text may stay without a receipt. E-mail gives no receipts."""
    critical = [m for m in accepted if m.critical and m.channel is Channel.SMS]
    if not critical:
        return {}
    contexts = enrollments.sending_contexts(tx, list({m.enrollment_id for m in critical}))
    times = {}
    for message in critical:
        version = library.version(tx, contexts[message.enrollment_id].pathway_version_id)
        times[message.id] = version.pathway.escalate_after(message.step)
    return times


def escalation_time(tx: Tx, library: Library, message: Message) -> timedelta | None:
    return _escalation_times(tx, library, [message]).get(message.id)


def _follow_up(tx: Tx, library: Library, message: Message, outcome: Outcome, now: datetime) -> None:
    if isinstance(outcome, Refused) and message.reason is Reason.IN_DOUBT:
        _block(tx, message, outcome, now)
        staff_tasks.open_all(tx, [ask_staff(message, now, look_again=None)[1]], now)
    elif isinstance(outcome, Refused):
        follow_refusal(tx, library, message, outcome, now)
    elif isinstance(outcome, NotNow):
        verdict = decide_retry(outcome, message.attempts, message.send_by, now)
        gave_up = isinstance(verdict, GiveUp) and outcome.reason is not Reason.RELEASED
        if gave_up and message.reason is Reason.IN_DOUBT:
            staff_tasks.open_all(tx, [ask_staff(message, now, look_again=None)[1]], now)
        elif gave_up and message.critical:
            staff_tasks.open_all(tx, [call_task(message, Reason.PAST_DEADLINE, now)], now)
        if outcome.halts:
            staff_tasks.open_all(tx, [_halt_task(message, outcome, now)], now)


def follow_refusal(tx: Tx, library: Library, message: Message, refused: Refused, now: datetime) -> None:
    """A final no: the address may be closed, another channel is tried, staff are told."""
    _block(tx, message, refused, now)
    if refused.ask_staff:
        staff_tasks.open_all(tx, [_refusal_task(message, refused, now)], now)
    escalate(tx, library, Trouble(message, refused.reason), now)


def _block(tx: Tx, message: Message, refused: Refused, now: datetime) -> None:
    if refused.blocks_address and message.channel is not None:
        address = messages.read_content(tx, message)["to"]
        suppressions.add(tx, message.channel, address, refused.reason, f"provider {refused.code}", now)


def _refusal_task(message: Message, refused: Refused, now: datetime) -> NewTask:
    bad = refused.reason is Reason.BAD_ADDRESS
    what = "number or e-mail address does not work; ask for another" if bad else "message was refused"
    return NewTask(
        TaskKind.BAD_ADDRESS if bad else TaskKind.NOT_DELIVERED,
        f"{message.enrollment_id}/{message.channel}" if bad else str(message.id),
        f"The patient's {what} (“{message.step}”, provider code {refused.code}).",
        now,
        message.enrollment_id,
        message.id,
    )


def _halt_task(message: Message, outcome: NotNow, now: datetime) -> NewTask:
    return NewTask(
        TaskKind.PROVIDER,
        f"{message.channel}/{outcome.code}/{now:%Y-%m-%d}",
        f"No {message.channel} goes out: the provider refuses everything (code {outcome.code}). "
        "Check its credentials, balance and sender; messages wait and go out when it works again.",
        now,
    )


def _tell_late_truth(
    tx: Tx, library: Library, late: Sequence[tuple[Message, Outcome]], now: datetime
) -> None:
    """Outcomes of a worker whose claim had run out: the row is unknown by now, or even sent again."""
    rows = {row.id: row for row in messages.by_ids(tx, [m.id for m, _ in late], lock=True)}
    for message, outcome in late:
        row = rows[message.id]
        same_try = row.attempts == message.attempts
        if same_try and isinstance(outcome, Accepted) and next_status(row.status, Event.ACCEPT):
            after = escalation_time(tx, library, row)
            messages.move(tx, [accept_move(row, outcome.provider_id, now, after)])
            close_question(tx, row, now)
        elif message.reason is Reason.IN_DOUBT and isinstance(outcome, Refused):
            _block(tx, message, outcome, now)  # the row stays unknown: an earlier copy may be there
        elif same_try and isinstance(outcome, Refused) and row.status is Status.UNKNOWN:
            values = {"reason": outcome.reason.value, "code": outcome.code}
            messages.move(tx, [Move.of(row, Event.REFUSE, now, **values)])
            close_question(tx, row, now)
            follow_refusal(tx, library, row, outcome, now)
        elif not same_try and isinstance(outcome, Accepted) and row.channel is not Channel.EMAIL:
            # An e-mail may come twice under one Message-ID, which its reader sees once.
            staff_tasks.open_all(tx, [sent_twice_task(row, now)], now)


def close_question(tx: Tx, message: Message, now: datetime) -> None:
    """It is known by now what became of the message: nobody need ask any more."""
    staff_tasks.close_of_message(tx, message.id, [TaskKind.OUTCOME_UNKNOWN], "journey", now)


def sent_twice_task(message: Message, now: datetime) -> NewTask:
    """What must never happen; if a provider's look-up was wrong, it is at least not hidden."""
    return NewTask(
        TaskKind.SENT_TWICE,
        str(message.id),
        f"The provider reports “{message.step}” twice; tell the patient, and report this to Journey.",
        now,
        message.enrollment_id,
        message.id,
    )
