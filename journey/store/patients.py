"""Patients: sealed details, look-up by keyed tokens, and their consent per channel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, insert, select, update

from journey.domain.contact import ContactPlan, Person, fold, identity, name_prefixes
from journey.domain.pathway import Channel
from journey.store.database import Tx
from journey.store.ids import new_id
from journey.store.schema import consents, patient_tokens, patients
from journey.store.sealing import Sealer, SealError

PLACE = "patients.person"
_MOST_TEXT, _MOST_WORDS = 200, 6
_UNREADABLE = Person("A record", "that does not open", None, None, None, None)


@dataclass(frozen=True, slots=True)
class Patient:
    id: UUID
    person: Person
    contact: ContactPlan

    def address(self, channel: Channel) -> str | None:
        return self.person.phone if channel is Channel.SMS else self.person.email

    def consents_to(self, channel: Channel) -> bool:
        sms = channel is Channel.SMS
        return self.contact.consent_sms if sms else self.contact.consent_email


def address_token(sealer: Sealer, channel: Channel, address: str) -> bytes:
    """The token under which an address is suppressed and found. E-mail ignores case."""
    return sealer.token(channel.value, address.casefold())


def new_rows(
    sealer: Sealer, patient_id: UUID, person: Person, contact: ContactPlan, now: datetime
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A patient's own row and its look-up tokens."""
    row = {
        "id": patient_id,
        "identity_token": sealer.token("identity", identity(person)),
        **_values(sealer, patient_id, person, contact),
        "created_at": now,
    }
    return row, _tokens(sealer, patient_id, person)


def _seal_person(sealer: Sealer, patient_id: UUID, person: Person) -> bytes:
    details = asdict(person)
    details["birth_date"] = person.birth_date.isoformat() if person.birth_date else None
    return sealer.seal(details, PLACE, patient_id)


def _values(sealer: Sealer, patient_id: UUID, person: Person, contact: ContactPlan) -> dict[str, Any]:
    return {
        "sealed_person": _seal_person(sealer, patient_id, person),
        "locale": contact.locale,
        "time_zone": contact.time_zone,
        "prefers": contact.prefers.value if contact.prefers else None,
        "consent_sms": contact.consent_sms,
        "consent_email": contact.consent_email,
    }


def _tokens(sealer: Sealer, patient_id: UUID, person: Person) -> list[dict[str, Any]]:
    keys = {("name", prefix) for prefix in name_prefixes(person)}
    if person.phone:
        keys.add(("sms", person.phone))
    if person.email:
        keys.add(("email", person.email.casefold()))
    if person.record_number:
        keys.add(("record", person.record_number.casefold()))
    return [{"token": sealer.token(kind, value), "patient_id": patient_id} for kind, value in sorted(keys)]


