"""What staff type about a patient: read once, and refused in words where it would reach somebody else."""

from datetime import date
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journey.domain.contact import (
    FieldErrors,
    Person,
    identity,
    name_prefixes,
    read_contact_plan,
    read_email,
    read_name,
    read_person,
    read_phone,
)
from journey.domain.pathway import Channel

TODAY = date(2026, 12, 1)


@pytest.mark.parametrize(
    ("text", "country", "number"),
    [
        ("07400 123456", "GB", "+447400123456"),
        ("+44 7400 123456", "GB", "+447400123456"),
        ("+44 (0)7400 123456", "GB", "+447400123456"),
        ("0044 7400 123456", "GB", "+447400123456"),
        ("+447400123456", "US", "+447400123456"),  # abroad, with its country code
        ("(201) 555-0123", "US", "+12015550123"),
        ("+33 6 12 34 56 78", "GB", "+33612345678"),
        ("+447700900123", "GB", "+447700900123"),  # Ofcom's numbers for films
        ("+15005550006", "US", "+15005550006"),  # Twilio's test credentials
    ],
)
def test_a_mobile_is_read_as_e164(text: str, country: str, number: str) -> None:
    assert read_phone(text, country) == number


@pytest.mark.parametrize(
    ("text", "country", "said"),
    [
        ("", "GB", "no phone number"),
        ("Anna", "GB", "no phone number"),
        ("12", "GB", "no phone number|no valid number"),
        ("07400 12345", "GB", "no valid number"),  # a digit short
        ("07400 1234567", "GB", "no valid number"),  # a digit too many
        ("201 555 0123", "GB", "no valid number|no mobile"),  # another country's, without its code
        ("07400 123456", "US", "no valid number"),
        ("020 7946 0000", "GB", "no mobile"),  # a landline
        ("0800 1111", "GB", "no mobile|no valid"),
        ("999", "GB", "no phone number|no valid number|no mobile"),
        ("07400 123456 or 07400 123457", "GB", "no phone number"),  # which of the two?
        ("07400123456/07400123457", "GB", "no phone number"),
        ("+447400123456, mother's", "GB", "no phone number"),
        ("0740012345b6", "GB", "number"),  # a letter among the digits: which digit was meant?
        ("0740O 123456", "GB", "number"),
        ("+44 7400 l23456", "GB", "number"),
    ],
)
def test_a_number_that_is_not_surely_one_mobile_is_refused_with_an_example(
    text: str, country: str, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        read_phone(text, country)


def test_a_refused_number_is_not_repeated_in_the_error() -> None:
    with pytest.raises(ValueError) as error:
        read_phone("07400 1234567", "GB")
    assert "1234567" not in str(error.value)


@pytest.mark.parametrize("text", ["a@b.co\n", "a@b.co\r\nBcc: x@y.org", "a@b.co\x00", "a@\tb.co"])
def test_an_email_with_a_line_break_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="line break or control character"):
        read_email(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "anna",
        "anna@",
        "@example.org",
        "a@b",
        "a b@example.org",
        "a@b.co\x7f",
        "a\u2028@b.co",
        "a@b.co,c@d.co",
    ],
)
def test_what_is_no_email_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no e-mail address|control character"):
        read_email(text)


def test_an_email_is_trimmed_and_its_domain_lowered() -> None:
    assert read_email("  Anna.K@Example.ORG ") == "Anna.K@example.org"


@given(st.text())
def test_no_email_that_is_taken_breaks_a_header(text: str) -> None:
    try:
        address = read_email(text)
    except ValueError:
        return
    assert address.isprintable()
    assert not set(address) & set("\r\n \t")


@pytest.mark.parametrize(
    "text", ["An\x00na", "Anna\u200b", "\u202eannA", "An\x1bna", "Anna\ufeff", "\ue000", "An\x7fna"]
)
def test_a_name_with_an_invisible_character_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="invisible control character"):
        read_name(text)


