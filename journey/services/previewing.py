"""The whole calendar of a virtual patient: what would be sent, when, why then, in which words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from journey.domain.calendar import read_zone, to_instant
from journey.domain.conditions import FactValue
from journey.domain.contact import ContactPlan, Person
from journey.domain.delivery import Status
from journey.domain.pathway import Channel
from journey.domain.plan import PlannedMessage
from journey.rendering.message import Rendered
from journey.rendering.templates import TemplateError
from journey.services.admission import Prepared, Setting, plan_for
from journey.services.context import Context, Refusal
from journey.services.publishing import find_site
from journey.services.showing import NO_WORDS, ShownMessage, show_target
from journey.services.wording import Reader, word_step
from journey.store import pathways

_EARLY = timedelta(days=28)  # by default early enough for every step of an ordinary pathway
_SAM = Person("Sam", "Example", "+447700900000", "sam@example.org", None, None)


@dataclass(frozen=True, slots=True)
class VirtualPatient:
    """Whose calendar to show. Without `enrolled_at`: 28 days before the procedure, at ten."""

    procedure_date: date
    arrival_time: time | None = None
    enrolled_at: datetime | None = None
    facts: Mapping[str, FactValue] | None = None
    time_zone: str | None = None
    locale: str | None = None
    reachable: tuple[Channel, ...] = (Channel.SMS, Channel.EMAIL)
    prefers: Channel | None = None


def preview(context: Context, pathway: str, site: str | None, patient: VirtualPatient) -> list[ShownMessage]:
    """The calendar in the newest version of a pathway, drafts included."""
    return preview_in(_newest(context, pathway, site), patient)


def _newest(context: Context, pathway: str, site: str | None) -> Setting:
    with context.database.read() as tx:
        stored = find_site(tx, site)
        version = pathways.latest(tx, pathway)
        known = ", ".join(pathways.keys(tx)) or "none; run: journey migrate"
    if version is None:
        raise Refusal(f"there is no pathway {pathway}; there are: {known}")
    return Setting(stored, version, "preview")


def preview_in(setting: Setting, patient: VirtualPatient) -> list[ShownMessage]:
    site, version = setting.site.site, setting.version
    zone = read_zone(patient.time_zone or site.zone)
    enrolled_at = patient.enrolled_at or to_instant(patient.procedure_date - _EARLY, time(10), zone)
    contact = ContactPlan(patient.locale or site.locale, patient.time_zone, patient.prefers, True, True)
    facts = version.pathway.read_facts(patient.facts or {})
    prepared = Prepared(_SAM, contact, facts, patient.procedure_date, patient.arrival_time)
    return preview_prepared(prepared, setting, patient.reachable, enrolled_at)


def preview_prepared(
    prepared: Prepared, setting: Setting, reachable: tuple[Channel, ...], enrolled_at: datetime
) -> list[ShownMessage]:
    """Every message of somebody who would be enrolled at a moment, in the order of time."""
    zone = read_zone(prepared.contact.time_zone or setting.site.site.zone)
    _, changes = plan_for(prepared, setting, reachable, enrolled_at)
    targets = sorted(
        (change.target for change in changes if change.target is not None),
        key=lambda message: (message.due_at, message.step),
    )
    return [_show(message, prepared, setting, zone) for message in targets]


@dataclass(frozen=True, slots=True)
class Wording:
    """One template of a pathway as an example patient would read it. `fault`: why it cannot be shown."""

    step: str
    channel: Channel
    locale: str
    subject: str
    text: str
    fault: str = ""


def wordings(context: Context, pathway: str, site: str | None, patient: VirtualPatient) -> list[Wording]:
    """Every text and e-mail of the newest version, correction and answers included, for whoever approves."""
    setting = _newest(context, pathway, site)
    locale = patient.locale or setting.site.site.locale
    contact = ContactPlan(locale, None, None, True, True)
    facts = setting.version.pathway.read_facts(patient.facts or {})
    prepared = Prepared(_SAM, contact, facts, patient.procedure_date, patient.arrival_time)
    worded = setting.version.pathway.worded
    found = []
    for step, channel in ((step, channel) for step, channels in worded for channel in channels):
        try:
            words = _words(step, channel, prepared, setting)
            found.append(Wording(step, channel, locale, words.subject, words.text))
        except TemplateError as error:
            found.append(Wording(step, channel, locale, "", "", str(error)))
    return found


def _show(message: PlannedMessage, prepared: Prepared, setting: Setting, zone: ZoneInfo) -> ShownMessage:
    return show_target(message, _render(message, prepared, setting), zone)


def _render(message: PlannedMessage, prepared: Prepared, setting: Setting) -> Rendered:
    """The words, as far as they can be known: a message that waits for a fact has none yet."""
    if message.channel is None:
        return NO_WORDS
    try:
        return _words(message.step, message.channel, prepared, setting)
    except TemplateError:
        if message.verdict.value == Status.HELD.value:
            return NO_WORDS
        raise


def _words(step: str, channel: Channel, prepared: Prepared, setting: Setting) -> Rendered:
    reader = Reader(
        setting.site.site,
        prepared.person,
        prepared.contact.locale,
        prepared.procedure_date,
        prepared.arrival_time,
        prepared.facts,
    )
    return word_step(step, channel, reader, setting.version.templates)
