"""An enrollment before it is made: every message that would go out, and who looks like the same patient."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from journey.domain.contact import Person, fold
from journey.domain.pathway import Channel
from journey.services.admission import Prepared, Setting
from journey.services.context import Context
from journey.services.known import SomebodyElse, is_somebody_else, known_patient, merge
from journey.services.previewing import preview_prepared
from journey.services.reaching import address_tokens, reachable_channels
from journey.services.showing import ShownMessage
from journey.store import audit, enrollments, patients, suppressions
from journey.store.database import Tx
from journey.store.enrollments import LIVE, Enrollment
from journey.store.patients import Patient

_SAME_MOMENT = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Likeness:
    """Somebody on record who may be the same person. `enrollment`: their live one in this pathway."""

    patient_id: UUID
    name: str
    birth_date: date | None
    why: str
    is_same: bool  # enrolling adds to this record
    enrollment: Enrollment | None


@dataclass(frozen=True, slots=True)
class Consideration:
    """What enrolling would do now. `seen` stands for all of it: another digest means that it changed."""

    messages: Sequence[ShownMessage]
    likenesses: Sequence[Likeness]
    stopped: Sequence[Channel]  # addresses that are not to be written to
    seen: str

    @property
    def is_enrolled_already(self) -> bool:
        return any(one.is_same and one.enrollment is not None for one in self.likenesses)


def consider(context: Context, setting: Setting, prepared: Prepared) -> Consideration:
    """Everything that staff see before they confirm. Writes nothing but the audit of whom it showed.

    What the request leaves out is as a known patient's record has it. Raises SomebodyElse.
    """
    now = context.clock.now()
    with context.database.write() as tx:
        same = known_patient(tx, prepared.person)
        if same is not None:
            if is_somebody_else(same.person, prepared.person):
                raise SomebodyElse
            prepared = merge(same, prepared)
        tokens = address_tokens(tx, prepared.person)
        suppressed = suppressions.active(tx, [one for found in tokens.values() for one in found])
        reachable = reachable_channels(tokens, suppressed, prepared.contact)
        likenesses = _likenesses(tx, setting, prepared, same)
        entries = [
            audit.Entry(setting.actor, "patient.listed", f"patient/{like.patient_id}", {})
            for like in likenesses
        ]
        audit.append(tx, entries, now)
    messages = preview_prepared(prepared, setting, reachable, now)
    stopped = sorted({channel for _, channel in suppressed})
    return Consideration(messages, likenesses, stopped, _digest(prepared, setting, messages, likenesses, now))


def _digest(
    prepared: Prepared,
    setting: Setting,
    messages: Sequence[ShownMessage],
    likenesses: Sequence[Likeness],
    now: datetime,
) -> str:
    """Of everything shown; what goes out at once moves with the clock, which is no change."""
    shown = [
        [
            one.step,
            one.channel,
            one.status,
            one.text,
            "" if datetime.fromisoformat(one.at) - now < _SAME_MOMENT else one.at,
        ]
        for one in messages
    ]
    known = [[str(one.patient_id), str(one.enrollment.id) if one.enrollment else ""] for one in likenesses]
    asked = [
        repr((prepared.person, prepared.contact, prepared.procedure_date, prepared.arrival_time)),
        sorted(f"{name}={value}" for name, value in prepared.facts.items()),
        sorted(prepared.consent_stated),
    ]
    text = json.dumps([asked, str(setting.version.id), str(setting.site.id), shown, known])
    return hashlib.sha256(text.encode()).hexdigest()


def _likenesses(tx: Tx, setting: Setting, prepared: Prepared, same: Patient | None) -> list[Likeness]:
    person = prepared.person
    ids: list[UUID] = [same.id] if same else []
    own = [(Channel.SMS, person.phone), (Channel.EMAIL, person.email)]
    sharing = patients.with_addresses(tx, [(channel, address) for channel, address in own if address])
    ids += [one for one in sharing if one not in ids]
    found = [one for one in (patients.get(tx, patient_id) for patient_id in ids[:10]) if one is not None]
    namesakes = patients.search(tx, f"{person.given_name} {person.family_name}", 10)
    found += [one for one in namesakes if one.id not in ids and _is_namesake(one, prepared)]
    live = enrollments.live_of_patients(tx, [one.id for one in found]) if found else []
    known_id, day = same.id if same else None, prepared.procedure_date
    return [_likeness(one, prepared, known_id, _in_pathway(live, one, setting, day)) for one in found]


def _in_pathway(live: Sequence[Enrollment], one: Patient, setting: Setting, day: date) -> Enrollment | None:
    """Their live enrollment in the pathway, the one on the same day first."""
    key = setting.version.pathway_key
    mine = [row for row in live if row.patient_id == one.id and row.pathway == key and row.status in LIVE]
    return min(mine, key=lambda row: row.procedure_date != day, default=None)


def _is_namesake(one: Patient, prepared: Prepared) -> bool:
    theirs, ours = one.person, prepared.person
    births = {theirs.birth_date, ours.birth_date}
    return _full_name(theirs) == _full_name(ours) and (len(births) == 1 or None in births)


def _full_name(person: Person) -> str:
    return fold(f"{person.given_name} {person.family_name}")


def _likeness(one: Patient, prepared: Prepared, same: UUID | None, enrollment: Enrollment | None) -> Likeness:
    theirs, ours = one.person, prepared.person
    shared = [
        word
        for word, is_shared in (
            ("name", _full_name(theirs) == _full_name(ours)),
            ("date of birth", theirs.birth_date is not None and theirs.birth_date == ours.birth_date),
            ("phone", theirs.phone is not None and theirs.phone == ours.phone),
            ("e-mail", theirs.email is not None and theirs.email == ours.email),
            ("record number", bool(theirs.record_number) and theirs.record_number == ours.record_number),
        )
        if is_shared
    ]
    name = f"{theirs.given_name} {theirs.family_name}"
    return Likeness(one.id, name, theirs.birth_date, "same " + ", ".join(shared), one.id == same, enrollment)
