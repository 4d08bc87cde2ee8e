"""Bad input of every kind: a clear error that says what to do, and nothing lost or half written."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, select, text

from journey.bootstrap import build, build_sealer
from journey.domain.contact import FieldErrors
from journey.domain.delivery import Event
from journey.domain.outcomes import Accepted
from journey.domain.pathway import Channel
from journey.services import wishes
from journey.services.admission import Request, prepare
from journey.services.context import Refusal
from journey.services.enrolling import enroll_all
from journey.services.importing import import_file
from journey.services.keyring import check_keys
from journey.services.publishing import find_setting
from journey.services.suppressing import stop
from journey.settings import SettingsError, read_settings
from journey.store import audit, messages
from journey.store.database import Database, StoreUnavailable, Unfit
from journey.store.messages import Move
from journey.store.migrating import migrate
from journey.store.schema import consents, metadata
from journey.store.sealing import Sealer, SealError, new_key, read_keys
from tests.clinic import ANNA, KEYS, PATHWAY, PROCEDURE, START, Clinic


def contents(clinic: Clinic) -> dict[str, int]:
    """How many rows each table has."""
    with clinic.database.read() as tx:
        return {
            table.name: int(tx.connection.execute(select(func.count()).select_from(table)).scalar_one())
            for table in metadata.sorted_tables
        }


def refused(clinic: Clinic, act: Callable[[], object], error: type[Exception], said: str) -> None:
    """The act fails in these words, and leaves every table as it was."""
    before = contents(clinic)
    with pytest.raises(error, match=said):
        act()
    assert contents(clinic) == before
    with clinic.database.read() as tx:
        assert audit.verify(tx).broken_at is None


@pytest.mark.parametrize(
    ("day", "said"),
    [
        ("", "procedure_date: is missing; write it as YYYY-MM-DD"),
        ("2026-02-30", "'2026-02-30' is no date; write it as YYYY-MM-DD"),
        ("15/12/2026", "is no date"),
        ("tomorrow", "is no date"),
        ("2026-11-29", "2026-11-29 is past; enroll before the procedure"),
        ("2026-11-30", "is past at the clinic"),
        ("2126-12-15", "more than two years ahead; check the year"),
        ("0001-01-01", "is past"),
    ],
)
def test_an_impossible_or_past_date_enrolls_nobody(embedded_clinic: Clinic, day: str, said: str) -> None:
    refused(embedded_clinic, lambda: embedded_clinic.enroll(day=day), FieldErrors, said)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"time_zone": "Europe/Atlantis"}, "'Europe/Atlantis' is no time zone; use an IANA name"),
        ({"locale": "xx-XX"}, "use one of en-GB, en-US"),
        ({"prefers": "fax"}, "use sms or email"),
        ({"phone": "020 7946 0000"}, "no mobile number"),
        ({"phone": "07700 900101 or 07700 900102"}, "no phone number"),
        ({"email": "anna@example.org\nBcc: all@example.org"}, "line break"),
        ({"email": "ünï@example.org"}, "is no e-mail address"),
        ({"given_name": "{{ site.phone }}"}, "looks like a template"),
        ({"given_name": "=?utf-8?q?A=0ABcc:_x?="}, "is no part of a name"),
        ({"family_name": "Kow\x00alska"}, "control character"),
        ({"birth_date": "1961-13-01"}, "is no date"),
        ({"record_number": "x" * 41}, "at most 40"),
        ({"phone": None, "email": None}, "give at least one of the two"),
    ],
)
def test_a_wrong_field_enrolls_nobody(
    embedded_clinic: Clinic, changes: dict[str, str | None], said: str
) -> None:
    refused(embedded_clinic, lambda: embedded_clinic.enroll(ANNA | changes), FieldErrors, said)


@pytest.mark.parametrize("arrival", ["9:00", "25:00", "nine", "09.00"])
def test_a_wrong_arrival_time_enrolls_nobody(embedded_clinic: Clinic, arrival: str) -> None:
    refused(
        embedded_clinic,
        lambda: embedded_clinic.enroll(arrival=arrival),
        FieldErrors,
        "arrival_time: .* is not a time of day",
    )


def test_an_arrival_that_has_passed_today_enrolls_nobody(embedded_clinic: Clinic) -> None:
    refused(
        embedded_clinic,
        lambda: embedded_clinic.enroll(day=START.date(), arrival="09:00"),
        FieldErrors,
        "2026-12-01 09:00:00 is past at the clinic",
    )


def test_an_unknown_fact_enrolls_nobody_and_names_the_known_ones(embedded_clinic: Clinic) -> None:
    act = lambda: embedded_clinic.enroll(facts={"smoker": True})  # noqa: E731
    refused(embedded_clinic, act, FieldErrors, "has no fact smoker; it knows anesthesia")


def test_every_wrong_field_is_named_at_once(embedded_clinic: Clinic) -> None:
    with embedded_clinic.database.read() as tx:
        setting = find_setting(tx, PATHWAY, None, "tests")
    bad = Request({"phone": "1", "locale": "xx"}, "soon", "9", {"smoker": True})
    with pytest.raises(FieldErrors) as error:
        prepare(bad, setting, START)
    assert set(error.value.errors) == {
        *("given_name", "family_name", "phone", "locale"),
        *("procedure_date", "arrival_time", "facts"),
    }


def test_one_row_that_cannot_be_written_writes_none_of_the_batch(clinic: Clinic) -> None:
    with clinic.database.read() as tx:
        setting = find_setting(tx, PATHWAY, None, "tests")
    good = prepare(Request(ANNA, "2026-12-15", "09:00", {}, True, True), setting, START)
    other = replace(good, person=replace(good.person, record_number="B-2"), facts={"x": object()})  # type: ignore[dict-item]
    batch = [(setting, [good, other])]
    refused(
        clinic,
        lambda: enroll_all(clinic.app.context, batch),
        Exception,
        "a value does not fit its column|serializable",
    )


@pytest.mark.parametrize("day", [date(2026, 11, 20), date(2026, 11, 30), date(1999, 1, 1)])
def test_rescheduling_to_a_past_date_is_refused(clinic: Clinic, day: date) -> None:
    enrolled = clinic.enroll()
    clinic.work()
    wish = wishes.reschedule(day, None)
    refused(clinic, lambda: clinic.change(enrolled.enrollment_id, wish), Refusal, "past")


def test_rescheduling_to_today_where_the_arrival_has_passed_is_refused(clinic: Clinic) -> None:
    enrolled = clinic.enroll()
    clinic.work()
    wish = wishes.reschedule(START.date(), time(9))
    refused(clinic, lambda: clinic.change(enrolled.enrollment_id, wish), Refusal, "past")


def test_rescheduling_onto_another_enrollment_of_the_same_patient_is_refused(clinic: Clinic) -> None:
    first = clinic.enroll()
    clinic.enroll(day="2026-12-22")
    wish = wishes.reschedule(date(2026, 12, 22), time(9))
    refused(clinic, lambda: clinic.change(first.enrollment_id, wish), Refusal, "already enrolled")


def test_what_has_ended_takes_no_more_changes(embedded_clinic: Clinic) -> None:
    enrolled = embedded_clinic.enroll()
    embedded_clinic.change(enrolled.enrollment_id, wishes.cancel())
    act = lambda: embedded_clinic.change(enrolled.enrollment_id, wishes.resume())  # noqa: E731
    refused(embedded_clinic, act, Refusal, "is cancelled; enroll the patient again instead")


# The database itself.


@pytest.fixture
def hasty(embedded_clinic: Clinic) -> Clinic:
    """A clinic that waits 50 ms for a lock and not 15 s, as the next connections are made."""

    def be_hasty(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA busy_timeout = 50")

    embedded_clinic.enroll()
    event.listen(embedded_clinic.database.engine, "connect", be_hasty)
    embedded_clinic.database.engine.dispose()
    return embedded_clinic


def _file(clinic: Clinic) -> Path:
    return clinic.app.settings.data_dir / "journey.sqlite3"


@pytest.fixture
def lock(hasty: Clinic) -> Iterator[sqlite3.Connection]:
    """Another program that holds the database's write lock."""
    with closing(sqlite3.connect(_file(hasty), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other


def test_a_locked_database_says_so_and_works_again_once_it_is_free(
    hasty: Clinic, lock: sqlite3.Connection
) -> None:
    acts: list[Callable[[], object]] = [
        lambda: hasty.enroll(ANNA | {"record_number": "B-1"}),
        lambda: hasty.work(),
        lambda: stop(hasty.app.context, Channel.SMS, ANNA["phone"], source="tests"),
    ]
    for act in acts:
        refused(hasty, act, StoreUnavailable, "locked by another program .*; close it and try again")
    lock.execute("ROLLBACK")
    assert hasty.work() == 1


def test_reading_goes_on_while_another_program_writes(hasty: Clinic, lock: sqlite3.Connection) -> None:
    assert contents(hasty)["patients"] == 1


def _connections(clinic: Clinic, *pragmas: str) -> None:
    def apply(connection: Any, _record: Any) -> None:
        for pragma in pragmas:
            connection.execute(pragma)

    event.listen(clinic.database.engine, "connect", apply)
    clinic.database.engine.dispose()


def test_a_database_that_cannot_be_written_says_so(hasty: Clinic) -> None:
    _connections(hasty, "PRAGMA query_only = ON")
    refused(hasty, hasty.work, StoreUnavailable, "cannot be written .*; check the permissions")


def test_a_full_disk_says_so_and_leaves_nothing_half_written(hasty: Clinic) -> None:
    _connections(hasty, "PRAGMA max_page_count = 1")
    people = [ANNA | {"record_number": f"F-{number}"} for number in range(20)]

    def fill() -> None:
        for person in people:
            before = contents(hasty)
            try:
                hasty.enroll(person)
            except StoreUnavailable:
                assert contents(hasty) == before
                raise

    with pytest.raises(StoreUnavailable, match=r"disk of the database is full .*; free some space"):
        fill()


def test_a_damaged_file_says_so(hasty: Clinic) -> None:
    hasty.database.close()
    for path in _file(hasty).parent.glob("journey.sqlite3*"):
        path.write_bytes(b"this is no database" * 500)
    with pytest.raises(StoreUnavailable, match=r"damaged .*; restore it from the last backup"):
        contents(hasty)


def test_a_database_from_before_says_to_migrate(clinic: Clinic) -> None:
    with clinic.database.write() as tx:
        tx.connection.execute(text("ALTER TABLE messages RENAME COLUMN segments TO parts"))
    with pytest.raises(StoreUnavailable, match=r"another version .*; run: journey migrate"):
        clinic.work()


def test_a_database_of_a_newer_journey_is_left_alone_and_says_so(clinic: Clinic) -> None:
    with clinic.database.write() as tx:
        tx.connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreUnavailable, match=r"newer|another version"):
        migrate(clinic.database)


def test_a_server_that_is_not_there_says_so() -> None:
    database = Database("postgresql://postgres@127.0.0.1:1/nothing", Sealer(read_keys(KEYS)))
    with pytest.raises(StoreUnavailable, match=r"does not answer .*; check that it runs"), database.read():
        pass
    database.close()


def test_an_error_of_the_database_never_repeats_what_was_written(clinic: Clinic) -> None:
    with clinic.database.write() as tx:
        tx.connection.execute(text("ALTER TABLE message_events RENAME TO other"))
    clinic.enroll(ANNA)
    with pytest.raises(StoreUnavailable) as error:
        clinic.work()
    said = repr(error.value) + repr(error.value.__cause__)
    assert ANNA["phone"] not in said
    assert "Anna" not in said


# Keys and settings.


def test_the_wrong_key_is_said_before_anything_is_done_with_it(clinic: Clinic) -> None:
    clinic.enroll()
    check_keys(clinic.app.context)
    check_keys(clinic.app.context)
    clinic.database.sealer = Sealer(read_keys(new_key()))
    said = "sealed with a key that is not in JOURNEY_SECRET_KEYS; add the old key behind the new one"
    refused(clinic, lambda: check_keys(clinic.app.context), SealError, said)
    refused(clinic, clinic.work, SealError, said)
    clinic.database.sealer = Sealer(read_keys(KEYS))
    assert clinic.work() == 1


PRODUCTION = {"sms": "twilio", "email": "smtp"}
MISSING = [
    "JOURNEY_SECRET_KEYS is missing; make a key with: journey keys new",
    "JOURNEY_TWILIO_ACCOUNT_SID is missing",
    "JOURNEY_TWILIO_AUTH_TOKEN is missing",
    "set JOURNEY_TWILIO_FROM or JOURNEY_TWILIO_MESSAGING_SERVICE_SID",
    "JOURNEY_PUBLIC_URL is missing",
    "JOURNEY_SMTP_URL is missing",
    "JOURNEY_EMAIL_FROM is missing",
]


def test_production_names_everything_that_is_missing_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as error:
        build(read_settings(data_dir=tmp_path, **PRODUCTION))
    lines = str(error.value).splitlines()
    assert len(lines) == len(MISSING)
    assert [part for part in MISSING if part not in str(error.value)] == []
    assert list(tmp_path.iterdir()) == [], "no key of its own making, no database"


@pytest.mark.parametrize(
    "settings",
    [
        {"sms": "twilio"},
        {"email": "smtp"},
        {"database_url": "postgresql://x@127.0.0.1/y"},
        {"database_url": "postgresql://x@127.0.0.1/y", "redis_url": "redis://127.0.0.1/0"},
    ],
)
def test_anything_real_needs_its_secret_keys_given(tmp_path: Path, settings: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="JOURNEY_SECRET_KEYS is missing"):
        build(read_settings(data_dir=tmp_path, **settings))
    assert list(tmp_path.iterdir()) == []


def test_embedded_makes_one_key_of_its_own_that_only_its_owner_reads(tmp_path: Path) -> None:
    first = build_sealer(read_settings(data_dir=tmp_path))
    sealed = first.seal("x", "t.c")
    assert build_sealer(read_settings(data_dir=tmp_path)).open(sealed, "t.c") == "x"
    assert (tmp_path / "secret.keys").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"secret_keys": "changeme"}, "JOURNEY_SECRET_KEYS: key 1 is not URL-safe base64 of 32 bytes"),
        ({"email": "smtp", "smtp_url": "mail.example.org", "email_from": "a@b.co"}, "must read like smtp://"),
        (
            {"redis_url": "redsi://:hunter2@h/0", "database_url": "postgresql://h/x"},
            "^JOURNEY_REDIS_URL cannot be read; write it like redis://HOST:6379/0$",
        ),
    ],
)
def test_a_setting_that_cannot_work_stops_the_start(
    tmp_path: Path, settings: dict[str, str], said: str
) -> None:
    with pytest.raises(SettingsError, match=said):
        build(read_settings(data_dir=tmp_path, **({"secret_keys": KEYS} | settings)))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("JOURNEY_SMS", "pigeon", "JOURNEY_SMS: "),
        ("JOURNEY_BATCH_SIZE", "many", "JOURNEY_BATCH_SIZE: "),
        ("JOURNEY_TWILIO_API_URL", "http://twilio.example", "JOURNEY_TWILIO_API_URL: must begin with https"),
        ("JOURNEY_LEASE_SECONDS", "10", "JOURNEY_LEASE_SECONDS must be at least"),
        ("JOURNEY_REDIS_URL", "redis://127.0.0.1/0", "set JOURNEY_DATABASE_URL to a PostgreSQL database too"),
        ("JOURNEY_SECRET_KEYS_FILE", "/nowhere/keys", "JOURNEY_SECRET_KEYS_FILE names /nowhere/keys, which"),
    ],
)
def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=said):
        read_settings()


