"""What each page of the demonstration shows, gathered in one read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from journey.bootstrap import App
from journey.domain.calendar import read_zone
from journey.domain.delivery import Status
from journey.domain.pathway import Channel
from journey.services.context import Missing
from journey.services.library import Library
from journey.store import enrollments, messages, outbox, replies, staff_tasks, suppressions
from journey.store.database import Tx
from journey.store.patients import address_token
from journey.web.charts.cards import Card, Chart, Letter, read_charts, read_letters
from journey.web.charts.lines import Day, read_line
from journey.web.charts.states import state_of_enrollment
from journey.web.demo.controls import Controls
from journey.web.words import Tag, count, join, say_day, say_distance, say_zone

_OUTBOX = 500


@dataclass(frozen=True, slots=True)
class ClockFace:
    """The shown time on the clinic's clocks, and what comes next."""

    at: datetime
    news_after: datetime
    place: str
    is_playing: bool
    next_at: datetime | None
    next_distance: str
    next_text: str
    news: str

    def is_new(self, moment: datetime) -> bool:
        """Whether something came with the clock's last move, or at this very moment."""
        return moment > self.news_after or moment == self.at


@dataclass(frozen=True, slots=True)
class Task:
    """Something that needs a person."""

    patient: str
    enrollment: UUID
    text: str
    due: datetime


@dataclass(frozen=True, slots=True)
class Board:
    """The whole clinic at a moment. `letters` is the outbox, newest first."""

    face: ClockFace
    charts: list[Chart]
    letters: list[Letter]
    tasks: list[Task]
    version: str


def read_board(app: App, controls: Controls) -> Board:
    """Everything that the pages show, from one transaction."""
    now = app.context.clock.now()
    with app.context.database.read() as tx:
        return _board(tx, app.library, controls, now)


def _board(tx: Tx, library: Library, controls: Controls, now: datetime) -> Board:
    library.forget_sites()
    charts = read_charts(tx, library)
    face = _face(charts, controls, now)
    said = {chart.id: replies.of_enrollment(tx, chart.id) for chart in charts}
    letters = read_letters(outbox.recent(tx, _OUTBOX), charts, said, face.is_new)
    face = replace(face, news=_news(letters))
    return Board(face, charts, letters, _tasks(tx, charts), version_of(tx, controls, now))


def read_patient(app: App, enrollment_id: UUID, board: Board) -> tuple[Chart, list[Day], bool]:
    """One patient's chart, line of time, and whether texts are stopped. Refuses an unknown id."""
    chart = next((chart for chart in board.charts if chart.id == enrollment_id), None)
    if chart is None:
        raise Missing("There is no such patient in this demonstration.")
    with app.context.database.read() as tx:
        line = read_line(tx, chart, replies.of_enrollment(tx, chart.id), board.face.at)
        return chart, line, is_stopped(tx, chart, Channel.SMS)


def is_stopped(tx: Tx, chart: Chart, channel: Channel) -> bool:
    address = chart.patient.address(channel)
    if address is None:
        return True
    return bool(suppressions.active(tx, [address_token(tx.sealer, channel, address)]))


def version_of(tx: Tx, controls: Controls, now: datetime) -> str:
    """Changes whenever a page would look different."""
    counts = messages.counts_by_status(tx) | {"tasks": staff_tasks.count_open(tx)}
    revisions = sum(one.revision for one in enrollments.everyone(tx))
    return f"{now:%Y%m%d%H%M}.{int(controls.is_playing)}.{revisions}." + "-".join(
        f"{name}{number}" for name, number in sorted(counts.items())
    )


def _face(charts: list[Chart], controls: Controls, now: datetime) -> ClockFace:
    zone = read_zone(charts[0].site.zone if charts else "Europe/London")
    local = now.astimezone(zone)
    upcoming = controls.next_moment()
    next_at = upcoming.astimezone(zone) if upcoming else None
    return ClockFace(
        at=local,
        news_after=controls.news_after,
        place=say_zone(zone.key),
        is_playing=controls.is_playing,
        next_at=next_at,
        next_distance=say_distance(next_at.date(), local.date()) if next_at else "",
        next_text=_next_text(charts, next_at) if next_at else "",
        news="",
    )


def _next_text(charts: list[Chart], at: datetime) -> str:
    due: list[tuple[Chart, Card]] = [
        (chart, card)
        for chart in charts
        for card in chart.cards
        if card.status is Status.PLANNED and card.at == at
    ]
    if not due:
        return "A deadline passes"
    chart, card = due[0]
    more = f" and {len(due) - 1} more" if len(due) > 1 else ""
    return f"“{card.title}” to {chart.name}{more}"


def _news(letters: list[Letter]) -> str:
    fresh = [letter for letter in letters if letter.is_new and not letter.is_reply]
    texts, mails = sum(one.is_sms for one in fresh), sum(not one.is_sms for one in fresh)
    said = [count(texts, "text")] if texts else []
    said += [count(mails, "e-mail")] if mails else []
    return f"{join(said)} went out" if said else ""


def _tasks(tx: Tx, charts: list[Chart]) -> list[Task]:
    by_id = {chart.id: chart for chart in charts}
    found = []
    for row in staff_tasks.open_tasks(tx):
        chart = by_id.get(row["enrollment_id"])
        if chart is not None:
            due = row["due_at"].astimezone(read_zone(chart.site.zone))
            found.append(Task(chart.name, chart.id, _plain(chart, row["detail"]), due))
    return found


def _plain(chart: Chart, detail: str) -> str:
    """A task's text with the steps' titles for their keys."""
    for step in chart.pathway.steps:
        detail = detail.replace(f"“{step.key}”", f"“{step.title}”")
    return detail


def state_of(chart: Chart, now: datetime) -> Tag:
    """Where the patient stands, in a word."""
    today = now.astimezone(read_zone(chart.site.zone)).date()
    is_over = not any(card.is_open for card in chart.cards)
    return state_of_enrollment(chart.enrollment, today, is_over=is_over)


def procedure_of(chart: Chart, now: datetime) -> str:
    """The procedure's date as a sentence says it."""
    day = chart.enrollment.procedure_date
    if day is None:
        return "no date"
    if chart.is_called_off:
        return f"{say_day(day)} · cancelled"
    today = now.astimezone(read_zone(chart.site.zone)).date()
    return f"{say_day(day)} · {say_distance(day, today)}"
