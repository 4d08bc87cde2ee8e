"""The API for other systems, version 1: JSON in and out, keys with scopes, problem documents."""

from __future__ import annotations

from fastapi import APIRouter

from journey.web.api import document, enrollments, messages, patients, replies, tasks

__all__ = ["router"]

router = APIRouter(prefix="/api/v1")
for _module in (enrollments, patients, messages, replies, tasks, document):
    router.include_router(_module.router)
