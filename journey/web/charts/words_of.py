"""The words of one message: as they went out, or as they would read now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from journey.domain.pathway import Channel
from journey.domain.sms import measure
from journey.rendering.templates import TemplateError
from journey.services.wording import reader_of, word
from journey.store.messages import Message
from journey.store.sealing import Sealer
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


def read_now(chart: Chart, row: Message, templates: Mapping[str, str], sealer: Sealer) -> Words:
    """As it would read if it went out now."""
    if row.channel is None:
        return Words(False, "", problem="It has no way to the patient, so it has no words.")
    is_sms = row.channel is Channel.SMS
    to = chart.patient.address(row.channel) or ""
    reader = reader_of(chart.enrollment, chart.patient, chart.site)
    try:
        rendered = word(sealer, row, row.channel, reader, templates)
    except TemplateError:
        return Words(is_sms, to, problem="Its words need the arrival time, which is not set yet.")
    size = measure(rendered.text).segments if is_sms else None
    return Words(is_sms, to, rendered.subject, rendered.text, rendered.html, size)
