"""Today: what needs a person first, then who comes today and tomorrow, and what goes out."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from journey.domain.calendar import read_zone
from journey.services import tasks_of_staff, today
from journey.services.context import Refusal
from journey.services.today import OpenTask
from journey.store.staff_tasks import TaskKind
from journey.web.access import Coordinator, Reader
from journey.web.forms import Form, own_path
from journey.web.requests import TheApp
from journey.web.staff.shell import show
from journey.web.words import Tag

router = APIRouter()
# The most urgent kinds first; within a kind the time decides.
KINDS = {
    TaskKind.RED_FLAG: Tag("Urgent reply", "bad"),
    TaskKind.CALLS_OFF: Tag("May not come", "bad"),
    TaskKind.UNREACHABLE: Tag("Cannot be reached", "bad"),
    TaskKind.NOT_DELIVERED: Tag("Not delivered", "bad"),
    TaskKind.OUTCOME_UNKNOWN: Tag("Outcome unknown", "bad"),
    TaskKind.CANNOT_RENDER: Tag("No text", "bad"),
    TaskKind.PROVIDER: Tag("Provider", "bad"),
    TaskKind.REPLY: Tag("Reply", "info"),
    TaskKind.CALL: Tag("Call", "warn"),
    TaskKind.SENT_TWICE: Tag("Sent twice", "warn"),
    TaskKind.BAD_ADDRESS: Tag("Wrong address", "warn"),
    TaskKind.SET_ARRIVAL: Tag("Arrival time", "info"),
    TaskKind.CONFIRM_DONE: Tag("Went ahead?", "info"),
}
# Where a task is done, under the enrollment's address, and how the links say it.
_ANSWER = ("write", "Answer by text or e-mail")
_DONE_AT = {
    TaskKind.RED_FLAG: (_ANSWER,),
    TaskKind.CALLS_OFF: (
        ("acts/move", "Move the date"),
        ("acts/cancel", "Cancel the procedure"),
        _ANSWER,
    ),
    TaskKind.REPLY: (_ANSWER,),
    TaskKind.SET_ARRIVAL: (("acts/arrival", "Set the arrival time"),),
    TaskKind.CONFIRM_DONE: (("acts/went-ahead", "Say that it went ahead"),),
    TaskKind.BAD_ADDRESS: (("contact", "Change the details"),),
    TaskKind.UNREACHABLE: (("contact", "Change the details"),),
}
_BY_PHONE = (
    TaskKind.RED_FLAG,
    TaskKind.CALLS_OFF,
    TaskKind.REPLY,
    TaskKind.CALL,
    TaskKind.NOT_DELIVERED,
    TaskKind.UNREACHABLE,
    TaskKind.OUTCOME_UNKNOWN,
)


@router.get("/")
def home(app: TheApp, who: Reader, off: UUID | None = None, every: bool = False) -> Response:
    """`off`: an enrollment that was called off here just now, and may be taken back. `every`: all tasks."""
    return _home(app, who, off=off, most=today.EVERY_TASK if every else today.MOST_TASKS)


def _home(
    app: TheApp, who: Reader, error: str = "", off: UUID | None = None, most: int = today.MOST_TASKS
) -> Response:
    day = today.read_day(app.context, app.library, who.email, off, most)
    return show(
        app,
        who,
        "today",
        here="/",
        status=409 if error else 200,
        day=day,
        tasks=_sorted(day.tasks, day.at),
        kinds=KINDS,
        task_acts=_DONE_AT,
        by_phone=_BY_PHONE,
        local=_local,
        error=error,
    )


def _sorted(tasks: Any, now: datetime) -> list[OpenTask]:
    """What is overdue comes first, then by kind, patients' before strangers'; equal ones by their time."""
    order = list(KINDS)

    def place(one: OpenTask) -> tuple[bool, int, bool, datetime]:
        due = one.task["due_at"]
        return due > now, order.index(TaskKind(one.task["kind"])), one.whose is None, due

    return sorted(tasks, key=place)


def _local(one: OpenTask, moment: datetime, otherwise: datetime) -> datetime:
    zone = read_zone(one.whose.site.zone) if one.whose else otherwise.tzinfo
    return moment.astimezone(zone)


@router.post("/tasks/{task_id}/{act}")
def act(app: TheApp, who: Coordinator, task_id: UUID, act: str, form: Form) -> Response:
    """Take a task, give it back, write beside it, or be done with it."""
    try:
        if form["note"]:
            tasks_of_staff.note(app.context, task_id, form["note"], who.email)
        if act == "done":
            tasks_of_staff.finish(app.context, task_id, who.email)
        elif act in ("claim", "release"):
            getattr(tasks_of_staff, act)(app.context, task_id, who.email)
        elif act != "note":
            raise Refusal("A task has no such button.")
    except Refusal as error:
        return _home(app, who, str(error))
    return RedirectResponse(own_path(form["back"] or "/"), status_code=303)
