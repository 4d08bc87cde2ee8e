"""One patient: everything in one line of time, each message opened to its words and its history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from journey.bootstrap import App
from journey.domain.calendar import read_zone
from journey.domain.delivery import GONE_OUT
from journey.domain.eligibility import EnrollmentStatus
from journey.domain.explain import explain_reason, explain_time
from journey.domain.pathway import Channel
from journey.services.context import Missing
from journey.services.library import Library
from journey.services.taking_back import terms_before
from journey.store import audit, enrollments, messages, pathways, replies, staff_tasks, suppressions
from journey.store.database import Tx
from journey.store.enrollments import Enrollment
from journey.store.messages import Message
from journey.store.patients import address_token
from journey.store.replies import Reply
from journey.store.staff import Staff
from journey.web.access import Reader
from journey.web.charts.acts import Ways, acts_for
from journey.web.charts.cards import Card, Chart, read_chart, step_title
from journey.web.charts.conversation import read_conversation
from journey.web.charts.lines import Day, read_line
from journey.web.charts.states import state_of_enrollment
from journey.web.charts.words_of import Words, read_now
from journey.web.requests import TheApp
from journey.web.security import FRAMED_MAIL, WITH_FRAMES
from journey.web.staff.shell import show
from journey.web.staff.today import KINDS
from journey.web.words import STATES, Tag, say_zones_in

router = APIRouter()
_NEWS = {"1": "Enrolled. Every message below goes out by itself.", "0": "Was enrolled already."}
_LAST = 40  # audit entries on the page; the audit log has the rest


@dataclass(frozen=True, slots=True)
class File:
    """Everything about one enrollment that its pages show."""

    chart: Chart
    line: list[Day]
    state: Tag
    tasks: list[dict[str, Any]]
    notes: dict[UUID, list[staff_tasks.Note]]
    replies: list[Reply]
    others: list[Enrollment]
    trail: list[dict[str, Any]]
    stopped: frozenset[Channel]
    ways: Ways
    now: datetime


def read_file(app: App, enrollment_id: UUID, who: Staff, action: str = "patient.viewed") -> File:
    """Raises Missing. Whoever reads a patient's file is in the audit log."""
    app.library.forget_sites()
    now = app.context.clock.now()
    with app.context.database.write() as tx:
        found = enrollments.get(tx, enrollment_id)
        if found is None:
            raise Missing("There is no such patient.")
        file = _read(tx, app.library, found, now)
        audit.append(tx, [audit.Entry(who.email, action, f"patient/{found.patient_id}", {})], now)
    return file


def _read(tx: Tx, library: Library, found: Enrollment, now: datetime) -> File:
    chart = read_chart(tx, library, found)
    said = replies.of_enrollment(tx, found.id)
    today = now.astimezone(read_zone(chart.site.zone)).date()
    is_over = not any(card.is_open for card in chart.cards)
    tasks = sorted(staff_tasks.of_enrollment(tx, found.id), key=lambda one: one["opened_at"])
    newest = pathways.latest(tx, found.pathway, published=True)
    newer = newest.id if newest and newest.id != found.pathway_version_id else None
    own = {f"enrollment/{found.id}", f"patient/{found.patient_id}"}
    trail = [entry for subject in sorted(own) for entry in audit.of_subject(tx, subject, _LAST)]
    return File(
        chart=chart,
        line=read_line(tx, chart, said, now),
        state=state_of_enrollment(found, today, is_over=is_over),
        tasks=tasks,
        notes=staff_tasks.notes_of(tx, [one["id"] for one in tasks]),
        replies=said,
        others=[one for one in enrollments.of_patients(tx, [found.patient_id]) if one.id != found.id],
        trail=sorted(trail, key=lambda one: -one["seq"])[:_LAST],
        stopped=_stopped(tx, chart),
        ways=Ways(newer, terms_before(tx, found, now)),
        now=now.astimezone(read_zone(chart.site.zone)),
    )


def _stopped(tx: Tx, chart: Chart) -> frozenset[Channel]:
    given = {channel: chart.patient.address(channel) for channel in Channel}
    tokens = {address_token(tx.sealer, one, text): one for one, text in given.items() if text}
    return frozenset(channel for _, channel in suppressions.active(tx, list(tokens)))


@router.get("/enrollments/{enrollment_id}")
def patient(app: TheApp, who: Reader, enrollment_id: UUID, new: str = "") -> Response:
    file = read_file(app, enrollment_id, who)
    chart = file.chart
    return show(
        app,
        who,
        "patient",
        here="/patients",
        file=file,
        chart=chart,
        acts=acts_for(chart, file.now, file.ways),
        may_write=chart.enrollment.status is EnrollmentStatus.ACTIVE,
        conversation=read_conversation(chart, file.replies),
        reply_of={one.task_id: one for one in file.replies},
        kinds=KINDS,
        channels=list(Channel),
        news=_NEWS.get(new, ""),
        local=lambda moment: moment.astimezone(read_zone(chart.site.zone)),
    )


@router.get("/enrollments/{enrollment_id}/messages/{message_id}")
def message(app: TheApp, who: Reader, enrollment_id: UUID, message_id: UUID) -> Response:
    """Its words, why it goes out when it does, and everything that happened to it."""
    file = read_file(app, enrollment_id, who, "message.viewed")
    card, row, words, events = read_message(app, file.chart, message_id)
    response = show(
        app,
        who,
        "message",
        here="/patients",
        chart=file.chart,
        card=card,
        row=row,
        words=words,
        events=events,
        why=say_zones_in(explain_time(row.why), file.chart.zone.key),
        title=step_title(file.chart.pathway, row.step),
    )
    response.headers["content-security-policy"] = WITH_FRAMES
    return response


@router.get("/enrollments/{enrollment_id}/messages/{message_id}/html")
def html(app: TheApp, who: Reader, enrollment_id: UUID, message_id: UUID) -> HTMLResponse:
    """An e-mail as it would look now, in a sandbox of its own: no scripts, no forms, nothing loaded."""
    file = read_file(app, enrollment_id, who, "message.viewed")
    _, _, words, _ = read_message(app, file.chart, message_id)
    framed = words.html.replace("<head>", '<head><base target="_blank">', 1)
    return HTMLResponse(framed, headers={"content-security-policy": FRAMED_MAIL})


def read_message(
    app: App, chart: Chart, message_id: UUID
) -> tuple[Card, Message, Words, list[tuple[datetime, Tag, str]]]:
    """One message of a patient: its card, its row, its words, and what happened to it. Raises Missing."""
    with app.context.database.read() as tx:
        rows = [one for one in messages.by_ids(tx, [message_id]) if one.enrollment_id == chart.id]
        if not rows:
            raise Missing("There is no such message.")
        templates = app.library.version(tx, chart.enrollment.pathway_version_id).templates
        kept, happened = messages.read_content(tx, rows[0]), messages.events_of(tx, message_id)
    row = rows[0]
    words = read_now(chart, row, templates, app.context.sealer)
    if kept and row.status in GONE_OUT:
        # What was sent stands as it was sent, whatever the template or the patient's details say now.
        is_sms = row.channel is Channel.SMS
        words = Words(is_sms, kept["to"], kept.get("subject", ""), kept["text"], segments=row.segments)
    events = [
        (
            one["at"].astimezone(chart.zone),
            STATES[one["status"]],
            one["detail"] or explain_reason(one["reason"]),
        )
        for one in happened
    ]
    card = next(card for card in chart.cards if card.id == str(message_id))
    return card, row, words, events
