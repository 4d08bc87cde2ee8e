"""What staff send by hand: words of their own, or a planned message before its time. Each shown first."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from journey.bootstrap import App
from journey.domain.contact import FieldErrors
from journey.domain.pathway import Channel
from journey.services import staff_messages
from journey.services.context import Refusal, Stale
from journey.services.staff_messages import Leaving, Written
from journey.store.ids import new_id
from journey.store.staff import Staff
from journey.web.access import Coordinator
from journey.web.forms import Fields, Form
from journey.web.requests import TheApp
from journey.web.staff.patient import File, read_file, read_message
from journey.web.staff.shell import show
from journey.web.words import CHANNELS

router = APIRouter()
_AT_ONCE = timedelta(minutes=1)


@router.get("/enrollments/{enrollment_id}/write")
def ask(app: TheApp, who: Coordinator, enrollment_id: UUID) -> Response:
    file = read_file(app, enrollment_id, who)
    begins = [("text", f"{file.chart.site.sms_name}: "), ("message", str(new_id()))]
    return _form(app, who, file, Fields(begins), {})


@router.post("/enrollments/{enrollment_id}/write")
def write(app: TheApp, who: Coordinator, enrollment_id: UUID, form: Form) -> Response:
    """Shows what would go out; with the confirming button, sends it, once however often it is pressed."""
    file = read_file(app, enrollment_id, who)
    is_email = form["channel"] == Channel.EMAIL
    text = form["text"].replace("\r\n", "\n")
    words = Written(Channel.EMAIL, form["subject"], text) if is_email else Written(Channel.SMS, "", text)
    try:
        leaving = staff_messages.preview_written(app.context, enrollment_id, words)
        if form["step"] != "confirm":
            return _form(app, who, file, form, {}, leaving)
        staff_messages.write(app.context, enrollment_id, words, UUID(form["message"]), who.email)
    except FieldErrors as error:
        return _form(app, who, file, form, error.errors)
    except Refusal as error:
        return _form(app, who, file, form, {"": str(error)})
    except ValueError:
        return _form(app, who, file, form, {"": "This form is not ours any more. Open it again."})
    return RedirectResponse(f"/enrollments/{enrollment_id}", status_code=303)


def _form(
    app: App, who: Staff, file: File, form: Fields, errors: dict[str, str], leaving: Leaving | None = None
) -> Response:
    chart = file.chart
    ways = [one for one in Channel if chart.patient.address(one) and one not in file.stopped]
    channel = Channel.EMAIL if form["channel"] == Channel.EMAIL else Channel.SMS
    return show(
        app,
        who,
        "write",
        here="/patients",
        status=422 if errors else 200,
        chart=chart,
        form=form,
        message=form["message"] or str(new_id()),
        channels=[(one.value, CHANNELS[one]) for one in ways] or [("sms", "Text")],
        errors=errors,
        leaving=leaving,
        to=chart.patient.address(channel),
        **_when(file, leaving),
    )


def _when(file: File, leaving: Leaving | None) -> dict[str, object]:
    if leaving is None:
        return {"at": None, "is_now": False}
    return {"at": leaving.at.astimezone(file.chart.zone), "is_now": leaving.at - file.now < _AT_ONCE}


@router.get("/enrollments/{enrollment_id}/messages/{message_id}/send-now")
def ask_now(app: TheApp, who: Coordinator, enrollment_id: UUID, message_id: UUID) -> Response:
    return _now(app, who, enrollment_id, message_id)


@router.post("/enrollments/{enrollment_id}/messages/{message_id}/send-now")
def send_now(app: TheApp, who: Coordinator, enrollment_id: UUID, message_id: UUID, form: Form) -> Response:
    try:
        seen = datetime.fromisoformat(form["seen"])
        if seen.tzinfo is None:
            raise ValueError("no zone")
    except ValueError:
        return _now(app, who, enrollment_id, message_id)
    try:
        staff_messages.forward(app.context, enrollment_id, message_id, seen, who.email)
    except Refusal as error:
        return _now(app, who, enrollment_id, message_id, error)
    return RedirectResponse(f"/enrollments/{enrollment_id}", status_code=303)


def _now(
    app: App, who: Staff, enrollment_id: UUID, message_id: UUID, error: Refusal | None = None
) -> Response:
    file = read_file(app, enrollment_id, who, "message.viewed")
    card, row, words, _ = read_message(app, file.chart, message_id)
    leaving = None
    try:
        leaving = staff_messages.preview_forward(app.context, enrollment_id, message_id)
    except Refusal as refusal:
        error = error or refusal
    return show(
        app,
        who,
        "send-now",
        here="/patients",
        status=409 if isinstance(error, Stale) else 422 if error else 200,
        chart=file.chart,
        card=card,
        words=words,
        seen=row.due_at.isoformat(),
        leaving=leaving,
        error=str(error or ""),
        **_when(file, leaving),
    )
