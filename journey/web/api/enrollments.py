"""Enrollments: made, read with their timeline, moved, cancelled and completed; each may be only previewed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response

from journey.bootstrap import App
from journey.domain.access import Scope
from journey.domain.contact import FieldErrors
from journey.domain.eligibility import EnrollmentStatus
from journey.domain.facts import ARRIVAL_FACT
from journey.services import changing, taking_back, wishes
from journey.services.admission import Prepared, Request, Setting, prepare, read_arrival
from journey.services.considering import consider
from journey.services.context import Missing, Refusal
from journey.services.describing import describe, describe_outcome
from journey.services.enrolling import Enrolled, enroll
from journey.services.known import SOMEBODY_ELSE, SomebodyElse
from journey.services.publishing import find_setting, find_site
from journey.services.repeating import Note, Once, StillAtWork, once
from journey.services.wishes import Wish
from journey.store import listings
from journey.store.api_keys import ApiKey
from journey.web.api.keys import ReadKey, WriteKey, require
from journey.web.api.paging import Cursor, Limit, answers, cursor_of, read_cursor
from journey.web.api.problems import FieldFault, Problem, faults
from journey.web.api.schemas import (
    CancelIn,
    ChangedOut,
    CompleteIn,
    ConfirmIn,
    Date,
    EnrollmentIn,
    EnrollmentOut,
    EnrollmentPage,
    MessageOut,
    PatientIn,
    RescheduleIn,
)
from journey.web.api.shapes import changed_lines, summary_of
from journey.web.requests import TheApp

router = APIRouter(tags=["enrollments"])
DryRun = Annotated[bool, Query(description="Only show what would happen.")]
IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="The same key and body within a day is one enrollment, however often it is sent.",
    ),
]
_CHANGING = answers(404, 409)
_PLACES = {name: f"patient/{name}" for name in PatientIn.model_fields} | {
    "consent_sms": "consent/sms",
    "consent_email": "consent/email",
}


@router.post(
    "/enrollments",
    status_code=201,
    response_model=EnrollmentOut,
    responses={
        **answers(409),
        200: {"description": "Was enrolled already, or only previewed.", "model": EnrollmentOut},
    },
)
def create(
    app: TheApp,
    key: WriteKey,
    body: EnrollmentIn,
    response: Response,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,
) -> EnrollmentOut:
    """Enrolls a patient. The same patient, pathway and date is one enrollment."""
    if dry_run:
        require(key, Scope.READ)
        response.status_code = 200
        return _previewed(app, body, key)

    def do(note: Note) -> Enrolled:
        # Read and checked in here: what was enrolled yesterday is not refused today for its date.
        setting = _setting(app, body, key)
        with _whose_number():
            return enroll(app.context, setting, _prepare(app, body, setting), also=note)

    if idempotency_key is None:
        done: Enrolled | Once = do(lambda tx, results: None)
    else:
        content = json.dumps(body.model_dump(), sort_keys=True)
        try:
            done = once(app.context, key, idempotency_key, content, do)
        except StillAtWork as error:
            raise Problem(409, str(error), headers={"retry-after": "2"}) from None
        if done.is_repeated:
            response.headers["idempotent-replayed"] = "true"
    response.status_code = 201 if done.is_new else 200
    response.headers["location"] = f"/api/v1/enrollments/{done.enrollment_id}"
    described = describe(app.context, app.library, done.enrollment_id, key.actor)
    made: EnrollmentOut = EnrollmentOut.of(described, differs=list(done.differs))
    return made


@contextmanager
def _whose_number() -> Iterator[None]:
    try:
        yield
    except SomebodyElse as error:
        fault = FieldFault(pointer="#/patient/record_number", detail=SOMEBODY_ELSE)
        raise Problem(409, str(error), [fault]) from None


def _setting(app: App, body: EnrollmentIn, key: ApiKey) -> Setting:
    with app.context.database.read() as tx:
        try:
            find_site(tx, body.site)
        except Refusal as error:
            raise Problem(409, str(error), [FieldFault(pointer="#/site", detail=str(error))]) from None
        try:
            return find_setting(tx, body.pathway, body.site, key.actor)
        except Refusal as error:
            raise Problem(409, str(error), [FieldFault(pointer="#/pathway", detail=str(error))]) from None


def _prepare(app: App, body: EnrollmentIn, setting: Setting) -> Prepared:
    """Raises Problem with every field that cannot be."""
    errors: dict[str, str] = {}
    for fact in setting.version.pathway.facts:
        try:
            if fact.key in body.facts and fact.key != ARRIVAL_FACT:
                fact.read(body.facts[fact.key])
        except ValueError as error:
            errors[f"facts/{fact.key}"] = str(error)
    person = body.patient.model_dump()
    request = Request(
        person=person,
        procedure_date=body.procedure_date,
        arrival_time=body.arrival_time,
        facts=body.facts,
        consent_sms=body.consent.sms,
        consent_email=body.consent.email,
    )
    try:
        prepared = prepare(request, setting, app.context.clock.now())
    except FieldErrors as error:
        errors |= {name: text for name, text in error.errors.items() if name != "facts" or not errors}
        raise faults(errors, _PLACES) from None
    return prepared


def _previewed(app: App, body: EnrollmentIn, key: ApiKey) -> EnrollmentOut:
    setting = _setting(app, body, key)
    prepared = _prepare(app, body, setting)
    with _whose_number():
        found = consider(app.context, setting, prepared)
    same = next((one for one in found.likenesses if one.is_same), None)
    standing = same.enrollment if same else None
    if standing is not None and standing.procedure_date == prepared.procedure_date:
        stands: EnrollmentOut = EnrollmentOut.of(describe(app.context, app.library, standing.id, key.actor))
        return stands  # enrolling again would find it, and change nothing of it
    zone = prepared.contact.time_zone or setting.site.site.zone
    return EnrollmentOut(
        id=None,
        patient=str(same.patient_id) if same else None,
        pathway=setting.version.pathway_key,
        pathway_version=setting.version.number,
        site=setting.site.site.key,
        status=EnrollmentStatus.ACTIVE,
        procedure_date=str(prepared.procedure_date),
        arrival_time=f"{prepared.arrival_time:%H:%M}" if prepared.arrival_time else None,
        completed_on=None,
        confirmed=False,
        facts=dict(prepared.facts),
        time_zone=zone,
        revision=0,
        messages=[MessageOut.of(one) for one in found.messages],
    )


@router.get("/enrollments", response_model=EnrollmentPage, responses=answers())
def browse(
    app: TheApp,
    key: ReadKey,
    status: EnrollmentStatus | None = None,
    procedure_from: Annotated[Date | None, Query()] = None,
    procedure_to: Annotated[Date | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> EnrollmentPage:
    """Enrollments in the order in which they were made. No names: those are read patient by patient."""
    since = date.fromisoformat(procedure_from) if procedure_from else None
    until = date.fromisoformat(procedure_to) if procedure_to else None
    with app.context.database.read() as tx:
        rows = listings.made(tx, listings.Filter(status, since, until), read_cursor(cursor), limit + 1)
    shown = rows[:limit]
    after = cursor_of(shown[-1].id) if len(rows) > limit else None
    return EnrollmentPage(items=[summary_of(one) for one in shown], next=after)


@router.get("/enrollments/{enrollment_id:uuid}", response_model=EnrollmentOut, responses=answers(404))
def read(app: TheApp, key: ReadKey, enrollment_id: UUID) -> EnrollmentOut:
    """An enrollment with every message: what went out, what will, and why each time."""
    found: EnrollmentOut = EnrollmentOut.of(describe(app.context, app.library, enrollment_id, key.actor))
    return found


@router.post("/enrollments/{enrollment_id:uuid}/reschedule", response_model=ChangedOut, responses=_CHANGING)
def reschedule(
    app: TheApp, key: WriteKey, enrollment_id: UUID, body: RescheduleIn, dry_run: DryRun = False
) -> ChangedOut:
    """A new date and arrival time. Whoever was told the old date gets one correction."""
    wish = wishes.reschedule(date.fromisoformat(body.procedure_date), read_arrival(body.arrival_time))
    return _change(app, key, enrollment_id, wish, body.revision, dry_run, "procedure_date")


@router.post("/enrollments/{enrollment_id:uuid}/cancel", response_model=ChangedOut, responses=_CHANGING)
def cancel(
    app: TheApp, key: WriteKey, enrollment_id: UUID, body: CancelIn | None = None, dry_run: DryRun = False
) -> ChangedOut:
    """The procedure will not happen. Nothing goes out once this has returned."""
    return _change(app, key, enrollment_id, wishes.cancel(), body.revision if body else None, dry_run)


@router.post("/enrollments/{enrollment_id:uuid}/take-back", response_model=ChangedOut, responses=_CHANGING)
def take_back(app: TheApp, key: WriteKey, enrollment_id: UUID, dry_run: DryRun = False) -> ChangedOut:
    """It was cancelled or postponed by mistake, within a day: all that fell away comes back."""
    try:
        wish, revision = taking_back.wish_for(app.context, enrollment_id)
    except Missing:
        raise
    except Refusal as error:
        raise Problem(409, str(error), [FieldFault(pointer="#", detail=str(error))]) from None
    return _change(app, key, enrollment_id, wish, revision, dry_run)


@router.post("/enrollments/{enrollment_id:uuid}/confirm", response_model=ChangedOut, responses=_CHANGING)
def confirm(
    app: TheApp, key: WriteKey, enrollment_id: UUID, body: ConfirmIn, dry_run: DryRun = False
) -> ChangedOut:
    """The patient said yes to the date: nobody asks again, unless the date changes."""
    wish = wishes.confirm(date.fromisoformat(body.procedure_date))
    return _change(app, key, enrollment_id, wish, body.revision, dry_run, "procedure_date")


@router.post("/enrollments/{enrollment_id:uuid}/unconfirm", response_model=ChangedOut, responses=_CHANGING)
def unconfirm(
    app: TheApp, key: WriteKey, enrollment_id: UUID, body: CancelIn | None = None, dry_run: DryRun = False
) -> ChangedOut:
    """It was somebody else who said yes, or the patient is not sure any more. Asks again, unless it has."""
    return _change(app, key, enrollment_id, wishes.unconfirm(), body.revision if body else None, dry_run)


@router.post("/enrollments/{enrollment_id:uuid}/complete", response_model=ChangedOut, responses=_CHANGING)
def complete(
    app: TheApp, key: WriteKey, enrollment_id: UUID, body: CompleteIn | None = None, dry_run: DryRun = False
) -> ChangedOut:
    """The procedure went ahead: recovery messages follow from that day."""
    day = date.fromisoformat(body.date) if body and body.date else None
    return _change(
        app, key, enrollment_id, wishes.complete(day), body.revision if body else None, dry_run, "date"
    )


def _change(
    app: App,
    key: ApiKey,
    enrollment_id: UUID,
    wish: Wish,
    revision: int | None,
    dry_run: bool,
    field: str = "",
) -> ChangedOut:
    context = app.context
    try:
        if dry_run:
            require(key, Scope.READ)
            outcome = changing.preview_change(context, enrollment_id, wish, revision=revision)
            described = describe_outcome(context, app.library, outcome, key.actor)
        else:
            outcome = changing.change(context, enrollment_id, wish, key.actor, revision=revision)
            described = describe(context, app.library, enrollment_id, key.actor)
    except Missing:
        raise
    except Refusal as error:
        raise Problem(
            409, str(error), [FieldFault(pointer=f"#/{field}" if field else "#", detail=str(error))]
        ) from None
    lines = changed_lines(outcome)
    changed: ChangedOut = ChangedOut.of(described, dry_run=dry_run, changes=lines)
    return changed
