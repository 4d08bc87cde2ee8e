"""Where a patient stands, in a word."""

from __future__ import annotations

from datetime import date

from journey.domain.eligibility import EnrollmentStatus
from journey.store.enrollments import Enrollment
from journey.web.words import Tag

_ENDED = {
    EnrollmentStatus.PAUSED: Tag("Paused", "warn"),
    EnrollmentStatus.CANCELLED: Tag("Cancelled", "quiet"),
    EnrollmentStatus.WITHDRAWN: Tag("Withdrawn", "quiet"),
}


def state_of_enrollment(enrollment: Enrollment, today: date, *, is_over: bool) -> Tag:
    """`is_over`: no message is to come any more. `today` is the clinic's."""
    if enrollment.status is not EnrollmentStatus.ACTIVE:
        return _ENDED[enrollment.status]
    day = enrollment.procedure_date
    if day is None and enrollment.completed_on is None:
        return Tag("Postponed", "warn")
    if is_over:
        return Tag("Finished", "good")
    if enrollment.completed_on is not None:
        return Tag("Recovering", "info")
    if today == day:
        return Tag("Procedure today", "info")
    return Tag("Recovering", "info") if day is not None and today > day else Tag("Preparing", "info")
