"""Reports: what went out and what became of it, as charts with their tables, and as CSV."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from fastapi import APIRouter
from fastapi.responses import Response

from journey.bootstrap import App
from journey.domain.contact import read_date
from journey.services import reports
from journey.services.csv_files import write_csv
from journey.services.reports import MOST_DAYS, Report
from journey.store.staff import Staff
from journey.web.access import Reader
from journey.web.charts.summaries import summarize_report
from journey.web.requests import TheApp
from journey.web.staff.shell import show
from journey.web.words import say_day

router = APIRouter()
_SPANS = ((7, "7 days"), (30, "30 days"), (90, "90 days"), (365, "A year"))
_USUAL = 30


@dataclass(frozen=True, slots=True)
class _Span:
    since: date
    until: date
    error: str = ""


def _read_span(app: App, since: str, until: str) -> _Span:
    today = reports.today_of(app.context)
    usual = _Span(today - timedelta(days=_USUAL - 1), today)
    try:
        begins = read_date(since) if since else usual.since
        ends = read_date(until) if until else today
    except ValueError as error:
        return _Span(usual.since, today, str(error))
    if begins > ends:
        return _Span(usual.since, today, f"{say_day(begins)} is after {say_day(ends)}; turn them round")
    if (ends - begins).days >= MOST_DAYS or begins.year < 2000 or ends > today + timedelta(days=MOST_DAYS):
        return _Span(usual.since, today, "a report covers at most two years; choose days that are nearer")
    return _Span(begins, ends)


@router.get("/reports")
def look(app: TheApp, who: Reader, since: str = "", until: str = "") -> Response:
    span = _read_span(app, since, until)
    report = reports.read_report(app.context, span.since, span.until, who.email)
    today = reports.today_of(app.context)
    spans = [(f"/reports?since={today - timedelta(days=days - 1)}", word, days) for days, word in _SPANS]
    return _show(app, who, report, span, spans, (span.until - span.since).days + 1)


def _show(
    app: App, who: Staff, report: Report, span: _Span, spans: list[tuple[str, str, int]], days: int
) -> Response:
    price = (app.settings.sms_segment_price, app.settings.currency)
    return show(
        app,
        who,
        "reports",
        here="/reports",
        status=422 if span.error else 200,
        report=report,
        found=summarize_report(report, *price),
        spans=spans,
        days=days,
        errors={"since": span.error} if span.error else {},
    )


@router.get("/reports.csv")
def download(app: TheApp, who: Reader, since: str = "", until: str = "") -> Response:
    """Every total of every day: one number a row."""
    span = _read_span(app, since, until)
    report = reports.read_report(app.context, span.since, span.until, who.email, seconds=20)
    rows = [(one.day, one.measure, one.channel, one.detail, one.number) for one in report.totals]
    raw = write_csv(["day", "measure", "channel", "detail", "number"], rows)
    name = f"journey-{span.since}-{span.until}.csv"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(raw, media_type="text/csv; charset=utf-8", headers=headers)
