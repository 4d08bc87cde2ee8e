"""Patients from a file: uploaded, its columns arranged, every row looked at, then enrolled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse, Response

from journey.bootstrap import App
from journey.domain.contact import FieldErrors
from journey.services import columns, uploads, working
from journey.services.context import Refusal
from journey.services.library import practice_zone
from journey.services.publishing import find_setting, offered
from journey.store import imports, jobs
from journey.store.imports import RowResult
from journey.store.jobs import Job
from journey.store.schema.work import JobKind
from journey.store.staff import Staff
from journey.web.access import Coordinator
from journey.web.charts.cards import step_title
from journey.web.forms import Fields, Form, read_uuid
from journey.web.requests import TheApp
from journey.web.staff.shell import show
from journey.web.uploaded import Upload
from journey.web.words import Tag

router = APIRouter()
_AT_ONCE, _PAGE = 1.0, 25  # seconds of work before the page shows how far it is; rows a page
_NAMES = ("given_name", "family_name")
_RESULTS = {
    RowResult.READY: Tag("Ready", "good"),
    RowResult.REFUSED: Tag("Needs mending", "bad"),
    RowResult.ENROLLED: Tag("Enrolled", "good"),
    RowResult.ALREADY: Tag("Was enrolled", "quiet"),
}


@router.get("/imports")
def home(app: TheApp, who: Coordinator) -> Response:
    return _home(app, who)


def _home(app: App, who: Staff, error: str = "") -> Response:
    with app.context.database.read() as tx:
        recent = imports.recent(tx)
        zone = practice_zone(tx)
    return show(
        app,
        who,
        "imports",
        here="/imports",
        status=422 if error else 200,
        recent=recent,
        zone=zone,
        errors={"file": error} if error else {},
    )


@router.post("/imports")
def upload(app: TheApp, who: Coordinator, uploaded: Upload) -> Response:
    if uploaded.raw is None:
        return _home(app, who, "Choose a file that holds something.")
    try:
        import_id = uploads.keep(app.context, uploaded.name, uploaded.raw, who.email)
    except Refusal as error:
        return _home(app, who, str(error))
    return RedirectResponse(f"/imports/{import_id}", status_code=303)


@router.get("/imports/{import_id}")
def look(
    app: TheApp,
    who: Coordinator,
    import_id: UUID,
    wanted: Annotated[str, Query(alias="show")] = "",
    after: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    arrange: str = "",
) -> Response:
    """Whatever is next for this file: its columns, its rows, how far it is, or what became of it."""
    with app.context.database.read() as tx:
        upload = uploads.get(tx, import_id)
        check = jobs.latest(tx, JobKind.CHECK, str(import_id))
        enrolling = jobs.latest(tx, JobKind.IMPORT, str(import_id))
    job = enrolling or check
    if job is not None and job.is_open:
        return show(
            app, who, "import-progress", here="/imports", upload=upload, job=job, is_check=job is check
        )
    if upload.begun_at is None and (check is None or check.error or arrange):
        errors = {"": check.error} if check is not None and check.error and not arrange else {}
        return _columns(app, who, import_id, Fields([]), errors)
    return _rows(app, who, import_id, wanted, after, enrolling, check)


@router.post("/imports/{import_id}/columns")
def decide_columns(app: TheApp, who: Coordinator, import_id: UUID, form: Form) -> Response:
    """Takes the columns as chosen, and checks every row: small files at once."""
    sheet = uploads.read_sheet(app.context, import_id)
    mapping = {column: form[f"column.{place}"] for place, column in enumerate(sheet.table.header) if column}
    try:
        job_id = uploads.arrange(app.context, import_id, mapping, form["pathway"], form["site"], who.email)
    except FieldErrors as error:
        return _columns(app, who, import_id, form, error.errors)
    except Refusal as error:
        return _columns(app, who, import_id, form, {"": str(error)})
    working.work(app.context, _AT_ONCE, job_id)
    return RedirectResponse(f"/imports/{import_id}", status_code=303)


def _columns(app: App, who: Staff, import_id: UUID, form: Fields, errors: Mapping[str, str]) -> Response:
    uploads.view(app.context, import_id, who.email)
    sheet = uploads.read_sheet(app.context, import_id)
    with app.context.database.read() as tx:
        pathways, sites = offered(tx)
        pathway = form["pathway"] or sheet.upload.pathway or pathways[0][0]
        setting = find_setting(tx, pathway, sites[0][0], who.email)
    guessed = dict(sheet.upload.mapping) or columns.guess(sheet.table.header, setting.version.pathway)
    lines = [
        (place, column, form[f"column.{place}"] or guessed.get(column, ""), _samples(sheet, column))
        for place, column in enumerate(sheet.table.header)
        if column
    ]
    return show(
        app,
        who,
        "import-columns",
        here="/imports",
        status=422 if errors else 200,
        upload=sheet.upload,
        lines=lines,
        choices=[("", "Leave it out"), *columns.choices(setting.version.pathway)],
        pathways=pathways,
        sites=sites,
        pathway=pathway,
        site=form["site"] or sheet.upload.site or sites[0][0],
        errors={"" if name not in form else name: text for name, text in errors.items()},
        faults=list(errors.values()),
    )


def _samples(sheet: uploads.Sheet, column: str) -> str:
    """The first few things that stand in a column."""
    found = [raw[column] for _, raw in sheet.table.rows[:20] if raw[column].strip()]
    return ", ".join(found[:3])


def _rows(
    app: App,
    who: Staff,
    import_id: UUID,
    wanted: str,
    after: int,
    enrolling: Job | None,
    check: Job | None,
) -> Response:
    uploads.view(app.context, import_id, who.email)
    only = RowResult(wanted) if wanted in set(RowResult) else None
    with app.context.database.read() as tx:
        upload = uploads.get(tx, import_id)
        counts = imports.count_rows(tx, import_id)
        if only is None and not wanted and counts.get(RowResult.REFUSED):
            only = RowResult.REFUSED  # what needs a person comes first
        rows = imports.rows_of(tx, import_id, after, _PAGE + 1, only)
        setting = find_setting(tx, upload.pathway, upload.site, who.email)
    shown = rows[:_PAGE]
    sheet = uploads.read_sheet(app.context, import_id) if upload.has_file else None
    pathway, known = setting.version.pathway, set(upload.mapping.values())
    faulty = {name for row in shown for name in row.faults}
    # A fault must be in sight: the columns that have one come first.
    mapped = sorted(upload.mapping.items(), key=lambda pair: pair[1] not in (*_NAMES, *faulty))
    return show(
        app,
        who,
        "import-rows",
        here="/imports",
        upload=upload,
        counts=counts,
        tags=_RESULTS,
        only=only,
        rows=shown,
        has_notes=only is not RowResult.REFUSED or any(set(row.faults) - known for row in shown),
        cells=dict(sheet.table.rows) if sheet else {},
        header=[(name, ours, columns.label_of(ours, pathway)) for name, ours in mapped if ours],
        first=uploads.first_messages(app.context, sheet, shown, who.email) if sheet else {},
        step_title=lambda key: step_title(pathway, key),
        next_page=shown[-1].number if len(rows) > _PAGE else None,
        enrolling=enrolling,
        seen=check.id if check else "",
    )


@router.post("/imports/{import_id}/begin")
def begin(app: TheApp, who: Coordinator, import_id: UUID, form: Form) -> Response:
    seen = read_uuid(form["seen"])
    if seen is None:
        raise Refusal("The rows were not shown; open the file again, then decide.")
    job_id = uploads.begin(app.context, import_id, who.email, seen)
    working.work(app.context, _AT_ONCE, job_id)
    return RedirectResponse(f"/imports/{import_id}?show=all", status_code=303)


@router.get("/imports/{import_id}/result.csv")
def result(app: TheApp, who: Coordinator, import_id: UUID) -> Response:
    """The file that was uploaded, with what became of each row. Escapes what a spreadsheet would compute."""
    raw = uploads.result_file(app.context, import_id, who.email)
    headers = {"content-disposition": f'attachment; filename="import-{import_id}.csv"'}
    return Response(raw, media_type="text/csv; charset=utf-8", headers=headers)