@pytest.mark.parametrize("text", ["{{ site.phone }}", "{% if x %}", "<b>Anna</b>", "a}b", "Anna {"])
def test_a_name_that_looks_like_a_template_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="looks like a template"):
        read_name(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("  Anna  Maria ", "Anna Maria"),
        ("O'Neill-Smith", "O'Neill-Smith"),
        ("José", "José"),
        ("Jose\u0301", "José"),  # composed
        ("李小龙", "李小龙"),
        ("Anna\nMaria", "Anna Maria"),
        ("D’Arcy", "D’Arcy"),
    ],
)
def test_real_names_are_kept(text: str, name: str) -> None:
    assert read_name(text) == name


@given(st.text())
def test_no_name_that_is_taken_can_break_a_line_or_open_a_template(text: str) -> None:
    try:
        name = read_name(text)
    except ValueError:
        return
    assert name
    assert len(name) <= 80
    assert not any(category(char) in ("Cc", "Cf", "Zl", "Zp") for char in name)
    assert not set(name) & set("{}<>\r\n")


@pytest.mark.parametrize(("text", "said"), [(" ", "missing"), ("x" * 81, "at most 80")])
def test_empty_and_endless_names_are_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_name(text)


RAW = {
    "given_name": "Anna",
    "family_name": "Kowalska",
    "phone": "07400 123456",
    "email": "anna@example.org",
    "birth_date": "1961-04-12",
    "record_number": " A-1 ",
}


def test_a_whole_person_is_read() -> None:
    expected = Person("Anna", "Kowalska", "+447400123456", "anna@example.org", date(1961, 4, 12), "A-1")
    assert read_person(RAW, "GB", TODAY) == expected


def test_every_fault_is_said_at_once_by_field() -> None:
    bad = {
        "given_name": "{{x}}",
        "phone": "12",
        "email": "x",
        "birth_date": "2030-01-01",
        "record_number": "a\x00",
    }
    with pytest.raises(FieldErrors) as error:
        read_person(bad, "GB", TODAY)
    assert set(error.value.errors) == {*bad, "family_name"}


def test_someone_without_any_address_is_refused_once() -> None:
    with pytest.raises(FieldErrors) as error:
        read_person(RAW | {"phone": " ", "email": None}, "GB", TODAY)
    assert error.value.errors == {"phone": "is missing, and so is email; give at least one of the two"}


@pytest.mark.parametrize(
    "text", ["2026-02-30", "12/04/1961", "1899-12-31", "2026-12-02", "soon", "0000-00-00"]
)
def test_an_impossible_birth_date_is_refused(text: str) -> None:
    with pytest.raises(FieldErrors, match="birth_date"):
        read_person(RAW | {"birth_date": text}, "GB", TODAY)


def test_how_to_reach_somebody_is_read_and_every_fault_named() -> None:
    plan = read_contact_plan(
        {"prefers": "Email", "time_zone": "Asia/Kolkata"},
        default_locale="en-GB",
        consent_sms=True,
        consent_email=False,
    )
    assert (plan.locale, plan.prefers, plan.time_zone) == ("en-GB", Channel.EMAIL, "Asia/Kolkata")
    with pytest.raises(FieldErrors) as error:
        read_contact_plan(
            {"locale": "xx", "time_zone": "Mars/Base", "prefers": "pigeon"},
            default_locale="en-GB",
            consent_sms=True,
            consent_email=True,
        )
    assert set(error.value.errors) == {"locale", "time_zone", "prefers"}


def test_names_are_found_by_the_start_of_any_word_without_accents() -> None:
    person = Person("Zoë Anne", "O'Neill-Müller", None, "z@example.org", None, None)
    assert {"zo", "zoe", "an", "anne", "neill", "mu", "muller"} <= name_prefixes(person)
    assert "z" not in name_prefixes(person)
    assert max(map(len, name_prefixes(person))) <= 8


def test_the_record_number_is_the_patient_and_else_name_birth_and_address_are() -> None:
    anna = read_person(RAW, "GB", TODAY)
    other = read_person(RAW | {"phone": "07400 123457"}, "GB", TODAY)
    assert identity(anna) == identity(other)
    nameless = RAW | {"record_number": None}
    assert identity(read_person(nameless, "GB", TODAY)) != identity(
        read_person(nameless | {"phone": "07400 123457"}, "GB", TODAY)
    )
