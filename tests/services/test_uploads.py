"""Patients from an uploaded file: every fault in place, nobody enrolled twice, and no step half done."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from journey.domain.contact import FieldErrors
from journey.services import columns, uploads, working
from journey.services.context import Refusal, Stale
from journey.services.csv_files import as_cell, read_csv, write_csv
from journey.services.housekeeping import tidy
from journey.services.importing import import_file
from journey.services.signing_in import Limits
from journey.store import imports, jobs, patients
from journey.store.imports import RowResult
from journey.store.schema import imports as imports_table
from journey.store.schema.work import JobKind, JobStatus
from tests.clinic import PATHWAY, Clinic
from tests.services.files import BVN, HEADER, arrange, check, counts, enrolled, many, upload

ANNA = "Anna,Kowalska,07700 900101,1961-04-12,A-101,2026-12-15,09:00,yes,4B\n"
BEN = "Ben,Okafor,07700 900102,1950-01-02,A-102,2026-12-16,,yes,4B\n"
BAD = "Nora,Lund,nothing,1971-02-30,A-103,2026-13-01,25:00,maybe,2A\n"


def test_columns_are_guessed_as_hospitals_call_them() -> None:
    guessed = columns.guess(HEADER.strip().split(","), BVN)
    assert list(guessed.values()) == [
        "given_name", "family_name", "phone", "birth_date", "record_number", "procedure_date", "arrival_time",
        "consent_sms", "",
    ]  # fmt: skip
    own = columns.guess(["given_name", "takes_blood_thinners", "Takes blood thinners"], BVN)
    assert list(own.values()) == ["given_name", "takes_blood_thinners", ""]


def test_a_mapping_must_hold_what_is_needed_and_nothing_twice(embedded_clinic: Clinic) -> None:
    import_id = upload(embedded_clinic, HEADER + ANNA)
    with pytest.raises(FieldErrors) as error:
        arrange(embedded_clinic, import_id, Surname="", Ward="phone")
    assert set(error.value.errors) == {"family_name", "phone"}


def test_every_row_is_checked_and_only_good_ones_are_enrolled(clinic: Clinic) -> None:
    import_id = check(clinic, HEADER + ANNA + BAD + BEN)
    assert counts(clinic, import_id) == {RowResult.READY: 2, RowResult.REFUSED: 1}
    with clinic.database.read() as tx:
        refused = imports.rows_of(tx, import_id, 0, 10, RowResult.REFUSED)[0]
    assert refused.number == 3
    assert set(refused.faults) == {"phone", "birth_date", "procedure_date", "arrival_time", "consent_sms"}
    assert enrolled(clinic) == 0
    uploads.begin(clinic.app.context, import_id, "kim")
    working.work(clinic.app.context, 10)
    assert counts(clinic, import_id) == {RowResult.ENROLLED: 2, RowResult.REFUSED: 1}
    assert enrolled(clinic) == 2
    clinic.work()
    assert len(clinic.outbox()) == 2  # two welcomes


def test_the_same_file_twice_enrolls_nobody_twice(clinic: Clinic) -> None:
    for expected in (RowResult.ENROLLED, RowResult.ALREADY):
        import_id = check(clinic, HEADER + ANNA + BEN + ANNA.replace("\n", " \n"))
        uploads.begin(clinic.app.context, import_id, "kim")
        working.work(clinic.app.context, 10)
        assert counts(clinic, import_id)[expected] >= 2
        assert enrolled(clinic) == 2


def test_a_second_person_cannot_begin_what_runs_already(clinic: Clinic) -> None:
    import_id = check(clinic, HEADER + ANNA)
    uploads.begin(clinic.app.context, import_id, "kim")
    with pytest.raises(Stale):
        uploads.begin(clinic.app.context, import_id, "lee")
    with pytest.raises(Stale):
        arrange(clinic, import_id)


def test_nothing_unchecked_is_enrolled(embedded_clinic: Clinic) -> None:
    import_id = upload(embedded_clinic, HEADER + ANNA)
    with pytest.raises(Refusal, match="not every row has been checked"):
        uploads.begin(embedded_clinic.app.context, import_id, "kim")
    arrange(embedded_clinic, import_id)
    with pytest.raises(Refusal, match="not every row has been checked"):
        uploads.begin(embedded_clinic.app.context, import_id, "kim")


def test_nobody_enrolls_by_columns_they_never_saw(clinic: Clinic) -> None:
    import_id = check(clinic, many(3))
    with clinic.database.read() as tx:
        seen = jobs.latest(tx, JobKind.CHECK, str(import_id))
    assert seen is not None
    arrange(clinic, import_id, Ward="")
    working.work(clinic.app.context, 10)
    with pytest.raises(Stale, match="columns anew"):
        uploads.begin(clinic.app.context, import_id, "kim", seen.id)
    assert enrolled(clinic) == 0


def test_rows_that_contradict_each_other_are_named(clinic: Clinic) -> None:
    births = ("", "1961-04-12", "1970-01-01")
    rows = [
        f"Anna,Kowalska,07700 900101,{b},A-101,2026-12-{15 + n},09:00,yes,1\n" for n, b in enumerate(births)
    ]
    import_id = check(clinic, HEADER + "".join(rows))
    assert counts(clinic, import_id) == {RowResult.READY: 2, RowResult.REFUSED: 1}
    uploads.begin(clinic.app.context, import_id, "kim")
    working.work(clinic.app.context, 10)
    assert counts(clinic, import_id) == {RowResult.ENROLLED: 2, RowResult.REFUSED: 1}


BORIS = "Boris,Smith,07700 900777,1980-01-01,A-101,2026-12-15,09:00,yes,4B\n"


def test_a_number_that_is_somebody_elses_is_refused_not_taken_over(clinic: Clinic) -> None:
    clinic.enroll()
    import_id = check(clinic, HEADER + BORIS + BEN)
    assert counts(clinic, import_id) == {RowResult.REFUSED: 1, RowResult.READY: 1}
    with clinic.database.read() as tx:
        (row,) = imports.rows_of(tx, import_id, 0, 10, RowResult.REFUSED)
        assert "somebody else" in row.faults["record_number"]
    uploads.begin(clinic.app.context, import_id, "kim")
    working.work(clinic.app.context, 10)
    with clinic.database.read() as tx:
        assert not patients.search(tx, "+447700900777")
        assert patients.search(tx, "A-101")[0].person.given_name == "Anna"


def test_the_same_number_for_two_people_in_one_file(clinic: Clinic) -> None:
    """Which of the two is right nobody can say: the first is enrolled, the second is told."""
    import_id = check(clinic, HEADER + ANNA + BORIS)
    uploads.begin(clinic.app.context, import_id, "kim")
    working.work(clinic.app.context, 10)
    assert counts(clinic, import_id) == {RowResult.ENROLLED: 1, RowResult.REFUSED: 1}


def test_the_same_number_far_apart_in_one_file(clinic: Clinic) -> None:
    import_id = check(clinic, HEADER + ANNA + many(150).removeprefix(HEADER) + BORIS)
    uploads.begin(clinic.app.context, import_id, "kim")
    working.work(clinic.app.context, 10)
    assert counts(clinic, import_id) == {RowResult.ENROLLED: 151, RowResult.REFUSED: 1}


def test_a_file_at_the_command_line_names_the_row(clinic: Clinic, tmp_path: Path) -> None:
    clinic.enroll()
    path = tmp_path / "list.csv"
    path.write_text(
        "given_name,family_name,phone,record_number,procedure_date\n"
        "Boris,Smith,07700 900777,A-101,2026-12-15\n"
    )
    report = import_file(clinic.app.context, path, pathway=PATHWAY, actor="tests")
    assert [(one.row, one.column) for one in report.errors] == [(2, "record_number")]
    assert enrolled(clinic) == 1


def test_what_a_file_leaves_out_is_not_erased(clinic: Clinic) -> None:
    clinic.enroll()
    import_id = check(clinic, HEADER + ANNA)  # has no column for e-mails
    uploads.begin(clinic.app.context, import_id, "kim")
    working.work(clinic.app.context, 10)
    with clinic.database.read() as tx:
        assert patients.search(tx, "A-101")[0].person.email == "anna@example.org"


def test_the_first_row_of_a_file_without_a_header_is_sealed(clinic: Clinic) -> None:
    import_id = upload(clinic, "Zebediah,Quill,07700 900101,2026-12-15\nBen,Okafor,07700 900102,2026-12-16\n")
    mapping = {"Zebediah": "given_name", "Quill": "family_name", "07700 900101": "phone"}
    mapping |= {"2026-12-15": "procedure_date"}
    uploads.arrange(clinic.app.context, import_id, mapping, PATHWAY, "main", "kim")
    with clinic.database.read() as tx:
        (row,) = tx.connection.execute(select(imports_table)).all()
        assert b"Zebediah" not in repr(row).encode()
        assert imports.get(tx, import_id).mapping == mapping  # type: ignore[union-attr]


def test_odd_files_are_refused_at_once() -> None:
    wide = ",".join(f"c{n}" for n in range(200_000)).encode()
    with pytest.raises(Refusal, match="200,000 columns"):
        read_csv(wide, "wide.csv")


def test_columns_arranged_anew_check_every_row_anew(clinic: Clinic) -> None:
    import_id = upload(clinic, many(30))
    first = arrange(clinic, import_id)
    arrange(clinic, import_id, Mobile="")
    working.work(clinic.app.context, 10)
    with clinic.database.read() as tx:
        assert jobs.get(tx, first).status is JobStatus.FAILED  # type: ignore[union-attr]
    assert counts(clinic, import_id) == {RowResult.REFUSED: 30}  # neither phone nor e-mail


def test_the_result_has_every_row_and_no_formula(clinic: Clinic) -> None:
    evil = "=cmd|' /C calc'!A0,+SUM(A1),07700 900109,1950-01-02,@x,2026-12-20,09:00,yes,-1\n"
    import_id = check(clinic, HEADER + ANNA + evil + BAD)
    uploads.begin(clinic.app.context, import_id, "kim")
    working.work(clinic.app.context, 10)
    raw = uploads.result_file(clinic.app.context, import_id, "kim")
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))
    assert [row["result"] for row in rows] == ["enrolled", "enrolled", "refused"]
    assert "is no phone number" in rows[2]["problems"]
    for row in rows:
        assert not [cell for cell in row.values() if cell[:1] in "=+-@\t\r" and cell]
    again = check(clinic, raw.decode("utf-8-sig"), "again.csv")  # the marks are read away
    uploads.begin(clinic.app.context, again, "kim")
    working.work(clinic.app.context, 10)
    assert counts(clinic, again) == {RowResult.ALREADY: 2, RowResult.REFUSED: 1}


@pytest.mark.parametrize("cell", ["=1+1", "+44", "-5", "@a", "\t=1", " =1", "\n=1"])
def test_no_cell_is_a_formula(cell: str) -> None:
    assert as_cell(cell).startswith("'")
    table = read_csv(write_csv(["a"], [[cell]]), "x.csv")
    assert table.rows[0][1]["a"] == cell


def test_old_files_are_forgotten_with_what_was_wrong_in_them(clinic: Clinic) -> None:
    import_id = check(clinic, HEADER + ANNA + BAD)
    clinic.clock.advance(uploads.KEPT_FOR + timedelta(days=1))
    tidy(clinic.app.context, Limits(timedelta(minutes=30), timedelta(hours=12)))
    with pytest.raises(Refusal, match="forgotten"):
        uploads.read_sheet(clinic.app.context, import_id)
    with clinic.database.read() as tx:
        assert all(not row.faults for row in imports.rows_of(tx, import_id, 0, 10))


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "no patients"),
        (b"a,b\n", "no patients"),
        (b"a,a\n1,2\n", "stands twice"),
        (b"a,b\n1\n", "another number of columns"),
        (b"\xff\xfea\x00", "UTF-16"),
        (b"a\n\xe9\n", "not UTF-8"),
        (b"a\n\x00\n", "zero bytes"),
        (b'a\n"open', "unexpected end"),
    ],
)
def test_what_is_no_table_is_refused_with_the_place(embedded_clinic: Clinic, raw: bytes, said: str) -> None:
    with pytest.raises(Refusal, match=said):
        uploads.keep(embedded_clinic.app.context, "x.csv", raw, "kim")


def test_too_many_rows_are_for_the_command_line(embedded_clinic: Clinic) -> None:
    with pytest.raises(Refusal, match="more than 20,000 rows"):
        upload(embedded_clinic, "a\n" + "1\n" * 20_001)


def test_what_the_page_refuses_the_command_line_refuses_too(embedded_clinic: Clinic, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("given_name,family_name,phone,procedure_date\nNora,Lund,nothing,2026-12-15\n", "utf-8")
    report = import_file(embedded_clinic.app.context, path, pathway=PATHWAY, actor="kim")
    assert [error.column for error in report.errors] == ["phone"]
