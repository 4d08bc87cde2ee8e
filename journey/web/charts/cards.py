"""Messages as the demonstration's pages show them: from the timeline, and from the outbox."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from journey.domain.calendar import read_zone
from journey.domain.delivery import GONE_OUT, OPEN, Status
from journey.domain.eligibility import EnrollmentStatus
from journey.domain.pathway import ANSWERS, WRITTEN, Channel, Pathway
from journey.domain.site import Site
from journey.services.library import Library
from journey.services.timelines import Moment, timeline_of
from journey.store import enrollments, outbox, patients
from journey.store.database import Tx
from journey.store.enrollments import Enrollment
from journey.store.patients import Patient
from journey.store.replies import Reply
from journey.web.words import CHANNELS, STATES, Tag, say_zone, say_zones_in

_EVERYONE = 100


@dataclass(frozen=True, slots=True)
class Card:
    """One message. `at` is local to the patient; `at_clinic` is set where the clinic's clocks differ."""

    id: str
    title: str
    channel: str  # Text, E-mail, or empty where none is left
    at: datetime
    at_clinic: str
    status: Status
    reason: str
    subject: str
    text: str
    segments: int | None

    @property
    def state(self) -> Tag:
        return STATES[self.status]

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def went_out(self) -> bool:
        return self.status in GONE_OUT


@dataclass(frozen=True, slots=True)
class Chart:
    """One patient with all their messages."""

    enrollment: Enrollment
    patient: Patient
    site: Site
    pathway: Pathway
    zone: ZoneInfo
    cards: list[Card]

    @property
    def id(self) -> UUID:
        return self.enrollment.id

    @property
    def name(self) -> str:
        return f"{self.patient.person.given_name} {self.patient.person.family_name}"

    @property
    def is_abroad(self) -> bool:
        return self.zone.key != self.site.zone

    @property
    def is_called_off(self) -> bool:
        return self.enrollment.status is EnrollmentStatus.CANCELLED

    @property
    def next_card(self) -> Card | None:
        return next((card for card in self.cards if card.status is Status.PLANNED), None)


@dataclass(frozen=True, slots=True)
class Letter:
    """What a provider was given: a text on the phone, or an e-mail in the inbox; or what was written back.

    `may_answer`: it is the last text to its number, which is the one that a reply would be about.
    """

    id: str
    is_sms: bool
    to: str
    name: str
    enrollment: UUID
    title: str
    subject: str
    text: str
    html: str
    at: datetime
    zone: str  # named where it is not the clinic's
    segments: int | None
    is_new: bool
    is_reply: bool = False
    may_answer: bool = False


def step_title(pathway: Pathway, key: str) -> str:
    """The name by which staff know a step."""
    if key == pathway.correction.key:
        return pathway.correction.title
    if key == WRITTEN:
        return "Message from staff"
    if key.startswith(ANSWERS):
        return f"Automatic answer: {key.removeprefix(ANSWERS)}"
    return next((step.title for step in pathway.steps if step.key == key), key)


def read_charts(tx: Tx, library: Library) -> list[Chart]:
    """Everybody, in the order of their procedures."""
    return [read_chart(tx, library, one) for one in enrollments.everyone(tx, _EVERYONE)]


def read_chart(tx: Tx, library: Library, enrollment: Enrollment) -> Chart:
    patient = patients.get(tx, enrollment.patient_id)
    assert patient is not None  # a foreign key
    line = timeline_of(tx, enrollment)
    site = library.site(tx, enrollment.site_id)
    pathway = library.version(tx, enrollment.pathway_version_id).pathway
    zone = read_zone(line.zone)
    cards = [_card(moment, pathway, zone, site) for moment in line.messages]
    return Chart(enrollment, patient, site, pathway, zone, sorted(cards, key=lambda card: card.at))


def _card(moment: Moment, pathway: Pathway, zone: ZoneInfo, site: Site) -> Card:
    at = datetime.fromisoformat(moment.at).astimezone(zone)
    return Card(
        id=moment.id,
        title=step_title(pathway, moment.step),
        channel=CHANNELS[Channel(moment.channel)] if moment.channel else "",
        at=at,
        at_clinic=clinic_time(at, site),
        status=Status(moment.status),
        reason=say_zones_in(moment.reason, zone.key),
        subject=moment.subject,
        text=moment.text,
        segments=moment.segments,
    )


def clinic_time(at: datetime, site: Site) -> str:
    """The same moment on the clinic's clocks, or nothing where they agree."""
    local = at.astimezone(read_zone(site.zone))
    if local.utcoffset() == at.utcoffset():
        return ""
    day = "" if local.date() == at.date() else f"{local:%a} "
    return f"{day}{local:%H:%M} {say_zone(site.zone)}"


def read_letters(
    delivered: Iterable[outbox.Delivered],
    charts: list[Chart],
    said: Mapping[UUID, Sequence[Reply]],
    is_new: Callable[[datetime], bool],
) -> list[Letter]:
    """What the outbox holds for the charts' patients, and what they `said` by enrollment; newest first."""
    owners = {card.id: (chart, card) for chart in charts for card in chart.cards}
    letters, answered = [], set()
    for kept in delivered:
        if str(kept.message_id) in owners:
            is_last = kept.channel is Channel.SMS and kept.content["to"] not in answered
            letter = _letter(kept, *owners[str(kept.message_id)], is_new(kept.at))
            letters.append(replace(letter, may_answer=is_last))
            if is_last:
                answered.add(kept.content["to"])
    letters += [_spoken(one, chart, is_new(one.at)) for chart in charts for one in said.get(chart.id, ())]
    return sorted(letters, key=lambda letter: letter.at, reverse=True)


def _spoken(one: Reply, chart: Chart, is_new: bool) -> Letter:
    return Letter(
        id=str(one.id),
        is_sms=True,
        to="",
        name=chart.name,
        enrollment=chart.id,
        title="Reply",
        subject="",
        text=one.text,
        html="",
        at=one.at.astimezone(chart.zone),
        zone=say_zone(chart.zone.key) if chart.is_abroad else "",
        segments=None,
        is_new=is_new,
        is_reply=True,
    )


def _letter(kept: outbox.Delivered, chart: Chart, card: Card, is_new: bool) -> Letter:
    return Letter(
        id=card.id,
        is_sms=kept.channel is Channel.SMS,
        to=kept.content["to"],
        name=chart.name,
        enrollment=chart.id,
        title=card.title,
        subject=kept.content["subject"],
        text=kept.content["text"],
        html=kept.content["html"],
        at=kept.at.astimezone(chart.zone),
        zone=say_zone(chart.zone.key) if chart.is_abroad else "",
        segments=card.segments,
        is_new=is_new,
    )
