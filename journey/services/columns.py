"""Which of our columns a file's column holds: guessed from its name, decided by staff."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from journey.domain.contact import fold
from journey.domain.facts import ARRIVAL_FACT
from journey.domain.pathway import Pathway
from journey.services.importing import OWN, PERSON, REQUIRED

LEFT_OUT = ""  # a column that nobody needs
_LABELS = {
    "given_name": "Given name",
    "family_name": "Family name",
    "phone": "Mobile phone",
    "email": "E-mail",
    "birth_date": "Date of birth",
    "record_number": "Record number",
    "locale": "Language",
    "time_zone": "Time zone",
    "prefers": "Prefers (sms or email)",
    "pathway": "Pathway",
    "site": "Site",
    "procedure_date": "Procedure date",
    "arrival_time": "Arrival time",
    "consent_sms": "Agrees to texts (yes or no)",
    "consent_email": "Agrees to e-mails (yes or no)",
}
# As hospital systems and spreadsheets call them, folded, without anything but letters.
_ALSO_CALLED = {
    "given_name": ("firstname", "forename", "first", "givennames", "patientfirstname"),
    "family_name": ("lastname", "surname", "last", "patientlastname"),
    "phone": (
        "mobile",
        "mobilephone",
        "mobilenumber",
        "cell",
        "cellphone",
        "telephone",
        "tel",
        "phonenumber",
    ),
    "email": ("mail", "emailaddress"),
    "birth_date": ("dob", "dateofbirth", "birthday", "born", "birthdate"),
    "record_number": ("mrn", "hospitalnumber", "recordno", "patientid", "nhsnumber", "chartnumber"),
    "locale": ("language", "lang"),
    "time_zone": ("timezone", "zone", "tz"),
    "prefers": ("preference", "preferredchannel", "channel"),
    "procedure_date": ("date", "surgerydate", "operationdate", "dateofprocedure", "proceduredate"),
    "arrival_time": ("arrival", "time", "arrivaltime", "reportingtime"),
    "consent_sms": ("smsconsent", "textconsent", "consenttexts", "agreestotexts"),
    "consent_email": ("emailconsent", "consentemails", "agreestoemails"),
}


def choices(pathway: Pathway) -> list[tuple[str, str]]:
    """What a column can hold: every field of a patient and an enrollment, and the pathway's facts."""
    facts = [(fact.key, fact.label) for fact in pathway.facts if fact.key != ARRIVAL_FACT]
    return [*((name, _LABELS[name]) for name in (*PERSON, *OWN)), *facts]


def label_of(column: str, pathway: Pathway) -> str:
    return dict(choices(pathway)).get(column, column)


def guess(header: Sequence[str], pathway: Pathway) -> dict[str, str]:
    """Our column for each of the file's; each of ours once, the likeliest."""
    wanted = {_plain(name): key for key, names in _ALSO_CALLED.items() for name in names}
    wanted |= {_plain(label): key for key, label in choices(pathway)}
    wanted |= {_plain(key): key for key, _ in choices(pathway)}
    found: dict[str, str] = {}
    for column in header:
        ours = wanted.get(_plain(column), LEFT_OUT)
        found[column] = LEFT_OUT if ours in found.values() else ours
    return found


def faults_of(mapping: Mapping[str, str], pathway: Pathway) -> dict[str, str]:
    """What is wrong with a mapping: by our column, for one that is missing or given twice."""
    given = [ours for ours in mapping.values() if ours != LEFT_OUT]
    labels = dict(choices(pathway))
    errors = {
        name: f"No column holds the {labels[name].lower()}; choose one"
        for name in REQUIRED
        if name not in given
    }
    errors |= {
        name: f"Two columns hold the {labels[name].lower()}; leave one of them out"
        for name in given
        if given.count(name) > 1
    }
    strange = sorted(set(given) - labels.keys())
    return errors | {name: f"{name} is nothing that Journey knows" for name in strange}


def arranged(raw: Mapping[str, str], mapping: Mapping[str, str]) -> dict[str, str]:
    """A file's row under our names; what is left out is not there."""
    return {ours: raw[column] for column, ours in mapping.items() if ours != LEFT_OUT and column in raw}


def _plain(name: str) -> str:
    return re.sub(r"[^a-z]", "", fold(name))
