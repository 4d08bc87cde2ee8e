"""The staff's pages: what needs a person, patients, enrolling, reports, and the practice's settings."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from journey.web.same_origin import own_pages_only
from journey.web.staff import (
    account,
    auditlog,
    changes,
    contact,
    enroll,
    entry,
    imports,
    outbox,
    patient,
    patients,
    people,
    reports,
    settings,
    sso,
    systems,
    today,
    writing,
)

__all__ = ["router"]

router = APIRouter(dependencies=[Depends(own_pages_only)])
for _module in (
    entry,
    sso,
    account,
    today,
    patients,
    enroll,
    imports,
    patient,
    changes,
    contact,
    writing,
    reports,
    outbox,
    settings,
    systems,
    people,
    auditlog,
):
    router.include_router(_module.router)
