"""Messages of all enrollments: how each stands, and one of them with its words."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from journey.domain.delivery import Status
from journey.services.describing import describe_message
from journey.store import messages
from journey.web.api.keys import ReadKey
from journey.web.api.paging import Cursor, Limit, answers, cursor_of, read_cursor
from journey.web.api.schemas import MessagePage, SingleMessageOut
from journey.web.api.shapes import message_summary_of
from journey.web.requests import TheApp

router = APIRouter(tags=["messages"])


@router.get("/messages", response_model=MessagePage, responses=answers())
def browse(
    app: TheApp,
    key: ReadKey,
    enrollment: Annotated[UUID | None, Query()] = None,
    status: Status | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> MessagePage:
    """Messages in the order in which they were planned, without their words."""
    with app.context.database.read() as tx:
        rows = messages.made(tx, enrollment, status, read_cursor(cursor), limit + 1)
    shown = rows[:limit]
    after = cursor_of(shown[-1].id) if len(rows) > limit else None
    return MessagePage(items=[message_summary_of(one) for one in shown], next=after)


@router.get("/messages/{message_id:uuid}", response_model=SingleMessageOut, responses=answers(404))
def read(app: TheApp, key: ReadKey, message_id: UUID) -> SingleMessageOut:
    """One message with its words, as they went out or would now."""
    enrollment, found = describe_message(app.context, app.library, message_id, key.actor)
    values = {name: getattr(found, name) for name in type(found).__slots__}
    return SingleMessageOut(enrollment=str(enrollment), **values)
