"""Commands that only show: a virtual patient's calendar, patients, timelines and the outbox."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from journey.cli.shared import (
    Arrival,
    Enrollment,
    Facts,
    JsonFlag,
    SiteOption,
    actor,
    opened,
    out,
    read_day,
    read_facts,
    read_id,
    read_moment,
    read_quietly,
    read_time,
)
from journey.domain.pathway import Channel
from journey.services.context import Refusal
from journey.services.looking_up import look_up, note_look
from journey.services.previewing import VirtualPatient, preview
from journey.services.showing import ShownMessage
from journey.services.timelines import Timeline, timeline
from journey.store import messages, outbox


def register(app: typer.Typer) -> None:
    app.command("preview")(preview_command)
    app.command("patients")(patients_command)
    app.command("timeline")(timeline_command)
    app.command("outbox")(outbox_command)


def preview_command(
    pathway: str,
    procedure_date: Annotated[str, typer.Option("--procedure-date", help="YYYY-MM-DD.")],
    arrival: Arrival = None,
    enrolled_at: Annotated[
        str | None, typer.Option("--enrolled-at", help="ISO 8601 with offset; default: 28 days before.")
    ] = None,
    site: SiteOption = None,
    fact: Facts = None,
    locale: Annotated[str | None, typer.Option("--locale", help="en-GB or en-US.")] = None,
    zone: Annotated[str | None, typer.Option("--zone", help="The patient's, if not the site's.")] = None,
    only: Annotated[
        Channel | None, typer.Option("--only", help="As for a patient whom only this channel reaches.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Show every message of a virtual patient: when, why then, and the words."""
    patient = VirtualPatient(
        read_day(procedure_date, "--procedure-date"),
        read_time(arrival, "--arrival"),
        read_moment(enrolled_at, "--enrolled-at"),
        read_facts(fact),
        zone,
        locale,
        (only,) if only else tuple(Channel),
    )
    with opened() as app:
        try:
            found = preview(app.context, pathway, site, patient)
        except ValueError as error:
            raise Refusal(str(error)) from None
    if as_json:
        typer.echo(json.dumps([message.as_json() for message in found], ensure_ascii=False, indent=2))
        return
    out.print(_calendar(found))


def _calendar(found: list[ShownMessage]) -> Table:
    table = Table("When", "Step", "By", "State", "Why", "Words", show_lines=True)
    for one in found:
        words = f"{one.subject}\n{one.text}" if one.subject else one.text
        size = (
            f"\n({one.encoding}, {one.segments} {'part' if one.segments == 1 else 'parts'})"
            if one.segments
            else ""
        )
        table.add_row(
            f"{one.at[:10]} {one.at[11:16]}\n{one.at[19:]}",
            one.step,
            one.channel or "-",
            one.status,
            one.reason,
            escape(words + size),
        )
    return table


def patients_command(
    text: Annotated[
        str, typer.Argument(help="A name's beginning, phone, e-mail or record number; - reads it.")
    ] = "",
) -> None:
    """Find patients and their enrollments; without a text, the next procedures."""
    with opened() as app:
        found = look_up(app.context, read_quietly(text), actor())
    table = Table("Enrollment", "Patient", "Procedure", "State")
    table.columns[0].no_wrap = True
    for one in found:
        table.add_row(str(one.enrollment_id), escape(one.name), f"{one.pathway} {one.when}", one.status)
    out.print(table if found else "Nobody found.")


def timeline_command(enrollment: Enrollment, as_json: JsonFlag = False) -> None:
    """Show an enrollment's messages, past and future, each with its state and reason."""
    with opened() as app:
        shown = timeline(app.context, read_id(enrollment))
        note_look(app.context, "patient.viewed", [f"patient/{shown.enrollment.patient_id}"], actor())
    if as_json:
        typer.echo(json.dumps(shown.as_json(), ensure_ascii=False, indent=2))
        return
    out.print(timeline_table(shown))


def timeline_table(shown: Timeline) -> Table:
    table = Table("When", "Step", "By", "State", "Why")
    for one in shown.messages:
        table.add_row(f"{one.at[:10]} {one.at[11:16]}", one.step, one.channel or "-", one.status, one.reason)
    return table


def outbox_command(
    as_json: JsonFlag = False,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=10_000, help="How many, the newest first.")
    ] = 20,
) -> None:
    """Show what the local outbox holds: messages that left nowhere, since no provider is set up."""
    with opened() as app:
        with app.context.database.read() as tx:
            found = outbox.recent(tx, limit)
            rows = messages.by_ids(tx, [one.message_id for one in found])
        seen = [f"enrollment/{row.enrollment_id}" for row in rows]
        note_look(app.context, "message.listed", seen, actor())
    if as_json:
        shown = [{"channel": o.channel.value, "at": o.at.isoformat(), **o.content} for o in found]
        typer.echo(json.dumps(shown, ensure_ascii=False, indent=2))
        return
    table = Table("When (UTC)", "By", "To", "Words", show_lines=True)
    for one in found:
        words = f"{one.content.get('subject', '')}\n{one.content['text']}".strip()
        table.add_row(f"{one.at:%Y-%m-%d %H:%M}", one.channel.value, one.content["to"], escape(words))
    out.print(table if found else "The outbox is empty.")
