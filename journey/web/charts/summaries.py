"""A report in words, numbers and charts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from journey.domain.delivery import GONE_OUT, Status
from journey.domain.pathway import Channel
from journey.services.reports import Report
from journey.store.totals import LATER, REACH
from journey.web.charts.plots import Plot, Series, columns
from journey.web.words import CHANNELS, STATES, Tag, count

_TRIED = (*GONE_OUT, Status.FAILED)
_OUTCOMES = (
    ("went ahead", "Went ahead", "good"),
    ("not said", "Outcome not said", "info"),
    ("cancelled early", "Cancelled early", "warn"),
    ("cancelled late", "Cancelled late", "bad"),
    ("withdrawn", "No more messages", "quiet"),
)
_SOON = {"1": "In a minute", "5": "In 5 minutes", "60": "In an hour", LATER: "Later", "none": "No receipt"}
_WHY_STOPPED = {"opted_out": "the patient stopped them", "bad_address": "the address does not work"}
_DAYS_BY_WEEK = 45  # from here on a column stands for a week


@dataclass(frozen=True, slots=True)
class Headline:
    """One number with its name and what it means."""

    label: str
    value: str
    note: str


@dataclass(frozen=True, slots=True)
class StateRow:
    tag: Tag
    numbers: Sequence[int]


@dataclass(frozen=True, slots=True)
class Summary:
    headlines: Sequence[Headline]
    plots: Sequence[Plot]
    states: Sequence[StateRow]
    channels: Sequence[str]
    stopped: Sequence[tuple[str, str, int]]
    goals: Sequence[tuple[str, int]]


def summarize_report(report: Report, price: float, currency: str) -> Summary:
    goals = sorted({one.detail for one in report.totals if one.measure == "goals"})
    return Summary(
        _headlines(report, price, currency),
        [_sent(report), _procedures(report), _reach(report)],
        _states(report),
        [CHANNELS[channel] for channel in Channel],
        _stopped(report),
        [(goal.replace("_", " ").capitalize(), report.sum("goals", detail=goal)) for goal in goals],
    )


def _headlines(report: Report, price: float, currency: str) -> list[Headline]:
    sent = sum(report.sum("messages", detail=status.value) for status in GONE_OUT)
    tried = sum(report.sum("messages", Channel.SMS.value, status.value) for status in _TRIED)
    arrived = report.sum("messages", Channel.SMS.value, Status.DELIVERED.value)
    procedures = report.sum("procedures")
    ahead = report.sum("procedures", detail="went ahead")
    late = report.sum("procedures", detail="cancelled late")
    early = report.sum("procedures", detail="cancelled early")
    confirmed, stood = report.sum("confirmed"), ahead + report.sum("procedures", detail="not said")
    segments = report.sum("segments", Channel.SMS.value)
    cost = f"{segments * price:,.2f} {currency}" if price else "price not set"
    return [
        Headline("Procedures", f"{procedures:,}", f"{ahead:,} went ahead"),
        Headline(
            "Confirmed",
            _share(confirmed, stood, "none"),
            f"{confirmed:,} of {stood:,} that were not cancelled",
        ),
        Headline("Messages sent", f"{sent:,}", f"{count(report.sum('messages'), 'message')} were planned"),
        Headline("Texts delivered", _share(arrived, tried), f"{arrived:,} of {tried:,} have a receipt"),
        Headline("Cancelled", f"{early + late:,}", f"{late:,} within two days of it, {early:,} earlier"),
        Headline("Opt-outs", f"{report.sum('stopped', detail='opted_out'):,}", "stopped texts or e-mails"),
        Headline("Text segments", f"{segments:,}", cost),
    ]


def _share(part: int, whole: int, nothing: str = "none sent") -> str:
    return f"{100 * part / whole:.1f} %" if whole else nothing


def _spans(report: Report) -> tuple[list[str], list[list[date]]]:
    """The columns' names and days: a day each, or a week each in long reports."""
    days = [report.since + timedelta(days=n) for n in range((report.until - report.since).days + 1)]
    size = 7 if len(days) > _DAYS_BY_WEEK else 1
    parts = [days[start : start + size] for start in range(0, len(days), size)]
    return [f"{part[0].day} {part[0]:%b}" for part in parts], parts


def _over_time(report: Report, measure: str, detail: Sequence[str], channel: str | None = None) -> list[int]:
    by_day: dict[date, int] = defaultdict(int)
    for one in report.totals:
        if one.measure == measure and one.detail in detail and channel in (None, one.channel):
            by_day[one.day] += one.number
    return [sum(by_day[day] for day in part) for part in _spans(report)[1]]


def _sent(report: Report) -> Plot:
    out = [status.value for status in GONE_OUT]
    series = [
        Series("Texts", "info", _over_time(report, "messages", out, Channel.SMS.value)),
        Series("E-mails", "good", _over_time(report, "messages", out, Channel.EMAIL.value)),
        Series("Failed", "bad", _over_time(report, "messages", [Status.FAILED.value])),
    ]
    total = sum(sum(one.values) for one in series)
    return columns(
        "Messages by day", f"{count(total, 'message')}, by their due day.", _spans(report)[0], series
    )


def _procedures(report: Report) -> Plot:
    series = [Series(label, tone, _over_time(report, "procedures", [key])) for key, label, tone in _OUTCOMES]
    total = sum(sum(one.values) for one in series)
    said = f"{count(total, 'procedure')}, by the day they were planned for."
    return columns("Procedures", said, _spans(report)[0], series)


def _reach(report: Report) -> Plot:
    keys = [*(name for name, _ in REACH), LATER, "none"]
    series = [Series("Texts", "info", [report.sum("reach", Channel.SMS.value, key) for key in keys])]
    said = "From a text’s due time to the receipt that it arrived. E-mail gives no receipts."
    return columns("Time to reach", said, [_SOON[key] for key in keys], series)


def _states(report: Report) -> list[StateRow]:
    rows = []
    for status in Status:
        numbers = [report.sum("messages", channel.value, status.value) for channel in Channel]
        numbers.append(report.sum("messages", detail=status.value))
        if numbers[-1]:
            rows.append(StateRow(STATES[status], numbers))
    return rows


def _stopped(report: Report) -> list[tuple[str, str, int]]:
    found = sorted({(one.channel, one.detail) for one in report.totals if one.measure == "stopped"})
    return [
        (
            f"{CHANNELS[Channel(channel)]}s",
            _WHY_STOPPED.get(why, why.replace("_", " ")),
            report.sum("stopped", channel, why),
        )
        for channel, why in found
    ]
