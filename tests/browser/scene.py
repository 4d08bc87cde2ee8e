"""A clinic on an ordinary Tuesday: patients at every stage, tasks, a file, a webhook, and some history."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from journey.channels.protocol import Incoming
from journey.domain.access import Role, Scope
from journey.domain.pathway import Channel
from journey.services import (
    accounts,
    api_keys,
    auditing,
    suppressing,
    tasks_of_staff,
    uploads,
    webhooks,
    wishes,
    working,
)
from journey.services.columns import guess
from journey.services.conversation.receiving import follow, receive
from journey.services.csv_files import read_csv
from journey.services.publishing import find_setting
from journey.store import staff_tasks
from tests.clinic import PATHWAY, PROCEDURE, START, Clinic

ACTOR = "kim@clinic.example"
CSV = """First name,Surname,Mobile,Email,DOB,MRN,Procedure date,Arrival,Text consent,Ward
Ines,Duarte,07700 900131,ines@example.org,1958-02-03,D-131,2026-12-22,08:00,yes,4B
Otto,Weiss,07700 900132,,1949-11-30,D-132,2026-12-22,09:30,yes,4B
Nora,Lund,not a number,nora@example.org,1971-06-15,D-133,2026-12-23,,yes,2A
Emil,Holm,07700 900134,,1966-01-09,D-134,2026-13-01,10:00,maybe,2A
"""
PEOPLE = (
    # given, family, phone's end, days from now to the procedure, arrival
    ("Anna", "Kowalska", "101", -9, "09:00"),
    ("Ben", "Okafor", "102", 0, "12:30"),
    ("Chiara", "Ricci", "103", 0, "15:00"),
    ("Dev", "Patel", "104", 1, None),
    ("Elif", "Demir", "105", 6, "08:30"),
    ("Farid", "Haddad", "106", 14, "09:00"),
    ("Grace", "Lindqvist", "107", 21, None),
    ("Hugo", "Marchand", "108", -30, "10:00"),
    ("Iris", "Nowak", "109", 1, "11:00"),
)


def person(given: str, family: str, end: str) -> dict[str, str | None]:
    return {
        "given_name": given,
        "family_name": family,
        "phone": f"+447700900{end}",
        "email": f"{given.lower()}@example.org",
        "birth_date": f"19{40 + int(end) % 50}-04-12",
        "record_number": f"A-{end}",
    }


def play(clinic: Clinic) -> dict[str, UUID]:
    """Ten weeks of a practice; everybody's enrollment by given name. Ends at Tuesday noon."""
    today, found = START.date(), {}
    clinic.clock.at = START - timedelta(days=44)
    for given, family, end, days, arrival in sorted(PEOPLE, key=lambda one: one[3]):
        joins = max(clinic.clock.at, START - timedelta(days=18) + timedelta(days=min(days, 0)))
        clinic.run_until(joins)
        facts = {"takes_blood_thinners": "yes"} if given == "Anna" else {}
        day = today + timedelta(days=days)
        found[given] = clinic.enroll(
            person(given, family, end), day=day, arrival=arrival, facts=facts
        ).enrollment_id
    clinic.run_until(START - timedelta(days=8))
    clinic.change(found["Anna"], wishes.complete(today - timedelta(days=9)))
    clinic.change(found["Hugo"], wishes.complete(today - timedelta(days=30)))
    clinic.change(found["Ben"], wishes.confirm())
    clinic.change(found["Elif"], wishes.confirm())
    clinic.run_until(START)
    suppressing.stop(
        clinic.app.context, Channel.SMS, "+447700900106", source=ACTOR, evidence="Phoned: no texts"
    )
    clinic.change(found["Farid"], wishes.reschedule(PROCEDURE + timedelta(days=2), None))
    clinic.run_until(START + timedelta(hours=2) - timedelta(minutes=20))
    _answer(clinic)
    clinic.run_until(START + timedelta(hours=2))
    clinic.change(found["Iris"], wishes.cancel())
    _work_of_staff(clinic)
    return found


REPLIES = (
    ("105", "Can I still drink coffee on the morning? And where do I park?"),
    ("104", "Sorry, I can't come tomorrow, my daughter is ill"),
    ("101", "Since last night my left leg feels weak and it tingles"),
    ("108", "ok thanks"),
)


def _answer(clinic: Clinic) -> None:
    for number, (end, text) in enumerate(REPLIES):
        incoming = Incoming(f"SM{number}", f"+447700900{end}", text)
        follow(clinic.app.context, receive(clinic.app.context, clinic.app.library, incoming))
        clinic.clock.advance(timedelta(minutes=4))


def _work_of_staff(clinic: Clinic) -> None:
    context = clinic.app.context
    with clinic.database.read() as tx:
        tasks = staff_tasks.open_tasks(tx)
    if tasks:
        tasks_of_staff.claim(context, tasks[0]["id"], ACTOR)
        tasks_of_staff.note(context, tasks[0]["id"], "Rang twice, no answer. Trying again after two.", ACTOR)
    accounts.invite(context, "rosa@clinic.example", Role.CLINICIAN, ACTOR, name="Rosa Marino")
    api_keys.add(context, "Booking system", list(Scope), ACTOR)
    webhooks.add(context, "https://hospital.example/journey", ACTOR)
    working.work(context, 5, auditing.begin_check(context, ACTOR))


def upload(clinic: Clinic) -> UUID:
    """A file with two good rows and two bad ones, checked."""
    context = clinic.app.context
    import_id = uploads.keep(context, "december.csv", CSV.encode(), ACTOR)
    with clinic.database.read() as tx:
        setting = find_setting(tx, PATHWAY, None, ACTOR)
    mapping = guess(read_csv(CSV.encode(), "december.csv").header, setting.version.pathway)
    job_id = uploads.arrange(context, import_id, mapping, PATHWAY, setting.site.site.key, ACTOR)
    working.work(context, 5, job_id)
    return import_id
