"""Sealed values and look-up tokens: what the key ring opens, what it refuses, and nothing in the clear."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import inspect, select, text, update

import tests.strategies  # noqa: F401  (the stable profile)
from journey.channels.protocol import Incoming
from journey.domain.access import Role
from journey.domain.delivery import Reason
from journey.domain.pathway import Channel
from journey.services.conversation.receiving import receive
from journey.services.keyring import reseal
from journey.services.suppressing import restart, stop
from journey.store import messages, outbox, patients, replies, staff, suppressions
from journey.store.resealing import SEALED_COLUMNS, reseal_column
from journey.store.schema import messages as messages_table
from journey.store.schema import patients as patients_table
from journey.store.sealing import Sealer, SealError, new_key, read_keys
from tests.clinic import ANNA, KEYS, START, Clinic

OLD, NEW = new_key(), new_key()
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def ring(*keys: str) -> Sealer:
    return Sealer(read_keys(",".join(keys)))


@given(_json)
def test_what_is_sealed_opens_again_and_never_looks_the_same_twice(value: object) -> None:
    sealer = ring(OLD)
    one, two = sealer.seal(value, "t.c"), sealer.seal(value, "t.c")
    assert one != two
    assert sealer.open(one, "t.c") == sealer.open(two, "t.c") == value


@given(st.binary(max_size=80), st.integers(0, 200), st.integers(1, 255))
def test_a_changed_or_made_up_value_is_refused(junk: bytes, place: int, flip: int) -> None:
    sealer = ring(OLD)
    sealed = bytearray(sealer.seal({"name": "Anna"}, "t.c"))
    sealed[place % len(sealed)] ^= flip
    for value in (bytes(sealed), junk, bytes(sealed[:4]) + junk):
        with pytest.raises(SealError):
            sealer.open(value, "t.c")


def test_a_value_moved_to_another_column_is_refused() -> None:
    sealed = ring(OLD).seal("Anna", "patients.person")
    with pytest.raises(SealError, match=r"messages\.content was changed outside Journey"):
        ring(OLD).open(sealed, "messages.content")


def test_a_value_moved_to_another_row_is_refused() -> None:
    sealed = ring(OLD).seal("Anna", "patients.person", 1)
    assert ring(OLD).open(sealed, "patients.person", 1) == "Anna"
    for row in ((2,), (1, 1), ()):
        with pytest.raises(SealError, match=r"patients\.person was changed outside Journey"):
            ring(OLD).open(sealed, "patients.person", *row)


def test_a_patients_details_do_not_open_in_another_patients_row(clinic: Clinic) -> None:
    anna = clinic.enroll()
    ben = clinic.enroll({"given_name": "Ben", "family_name": "Test", "phone": "+447700900102"})
    with clinic.database.write() as tx:
        mine = patients_table.c.id == ben.patient_id
        theirs = select(patients_table.c.sealed_person).where(patients_table.c.id == anna.patient_id)
        stolen = tx.connection.execute(theirs).scalar_one()
        tx.connection.execute(update(patients_table).where(mine).values(sealed_person=stolen))
    with clinic.database.read() as tx, pytest.raises(SealError):
        patients.get(tx, ben.patient_id)


class _Interrupted(Sealer):
    """Lets somebody else act between the reading of a value and the writing of its new seal."""

    act: Callable[[], None]

    def is_current(self, sealed: bytes) -> bool:
        self.act()
        return super().is_current(sealed)


def test_a_change_that_is_made_during_a_rotation_is_not_undone(clinic: Clinic) -> None:
    """Staff correct a number and withdraw consent while the patients are being sealed anew."""
    first = clinic.enroll()
    context = clinic.app.context
    context.database.sealer = ring(NEW, KEYS)
    interrupted = _Interrupted(read_keys(f"{NEW},{KEYS}"))
    with ThreadPoolExecutor(1) as staff:
        wish = ANNA | {"phone": "+447700900199"}
        changes: list[Future[object]] = []

        def act() -> None:
            changes.append(staff.submit(clinic.enroll, wish, sms=False))
            wait(changes, timeout=0.5)  # it must not come between

        interrupted.act = act
        with context.database.write() as tx:
            patients.reseal_some(replace(tx, sealer=interrupted), None, 500)
        changes[0].result(20)
    with clinic.database.read() as tx:
        anna = patients.get(tx, first.patient_id)
        assert anna is not None
        assert (anna.person.phone, anna.contact.consent_sms) == ("+447700900199", False)
        assert patients.with_addresses(tx, [(Channel.SMS, "+447700900199")]) == [first.patient_id]


def test_after_a_rotation_the_old_key_opens_and_the_new_one_seals() -> None:
    before, both = ring(OLD), ring(NEW, OLD)
    sealed = before.seal("Anna", "t.c")
    assert both.open(sealed, "t.c") == "Anna"
    assert not both.is_current(sealed)
    fresh = both.seal("Anna", "t.c")
    assert both.is_current(fresh)
    assert ring(NEW).open(fresh, "t.c") == "Anna"
    with pytest.raises(SealError, match="not in JOURNEY_SECRET_KEYS; add the old key behind the new one"):
        ring(NEW).open(sealed, "t.c")


def test_a_ring_looks_up_the_tokens_of_all_its_keys_and_stores_those_of_the_first() -> None:
    both = ring(NEW, OLD)
    assert both.tokens("sms", "+44") == [ring(NEW).token("sms", "+44"), ring(OLD).token("sms", "+44")]
    assert both.token("sms", "+44") == both.tokens("sms", "+44")[0]
    assert both.token("sms", "x") != both.token("email", "x")
    assert len(both.token("sms", "x")) == 16


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("short", "key 1 is not URL-safe base64 of 32 bytes; make one with: journey keys new"),
        (f"{KEYS},%%%", "key 2 is not URL-safe base64"),
        (urlsafe_b64encode(b"x" * 31).decode(), "key 1 is not"),
        (urlsafe_b64encode(b"x" * 33).decode(), "key 1 is not"),
        (f"{KEYS}, {KEYS}", "the same key stands twice in the ring"),
    ],
)
def test_a_key_ring_that_cannot_work_is_refused(keys: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_keys(keys)


def test_a_refused_key_is_not_repeated_in_the_error() -> None:
    with pytest.raises(ValueError) as error:
        read_keys("c2VjcmV0LXdvcmQtb2YtbWluZQ")
    assert "c2VjcmV0" not in str(error.value)
    with pytest.raises(ValueError, match="there is no secret key"):
        Sealer([])


def test_rotating_seals_everything_anew_and_nothing_is_lost(clinic: Clinic) -> None:
    first = clinic.enroll()
    clinic.work()
    stop(clinic.app.context, Channel.SMS, ANNA["phone"], source="tests", evidence="STOP please")
    context = clinic.app.context
    for number, sender in enumerate((ANNA["phone"], "+447700900999")):  # a patient, and a stranger
        receive(context, clinic.app.library, Incoming(f"SM{number}", sender, "Where do I park?"))
    context.database.sealer = ring(NEW, KEYS)
    assert reseal(context, "tests", lambda done: None) > 0
    assert reseal(context, "tests", lambda done: None) == 0
    context.database.sealer = ring(NEW)
    with clinic.database.read() as tx:
        assert [one.text for one in replies.made(tx, None, None, 10)] == ["Where do I park?"] * 2
        (anna,) = patients.search(tx, "kowal")
        assert anna.id == first.patient_id
        assert outbox.recent(tx)[0].content["to"] == ANNA["phone"]
    assert not clinic.enroll().is_new


def test_recovery_codes_outlive_the_key_they_were_made_under(clinic: Clinic) -> None:
    context = clinic.app.context
    with clinic.database.write() as tx:
        boss = staff.add(tx, "boss@clinic.example", "Boss", Role.ADMIN, clinic.clock.now())
        staff.replace_recovery_codes(tx, boss, ["aaaaa22222", "bbbbb33333"])
    context.database.sealer = ring(NEW, KEYS)
    reseal(context, "tests", lambda done: None)
    context.database.sealer = ring(NEW)
    with clinic.database.write() as tx:
        assert not staff.use_recovery_code(tx, boss, "ccccc44444")
        assert staff.use_recovery_code(tx, boss, "aaaaa22222")
        assert not staff.use_recovery_code(tx, boss, "aaaaa22222")
        assert staff.count_recovery_codes(tx, boss) == 1


def test_an_opt_out_outlives_the_key_it_was_noted_under(clinic: Clinic) -> None:
    context = clinic.app.context
    stop(context, Channel.SMS, ANNA["phone"], source="tests")
    context.database.sealer = ring(NEW, KEYS)
    reseal(context, "tests", lambda done: None)
    context.database.sealer = ring(NEW)
    enrolled = clinic.enroll()
    assert {row.channel for row in clinic.messages(enrolled.enrollment_id)} == {Channel.EMAIL}
    assert restart(context, Channel.SMS, ANNA["phone"], source="tests")
    assert Channel.SMS in {row.channel for row in clinic.messages(enrolled.enrollment_id)}


def test_stopping_again_between_rotation_and_resealing_is_known_and_hinders_nothing(clinic: Clinic) -> None:
    context = clinic.app.context
    stop(context, Channel.SMS, ANNA["phone"], source="tests")
    context.database.sealer = ring(NEW, KEYS)
    assert not stop(context, Channel.SMS, ANNA["phone"], source="tests")
    reseal(context, "tests", lambda done: None)
    assert restart(context, Channel.SMS, ANNA["phone"], source="tests")
    enrolled = clinic.enroll()
    assert Channel.SMS in {row.channel for row in clinic.messages(enrolled.enrollment_id)}


def test_a_row_with_another_patients_details_does_not_open_as_a_message(clinic: Clinic) -> None:
    enrolled = clinic.enroll()
    clinic.work()
    with clinic.database.write() as tx:
        person = tx.connection.execute(select(patients_table.c.sealed_person)).scalar_one()
        tx.connection.execute(update(messages_table).values(sealed_content=person))
    row = clinic.message(enrolled.enrollment_id, "welcome")
    with clinic.database.read() as tx, pytest.raises(SealError):
        tx.sealer.open(row.sealed_content or b"", messages.CONTENT, row.id)


# Words that stand nowhere else, so that one find is a leak.
PLANTED = {
    "given_name": "Zyxwanna",
    "family_name": "Qvortrup-Xylander",
    "phone": "+447400998877",
    "email": "zyxwanna.q@planted.example.org",
    "birth_date": "1931-02-03",
    "record_number": "PLANTEDREC-77",
}
EVIDENCE = "Zyxstop planted words"


def test_nothing_that_tells_who_a_patient_is_lies_in_the_clear(clinic: Clinic, tmp_path: Path) -> None:
    enrolled = clinic.enroll(PLANTED, arrival="09:07", facts={"takes_blood_thinners": True})
    clinic.run_until(START.replace(day=20))
    assert len(clinic.outbox()) > 5
    stop(clinic.app.context, Channel.SMS, PLANTED["phone"], source="tests", evidence=EVIDENCE)
    with clinic.database.write() as tx:
        suppressions.add(tx, Channel.EMAIL, PLANTED["email"], Reason.BAD_ADDRESS, "tests", START, EVIDENCE)
    row = clinic.message(enrolled.enrollment_id, "welcome")
    with clinic.database.read() as tx:
        said = tx.sealer.open(row.sealed_content or b"", messages.CONTENT, row.id)["text"]
    secrets = [*PLANTED.values(), PLANTED["phone"][1:], "zyxwanna", "qvortrup", EVIDENCE, said]
    stored = _postgres_cells(clinic) if clinic.database.is_postgres else _sqlite_bytes(tmp_path)
    assert len(stored) > 10_000
    assert [secret for secret in secrets if secret.casefold().encode() in stored] == []
    assert b"welcome" in stored, "the scan does see what is in the clear"


def _sqlite_bytes(folder: Path) -> bytes:
    files = [path for path in folder.iterdir() if path.name.startswith("journey.sqlite3")]
    assert {path.suffix for path in files} >= {".sqlite3", ".sqlite3-wal"}
    return b"".join(path.read_bytes() for path in files).lower()


def _postgres_cells(clinic: Clinic) -> bytes:
    """Every column of every table as text, with bytes as they are: what a dump would show."""
    found = bytearray()
    with clinic.database.read() as tx:
        for table in inspect(tx.connection).get_table_names():
            for row in tx.connection.execute(text(f'SELECT * FROM "{table}"')):
                for cell in row:
                    raw = bytes(cell) if isinstance(cell, bytes | memoryview) else str(cell).encode()
                    found += raw.lower() + b"\n"
    return bytes(found)


def test_words_that_a_worker_stores_during_a_rotation_are_not_undone(clinic: Clinic) -> None:
    """A look-up after a crash compares with these words."""
    patient = clinic.enroll().enrollment_id
    clinic.work()
    context = clinic.app.context
    context.database.sealer = ring(NEW, KEYS)
    (row,) = [m for m in clinic.messages(patient) if m.sealed_content is not None]
    newer = ring(NEW, KEYS).seal({"text": "newer"}, messages.CONTENT, row.id)
    interrupted = _Interrupted(read_keys(f"{NEW},{KEYS}"))
    with ThreadPoolExecutor(1) as worker:
        writes: list[Future[object]] = []

        def store() -> None:
            with clinic.database.write() as tx:
                mine = messages_table.c.id == row.id
                tx.connection.execute(update(messages_table).where(mine).values(sealed_content=newer))

        def act() -> None:
            writes.append(worker.submit(store))
            wait(writes, timeout=0.5)

        interrupted.act = act
        with context.database.write() as tx:
            reseal_column(replace(tx, sealer=interrupted), SEALED_COLUMNS[0], None, 500)
        writes[0].result(20)
    assert clinic.message(patient, row.step).sealed_content == newer
