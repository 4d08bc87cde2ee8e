"""The outbox: what would have gone out, as a phone and an inbox. Only where messages stay here."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from journey.bootstrap import App
from journey.services.context import Missing
from journey.store import audit, enrollments, messages, outbox
from journey.store.database import Tx
from journey.store.sealing import SealError
from journey.web.access import Reader
from journey.web.charts.cards import Letter, read_chart, read_letters
from journey.web.requests import TheApp
from journey.web.staff.shell import keeps_messages, show

router = APIRouter()
_PAGE = 40


@router.get("/outbox")
def look(app: TheApp, who: Reader, before: Annotated[int | None, Query(ge=1, le=2**53)] = None) -> Response:
    if not keeps_messages(app):
        raise Missing("Messages go out for real here: there is no outbox.")
    app.library.forget_sites()
    with app.context.database.write() as tx:
        kept = outbox.recent(tx, _PAGE + 1, before)
        letters, seen = _letters(tx, app, kept[:_PAGE])
        entries = [audit.Entry(who.email, "message.listed", one, {}) for one in seen]
        audit.append(tx, entries, app.context.clock.now())
    ways = ((app.settings.sms, "texts"), (app.settings.email, "e-mails"))
    names = [word for setting, word in ways if setting == "outbox"]
    return show(
        app,
        who,
        "outbox",
        here="/outbox",
        letters=letters,
        kept=" and ".join(names),
        next_page=kept[_PAGE - 1].id if len(kept) > _PAGE else None,
    )


def _letters(tx: Tx, app: App, kept: list[outbox.Delivered]) -> tuple[list[Letter], list[str]]:
    """The letters, and whose they are, for the audit log."""
    rows = messages.by_ids(tx, [one.message_id for one in kept])
    charts = []
    for one in (enrollments.get(tx, key) for key in sorted({row.enrollment_id for row in rows})):
        if one is not None:
            with suppress(SealError):  # one damaged record must not hide all the others
                charts.append(read_chart(tx, app.library, one))
    letters = read_letters(kept, charts, lambda at: False)
    shown = {letter.enrollment for letter in letters}
    return letters, sorted(f"patient/{chart.patient.id}" for chart in charts if chart.id in shown)
