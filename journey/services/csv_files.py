"""CSV as spreadsheets write it: read with errors that name the line, written so that no cell is a formula."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from journey.services.context import Refusal

MAX_BYTES = 50_000_000
MAX_ROWS = 100_000
MAX_COLUMNS = 100
# What a spreadsheet takes for a formula (OWASP), in full width too, at the start of a cell or after what
# some of them take for the end of one.
_FORMULA = re.compile(r"(?:^|[;\t|])[ \n]*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")


@dataclass(frozen=True, slots=True)
class CsvTable:
    """The header's names, and each row with its number as a spreadsheet counts: the header is row 1."""

    header: Sequence[str]
    rows: Sequence[tuple[int, dict[str, str]]]


def read_csv(raw: bytes, name: str, most_rows: int = MAX_ROWS) -> CsvTable:
    """Raises Refusal, naming the file and the line, for what is no table of texts."""
    if len(raw) > MAX_BYTES:
        raise Refusal(f"{name} has {len(raw):,} bytes; at most {MAX_BYTES:,}: split it")
    reader = csv.DictReader(io.StringIO(_decode(raw, name), newline=""), strict=True)
    try:
        return _read(reader, name, most_rows)
    except csv.Error as error:
        raise Refusal(f"{name}, line {reader.line_num}: {error}; save it again as CSV") from None


def _decode(raw: bytes, name: str) -> str:
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise Refusal(f"{name} is UTF-16; save it as “CSV UTF-8”")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise Refusal(f"{name}, line {line}: is not UTF-8 text; save it as “CSV UTF-8”") from None
    if "\0" in text:
        raise Refusal(f"{name} holds zero bytes, so it is no text file; save it as “CSV UTF-8”")
    return text


def _read(reader: csv.DictReader[str], name: str, most_rows: int) -> CsvTable:
    header = [(column or "").strip() for column in reader.fieldnames or []]
    if len(header) > MAX_COLUMNS:
        raise Refusal(f"{name} has {len(header):,} columns; at most {MAX_COLUMNS}: leave some out")
    doubled = [column for column, times in Counter(header).items() if column and times > 1]
    if doubled:
        raise Refusal(f"{name}, row 1: the column {doubled[0]} stands twice; remove one")
    reader.fieldnames = header
    rows = []
    for number, row in enumerate(reader, start=2):
        if None in row or None in row.values():
            raise Refusal(f"{name}, row {number}: has another number of columns than the header")
        if any(value.strip() for value in row.values()):
            rows.append((number, {column: _as_typed(value) for column, value in row.items()}))
        if len(rows) > most_rows:
            raise Refusal(f"{name} has more than {most_rows:,} rows; split it")
    return CsvTable(header, rows)


def _as_typed(cell: str) -> str:
    """A cell without the mark that `as_cell` put before it."""
    return cell[1:] if cell.startswith("'") and _may_be_formula(cell[1:]) else cell


def _may_be_formula(text: str) -> bool:
    return _FORMULA.search(text) is not None


def as_cell(value: object) -> str:
    """A value that every spreadsheet shows and none computes. Numbers stay numbers."""
    text = "" if value is None else str(value)
    if isinstance(value, int | float):
        return text
    return f"'{text}" if _may_be_formula(text) else text


def write_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """UTF-8 with a mark that tells spreadsheets so."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([as_cell(name) for name in header])
    writer.writerows([as_cell(value) for value in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")
