"""What needs a person: listed, taken, written beside and done by other systems too."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response

from journey.bootstrap import App
from journey.services import tasks_of_staff
from journey.services.context import Missing
from journey.store import staff_tasks
from journey.web.api.keys import ReadKey, WriteKey
from journey.web.api.paging import Cursor, Limit, answers, cursor_of, read_cursor
from journey.web.api.schemas import NoteIn, TaskOut, TaskPage
from journey.web.api.shapes import task_of
from journey.web.requests import TheApp

router = APIRouter(tags=["tasks"])


@router.get("/tasks", response_model=TaskPage, responses=answers())
def browse(
    app: TheApp,
    key: ReadKey,
    state: Annotated[Literal["open", "done", "all"], Query()] = "open",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> TaskPage:
    """Tasks in the order in which they were opened."""
    is_done = {"open": False, "done": True, "all": None}[state]
    with app.context.database.read() as tx:
        rows = staff_tasks.made(tx, is_done, read_cursor(cursor), limit + 1)
    shown = rows[:limit]
    after = cursor_of(shown[-1]["id"]) if len(rows) > limit else None
    return TaskPage(items=[task_of(one) for one in shown], next=after)


@router.get("/tasks/{task_id:uuid}", response_model=TaskOut, responses=answers(404))
def read(app: TheApp, key: ReadKey, task_id: UUID) -> TaskOut:
    return _task(app, task_id)


def _task(app: App, task_id: UUID) -> TaskOut:
    with app.context.database.read() as tx:
        found = staff_tasks.get(tx, task_id)
    if found is None:
        raise Missing("there is no such task")
    return task_of(found)


@router.post("/tasks/{task_id:uuid}/claim", response_model=TaskOut, responses=answers(404, 409))
def claim(app: TheApp, key: WriteKey, task_id: UUID) -> TaskOut:
    """Takes it, so that two do not call the same patient."""
    tasks_of_staff.claim(app.context, task_id, key.actor)
    return _task(app, task_id)


@router.post("/tasks/{task_id:uuid}/done", response_model=TaskOut, responses=answers(404, 409))
def done(app: TheApp, key: WriteKey, task_id: UUID) -> TaskOut:
    tasks_of_staff.finish(app.context, task_id, key.actor)
    return _task(app, task_id)


@router.post(
    "/tasks/{task_id:uuid}/notes", status_code=204, response_class=Response, responses=answers(404, 409)
)
def note(app: TheApp, key: WriteKey, task_id: UUID, body: NoteIn) -> Response:
    """Writes beside a task. The text is sealed, since it may name the patient."""
    tasks_of_staff.note(app.context, task_id, body.text, key.actor)
    return Response(status_code=204)
