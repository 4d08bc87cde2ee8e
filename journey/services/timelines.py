"""An enrollment's whole story in one line of time: what went out, what will, and why each time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from journey.domain.calendar import read_zone
from journey.domain.explain import explain_status
from journey.services.context import Context, Missing
from journey.store import enrollments, messages, patients, sites
from journey.store.database import Tx
from journey.store.enrollments import Enrollment
from journey.store.messages import Message


@dataclass(frozen=True, slots=True)
class Moment:
    """One message as staff see it; times are ISO 8601 in the patient's zone."""

    id: str
    step: str
    phase: str
    channel: str | None
    at: str
    send_by: str
    status: str
    reason: str
    subject: str
    text: str
    segments: int | None


@dataclass(frozen=True, slots=True)
class Timeline:
    enrollment: Enrollment
    zone: str
    messages: Sequence[Moment]

    def as_json(self) -> dict[str, Any]:
        return {
            "enrollment": str(self.enrollment.id),
            "status": self.enrollment.status.value,
            "procedure_date": str(self.enrollment.procedure_date or ""),
            "arrival_time": f"{self.enrollment.arrival_time or ''}"[:5],
            "confirmed": self.enrollment.is_confirmed,
            "revision": self.enrollment.revision,
            "zone": self.zone,
            "messages": [asdict(message) for message in self.messages],
        }


def timeline(context: Context, enrollment_id: UUID) -> Timeline:
    with context.database.read() as tx:
        found = enrollments.get(tx, enrollment_id)
        if found is None:
            raise Missing(f"there is no enrollment {enrollment_id}")
        return timeline_of(tx, found)


def timeline_of(tx: Tx, enrollment: Enrollment) -> Timeline:
    patient = patients.get(tx, enrollment.patient_id)
    assert patient is not None
    zone = patient.contact.time_zone or sites.get(tx, enrollment.site_id).site.zone
    rows = messages.of_enrollment(tx, enrollment.id)
    return Timeline(enrollment, zone, [_moment(tx, row, zone) for row in rows])


def _moment(tx: Tx, row: Message, zone: str) -> Moment:
    content = messages.read_content(tx, row)
    local = read_zone(zone)
    return Moment(
        id=str(row.id),
        step=row.step,
        phase=row.phase,
        channel=row.channel.value if row.channel else None,
        at=(row.accepted_at or row.due_at).astimezone(local).isoformat(),
        send_by=row.send_by.astimezone(local).isoformat(),
        status=row.status.value,
        reason=explain_status(row.status, row.reason, row.why),
        subject=content.get("subject", ""),
        text=content.get("text", ""),
        segments=row.segments,
    )
