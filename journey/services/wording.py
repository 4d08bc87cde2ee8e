"""The words of one message for one patient, as they would leave now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time

from journey.domain.conditions import FactValue
from journey.domain.contact import Person
from journey.domain.pathway import Channel
from journey.domain.site import Site
from journey.rendering.context import build_context
from journey.rendering.message import Rendered, render_message, render_written
from journey.rendering.templates import TemplateError
from journey.store import messages
from journey.store.enrollments import Enrollment
from journey.store.messages import Message
from journey.store.patients import Patient
from journey.store.sealing import Sealer, SealError


@dataclass(frozen=True, slots=True)
class Reader:
    """Whoever reads a message, as far as its words depend on them."""

    site: Site
    person: Person
    locale: str
    procedure_date: date | None
    arrival_time: time | None
    facts: Mapping[str, FactValue]


def reader_of(enrollment: Enrollment, patient: Patient, site: Site) -> Reader:
    return Reader(
        site,
        patient.person,
        patient.contact.locale,
        enrollment.procedure_date,
        enrollment.arrival_time,
        enrollment.facts,
    )


def word(
    sealer: Sealer,
    message: Message,
    channel: Channel,
    reader: Reader,
    templates: Mapping[str, str],
    unsubscribe: str = "",
) -> Rendered:
    """Raises TemplateError for what cannot be written yet, or never."""
    if message.written_by is not None:
        return _written(sealer, message, channel, reader, unsubscribe)
    return word_step(message.step, channel, reader, templates, unsubscribe)


def word_step(
    step: str, channel: Channel, reader: Reader, templates: Mapping[str, str], unsubscribe: str = ""
) -> Rendered:
    """The words of a pathway's own message, from its template."""
    variables = build_context(
        site=reader.site,
        person=reader.person,
        channel=channel,
        locale=reader.locale,
        procedure_date=reader.procedure_date,
        arrival_time=reader.arrival_time,
        facts=reader.facts,
    )
    return render_message(templates, step, reader.locale, channel, variables, unsubscribe=unsubscribe)


def _written(
    sealer: Sealer, message: Message, channel: Channel, reader: Reader, unsubscribe: str
) -> Rendered:
    """Staff's own words; an e-mail in the practice's layout."""
    try:
        content = sealer.open(message.sealed_content or b"", messages.CONTENT, message.id)
    except SealError:  # one damaged text must not hold up everybody behind it
        raise TemplateError("what staff wrote does not open; phone the patient, and write it again") from None
    if channel is Channel.SMS:
        return Rendered(content["text"])
    site = reader.site
    return render_written(
        content["subject"], content["text"], site.name, site.phone, reader.locale, unsubscribe
    )
