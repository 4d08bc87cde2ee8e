"""What the API takes and gives. Strict: nothing is read as something else, and nothing unknown is ignored."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from journey.domain.contact import LOCALES
from journey.domain.delivery import Status
from journey.domain.eligibility import EnrollmentStatus
from journey.domain.triage import Intent
from journey.services.describing import Described
from journey.services.showing import ShownMessage
from journey.store.staff_tasks import TaskKind


def _is_date(text: str) -> str:
    date.fromisoformat(text)
    return text


def _as_whole(value: object) -> object:
    """JSON has one kind of number: 3.0 is 3."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
Date = Annotated[
    str,
    Field(pattern=_DATE),
    AfterValidator(_is_date),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2027-03-16"]}),
]
ClockTime = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["07:30"])]
Id = Annotated[str, WithJsonSchema({"type": "string", "format": "uuid"})]
Moment = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Revision = Annotated[
    int,
    Field(ge=0, le=2**31 - 1, description="As last read; 409 if it has changed since."),
    BeforeValidator(_as_whole),
]
Locale = Literal["en-GB", "en-US"]
assert set(LOCALES) == {"en-GB", "en-US"}  # a schema names its values


class _In(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class PatientIn(_In):
    """Who the patient is. Known patients are found by record number, else by name, birth and address."""

    given_name: str = Field(min_length=1, max_length=80)
    family_name: str = Field(min_length=1, max_length=80)
    phone: str | None = Field(
        default=None, pattern=r"^\+?[0-9][0-9 ().\-]{4,24}$", examples=["+447700900123"]
    )
    # Without classes such as \s, which mean other characters in other languages' expressions.
    email: str | None = Field(
        default=None, pattern=r"^[^@\x00-\x20\x7f-\xa0]+@[^@\x00-\x20\x7f-\xa0]+$", max_length=254
    )
    birth_date: Date | None = None
    record_number: str | None = Field(default=None, max_length=40)
    locale: Locale | None = None
    time_zone: str | None = Field(default=None, max_length=60, examples=["Europe/London"])
    prefers: Literal["sms", "email"] | None = None


class ConsentIn(_In):
    """What the patient agreed to. A channel that is not named stays as it was; at first, none is given."""

    sms: bool | None = None
    email: bool | None = None


class EnrollmentIn(_In):
    patient: PatientIn
    pathway: str = Field(min_length=1, max_length=40, examples=["bvn-ablation"])
    site: str | None = Field(default=None, max_length=40, description="Needed where there are several.")
    procedure_date: Date
    arrival_time: ClockTime | None = Field(default=None, description="On the clinic’s clocks.")
    facts: dict[str, bool | str] = Field(default_factory=dict, examples=[{"takes_blood_thinners": True}])
    consent: ConsentIn = Field(default_factory=ConsentIn)


class RescheduleIn(_In):
    procedure_date: Date
    arrival_time: ClockTime | None = Field(
        default=None,
        description="Left out, none is known for the new date: what names it waits, with a task.",
    )
    revision: Revision | None = None


class CancelIn(_In):
    revision: Revision | None = None


class ConfirmIn(_In):
    procedure_date: Date = Field(description="The date to which the patient said yes.")
    revision: Revision | None = None


class CompleteIn(_In):
    date: Date | None = Field(
        default=None, description="The day it went ahead, if it is not the planned one."
    )
    revision: Revision | None = None


class SearchIn(_In):
    text: str = Field(
        min_length=2,
        max_length=200,
        description="A name’s beginning; a phone, e-mail or record number whole.",
    )


class NoteIn(_In):
    text: str = Field(min_length=1, max_length=2000)


class MessageOut(BaseModel):
    """One message. `reason` says why it is in its state, or why then; times are the patient’s."""

    id: Id | None
    step: str
    phase: str
    channel: Literal["sms", "email"] | None
    at: Moment
    send_by: Moment
    status: Status
    reason: str
    subject: str
    text: str
    encoding: Literal["GSM-7", "UCS-2"] | None
    segments: int | None

    @classmethod
    def of(cls, one: ShownMessage) -> MessageOut:
        return cls.model_validate(one, from_attributes=True)


class SingleMessageOut(MessageOut):
    enrollment: Id


class EnrollmentOut(BaseModel):
    """How an enrollment stands. `id` is null where it was only previewed."""

    id: Id | None
    patient: Id | None
    pathway: str
    pathway_version: int
    site: str
    status: EnrollmentStatus
    procedure_date: Date | None
    arrival_time: ClockTime | None
    completed_on: Date | None
    confirmed: bool
    facts: dict[str, Any]
    time_zone: str
    revision: int
    messages: list[MessageOut]
    differs: list[str] = Field(
        default_factory=list, description="What the request asked otherwise than the enrollment that stands."
    )

    @classmethod
    def of(cls, one: Described, **more: Any) -> Any:
        values = {name: getattr(one, name) for name in Described.__slots__ if name != "messages"}
        values |= {
            "id": str(one.id),
            "patient": str(one.patient),
            "procedure_date": str(one.procedure_date) if one.procedure_date else None,
            "arrival_time": f"{one.arrival_time:%H:%M}" if one.arrival_time else None,
            "completed_on": str(one.completed_on) if one.completed_on else None,
            "messages": [MessageOut.of(message) for message in one.messages],
        }
        return cls(**(values | more))


class LineOut(BaseModel):
    """What a change does to one message: keep, move, cancel, add or correct."""

    action: Literal["keep", "move", "cancel", "add", "correct"]
    step: str
    message: Id | None
    before: Moment | None
    after: Moment | None
    channel: Literal["sms", "email"] | None
    reason: str


class ChangedOut(EnrollmentOut):
    """The enrollment after the change; with `dry_run`, as it would be."""

    dry_run: bool
    changes: list[LineOut]


class SummaryOut(BaseModel):
    id: Id
    patient: Id
    pathway: str
    status: EnrollmentStatus
    procedure_date: Date | None
    arrival_time: ClockTime | None
    completed_on: Date | None
    confirmed: bool
    enrolled_at: Moment
    revision: int


class EnrollmentPage(BaseModel):
    """`next` is the cursor of the next page; null on the last one."""

    items: list[SummaryOut]
    next: str | None


class MessageSummaryOut(BaseModel):
    id: Id
    enrollment: Id
    step: str
    channel: Literal["sms", "email"] | None
    status: Status
    due_at: Moment
    accepted_at: Moment | None
    delivered_at: Moment | None


class MessagePage(BaseModel):
    items: list[MessageSummaryOut]
    next: str | None


class PatientOut(BaseModel):
    id: Id
    given_name: str
    family_name: str
    phone: str | None
    email: str | None
    birth_date: Date | None
    record_number: str | None
    locale: str
    time_zone: str | None
    prefers: Literal["sms", "email"] | None
    consent: ConsentIn
    enrollments: list[SummaryOut]


class PatientList(BaseModel):
    items: list[PatientOut]


class TaskOut(BaseModel):
    id: Id
    kind: TaskKind
    detail: str
    enrollment: Id | None
    message: Id | None
    opened_at: Moment
    due_at: Moment
    claimed_by: str | None
    done_at: Moment | None
    done_by: str | None


class TaskPage(BaseModel):
    items: list[TaskOut]
    next: str | None


class ReplySummaryOut(BaseModel):
    """`intent`: what a machine makes of it. `task`: somebody is asked to read it."""

    id: Id
    enrollment: Id | None
    at: Moment
    intent: Intent
    task: Id | None


class ReplyOut(ReplySummaryOut):
    """One reply with its words. `red_flags`: what may be urgent in it."""

    sender: str
    text: str
    pictures: int
    red_flags: list[str]


class ReplyPage(BaseModel):
    items: list[ReplySummaryOut]
    next: str | None
