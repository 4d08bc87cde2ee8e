"""Patients from an uploaded file: columns arranged, rows checked, then enrolled, a slice at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from journey.domain.calendar import read_zone
from journey.domain.contact import FieldErrors
from journey.domain.pathway import Channel
from journey.domain.plan import Verdict
from journey.services import columns
from journey.services.admission import Setting, plan_for
from journey.services.context import Context, Missing, Refusal, Stale
from journey.services.csv_files import CsvTable, read_csv, write_csv
from journey.services.enrolling import Enrolled, enroll_all
from journey.services.importing import Row, Settings, prepare_row
from journey.services.known import SOMEBODY_ELSE, known_patient, merge, strangers
from journey.services.publishing import find_setting
from journey.services.reaching import address_tokens, reachable_channels
from journey.store import audit, imports, jobs, suppressions
from journey.store.database import Tx
from journey.store.imports import Import, ImportRow, RowResult
from journey.store.jobs import Job
from journey.store.schema.work import JobKind, JobStatus

MOST_BYTES, MOST_ROWS = 20_000_000, 20_000  # the command line takes more
KEPT_FOR = timedelta(days=30)
_SLICE = 100  # rows a transaction
_GONE = "This file was forgotten, since it was uploaded long ago. Upload it again."
IsTime = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Sheet:
    """An upload with its parsed file."""

    upload: Import
    table: CsvTable


def keep(context: Context, name: str, raw: bytes, actor: str) -> UUID:
    """Takes a file in. Raises Refusal, naming the line, for what cannot be read."""
    if len(raw) > MOST_BYTES:
        raise Refusal(f"{name} has {len(raw):,} bytes; at most {MOST_BYTES:,}: split it")
    table = read_csv(raw, name, MOST_ROWS)
    if not table.rows:
        raise Refusal(f"{name} holds no patients: there is no row below the first one")
    now = context.clock.now()
    with context.database.write() as tx:
        import_id = imports.add(tx, name, raw, len(table.rows), actor, now)
        audit.append(tx, [_entry(actor, "import.uploaded", import_id, rows=len(table.rows))], now)
    return import_id


def read_sheet(context: Context, import_id: UUID) -> Sheet:
    with context.database.read() as tx:
        upload = get(tx, import_id)
        raw = imports.read_file(tx, import_id)
    if raw is None:
        raise Refusal(_GONE)
    return Sheet(upload, read_csv(raw, upload.name, MOST_ROWS))


def view(context: Context, import_id: UUID, actor: str) -> None:
    """Notes that somebody is shown the patients in a file."""
    with context.database.write() as tx:
        audit.append(tx, [_entry(actor, "import.viewed", import_id)], context.clock.now())


def get(tx: Tx, import_id: UUID, *, lock: bool = False) -> Import:
    found = imports.get(tx, import_id, lock=lock)
    if found is None:
        raise Missing("There is no such import.")
    return found


def arrange(
    context: Context, import_id: UUID, mapping: Mapping[str, str], pathway: str, site: str, actor: str
) -> UUID:
    """Sets what each column holds, and begins to check every row. Raises FieldErrors by our column."""
    sheet, now = read_sheet(context, import_id), context.clock.now()
    with context.database.write() as tx:
        # Locked, as in `begin`: of two who decide at once, the second sees what the first did.
        if get(tx, import_id, lock=True).begun_at is not None:
            raise Stale("this file is being enrolled already; its columns stay as they are")
        setting = find_setting(tx, pathway, site, actor)
        known = {column: mapping.get(column, columns.LEFT_OUT) for column in sheet.table.header if column}
        if errors := columns.faults_of(known, setting.version.pathway):
            raise FieldErrors(errors)
        jobs.give_up(tx, JobKind.CHECK, str(import_id), "the columns were arranged anew", now)
        imports.arrange(tx, import_id, known, pathway, site)
        audit.append(tx, [_entry(actor, "import.arranged", import_id)], now)
        return jobs.begin(tx, JobKind.CHECK, str(import_id), len(sheet.table.rows), actor, now)


def begin(context: Context, import_id: UUID, actor: str, seen: UUID | None = None) -> UUID:
    """Enrolls every row that passed. Once: a second person is told so. One that stopped goes on.

    `seen`: the check whose rows were shown; another one since then may have read other columns.
    """
    now = context.clock.now()
    with context.database.write() as tx:
        upload = get(tx, import_id, lock=True)
        checked = jobs.latest(tx, JobKind.CHECK, str(import_id))
        counts = imports.count_rows(tx, import_id)
        ready = counts.get(RowResult.READY, 0)
        is_checked = checked is not None and checked.status is JobStatus.DONE
        if not is_checked or not ready or sum(counts.values()) != upload.rows:
            raise Refusal("not every row has been checked and found right; look at the columns first")
        if seen is not None and checked is not None and seen != checked.id:
            raise Stale("somebody arranged the columns anew; look at the rows again, then decide")
        earlier = jobs.latest(tx, JobKind.IMPORT, str(import_id))
        stopped = earlier is not None and earlier.status is JobStatus.FAILED
        if not imports.mark_begun(tx, import_id, now) and not stopped:
            raise Stale("somebody has begun this already; the page shows how far it is")
        audit.append(tx, [_entry(actor, "import.begun", import_id, rows=ready)], now)
        return jobs.begin(tx, JobKind.IMPORT, str(import_id), ready, actor, now)


def _entry(actor: str, action: str, import_id: UUID, **detail: int) -> audit.Entry:
    return audit.Entry(actor, action, f"import/{import_id}", detail)


def check_slice(context: Context, job: Job, is_time: IsTime) -> bool:
    """Checks rows until the time is up; True once all are."""
    sheet = read_sheet(context, UUID(job.subject))
    reader = _Reader(context, sheet.upload, job.actor)
    rest = iter(sheet.table.rows[job.done :])
    while is_time() and (part := list(islice(rest, _SLICE))):
        found = reader.check(part)
        with context.database.write() as tx:
            done = job.done + len(part)
            if not jobs.advance(tx, job, done=done, cursor=str(done)):
                return False
            imports.put_rows(tx, sheet.upload.id, found)
        job = replace(job, done=done, cursor=str(done))
    return job.done >= len(sheet.table.rows)


class _Reader:
    """Reads an upload's rows as they are arranged, each setting looked up once."""

    def __init__(self, context: Context, upload: Import, actor: str) -> None:
        self._context, self._upload = context, upload
        self._settings = Settings(context, actor, site=upload.site)

    def read(self, number: int, raw: Mapping[str, str]) -> Row:
        ours = columns.arranged(raw, self._upload.mapping)
        return prepare_row(number, ours, self._upload.pathway, self._settings, self._context)

    def check(self, part: Sequence[tuple[int, Mapping[str, str]]]) -> list[ImportRow]:
        good, refused = self.sort(part)
        ready = [ImportRow(row.number, RowResult.READY, None, {}) for row in good]
        return sorted([*ready, *refused], key=lambda row: row.number)

    def sort(self, part: Sequence[tuple[int, Mapping[str, str]]]) -> tuple[list[Row], list[ImportRow]]:
        """The rows that can be enrolled, and those that cannot, with why."""
        read: list[Row] = []
        refused: list[ImportRow] = []
        for number, raw in part:
            try:
                read.append(self.read(number, raw))
            except FieldErrors as error:
                refused.append(ImportRow(number, RowResult.REFUSED, None, error.errors))
        with self._context.database.read() as tx:
            others = strangers(tx, [row.prepared for row in read])
        faults = {"record_number": SOMEBODY_ELSE}
        refused += [ImportRow(read[place].number, RowResult.REFUSED, None, faults) for place in others]
        return [row for place, row in enumerate(read) if place not in others], refused

    def settings(self) -> Settings:
        return self._settings


