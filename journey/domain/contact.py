"""Who a patient is and how to reach them: validated once, at the door, with errors per field."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from journey.domain.calendar import read_zone
from journey.domain.pathway import Channel

LOCALES = ("en-GB", "en-US")
_NAME_MAX, _PREFIXES = 80, range(2, 9)
# Kept for films (Ofcom) and for test credentials (Twilio): nobody owns them, demonstrations use them.
_FOR_TESTS = re.compile(r"\+447700900\d{3}|\+1500555\d{4}")
_WORD = re.compile(r"[^\W_]+")


class FieldErrors(ValueError):
    """What is wrong, per field: {"phone": "what happened and what to do"}."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {text}" for name, text in errors.items()))
        self.errors = dict(errors)


@dataclass(frozen=True, slots=True)
class Person:
    """A patient's identifying details. `phone` is E.164; the whole is sealed at rest."""

    given_name: str
    family_name: str
    phone: str | None
    email: str | None
    birth_date: date | None
    record_number: str | None


@dataclass(frozen=True, slots=True)
class ContactPlan:
    """How the patient may be written to. `time_zone` None means the site's."""

    locale: str
    time_zone: str | None
    prefers: Channel | None
    consent_sms: bool
    consent_email: bool


def read_name(text: str) -> str:
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name:
        raise ValueError("is missing")
    if len(name) > _NAME_MAX:
        raise ValueError(f"has {len(name)} letters; at most {_NAME_MAX} fit")
    if any(unicodedata.category(char) in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp") for char in name):
        raise ValueError("holds an invisible control character; type it again")
    if "=?" in name:  # mail programs read what follows as something else
        raise ValueError("holds =?, which is no part of a name; type the name itself")
    if any(char in "{}<>" for char in name):
        raise ValueError("holds { } < or >, which looks like a template; type the name itself")
    return name


def read_phone(text: str, country: str) -> str:
    """The number as E.164. Raises ValueError unless it is, or may be, a mobile."""
    if any(char.isalpha() for char in text):
        raise ValueError(f"is no phone number, since it holds letters; write it like {_example(country)}")
    try:
        number = phonenumbers.parse(text, None if text.strip().startswith("+") else country)
    except phonenumbers.NumberParseException:
        raise ValueError(f"is no phone number; write it like {_example(country)}") from None
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if _FOR_TESTS.fullmatch(written):
        return written
    if not phonenumbers.is_valid_number(number):
        raise ValueError(
            f"is no valid number in {country}; write it with its country code, like {_example(country)}"
        )
    kind = phonenumbers.number_type(number)
    if kind not in (
        phonenumbers.PhoneNumberType.MOBILE,
        phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE,
    ):
        raise ValueError("is no mobile number, so no text can reach it; leave it out or give a mobile")
    return written


def _example(country: str) -> str:
    number = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE)
    if number is None:
        return "+447700900123"
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def read_email(text: str) -> str:
    if any(ord(char) < 32 for char in text):
        raise ValueError("holds a line break or control character; type it again")
    try:
        found = validate_email(text.strip(), check_deliverability=False, allow_smtputf8=False)
        return f"{found.local_part}@{found.ascii_domain}"  # what every mail server takes
    except EmailNotValidError as error:
        raise ValueError(f"is no e-mail address: {error}") from None


def read_record_number(text: str) -> str:
    number = text.strip()
    if len(number) > 40 or not number.isprintable():
        raise ValueError("must be at most 40 visible characters")
    return number


def read_person(raw: Mapping[str, str | None], country: str, today: date) -> Person:
    """Checks all fields and reports every fault at once. Raises FieldErrors."""
    errors: dict[str, str] = {}

    def read(name: str, reader: object, *args: object) -> object:
        text = raw.get(name)
        if text is None or not text.strip():
            return None
        try:
            return reader(text, *args)  # type: ignore[operator]
        except ValueError as error:
            errors[name] = str(error)
            return None

    person = Person(
        given_name=str(read("given_name", read_name) or ""),
        family_name=str(read("family_name", read_name) or ""),
        phone=_text(read("phone", read_phone, country)),
        email=_text(read("email", read_email)),
        birth_date=_date(read("birth_date", read_birth_date, today)),
        record_number=_text(read("record_number", read_record_number)),
    )
    for name in ("given_name", "family_name"):
        if not getattr(person, name):
            errors.setdefault(name, "is missing")
    if person.phone is None and person.email is None and not errors.keys() & {"phone", "email"}:
        errors["phone"] = "is missing, and so is email; give at least one of the two"
    if errors:
        raise FieldErrors(errors)
    return person


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _date(value: object) -> date | None:
    return value if isinstance(value, date) else None


def read_birth_date(text: str, today: date) -> date:
    day = read_date(text)
    if not date(1900, 1, 1) <= day <= today:
        raise ValueError(f"{text} is not between 1900 and today")
    return day


def read_date(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{text!r} is no date; write it as YYYY-MM-DD") from None


def read_contact_plan(
    raw: Mapping[str, str | None], *, default_locale: str, consent_sms: bool, consent_email: bool
) -> ContactPlan:
    errors: dict[str, str] = {}
    locale = (raw.get("locale") or "").strip() or default_locale
    if locale not in LOCALES:
        errors["locale"] = f"{locale} has no messages; use one of {', '.join(LOCALES)}"
    zone = (raw.get("time_zone") or "").strip() or None
    if zone is not None:
        try:
            read_zone(zone)
        except ValueError as error:
            errors["time_zone"] = str(error)
    prefers = (raw.get("prefers") or "").strip().lower() or None
    if prefers not in (None, "sms", "email"):
        errors["prefers"] = f"{prefers} is no channel; use sms or email"
    if errors:
        raise FieldErrors(errors)
    return ContactPlan(locale, zone, Channel(prefers) if prefers else None, consent_sms, consent_email)


def fold(text: str) -> str:
    """Lower case without accents, as people type names when they search."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def name_prefixes(person: Person) -> set[str]:
    """Every prefix of two to eight letters of every word of the name, folded."""
    words = _WORD.findall(fold(f"{person.given_name} {person.family_name}"))
    return {word[:length] for word in words for length in _PREFIXES if length <= len(word)}


def identity(person: Person) -> str:
    """What makes two enrollments the same patient: the record number, else name, birth and address."""
    if person.record_number:
        return f"record:{person.record_number.casefold()}"
    born = person.birth_date.isoformat() if person.birth_date else ""
    name = fold(f"{person.given_name}|{person.family_name}")
    return f"person:{name}|{born}|{person.phone or person.email}"
