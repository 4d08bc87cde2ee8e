"""The simulated practice: its sites, and the patients that the seed makes up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from uuid import UUID

from journey.domain.calendar import read_zone
from journey.domain.site import Site
from journey.services.admission import Request

PATHWAY = "bvn-ablation"
SITES = (
    Site(key="london", name="Spine Clinic London"),
    Site(
        key="new-york",
        name="Spine Clinic New York",
        country="US",
        zone="America/New_York",
        locale="en-US",
        phone="212-555-0100",
        address="1 Example Avenue, New York",
        emergency_number="911",
        emergency_place="the ER",
        urgent_advice_number="",
        lifting_limit="10 lb",
        open_weekdays=(0, 1, 2, 3, 4, 5),
    ),
    Site(
        key="lord-howe",
        name="Spine Clinic Lord Howe",
        country="AU",
        zone="Australia/Lord_Howe",
        phone="02 5550 1234",
        address="1 Example Road, Lord Howe",
        emergency_number="000",
        emergency_place="hospital",
        opens=time(9),
        closes=time(21),
        open_weekdays=(0, 1, 3, 4),
        keeps_public_holidays=False,
    ),
)
_ZONES = (
    "Europe/London",
    "America/New_York",
    "America/Los_Angeles",
    "America/St_Johns",
    "America/Sao_Paulo",
    "Africa/Casablanca",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
    "Pacific/Apia",
)
# Long enough before the spring and autumn changes of both hemispheres, for runs shorter than a year.
_STARTS = (date(2026, 3, 2), date(2026, 3, 25), date(2026, 9, 24), date(2026, 10, 20), date(2027, 3, 10))
_ARRIVALS = ("06:30", "07:30", "09:00", "11:15", "14:00", "17:30")


def first_instant(random: Random, days: int) -> datetime:
    """When a run begins: anywhere in a year, or shortly before clocks change if it is short."""
    day = random.choice(_STARTS)
    if days > 200:
        day = date(2026, 1, 1) + timedelta(days=random.randrange(365))
    return datetime.combine(day, time(random.randrange(24)), UTC)


@dataclass
class Patient:
    """Somebody who can be enrolled, perhaps more than once."""

    number: int
    site: int
    person: dict[str, str | None]
    sms: bool
    email: bool
    facts: dict[str, bool | str]

    @property
    def zone(self) -> str:
        return self.person["time_zone"] or SITES[self.site].zone


@dataclass
class Case:
    """An enrollment as the world knows it: what staff last said, whether or not it was taken."""

    id: UUID
    patient: Patient
    day: date | None
    arrival: time | None
    enrolled_at: int


def make_patient(random: Random, number: int) -> Patient:
    phone = f"+447700900{number % 1000:03d}" if random.random() < 0.6 else f"+1500555{number % 10000:04d}"
    kind = random.random()
    person: dict[str, str | None] = {
        "given_name": random.choice(("Anna", "Béla", "Chiara", "Dmitri", "Ewa", "Zoë")),
        "family_name": f"Sample {random.choice(('One', 'Two', 'O’Neil', 'Kowalska'))}",
        "phone": None if kind < 0.12 else phone,
        "email": None if 0.12 <= kind < 0.3 else f"patient{number}@example.org",
        "birth_date": "1961-04-12",
        "record_number": f"S-{number}",
        "time_zone": random.choice(_ZONES) if random.random() < 0.3 else None,
        "prefers": random.choice(("sms", "email", None, None)),
    }
    facts: dict[str, bool | str] = {
        "anesthesia": random.choice(("sedation", "general", "local")),
        "takes_blood_thinners": random.random() < 0.3,
        "diabetic": random.random() < 0.2,
    }
    agrees = random.random() > 0.03
    return Patient(number, random.randrange(len(SITES)), person, agrees, agrees, facts)


def make_partner(random: Random, patient: Patient, number: int) -> Patient:
    """Somebody with the same phone; at times with the very same procedure, so with the same texts."""
    person = patient.person | {"given_name": "Partner", "record_number": f"S-{number}"}
    person["email"] = f"patient{number}@example.org" if person["email"] else None
    facts = patient.facts if random.random() < 0.5 else patient.facts | {"diabetic": True}
    return Patient(number, patient.site, person, patient.sms, patient.email, facts)


def make_request(patient: Patient, day: date, arrival: time | None) -> Request:
    written = f"{arrival:%H:%M}" if arrival else None
    return Request(patient.person, day.isoformat(), written, patient.facts, patient.sms, patient.email)


def pick_day(random: Random, today: date) -> date:
    """A procedure date: a quarter of them at short notice, nearly all on working days."""
    lead = random.randint(0, 4) if random.random() < 0.25 else random.randint(5, 45)
    day = today + timedelta(days=lead)
    while day.weekday() > 4 and random.random() < 0.9:
        day += timedelta(days=1)
    return day


def pick_arrival(random: Random) -> time:
    return time.fromisoformat(random.choice(_ARRIVALS))


def local_today(patient: Patient, now: datetime) -> date:
    return now.astimezone(read_zone(SITES[patient.site].zone)).date()
