"""One message in full: the words that went out, or those that would go out now, and its history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from journey.bootstrap import App
from journey.domain.explain import explain_reason
from journey.domain.pathway import Channel
from journey.domain.sms import measure
from journey.rendering.context import build_context
from journey.rendering.message import render_message
from journey.rendering.templates import TemplateError
from journey.services.context import Missing
from journey.store import messages
from journey.store.messages import Message
from journey.web.charts.cards import Card, Chart
from journey.web.demo.boards import Board
from journey.web.words import STATES, Tag


@dataclass(frozen=True, slots=True)
class Words:
    """What the patient reads. `problem` says why there are no words yet."""

    is_sms: bool
    to: str
    subject: str = ""
    text: str = ""
    html: str = ""
    segments: int | None = None
    problem: str = ""


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
    if row.channel is None:
        return Words(False, "", problem="It has no way to the patient, so it has no words.")
    is_sms = row.channel is Channel.SMS
    to = chart.patient.address(row.channel) or ""
    try:
        return _render(chart, row, row.channel, templates)
    except TemplateError:
        return Words(is_sms, to, problem="Its words need the arrival time, which is not set yet.")


def _render(chart: Chart, row: Message, channel: Channel, templates: object) -> Words:
    enrollment, locale = chart.enrollment, chart.patient.contact.locale
    variables = build_context(
        site=chart.site,
        person=chart.patient.person,
        channel=channel,
        locale=locale,
        procedure_date=enrollment.procedure_date,
        arrival_time=enrollment.arrival_time,
        facts=enrollment.facts,
    )
    rendered = render_message(templates, row.step, locale, channel, variables)  # type: ignore[arg-type]
    is_sms = channel is Channel.SMS
    size = measure(rendered.text).segments if is_sms else None
    to = chart.patient.address(channel) or ""
    return Words(is_sms, to, rendered.subject, rendered.text, rendered.html, size)


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