def insert_all(tx: Tx, rows: Sequence[Mapping[str, Any]], tokens: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        tx.connection.execute(insert(patients), rows)
    if tokens:
        tx.connection.execute(insert(patient_tokens), tokens)


def update_details(tx: Tx, patient_id: UUID, person: Person, contact: ContactPlan) -> None:
    """Replaces a patient's details and their look-up tokens."""
    _write(tx, patient_id, person, _values(tx.sealer, patient_id, person, contact))


def _write(tx: Tx, patient_id: UUID, person: Person, values: dict[str, Any]) -> None:
    values["identity_token"] = tx.sealer.token("identity", identity(person))
    tx.connection.execute(update(patients).where(patients.c.id == patient_id).values(values))
    tx.connection.execute(delete(patient_tokens).where(patient_tokens.c.patient_id == patient_id))
    tx.connection.execute(insert(patient_tokens), _tokens(tx.sealer, patient_id, person))


def read_patient(row: Row[Any], sealer: Sealer) -> Patient:
    return Patient(row.id, open_person(sealer, row.id, row.sealed_person), read_contact(row))


def read_or_stand_in(row: Row[Any], sealer: Sealer) -> Patient:
    """For lists of many: a record that does not open must not hide all the others."""
    try:
        return read_patient(row, sealer)
    except SealError:
        return Patient(row.id, _UNREADABLE, read_contact(row))


def open_person(sealer: Sealer, patient_id: UUID, sealed: bytes) -> Person:
    details = sealer.open(sealed, PLACE, patient_id)
    born = details.pop("birth_date")
    return Person(**details, birth_date=date.fromisoformat(born) if born else None)


def read_contact(row: Any) -> ContactPlan:
    prefers = Channel(row.prefers) if row.prefers else None
    return ContactPlan(row.locale, row.time_zone, prefers, row.consent_sms, row.consent_email)


def get(tx: Tx, patient_id: UUID, *, lock: bool = False) -> Patient | None:
    query = select(patients).where(patients.c.id == patient_id)
    row = tx.connection.execute(tx.locked(query) if lock else query).first()
    return read_patient(row, tx.sealer) if row else None


def get_all(tx: Tx, patient_ids: Sequence[UUID], *, lock: bool = False) -> dict[UUID, Patient]:
    """Patients by id. Locked in the order of their ids, so that two who lock many never wait in a circle."""
    query = select(patients).where(tx.among(patients.c.id, patient_ids)).order_by(patients.c.id)
    rows = tx.connection.execute(tx.locked(query) if lock else query).all() if patient_ids else []
    return {row.id: read_patient(row, tx.sealer) for row in rows}


def find_by_identity(tx: Tx, people: Iterable[Person]) -> dict[str, UUID]:
    """Ids of known patients, by `identity(person)`."""
    wanted = {
        token: identity(person)
        for person in people
        for token in tx.sealer.tokens("identity", identity(person))
    }
    query = select(patients.c.identity_token, patients.c.id).where(
        tx.among(patients.c.identity_token, wanted)
    )
    return {wanted[bytes(token)]: found for token, found in tx.connection.execute(query)}


def search(tx: Tx, text: str, limit: int = 50) -> list[Patient]:
    """Patients by name prefix, phone (E.164), e-mail or record number. A long text counts by its first
    words: each is a condition of its own, and nobody's name has more."""
    text = text[:_MOST_TEXT]
    words = list(dict.fromkeys(fold(text).split()))[:_MOST_WORDS]
    exact = [
        token
        for kind in ("sms", "email", "record")
        for token in tx.sealer.tokens(kind, text.strip().casefold())
    ]
    query = select(patients).where(_has_token(exact))
    found = [read_or_stand_in(row, tx.sealer) for row in tx.connection.execute(query.limit(limit))]
    if not words or found:
        return found
    query = select(patients)
    for word in words:
        query = query.where(_has_token(tx.sealer.tokens("name", word[:8])))
    rows = tx.connection.execute(query.limit(limit))
    # Tokens stop at eight letters; what was typed beyond them is compared in the clear.
    return [p for row in rows if _matches(p := read_or_stand_in(row, tx.sealer), words)]


def _has_token(tokens: list[bytes]) -> Any:
    matching = select(patient_tokens.c.patient_id).where(patient_tokens.c.token.in_(tokens))
    return patients.c.id.in_(matching)


def _matches(patient: Patient, words: list[str]) -> bool:
    names = fold(f"{patient.person.given_name} {patient.person.family_name}")
    parts = names.replace("-", " ").replace("'", " ").split()
    return all(any(part.startswith(word) for part in parts) for word in words)


def with_addresses(tx: Tx, addresses: Iterable[tuple[Channel, str]]) -> list[UUID]:
    """The patients who have any of these phone numbers and e-mail addresses."""
    tokens = [one for channel, text in addresses for one in tx.sealer.tokens(channel.value, text.casefold())]
    if not tokens:
        return []
    query = select(patient_tokens.c.patient_id).where(tx.among(patient_tokens.c.token, tokens)).distinct()
    return [row[0] for row in tx.connection.execute(query)]


def consent_rows(
    patient_id: UUID, given: Mapping[Channel, bool], wording: str, actor: str, at: datetime
) -> list[dict[str, Any]]:
    """What the patient agreed to or withdrew, per channel, with the words that were shown."""
    return [
        {
            "patient_id": patient_id,
            "channel": channel.value,
            "granted": granted,
            "wording": wording,
            "actor": actor,
            "at": at,
        }
        for channel, granted in given.items()
    ]


def insert_consents(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        tx.connection.execute(insert(consents), rows)


def reseal_some(tx: Tx, after: UUID | None, limit: int) -> tuple[UUID | None, int]:
    """Re-seals the next patients under the first key. Returns where to go on, and how many changed."""
    query = select(patients).order_by(patients.c.id).limit(limit)
    if after is not None:
        query = query.where(patients.c.id > after)
    # Locked, or a change of address or consent that commits meanwhile would be undone; and nothing is
    # written but seals and tokens.
    rows = tx.connection.execute(tx.locked(query)).all()
    stale = [row for row in rows if not tx.sealer.is_current(row.sealed_person)]
    for row in stale:
        person = open_person(tx.sealer, row.id, row.sealed_person)
        _write(tx, row.id, person, {"sealed_person": _seal_person(tx.sealer, row.id, person)})
    return (rows[-1].id if rows else None), len(stale)


def new_patient_id() -> UUID:
    return new_id()
