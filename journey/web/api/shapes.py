"""Stored things in the shapes that the API gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from journey.domain.calendar import read_zone
from journey.domain.explain import explain_reason
from journey.services.changing import Outcome
from journey.store.enrollments import Enrollment
from journey.store.messages import Message
from journey.store.patients import Patient
from journey.store.replies import Reply
from journey.web.api.schemas import (
    ConsentIn,
    LineOut,
    MessageSummaryOut,
    PatientOut,
    ReplyOut,
    ReplySummaryOut,
    SummaryOut,
    TaskOut,
)


def as_moment(at: datetime | None) -> str | None:
    """An instant in UTC, ISO 8601."""
    return at.astimezone(UTC).isoformat() if at else None


def _sure(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def summary_of(one: Enrollment) -> SummaryOut:
    return SummaryOut(
        id=str(one.id),
        patient=str(one.patient_id),
        pathway=one.pathway,
        status=one.status,
        procedure_date=str(one.procedure_date) if one.procedure_date else None,
        arrival_time=f"{one.arrival_time:%H:%M}" if one.arrival_time else None,
        completed_on=str(one.completed_on) if one.completed_on else None,
        confirmed=one.is_confirmed,
        enrolled_at=_sure(one.enrolled_at),
        revision=one.revision,
    )


def message_summary_of(one: Message) -> MessageSummaryOut:
    return MessageSummaryOut(
        id=str(one.id),
        enrollment=str(one.enrollment_id),
        step=one.step,
        channel=one.channel.value if one.channel else None,
        status=one.status,
        due_at=_sure(one.due_at),
        accepted_at=as_moment(one.accepted_at),
        delivered_at=as_moment(one.delivered_at),
    )


def reply_summary_of(one: Reply) -> ReplySummaryOut:
    return ReplySummaryOut(**_summary_of_reply(one))


def reply_of(one: Reply) -> ReplyOut:
    return ReplyOut(
        **_summary_of_reply(one),
        sender=one.sender,
        text=one.text,
        pictures=one.pictures,
        red_flags=list(one.red_flags),
    )


def _summary_of_reply(one: Reply) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "enrollment": str(one.enrollment_id) if one.enrollment_id else None,
        "at": _sure(one.at),
        "intent": one.intent,
        "task": str(one.task_id) if one.task_id else None,
    }


def patient_of(one: Patient, enrollments: Sequence[Enrollment]) -> PatientOut:
    person, contact = one.person, one.contact
    return PatientOut(
        id=str(one.id),
        given_name=person.given_name,
        family_name=person.family_name,
        phone=person.phone,
        email=person.email,
        birth_date=str(person.birth_date) if person.birth_date else None,
        record_number=person.record_number,
        locale=contact.locale,
        time_zone=contact.time_zone,
        prefers=contact.prefers.value if contact.prefers else None,
        consent=ConsentIn(sms=contact.consent_sms, email=contact.consent_email),
        enrollments=[summary_of(row) for row in enrollments],
    )


def task_of(task: Mapping[str, Any]) -> TaskOut:
    return TaskOut(
        id=str(task["id"]),
        kind=task["kind"],
        detail=task["detail"],
        enrollment=str(task["enrollment_id"]) if task["enrollment_id"] else None,
        message=str(task["message_id"]) if task["message_id"] else None,
        opened_at=_sure(task["opened_at"]),
        due_at=_sure(task["due_at"]),
        claimed_by=task["claimed_by"],
        done_at=as_moment(task["done_at"]),
        done_by=task["done_by"],
    )


def changed_lines(outcome: Outcome) -> list[LineOut]:
    """What a change does to each message, in the order of time."""
    zone = read_zone(outcome.zone)

    def local(at: datetime | None) -> str | None:
        return at.astimezone(zone).isoformat() if at else None

    lines = [
        LineOut(
            action=one.action.value,
            step=one.step,
            message=str(one.existing.id) if one.existing else None,
            before=local(one.existing.due_at if one.existing else None),
            after=local(one.target.due_at if one.target and one.action.value != "cancel" else None),
            channel=(one.target or one.existing).channel,  # type: ignore[union-attr]
            reason=explain_reason(one.reason),
        )
        for one in outcome.changes
    ]
    return sorted(lines, key=lambda line: line.after or line.before or "")
