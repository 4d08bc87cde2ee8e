"""One message in full: the words that went out, or those that would go out now, and its history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from journey.bootstrap import App
from journey.domain.explain import explain_reason
from journey.services.context import Missing
from journey.store import messages
from journey.web.charts.cards import Card, Chart
from journey.web.charts.words_of import Words, read_now
from journey.web.demo.boards import Board
from journey.web.words import STATES, Tag


@dataclass(frozen=True, slots=True)
class Happening:
    """One event of a message."""

    at: datetime
    state: Tag
    detail: str


def find(board: Board, message_id: UUID) -> tuple[Chart, Card]:
    for chart in board.charts:
        for card in chart.cards:
            if card.id == str(message_id):
                return chart, card
    raise Missing("There is no such message in this demonstration.")


def words_of(app: App, chart: Chart, message_id: UUID, board: Board) -> Words:
    """From the outbox; for a message that has not gone out, as it would read now."""
    sent = next((letter for letter in board.letters if letter.id == str(message_id)), None)
    if sent is not None:
        return Words(sent.is_sms, sent.to, sent.subject, sent.text, sent.html, sent.segments)
    with app.context.database.read() as tx:
        row = messages.by_ids(tx, [message_id])[0]
        templates = app.library.version(tx, chart.enrollment.pathway_version_id).templates
    return read_now(chart, row, templates, app.context.sealer)


def events_of(app: App, chart: Chart, message_id: UUID) -> list[Happening]:
    """Everything that was recorded about it, oldest first."""
    with app.context.database.read() as tx:
        rows = messages.events_of(tx, message_id)
    return [
        Happening(
            row["at"].astimezone(chart.zone),
            STATES[row["status"]],
            row["detail"] or explain_reason(row["reason"]),
        )
        for row in rows
    ]


def for_frame(html: str) -> str:
    """The e-mail as it is, but its links open in a tab of their own, as a mail program opens them."""
    return html.replace("<head>", '<head><base target="_blank">', 1)
