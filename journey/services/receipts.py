"""Receipts: what the provider says later. Unordered, doubled and early ones do no harm."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from journey.domain.delivery import OPEN, Event, Status, next_status
from journey.domain.outcomes import Receipt, Refused
from journey.services.context import Context
from journey.services.escalating import Trouble, escalate
from journey.services.library import Library
from journey.services.recording import (
    accept_move,
    close_question,
    escalation_time,
    follow_refusal,
    sent_twice_task,
)
from journey.store import messages, staff_tasks
from journey.store.database import Conflict, Tx
from journey.store.messages import Message, Move
from journey.store.staff_tasks import TaskKind

_NEVER_LEFT = (Status.SKIPPED, Status.EXPIRED, Status.CANCELLED, Status.FAILED)


def receive(context: Context, library: Library, message_id: UUID, attempt: int, receipt: Receipt) -> bool:
    """Takes one receipt. False when no such message or attempt was ever made."""
    try:
        return _receive(context, library, message_id, attempt, receipt)
    except Conflict:
        # A look-up gave this id to a twin: same words, same number, same moment.
        return _receive(context, library, message_id, attempt, replace(receipt, provider_id=""))


def _receive(context: Context, library: Library, message_id: UUID, attempt: int, receipt: Receipt) -> bool:
    now = context.clock.now()
    with context.database.write() as tx:
        rows = messages.by_ids(tx, [message_id], lock=True)
        if not rows or not 1 <= attempt <= rows[0].attempts:
            return False
        waits_for_another_try = rows[0].status in OPEN
        if attempt == rows[0].attempts or waits_for_another_try:
            _apply(tx, library, rows[0], receipt, now)
        else:
            _about_an_older_attempt(tx, rows[0], receipt, now)
    return True


def _apply(tx: Tx, library: Library, row: Message, receipt: Receipt, now: datetime) -> None:
    if next_status(row.status, receipt.event) is None:
        return  # late or doubled: a terminal state stays
    if receipt.event is Event.ACCEPT:
        after = escalation_time(tx, library, row)
        messages.move(tx, [accept_move(row, receipt.provider_id, now, after)])
        close_question(tx, row, now)
        return
    values: dict[str, Any] = {
        "provider_id": receipt.provider_id or row.provider_id,
        "accepted_at": row.accepted_at or now,
        "code": receipt.code or None,
        "reason": receipt.reason.value if receipt.reason else None,
    }
    if receipt.event is Event.DELIVER:
        values["delivered_at"] = now
    messages.move(tx, [Move.of(row, receipt.event, now, **values)])
    close_question(tx, row, now)
    if receipt.event is Event.DELIVER:
        staff_tasks.close_of_message(tx, row.id, [TaskKind.NOT_DELIVERED], "journey", now)
    if receipt.event is Event.UNDELIVER:
        _follow_failure(tx, library, row, receipt, now)


def _follow_failure(tx: Tx, library: Library, row: Message, receipt: Receipt, now: datetime) -> None:
    assert receipt.reason is not None
    if receipt.resend and row.stands_in_for is None:
        escalate(tx, library, Trouble(row, receipt.reason, same_channel=True), now)
        return
    refused = Refused(receipt.reason, receipt.code, receipt.blocks_address, receipt.ask_staff)
    follow_refusal(tx, library, row, refused, now)


def _about_an_older_attempt(tx: Tx, row: Message, receipt: Receipt, now: datetime) -> None:
    """An attempt that was taken for lost had been accepted, and another one is out already."""
    went_out = receipt.event in (Event.ACCEPT, Event.DELIVER)
    if went_out and row.provider_id != receipt.provider_id and row.status not in _NEVER_LEFT:
        staff_tasks.open_all(tx, [sent_twice_task(row, now)], now)
