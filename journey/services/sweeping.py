"""Looking after what is not planned: leases that ran out, outcomes to look up, receipts that never came."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from journey.channels.protocol import CannotSay, Sent, Verdict
from journey.domain.delivery import Event, Reason, Status
from journey.domain.pathway import Channel
from journey.services.context import Context
from journey.services.dispatching import Worker
from journey.services.escalating import Trouble, escalate
from journey.services.library import Library
from journey.services.preparing import call_task
from journey.services.recording import accept_move, close_question, escalation_time
from journey.services.unsettled import ask_staff
from journey.store import messages, staff_tasks
from journey.store.database import Conflict, Tx
from journey.store.messages import Message, Move
from journey.store.sealing import SealError

_BATCH = 200
_LOOK_AGAIN = (
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=10),
    timedelta(hours=1),
)
_MOST_REPEATS = 3  # copies of one e-mail (same Message-ID) that a server without answers may get
_SAYS_ABSENT = "the provider does not have it"
_CANNOT_SAY = "nobody can say whether it left; the same e-mail goes out again"


def sweep(worker: Worker) -> int:
    """One round over everything whose time to be looked at has come. Returns how many there were."""
    context = worker.context
    if not worker.watch.is_settled():
        return 0
    now = context.clock.now()
    with context.database.write() as tx:
        rows = messages.to_check(tx, now, _BATCH)
        lost: list[tuple[Message, Sent]] = []
        for row in rows:
            if row.status is Status.UNKNOWN:
                try:
                    lost.append((row, _as_sent(tx, row)))
                except SealError:  # cannot be looked up by its words: a person must ask
                    _ask_staff(tx, row, now, now + _LOOK_AGAIN[-1])
            else:
                _look_after(tx, context, worker.library, row, now)
        # The look-ups run after this transaction; nobody else starts the same ones meanwhile.
        pause = timedelta(seconds=3 * context.rules.request)
        messages.postpone_check(tx, [row.id for row, _ in lost], now + pause)
    _look_up(worker, lost)
    return len(rows)


def _look_after(tx: Tx, context: Context, library: Library, row: Message, now: datetime) -> None:
    if row.status is Status.SENDING:
        # The worker died or hangs past its lease: it may have been sent.
        grace = timedelta(seconds=context.rules.lookup_grace)
        look_up = max(now, (row.claimed_at or now) + grace)
        reason = Reason.NO_ANSWER.value
        lost = Move.of(row, Event.LOSE, now, "the claim ran out", reason=reason, check_at=look_up)
        messages.move(tx, [lost])
    elif row.status is Status.HELD:
        messages.move(tx, [Move.of(row, Event.EXPIRE, now, reason=Reason.PAST_DEADLINE.value)])
        if row.critical:
            staff_tasks.open_all(tx, [call_task(row, Reason.PAST_DEADLINE, now)], now)
    elif row.status is Status.ACCEPTED:
        messages.postpone_check(tx, [row.id], None)
        escalate(tx, library, Trouble(row, Reason.NO_RECEIPT), now)


def _as_sent(tx: Tx, row: Message) -> Sent:
    """What the look-up needs: the words and the number as they were when they left."""
    content = messages.read_content(tx, row)
    tried_at = row.claimed_at or row.due_at
    return Sent(row.id, row.attempts, content["to"], content["text"], tried_at)


def _look_up(worker: Worker, lost: Sequence[tuple[Message, Sent]]) -> None:
    for channel in Channel:
        mine = [(row, sent) for row, sent in lost if row.channel is channel]
        if not mine:
            continue
        verdicts = worker.sender.find_all(channel, [sent for _, sent in mine])
        may_resend = worker.sender.may_resend(channel)
        for (row, _), verdict in zip(mine, verdicts, strict=True):
            try:
                _settle(worker, row, verdict, may_resend)
            except Conflict:
                # Another sweeper gave this id to a twin a moment ago: look again soon.
                continue


def _settle(worker: Worker, row: Message, verdict: Verdict, may_resend: bool) -> None:
    now = worker.context.clock.now()
    with worker.context.database.write() as tx:
        if isinstance(verdict, CannotSay):
            _unproven(tx, row, now, may_resend)
            return
        offered = verdict.provider_ids
        taken = messages.taken_provider_ids(tx, offered)
        own = next((one for one in offered if one not in taken), None)
        if own is not None:
            move = accept_move(row, own, now, escalation_time(tx, worker.library, row))
        else:
            move = _absent(tx, row, now)
        if messages.move(tx, [move]):
            close_question(tx, row, now)
            if move.event is Event.EXPIRE and row.critical:
                staff_tasks.open_all(tx, [call_task(row, Reason.PAST_DEADLINE, now)], now)


def _absent(tx: Tx, row: Message, now: datetime) -> Move:
    """Proven absent: back to the plan, where every other question is asked again before it goes."""
    if messages.superseded(tx, [row]):
        return Move.of(row, Event.SKIP, now, _SAYS_ABSENT, reason=Reason.SUPERSEDED.value)
    if now >= row.send_by:
        return Move.of(row, Event.EXPIRE, now, _SAYS_ABSENT, reason=Reason.PAST_DEADLINE.value)
    return Move.of(row, Event.SETTLE_ABSENT, now, _SAYS_ABSENT, reason=None, due_at=now)


def _unproven(tx: Tx, row: Message, now: datetime, may_resend: bool) -> None:
    """An e-mail goes out once more under its Message-ID; of anything else staff know, and it is asked
    again, ever less often."""
    if may_resend and row.attempts < _MOST_REPEATS and now < row.send_by:
        reason = Reason.IN_DOUBT.value
        messages.move(tx, [Move.of(row, Event.REPEAT, now, _CANNOT_SAY, reason=reason, due_at=now)])
        return
    waited = now - (row.claimed_at or now)
    pause = next((p for p in _LOOK_AGAIN if waited < 6 * p), _LOOK_AGAIN[-1])
    _ask_staff(tx, row, now, None if may_resend else now + pause)


def _ask_staff(tx: Tx, row: Message, now: datetime, look_again: datetime | None) -> None:
    move, task = ask_staff(row, now, look_again=look_again)
    if messages.move(tx, [move]):  # else a receipt has answered meanwhile
        staff_tasks.open_all(tx, [task], now)
