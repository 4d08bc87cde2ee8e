"""The words of one message: as they went out, or as they would read now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from journey.domain.pathway import Channel
from journey.domain.sms import measure
from journey.rendering.context import build_context
from journey.rendering.message import render_message
from journey.rendering.templates import TemplateError
from journey.store.messages import Message
from journey.web.charts.cards import Chart


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


def read_now(chart: Chart, row: Message, templates: Mapping[str, str]) -> Words:
    """As it would read if it went out now."""
    if row.channel is None:
        return Words(False, "", problem="It has no way to the patient, so it has no words.")
    is_sms = row.channel is Channel.SMS
    to = chart.patient.address(row.channel) or ""
    try:
        return _render(chart, row, row.channel, templates)
    except TemplateError:
        return Words(is_sms, to, problem="Its words need the arrival time, which is not set yet.")


def _render(chart: Chart, row: Message, channel: Channel, templates: Mapping[str, str]) -> Words:
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
    rendered = render_message(templates, row.step, locale, channel, variables)
    is_sms = channel is Channel.SMS
    size = measure(rendered.text).segments if is_sms else None
    to = chart.patient.address(channel) or ""
    return Words(is_sms, to, rendered.subject, rendered.text, rendered.html, size)