def enroll_slice(context: Context, job: Job, is_time: IsTime) -> bool:
    """Enrolls checked rows until the time is up; True once all are. Its progress stands or falls with it."""
    sheet = read_sheet(context, UUID(job.subject))
    by_number = dict(sheet.table.rows)
    reader = _Reader(context, sheet.upload, job.actor)
    while is_time():
        after = int(job.cursor or 0)
        with context.database.read() as tx:
            part = imports.rows_of(tx, sheet.upload.id, after, _SLICE, RowResult.READY)
        if not part:
            return True
        try:
            _enroll_part(context, job, reader, [(row.number, by_number[row.number]) for row in part])
        except _Lost:
            return False
        job = replace(job, done=job.done + len(part), cursor=str(part[-1].number))
    return False


class _Lost(Exception):
    """Another worker has this import by now: what this one did is rolled back."""


def _enroll_part(
    context: Context, job: Job, reader: _Reader, part: Sequence[tuple[int, Mapping[str, str]]]
) -> None:
    """Rows of a file, each setting's together. What passed once may be refused by now: its day came."""
    read, refused = reader.sort(part)
    good: dict[tuple[str, str | None], list[Row]] = {}
    for row in read:
        good.setdefault(row.setting_key, []).append(row)

    def note(tx: Tx, results: list[Enrolled]) -> None:
        rows = [row for mine in good.values() for row in mine]
        done = [_as_result(row, one) for row, one in zip(rows, results, strict=True)]
        if not jobs.advance(tx, job, done=job.done + len(part), cursor=str(part[-1][0])):
            raise _Lost
        imports.replace_rows(tx, UUID(job.subject), [*done, *refused])

    batches = [(reader.settings().find(key), [row.prepared for row in mine]) for key, mine in good.items()]
    enroll_all(context, batches, also=note)


