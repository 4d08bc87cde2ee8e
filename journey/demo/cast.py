"""The demonstration's patients, each with one thing that a real clinic meets, and how their story opens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from journey.bootstrap import App
from journey.domain.conditions import FactValue
from journey.domain.pathway import Channel
from journey.services import changing, suppressing, wishes
from journey.services.admission import Request, prepare, read_arrival
from journey.services.enrolling import enroll
from journey.services.publishing import find_setting

PATHWAY = "bvn-ablation"
ACTOR = "demonstration"
# A Monday. Later in this March the clocks change, in New York two weeks before London, and Easter
# closes the clinic: the times that are hard to get right are all in view.
OPENS = datetime(2027, 3, 1, 10, tzinfo=UTC)
SECOND_DAY = OPENS + timedelta(days=1, hours=1)


@dataclass(frozen=True, eq=False, slots=True)
class Member:
    """One fictional patient. The numbers are kept for films: nobody owns them."""

    given_name: str
    family_name: str
    phone: str
    story: str
    procedure: date
    arrival: str | None
    facts: Mapping[str, FactValue] = field(default_factory=dict)
    time_zone: str | None = None
    joins: datetime = OPENS

    @property
    def email(self) -> str:
        return f"{self.given_name}@example.org".lower()

    @property
    def person(self) -> dict[str, Any]:
        return {
            "given_name": self.given_name,
            "family_name": self.family_name,
            "phone": self.phone,
            "email": self.email,
            "time_zone": self.time_zone,
        }


ANNA = Member(
    "Anna",
    "Kowalska",
    "+447700900101",
    "The ordinary course. Takes blood thinners, so she also gets the medicines plan.",
    date(2027, 3, 16),
    "09:00",
    {"takes_blood_thinners": True},
)
BEN = Member(
    "Ben",
    "Whitfield",
    "+447700900102",
    "Enrolled late, two days ahead: what still makes sense goes out at once, the rest says why not.",
    date(2027, 3, 4),
    "11:30",
    joins=SECOND_DAY,
)
CARLA = Member(
    "Carla",
    "Mendes",
    "+447700900103",
    "Moved by a week, from 12 to 19 March, after a message had named the old date.",
    date(2027, 3, 12),
    "08:00",
)
DAVID = Member(
    "David",
    "Osei",
    "+447700900104",
    "Replied STOP to texts: everything goes by e-mail from then on.",
    date(2027, 3, 16),
    "10:30",
)
ELIF = Member(
    "Elif",
    "Demir",
    "+447700900105",
    "Cancelled: her remaining messages stay on the line, each with its reason.",
    date(2027, 3, 16),
    "13:00",
)
FARAH = Member(
    "Farah",
    "Rahman",
    "+447700900106",
    "No arrival time yet: messages that quote it wait, and staff are asked for it.",
    date(2027, 3, 19),
    None,
)
GRACE = Member(
    "Grace",
    "Lindqvist",
    "+447700900107",
    "Lives in New York: messages keep her daytime, across both clock changes.",
    date(2027, 3, 16),
    "09:00",
    time_zone="America/New_York",
)
CAST = (ANNA, BEN, CARLA, DAVID, ELIF, FARAH, GRACE)


def enroll_member(app: App, member: Member) -> UUID:
    """Enrolls a patient now, as staff would; both channels with consent."""
    with app.context.database.read() as tx:
        setting = find_setting(tx, PATHWAY, None, ACTOR)
    request = Request(member.person, str(member.procedure), member.arrival, member.facts, True, True)
    return enroll(app.context, setting, prepare(request, setting, app.context.clock.now())).enrollment_id


def enroll_those_of(app: App, moment: datetime) -> dict[Member, UUID]:
    """Enrolls whoever joins at a moment."""
    return {member: enroll_member(app, member) for member in CAST if member.joins == moment}


def second_day(app: App, ids: Mapping[Member, UUID]) -> None:
    """What staff and patients do once the welcome messages are out."""
    later = wishes.reschedule(CARLA.procedure + timedelta(days=7), read_arrival(CARLA.arrival))
    changing.change(app.context, ids[CARLA], later, ACTOR)
    suppressing.stop(app.context, Channel.SMS, DAVID.phone, source="reply", evidence="STOP")
    changing.change(app.context, ids[ELIF], wishes.cancel(), ACTOR)
