"""Patients: found by what names them, read with their enrollments. Each look is in the audit log."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from journey.services import patient_lists
from journey.web.api.keys import ReadKey
from journey.web.api.paging import answers
from journey.web.api.schemas import PatientList, PatientOut, SearchIn
from journey.web.api.shapes import patient_of
from journey.web.requests import TheApp

router = APIRouter(tags=["patients"])


@router.post("/patients/search", response_model=PatientList, responses=answers())
def search(app: TheApp, key: ReadKey, body: SearchIn) -> PatientList:
    """Posted, so that no name or number stands in an address. At most 25."""
    found = patient_lists.find(app.context, body.text, key.actor)
    return PatientList(items=[patient_of(one, rows) for one, rows in found])


@router.get("/patients/{patient_id:uuid}", response_model=PatientOut, responses=answers(404))
def read(app: TheApp, key: ReadKey, patient_id: UUID) -> PatientOut:
    one, rows = patient_lists.one(app.context, patient_id, key.actor)
    return patient_of(one, rows)