def _as_result(row: Row, one: Enrolled) -> ImportRow:
    result = RowResult.ENROLLED if one.is_new else RowResult.ALREADY
    return ImportRow(
        row.number, result, one.enrollment_id, {"": "; ".join(one.differs)} if one.differs else {}
    )


@dataclass(frozen=True, slots=True)
class FirstMessages:
    """What a row's patient would get first. `in_all` counts what would go out; instants are the patient's."""

    first: Sequence[tuple[datetime, str, Channel]]
    in_all: int


def first_messages(
    context: Context, sheet: Sheet, rows: Sequence[ImportRow], actor: str, most: int = 3
) -> dict[int, FirstMessages]:
    """The first messages of each row that can be enrolled."""
    by_number, reader, now = (
        dict(sheet.table.rows),
        _Reader(context, sheet.upload, actor),
        context.clock.now(),
    )
    found = {}
    for row in rows:
        if row.result is RowResult.READY:
            try:
                ready = reader.read(row.number, by_number[row.number])
            except FieldErrors:
                continue  # it passed once; its day has come
            found[row.number] = _first(context, ready, reader.settings().find(ready.setting_key), now, most)
    return found


def _first(context: Context, row: Row, setting: Setting, now: datetime, most: int) -> FirstMessages:
    prepared = row.prepared
    with context.database.read() as tx:
        same = known_patient(tx, prepared.person)
        prepared = merge(same, prepared) if same else prepared
        tokens = address_tokens(tx, prepared.person)
        suppressed = suppressions.active(tx, [one for every in tokens.values() for one in every])
    reachable = reachable_channels(tokens, suppressed, prepared.contact)
    _, changes = plan_for(prepared, setting, reachable, now)
    zone = read_zone(prepared.contact.time_zone or setting.site.site.zone)
    planned = sorted(
        (change.target.due_at.astimezone(zone), change.target.step, change.target.channel)
        for change in changes
        if change.target is not None and change.target.channel and change.target.verdict is Verdict.SEND
    )
    return FirstMessages(planned[:most], len(planned))


def result_file(context: Context, import_id: UUID, actor: str) -> bytes:
    """The uploaded rows with what became of each, as CSV."""
    sheet, now = read_sheet(context, import_id), context.clock.now()
    with context.database.write() as tx:
        results = {row.number: row for row in imports.rows_of(tx, import_id, 0, MOST_ROWS)}
        audit.append(tx, [_entry(actor, "import.downloaded", import_id, rows=len(results))], now)
    header = [*sheet.table.header, "result", "enrollment", "problems"]
    return write_csv(header, _result_rows(sheet, results))


def _result_rows(sheet: Sheet, results: Mapping[int, ImportRow]) -> Iterator[list[object]]:
    for number, raw in sheet.table.rows:
        row = results.get(number)
        said = (
            "; ".join(f"{name}: {text}" if name else text for name, text in row.faults.items()) if row else ""
        )
        ends = [row.result.value, row.enrollment_id or "", said] if row else ["", "", ""]
        yield [*(raw[column] for column in sheet.table.header), *ends]
