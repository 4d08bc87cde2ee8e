"""A request about somebody who is on record already: what it adds, and when it means somebody else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from journey.domain.contact import ContactPlan, Person, fold, identity
from journey.domain.pathway import Channel
from journey.services.admission import Prepared
from journey.services.context import Refusal
from journey.store import patients
from journey.store.database import Tx
from journey.store.patients import Patient

SOMEBODY_ELSE = (
    "belongs to somebody else on record: the name or the date of birth differs. "
    "Check the number, or change that patient's details first"
)


class SomebodyElse(Refusal):
    """A record number that is another patient's."""

    def __init__(self) -> None:
        super().__init__(f"the record number {SOMEBODY_ELSE}")


def is_somebody_else(before: Person, asked: Person) -> bool:
    """Whether a request under the same record number names another person.

    A mistyped number must not turn one patient's record into another's.
    """
    born = {before.birth_date, asked.birth_date} - {None}
    return len(born) > 1 or _full_name(before) != _full_name(asked)


def _full_name(person: Person) -> str:
    return " ".join(fold(f"{person.given_name} {person.family_name}").split())


def find_known(tx: Tx, people: Sequence[Person]) -> dict[str, UUID]:
    """Ids of the patients on record, by `identity(person)`.

    By that identity itself; else by name, date of birth and an address, where one side has no record number:
    the same person with and without one must not become two, who get every text twice.
    """
    found = patients.find_by_identity(tx, people)
    missing = {identity(one): one for one in people if identity(one) not in found}
    addresses = {
        (channel, address)
        for one in missing.values()
        for channel, address in ((Channel.SMS, one.phone), (Channel.EMAIL, one.email))
        if address
    }
    sharing = patients.get_all(tx, patients.with_addresses(tx, addresses))
    for who, one in missing.items():
        same = [other.id for other in sharing.values() if _is_same_without_number(other.person, one)]
        if same:
            found[who] = same[0]
    return found


def _is_same_without_number(before: Person, asked: Person) -> bool:
    if before.record_number and asked.record_number:
        return False
    shares = (before.phone and before.phone == asked.phone) or (before.email and before.email == asked.email)
    return bool(shares) and before.birth_date == asked.birth_date and _full_name(before) == _full_name(asked)


def aliases(person: Person) -> set[str]:
    """Everything under which two requests could mean the same patient."""
    plain = replace(person, record_number=None)
    each = (replace(plain, phone=person.phone, email=None), replace(plain, phone=None, email=person.email))
    return {identity(person), *(identity(one) for one in each if one.phone or one.email)}


def strangers(tx: Tx, asked: Sequence[Prepared]) -> set[int]:
    """The places of those requests whose record number is another patient's, or an earlier request's."""
    known = find_known(tx, [one.person for one in asked])
    on_record = patients.get_all(tx, list(known.values()))
    people = {who: on_record[patient_id].person for who, patient_id in known.items()}
    found = set()
    for place, one in enumerate(asked):
        who, person = identity(one.person), one.person
        before = people.get(who)
        if before is not None and is_somebody_else(before, person):
            found.add(place)
            continue
        # As it will stand after this one: a later row must not contradict what this one added.
        born = person.birth_date or (before.birth_date if before else None)
        people[who] = replace(person, birth_date=born)
    return found


def known_patient(tx: Tx, person: Person) -> Patient | None:
    """Who is on record under a person's identity."""
    found = find_known(tx, [person]).get(identity(person))
    return patients.get(tx, found) if found else None


def merge(before: Patient, asked: Prepared) -> Prepared:
    """The request, with what it leaves out as the patient's record has it: nothing is erased by silence."""
    person = replace(
        asked.person,
        phone=asked.person.phone or before.person.phone,
        email=asked.person.email or before.person.email,
        birth_date=asked.person.birth_date or before.person.birth_date,
        record_number=asked.person.record_number or before.person.record_number,
    )
    return replace(asked, person=person, contact=_merge_contact(before.contact, asked))


def _merge_contact(before: ContactPlan, asked: Prepared) -> ContactPlan:
    contact, stated = asked.contact, asked.consent_stated
    return replace(
        contact,
        locale=contact.locale if asked.locale_stated else before.locale,
        time_zone=contact.time_zone or before.time_zone,
        prefers=contact.prefers or before.prefers,
        consent_sms=(contact if Channel.SMS in stated else before).consent_sms,
        consent_email=(contact if Channel.EMAIL in stated else before).consent_email,
    )


def changed_fields(before: Patient, person: Person, contact: ContactPlan) -> list[str]:
    """Their names, for the audit log: it holds no values."""
    pairs = [(before.person, person), (before.contact, contact)]
    return sorted(
        name
        for old, new in pairs
        for name in type(old).__slots__  # type: ignore[attr-defined]
        if getattr(old, name) != getattr(new, name)
    )
