"""The full check at the quiet end: nothing lost, nothing silent, and every status as the ledger has it."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from journey.domain.delivery import Status
from journey.domain.pathway import Channel
from journey.simulation.facts import Facts, everything
from journey.simulation.history import History
from journey.simulation.invariants import Invariants, is_otherwise
from journey.simulation.provider import Accept
from journey.store import audit
from journey.store.database import Tx
from journey.store.schema import staff_tasks
from journey.store.staff_tasks import TaskKind

_OVERDUE = timedelta(minutes=10)
_NOT_SENT = ("failed", "skipped", "expired", "cancelled")
_GONE_OUT = ("accepted", "delivered")


class Closing:
    """Looks at every row once, after the faults have stopped and time has passed."""

    def __init__(self, invariants: Invariants, history: History, ledger: list[Accept], now: datetime) -> None:
        self._invariants = invariants
        self._history = history
        self._accepts: dict[UUID, list[Accept]] = defaultdict(list)
        for entry in ledger:
            self._accepts[entry.message_id].append(entry)
        self._now = now
        self._asked: set[UUID] = set()

    def check(self, tx: Tx) -> None:
        rows = {facts.id: facts for facts in everything(tx)}
        self._no_question_left(tx, rows)
        for facts in rows.values():
            self._history.note(f"at the end {facts.step}/{facts.occurrence} {facts.status} {facts.reason}")
            self._settled(facts)
            self._explained(facts)
            self._agrees_with_ledger(facts)
        self._told_the_truth(list(rows.values()))
        state = audit.verify(tx)
        if state.broken_at is not None:
            self._history.violate("the audit chain is broken", f"at entry {state.broken_at}")
        self._history.note(f"audit entries {state.entries}")

    def _fail(self, rule: str, facts: Facts, more: str = "") -> None:
        self._history.violate(rule, f"{facts.step}/{facts.occurrence} {more}".strip(), facts.enrollment_id)

    def _settled(self, facts: Facts) -> None:
        # Nobody can look up an e-mail: after a few copies it is unknown for good, and staff know.
        is_asked = facts.channel == Channel.EMAIL and facts.id in self._asked
        if facts.status == Status.SENDING or (facts.status == Status.UNKNOWN and not is_asked):
            self._fail("never settled", facts, facts.status)
        if facts.status == Status.PLANNED and facts.due_at < self._now - _OVERDUE:
            self._fail("lost: due, and still planned", facts, f"since {facts.due_at}")
        if facts.status == Status.HELD and facts.send_by < self._now - _OVERDUE:
            self._fail("lost: held beyond its deadline", facts, f"since {facts.send_by}")

    def _explained(self, facts: Facts) -> None:
        if facts.status in _NOT_SENT and not facts.reason:
            self._fail("silent: not sent, and no reason", facts, facts.status)

    def _agrees_with_ledger(self, facts: Facts) -> None:
        accepts = self._accepts.get(facts.id, [])
        if self._invariants.has_twin(facts.id):
            return  # which of two equal texts arrived, no ledger can say
        if facts.status in _GONE_OUT and not accepts:
            self._fail("says accepted, and is not in the ledger", facts)
        if facts.status == Status.DELIVERED and facts.channel == Channel.SMS:
            if not any(entry.outcome == "delivered" for entry in accepts):
                self._fail("says delivered, which the provider does not", facts)
        # Whether a mail server took an e-mail whose answer was lost, nobody can ever ask: only texts count.
        texts = [entry for entry in accepts if entry.channel is Channel.SMS]
        undelivered = any(entry.outcome == "undelivered" for entry in texts)
        if texts and facts.status not in _GONE_OUT and not (facts.status == Status.FAILED and undelivered):
            self._fail("is in the ledger, and says something else", facts, facts.status)

    def _told_the_truth(self, rows: list[Facts]) -> None:
        """Whoever was last told another date has a correction, or a reason why not."""
        correction = self._invariants.pathway.correction.key
        by_enrollment: dict[UUID, list[Facts]] = defaultdict(list)
        for facts in rows:
            by_enrollment[facts.enrollment_id].append(facts)
        for enrollment, own in by_enrollment.items():
            now = own[0]
            told = [t for t in self._invariants.told[enrollment] if t.arrives]
            if not told or now.enrollment_status != "active" or now.enrolled_date is None:
                continue
            if not is_otherwise(told[-1], now.enrolled_date, now.enrolled_arrival):
                continue
            mine = [f for f in own if f.step == correction and f.procedure_date == now.enrolled_date]
            if not mine and now.completed_on is None:
                self._fail("told another date, and never corrected", now, f"{told[-1].date}")

    def _no_question_left(self, tx: Tx, rows: dict[UUID, Facts]) -> None:
        query = select(staff_tasks.c.message_id, staff_tasks.c.kind, staff_tasks.c.done_at)
        for message_id, kind, done_at in tx.connection.execute(query):
            if kind == TaskKind.SENT_TWICE and not self._invariants.has_twin(message_id):
                self._fail("staff were told that it went out twice", rows[message_id])
            if kind != TaskKind.OUTCOME_UNKNOWN or done_at is not None:
                continue
            self._asked.add(message_id)
            if rows[message_id].status != Status.UNKNOWN:
                self._fail("settled, and staff are still asked about it", rows[message_id])
