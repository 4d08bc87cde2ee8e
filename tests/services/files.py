"""Files of patients for tests: uploaded, arranged, checked."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from journey.services import columns, uploads, working
from journey.services.pathway_files import load_built_in
from journey.store import enrollments, imports, jobs
from journey.store.imports import RowResult
from tests.clinic import PATHWAY, Clinic

BVN = load_built_in(PATHWAY).pathway

HEADER = "First name,Surname,Mobile,DOB,MRN,Procedure date,Arrival,Text consent,Ward\n"


def upload(clinic: Clinic, text: str, name: str = "list.csv") -> UUID:
    return uploads.keep(clinic.app.context, name, text.encode(), "kim")


def arrange(clinic: Clinic, import_id: UUID, **other: str) -> UUID:
    header = uploads.read_sheet(clinic.app.context, import_id).table.header
    mapping = columns.guess(header, BVN) | other
    return uploads.arrange(clinic.app.context, import_id, mapping, PATHWAY, "main", "kim")


def check(clinic: Clinic, text: str, name: str = "list.csv") -> UUID:
    import_id = upload(clinic, text, name)
    arrange(clinic, import_id)
    working.work(clinic.app.context, 10)
    return import_id


def counts(clinic: Clinic, import_id: UUID) -> dict[RowResult, int]:
    with clinic.database.read() as tx:
        return imports.count_rows(tx, import_id)


def enrolled(clinic: Clinic) -> int:
    with clinic.database.read() as tx:
        return len(enrollments.everyone(tx, 1000))


def take(clinic: Clinic) -> jobs.Job:
    """As a worker takes a job up."""
    now = clinic.clock.now()
    with clinic.database.write() as tx:
        job = jobs.take(tx, now, now + timedelta(seconds=60))
    assert job is not None
    return job


def many(number: int) -> str:
    rows = (
        f"Given{n},Family{n},07700 900{n % 1000:03},1950-01-02,M-{n},2026-12-{10 + n % 20},09:00,yes,1\n"
        for n in range(number)
    )
    return HEADER + "".join(rows)
