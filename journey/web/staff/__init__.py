"""The staff's pages: what needs a person, patients, enrolling, reports, and the practice's settings."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from journey.web.same_origin import own_pages_only
from journey.web.staff import account, changes, contact, enroll, entry, patient, patients, today

__all__ = ["router"]

router = APIRouter(dependencies=[Depends(own_pages_only)])
for _module in (entry, account, today, patients, enroll, patient, changes, contact):
    router.include_router(_module.router)