def test_a_secret_comes_from_a_file_and_never_shows_itself(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "token"
    path.write_text("hush-hush\n", encoding="utf-8")
    monkeypatch.setenv("JOURNEY_TWILIO_AUTH_TOKEN_FILE", str(path))
    settings = read_settings()
    assert settings.twilio_auth_token.get_secret_value() == "hush-hush"
    assert "hush" not in repr(settings)


def test_a_naive_moment_never_reaches_the_database(clinic: Clinic) -> None:
    with pytest.raises(Exception, match="a value does not fit its column"), clinic.database.write() as tx:
        audit.append(tx, [audit.Entry("x", "x", "x", {})], datetime(2026, 1, 1))  # noqa: DTZ001
    with clinic.database.read() as tx:
        assert audit.verify(tx).broken_at is None


def test_evidence_of_consent_holds_only_what_was_said(clinic: Clinic) -> None:
    patient = clinic.enroll(sms=True, email=True).patient_id
    person = ANNA | {"phone": "+447700900188"}
    with clinic.database.read() as tx:
        setting = find_setting(tx, PATHWAY, None, "tests")
    request = Request(person, str(PROCEDURE), "09:00")  # a new number, and no word about consent
    enroll_all(clinic.app.context, [(setting, [prepare(request, setting, START)])])
    clinic.enroll(person, sms=False, email=True)
    query = select(consents.c.channel, consents.c.granted).where(consents.c.patient_id == patient)
    with clinic.database.read() as tx:
        noted = [tuple(row) for row in tx.connection.execute(query.order_by(consents.c.id))]
    assert noted == [("sms", True), ("email", True), ("sms", False), ("email", True)]


def test_a_column_that_nobody_knows_is_said_once_and_a_cell_cannot_command_a_terminal(
    embedded_clinic: Clinic, tmp_path: Path
) -> None:
    file = tmp_path / "patients.csv"
    rows = "".join(f"Anna,Test{n},+4477009001{n:02},{PROCEDURE},yes,x\n" for n in range(10, 30))
    file.write_text(f"given_name,family_name,phone,procedure_date,consent_sms,odd\n{rows}", encoding="utf-8")
    report = import_file(embedded_clinic.app.context, file, pathway=PATHWAY, actor="tests", partial=True)
    assert [(error.row, error.column) for error in report.errors] == [(1, "odd")]
    assert report.enrolled == 0
    file.write_text("given_name,family_name,procedure_date,phone\x1b[31m\nA,B,2027-01-01,1\n", "utf-8")
    report = import_file(embedded_clinic.app.context, file, pathway=PATHWAY, actor="tests")
    assert not any("\x1b" in str(error) for error in report.errors)


def test_a_value_longer_than_its_column_is_refused_and_never_cut(clinic: Clinic) -> None:
    if not clinic.database.is_postgres:
        pytest.skip("SQLite has no lengths")
    patient = clinic.enroll().enrollment_id
    row = clinic.messages(patient)[0]
    move = Move.of(row, Event.MOVE, START, reason="r" * 25)
    with pytest.raises(Unfit), clinic.database.write() as tx:
        messages.move(tx, [move])
    with pytest.raises(ValueError, match="more than 255 characters"):
        Accepted("x" * 256)
