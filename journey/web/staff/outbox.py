"""The outbox: what would have gone out, as a phone and an inbox. Only where messages stay here."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse, Response

from journey.bootstrap import App
from journey.services.context import Missing, Refusal
from journey.services.conversation import playing
from journey.store import audit, enrollments, messages, outbox, replies
from journey.store.database import Tx
from journey.store.sealing import SealError
from journey.store.staff import Staff
from journey.web.access import Coordinator, Reader
from journey.web.charts.cards import Letter, read_chart, read_letters
from journey.web.forms import Form
from journey.web.requests import TheApp
from journey.web.staff.shell import keeps_messages, show

router = APIRouter()
_PAGE = 40


@router.get("/outbox")
def look(app: TheApp, who: Reader, before: Annotated[int | None, Query(ge=1, le=2**53)] = None) -> Response:
    return _look(app, who, before)


@router.post("/outbox/messages/{message_id}/reply")
def reply(app: TheApp, who: Coordinator, message_id: UUID, form: Form) -> Response:
    """What the patient would write back, to see what becomes of it."""
    if not _is_trial(app):
        raise Missing("Messages go out for real here: only the patient can reply.")
    try:
        playing.reply(app.context, app.library, message_id, form["text"], who.email)
    except Missing:
        raise
    except Refusal as error:
        return _look(app, who, None, str(error))
    return RedirectResponse("/outbox", status_code=303)


def _is_trial(app: App) -> bool:
    """Whether nothing at all goes out: then the patients are made up, and anybody may speak for them."""
    return app.settings.sms == app.settings.email == "outbox"


def _look(app: App, who: Staff, before: int | None, error: str = "") -> Response:
    if not keeps_messages(app):
        raise Missing("Messages go out for real here: there is no outbox.")
    app.library.forget_sites()
    with app.context.database.write() as tx:
        kept = outbox.recent(tx, _PAGE + 1, before)
        letters, seen = _letters(tx, app, kept[:_PAGE], is_newest=before is None)
        entries = [audit.Entry(who.email, "message.listed", one, {}) for one in seen]
        audit.append(tx, entries, app.context.clock.now())
    ways = ((app.settings.sms, "texts"), (app.settings.email, "e-mails"))
    names = [word for setting, word in ways if setting == "outbox"]
    return show(
        app,
        who,
        "outbox",
        here="/outbox",
        status=422 if error else 200,
        letters=letters,
        kept=" and ".join(names),
        next_page=kept[_PAGE - 1].id if len(kept) > _PAGE else None,
        may_reply=_is_trial(app),
        error=error,
    )


def _letters(
    tx: Tx, app: App, kept: list[outbox.Delivered], *, is_newest: bool
) -> tuple[list[Letter], list[str]]:
    """The letters, with the replies since the oldest of them, and whose they are, for the audit log."""
    rows = messages.by_ids(tx, [one.message_id for one in kept])
    charts = []
    for one in (enrollments.get(tx, key) for key in sorted({row.enrollment_id for row in rows})):
        if one is not None:
            with suppress(SealError):  # one damaged record must not hide all the others
                charts.append(read_chart(tx, app.library, one))
    said = {}
    if is_newest and kept:
        since = min(one.at for one in kept)
        for chart in charts:
            said[chart.id] = replies.of_enrollment(tx, chart.id, since)
    letters = read_letters(kept, charts, said, lambda at: False)
    shown = {letter.enrollment for letter in letters}
    return letters, sorted(f"patient/{chart.patient.id}" for chart in charts if chart.id in shown)
