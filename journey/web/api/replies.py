"""What patients answered: that they did, and one reply with its words."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from journey.services.context import Missing
from journey.store import audit, replies
from journey.web.api.keys import ReadKey
from journey.web.api.paging import Cursor, Limit, answers, cursor_of, read_cursor
from journey.web.api.schemas import ReplyOut, ReplyPage
from journey.web.api.shapes import reply_of, reply_summary_of
from journey.web.requests import TheApp

router = APIRouter(tags=["replies"])


@router.get("/replies", response_model=ReplyPage, responses=answers())
def browse(
    app: TheApp,
    key: ReadKey,
    enrollment: Annotated[UUID | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> ReplyPage:
    """Replies in the order in which they were kept, without their words."""
    with app.context.database.read() as tx:
        rows = replies.made(tx, enrollment, read_cursor(cursor), limit + 1)
    shown = rows[:limit]
    after = cursor_of(shown[-1].id) if len(rows) > limit else None
    return ReplyPage(items=[reply_summary_of(one) for one in shown], next=after)


@router.get("/replies/{reply_id:uuid}", response_model=ReplyOut, responses=answers(404))
def read(app: TheApp, key: ReadKey, reply_id: UUID) -> ReplyOut:
    """One reply with its words."""
    with app.context.database.write() as tx:
        found = replies.get(tx, reply_id)
        if found is None:
            raise Missing("there is no such reply")
        subject = f"enrollment/{found.enrollment_id}" if found.enrollment_id else f"reply/{found.id}"
        audit.append(tx, [audit.Entry(key.actor, "reply.viewed", subject, {})], app.context.clock.now())
    return reply_of(found)
