"""Taking back that a procedure was called off: a slip of one click must not cost a patient their messages."""

from __future__ import annotations

import json
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from journey.domain.eligibility import EnrollmentStatus
from journey.services.context import Context, Missing, Refusal
from journey.services.wishes import Terms, Wish, take_back
from journey.store import audit, enrollments
from journey.store.database import Tx
from journey.store.enrollments import Enrollment

NOTHING = "it was not called off, or too long ago: enroll the patient again instead"
_ACTIONS = ("enrollment.cancelled", "enrollment.postponed")
_WITHIN = timedelta(hours=24)  # later, somebody has told the patient, who is enrolled again instead
_LOOKED_AT_ANEW = "enrollment.replanned"
_RECENT = 50  # changes of an enrollment, among which its newest one of terms is


def as_detail(before: Enrollment) -> dict[str, Any]:
    """What the audit log keeps of an enrollment that is called off."""
    return {
        "status": before.status.value,
        "procedure_date": before.procedure_date,
        "arrival_time": f"{before.arrival_time:%H:%M:%S}" if before.arrival_time else None,
        "confirmed_for": before.confirmed_for,
    }


def terms_before(tx: Tx, enrollment: Enrollment, now: datetime) -> Terms | None:
    """How an enrollment stood before it was called off, if that was its last change, and a moment ago."""
    for entry in audit.of_subject(tx, f"enrollment/{enrollment.id}", _RECENT, about="enrollment."):
        if entry["action"] == _LOOKED_AT_ANEW:  # an address or a setting changed, and no terms
            continue
        detail = json.loads(entry["detail"])
        is_open = now - entry["at"] < _WITHIN and entry["action"] in _ACTIONS
        return _read(detail) if is_open and "before" in detail else None
    return None


def wish_for(context: Context, enrollment_id: UUID) -> tuple[Wish, int]:
    """The wish, and the revision that it is about. Raises Missing, Refusal for nothing to take back."""
    with context.database.read() as tx:
        found = enrollments.get(tx, enrollment_id)
        if found is None:
            raise Missing(f"there is no enrollment {enrollment_id}")
        before = terms_before(tx, found, context.clock.now())
    if before is None:
        raise Refusal(NOTHING)
    return take_back(before), found.revision


def _read(detail: dict[str, Any]) -> Terms:
    before = detail["before"]
    return Terms(
        EnrollmentStatus(before["status"]),
        date.fromisoformat(before["procedure_date"]) if before["procedure_date"] else None,
        time.fromisoformat(before["arrival_time"]) if before["arrival_time"] else None,
        date.fromisoformat(before["confirmed_for"]) if before["confirmed_for"] else None,
        detail["revision"],
    )
