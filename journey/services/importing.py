"""Enrolling from a CSV file: every error by row and column, all or nothing unless asked otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from journey.domain.contact import FieldErrors, identity
from journey.domain.pathway import Pathway
from journey.services.admission import Prepared, Request, Setting, prepare
from journey.services.context import Context, Refusal
from journey.services.csv_files import read_csv
from journey.services.enrolling import Enrolled, enroll_all
from journey.services.known import SOMEBODY_ELSE, strangers
from journey.services.publishing import find_setting

_UNKNOWN = "is no column that Journey knows; remove it or see examples/patients.csv"
REQUIRED = ("given_name", "family_name", "procedure_date")
PERSON = (
    "given_name", "family_name", "phone", "email", "birth_date", "record_number", "locale", "time_zone",
    "prefers",
)  # fmt: skip
OWN = ("pathway", "site", "procedure_date", "arrival_time", "consent_sms", "consent_email")
_YES_NO = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class RowError:
    """`row` counts like a spreadsheet: the header is row 1."""

    row: int
    column: str
    text: str

    def __str__(self) -> str:
        said = f"row {self.row}, {self.column}: {self.text}"
        # A cell can hold what a terminal obeys.
        return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in said)


@dataclass(slots=True)
class Report:
    """What an import did, or would do."""

    rows: int = 0
    enrolled: int = 0
    already: int = 0
    doubled: list[str] = field(default_factory=list)
    differs: list[str] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Row:
    number: int
    setting_key: tuple[str, str | None]
    prepared: Prepared


def import_file(
    context: Context,
    path: Path,
    *,
    pathway: str | None,
    actor: str,
    dry_run: bool = False,
    partial: bool = False,
    progress: Progress = lambda done, total: None,
) -> Report:
    """Checks every row, then enrolls: everybody or nobody, or with `partial` whoever has no error."""
    rows = _read_rows(path)
    report = Report(rows=len(rows))
    settings = Settings(context, actor)
    good: list[Row] = []
    unknown: dict[str, RowError] = {}
    for done, (number, raw) in enumerate(rows, start=1):
        try:
            good.append(prepare_row(number, raw, pathway, settings, context))
        except FieldErrors as error:
            for column, text in error.errors.items():
                # A column that nobody knows is wrong in every row: said once, of the header.
                if text == _UNKNOWN:
                    unknown[column] = RowError(1, column, text)
                else:
                    report.errors.append(RowError(number, column, text))
        if done % 100 == 0 or done == len(rows):
            progress(done, 2 * len(rows))
    report.errors[:0] = unknown.values()
    good = _without_strangers(context, good, report)
    unique = list(_without_doubles(good, report))
    if not dry_run and unique and (partial or not report.errors):
        _enroll(context, unique, settings, report, lambda n: progress(len(rows) + n, 2 * len(rows)))
    return report


def _read_rows(path: Path) -> Sequence[tuple[int, dict[str, str]]]:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise Refusal(f"{path} cannot be read: {error.strerror}") from None
    table = read_csv(raw, path.name)
    missing = [column for column in REQUIRED if column not in table.header]
    if missing:
        raise Refusal(f"{path.name}, row 1: the column {missing[0]} is missing; see examples/patients.csv")
    return table.rows


class Settings:
    """The setting of each pathway and site that rows name, looked up once."""

    def __init__(self, context: Context, actor: str, site: str | None = None) -> None:
        """`site`: where rows are enrolled that name none."""
        self._context, self._actor, self._site = context, actor, site
        self._found: dict[tuple[str, str | None], Setting] = {}

    def find(self, key: tuple[str, str | None]) -> Setting:
        if key not in self._found:
            with self._context.database.read() as tx:
                self._found[key] = find_setting(tx, key[0], key[1] or self._site, self._actor)
        return self._found[key]


def prepare_row(
    number: int, raw: Mapping[str, str], pathway: str | None, settings: Settings, context: Context
) -> Row:
    key = (raw.get("pathway", "").strip() or pathway or "", raw.get("site", "").strip() or None)
    if not key[0]:
        raise FieldErrors({"pathway": "is missing; add the column or give --pathway"})
    try:
        setting = settings.find(key)
    except Refusal as error:
        raise FieldErrors({"site" if "site" in str(error) else "pathway": str(error)}) from None
    errors: dict[str, str] = {}
    consent = {name: _yes_no(raw, name, errors) for name in ("consent_sms", "consent_email")}
    facts = _facts(raw, setting.version.pathway, errors)
    request = Request(
        person={name: raw.get(name) for name in PERSON},
        procedure_date=raw.get("procedure_date", ""),
        arrival_time=raw.get("arrival_time"),
        facts={name: value for name, value in facts.items() if value},
        **consent,
    )
    try:
        prepared = prepare(request, setting, context.clock.now())
    except FieldErrors as error:
        raise FieldErrors({**error.errors, **errors}) from None
    if errors:
        raise FieldErrors(errors)
    return Row(number, key, prepared)


def _yes_no(raw: Mapping[str, str], name: str, errors: dict[str, str]) -> bool | None:
    """None for an empty cell: nothing is stated."""
    text = raw.get(name, "").strip().lower()
    if text and text not in _YES_NO:
        errors[name] = f"{text!r} is neither yes nor no"
    return _YES_NO.get(text)


def _facts(raw: Mapping[str, str], pathway: Pathway, errors: dict[str, str]) -> dict[str, str]:
    known = {fact.key: fact for fact in pathway.facts}
    facts = {}
    for column, text in raw.items():
        if column in PERSON or column in OWN or not column:
            continue
        if column not in known:
            errors[column] = _UNKNOWN
            continue
        try:
            facts[column] = text.strip()
            if facts[column]:
                known[column].read(facts[column])
        except ValueError as error:
            errors[column] = str(error)
            facts[column] = ""
    return facts


def _without_strangers(context: Context, rows: list[Row], report: Report) -> list[Row]:
    with context.database.read() as tx:
        others = strangers(tx, [row.prepared for row in rows])
    report.errors += [
        RowError(rows[place].number, "record_number", SOMEBODY_ELSE) for place in sorted(others)
    ]
    return [row for place, row in enumerate(rows) if place not in others]


def _without_doubles(rows: list[Row], report: Report) -> Iterator[Row]:
    """The same patient, pathway and date twice in one file is one enrollment, and said so."""
    seen: dict[tuple[str, str, object], int] = {}
    for row in rows:
        key = (identity(row.prepared.person), row.setting_key[0], row.prepared.procedure_date)
        if key in seen:
            report.doubled.append(f"row {row.number} repeats row {seen[key]}: one enrollment")
            continue
        seen[key] = row.number
        yield row


def _enroll(
    context: Context,
    rows: list[Row],
    settings: Settings,
    report: Report,
    progress: Callable[[int], None],
) -> None:
    """All rows of one setting in one transaction, so that a failure leaves nothing behind."""
    by_setting: dict[tuple[str, str | None], list[Row]] = {}
    for row in rows:
        by_setting.setdefault(row.setting_key, []).append(row)
    batches = [(settings.find(key), [row.prepared for row in mine]) for key, mine in by_setting.items()]
    results: list[Enrolled] = enroll_all(context, batches, progress)
    numbers = [row.number for mine in by_setting.values() for row in mine]
    for number, result in zip(numbers, results, strict=True):
        report.differs += [f"row {number}: {text}" for text in result.differs]
    report.enrolled = sum(result.is_new for result in results)
    report.already = len(results) - report.enrolled
