"""What several commands use: the wiring, who is acting, tables and reading of arguments."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from journey.bootstrap import App, build
from journey.domain.calendar import check_aware
from journey.domain.contact import read_date
from journey.domain.steptime import parse_wall_time
from journey.services.context import Refusal
from journey.settings import read_settings

Arrival = Annotated[str | None, typer.Option("--arrival", help="HH:MM on the clinic's clocks.")]
Facts = Annotated[list[str] | None, typer.Option("--fact", help="name=value; may be repeated.")]
SiteOption = Annotated[str | None, typer.Option("--site", help="Its key; needed where there are several.")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Enrollment = Annotated[str, typer.Argument(help="The enrollment's id.")]
out = Console(highlight=False, soft_wrap=True)
_MOST_INPUT = 100_000  # characters
err = Console(stderr=True, highlight=False, soft_wrap=True)


@contextmanager
def opened(port: int | None = None) -> Iterator[App]:
    """The application on the settings of the environment. `port`: where this process serves, if it does."""
    settings = read_settings()
    app = build(settings if port is None else settings.served_at(port))
    try:
        yield app
    finally:
        app.close()


def actor() -> str:
    """Who acts, for the audit log: the account of this machine."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return "cli"


def progress_bar(text: str) -> Progress:
    return Progress(
        TextColumn(text),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
    )


def read_day(text: str, option: str) -> date:
    try:
        return read_date(text)
    except ValueError as error:
        raise Refusal(f"{option}: {error}") from None


def read_time(text: str | None, option: str) -> time | None:
    try:
        return parse_wall_time(text) if text else None
    except ValueError as error:
        raise Refusal(f"{option}: {error}") from None


def read_moment(text: str | None, option: str) -> datetime | None:
    if text is None:
        return None
    try:
        return check_aware(datetime.fromisoformat(text))
    except ValueError as error:
        raise Refusal(f"{option}: {error}; write it like 2026-12-01T10:00+00:00") from None


def read_facts(pairs: list[str] | None) -> dict[str, str]:
    facts = {}
    for pair in pairs or []:
        name, equals, value = pair.partition("=")
        if not equals:
            raise Refusal(f"--fact {pair}: write it as name=value, such as --fact diabetic=yes")
        facts[name.strip()] = value.strip()
    return facts


def read_id(text: str, kind: str = "enrollment", listed_by: str = "journey patients") -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Refusal(f"{text!r} is no {kind} id; `{listed_by}` lists them") from None


def read_quietly(text: str) -> str:
    """An argument, or for "-" one line of standard input: command lines are seen by others."""
    return sys.stdin.readline().strip() if text == "-" else text


def read_object(known: set[str]) -> dict[str, str | None]:
    """A JSON object of texts from standard input."""
    try:
        found = json.loads(sys.stdin.read(_MOST_INPUT))
    except ValueError:
        raise Refusal('standard input is no JSON; write it like {"given_name": "Anna", …}') from None
    if not isinstance(found, dict) or not all(isinstance(one, str | None) for one in found.values()):
        raise Refusal("standard input must be one JSON object with texts")
    strange = sorted(found.keys() - known)
    if strange:
        raise Refusal(f"{strange[0]} is no field of a patient; there are: {', '.join(sorted(known))}")
    return found
