"""Commands about patients: preview, enroll, import, look up and change."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import time
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from journey.cli.shared import (
    actor,
    opened,
    out,
    progress_bar,
    read_day,
    read_facts,
    read_id,
    read_moment,
    read_time,
)
from journey.domain.changes import Change
from journey.domain.pathway import Channel
from journey.services import changing, suppressing, wishes
from journey.services.admission import Request, prepare
from journey.services.context import Refusal
from journey.services.enrolling import enroll
from journey.services.importing import Report, import_file
from journey.services.looking_up import look_up
from journey.services.previewing import PreviewedMessage, VirtualPatient, preview
from journey.services.publishing import find_setting
from journey.services.timelines import Timeline, timeline
from journey.services.wishes import Wish

_DEFAULT_PATHWAY = "bvn-ablation"
Arrival = Annotated[str | None, typer.Option("--arrival", help="HH:MM on the clinic's clocks.")]
Facts = Annotated[list[str] | None, typer.Option("--fact", help="name=value; may be repeated.")]
SiteOption = Annotated[str | None, typer.Option("--site", help="Its key; needed where there are several.")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would happen; change nothing.")]
Enrollment = Annotated[str, typer.Argument(help="The enrollment's id.")]


def register(app: typer.Typer) -> None:
    app.command("preview")(preview_command)
    app.command("enroll")(enroll_command)
    app.command("patients")(patients_command)
    app.command("import")(import_command)
    app.command("timeline")(timeline_command)
    app.command("reschedule")(reschedule_command)
    app.command("change")(change_command)
    app.command("stop")(stop_command)
    app.command("restart")(restart_command)


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


def _calendar(found: list[PreviewedMessage]) -> Table:
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


def enroll_command(
    given_name: Annotated[str, typer.Option("--given-name")],
    family_name: Annotated[str, typer.Option("--family-name")],
    procedure_date: Annotated[str, typer.Option("--procedure-date", help="YYYY-MM-DD.")],
    phone: Annotated[str | None, typer.Option("--phone")] = None,
    email: Annotated[str | None, typer.Option("--email")] = None,
    birth_date: Annotated[str | None, typer.Option("--birth-date")] = None,
    record_number: Annotated[str | None, typer.Option("--record-number")] = None,
    locale: Annotated[str | None, typer.Option("--locale")] = None,
    time_zone: Annotated[str | None, typer.Option("--time-zone")] = None,
    prefers: Annotated[str | None, typer.Option("--prefers", help="sms or email.")] = None,
    pathway: Annotated[str, typer.Option("--pathway")] = _DEFAULT_PATHWAY,
    site: SiteOption = None,
    arrival: Arrival = None,
    fact: Facts = None,
    consent_sms: Annotated[bool | None, typer.Option("--consent-sms/--no-consent-sms")] = None,
    consent_email: Annotated[bool | None, typer.Option("--consent-email/--no-consent-email")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Enroll one patient. Consent is per channel: nothing goes out without it."""
    person = {
        "given_name": given_name,
        "family_name": family_name,
        "phone": phone,
        "email": email,
        "birth_date": birth_date,
        "record_number": record_number,
        "locale": locale,
        "time_zone": time_zone,
        "prefers": prefers,
    }
    request = Request(person, procedure_date, arrival, read_facts(fact), consent_sms, consent_email)
    with opened() as app:
        with app.context.database.read() as tx:
            setting = find_setting(tx, pathway, site, actor())
        enrolled = enroll(app.context, setting, prepare(request, setting, app.context.clock.now()))
        shown = timeline(app.context, enrolled.enrollment_id)
    if as_json:
        typer.echo(json.dumps({"id": str(enrolled.enrollment_id), "new": enrolled.is_new, **shown.as_json()}))
        return
    said = "Enrolled" if enrolled.is_new else "Was enrolled already"
    out.print(f"{said}: {enrolled.enrollment_id}")
    for text in enrolled.differs:
        out.print(text, markup=False)
    out.print(_timeline_table(shown))


def patients_command(
    text: Annotated[str, typer.Argument(help="A name's beginning, phone, e-mail or record number.")] = "",
) -> None:
    """Find patients and their enrollments; without a text, the next procedures."""
    with opened() as app:
        found = look_up(app.context, text, actor())
    table = Table("Enrollment", "Patient", "Procedure", "State")
    table.columns[0].no_wrap = True
    for one in found:
        table.add_row(str(one.enrollment_id), escape(one.name), f"{one.pathway} {one.when}", one.status)
    out.print(table if found else "Nobody found.")


def import_command(
    file: Path,
    pathway: Annotated[
        str | None, typer.Option("--pathway", help="For rows that name none.")
    ] = _DEFAULT_PATHWAY,
    dry_run: DryRun = False,
    partial: Annotated[bool, typer.Option("--partial", help="Enroll the rows without errors.")] = False,
) -> None:
    """Enroll everybody of a CSV file: all of it, or with an error nobody."""
    with opened() as app, progress_bar("Reading") as bar:
        task = bar.add_task("import", total=None)
        report = import_file(
            app.context,
            file,
            pathway=pathway,
            actor=actor(),
            dry_run=dry_run,
            partial=partial,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    _print_report(report, dry_run=dry_run, partial=partial)
    raise typer.Exit(1 if report.errors else 0)


def _print_report(report: Report, *, dry_run: bool, partial: bool) -> None:
    for error in report.errors:
        out.print(str(error), markup=False)
    for text in [*report.doubled, *report.differs]:
        out.print(text, markup=False)
    out.print(f"{report.rows} rows, {len({e.row for e in report.errors})} with errors.")
    if dry_run:
        out.print("Dry run: nobody was enrolled.")
    elif report.errors and not partial:
        out.print("Nobody was enrolled. Mend the rows, or enroll the others with --partial.")
    else:
        out.print(f"{report.enrolled} enrolled, {report.already} were enrolled already.")


def timeline_command(enrollment: Enrollment, as_json: JsonFlag = False) -> None:
    """Show an enrollment's messages, past and future, each with its state and reason."""
    with opened() as app:
        shown = timeline(app.context, read_id(enrollment))
    if as_json:
        typer.echo(json.dumps(shown.as_json(), ensure_ascii=False, indent=2))
        return
    out.print(_timeline_table(shown))


def _timeline_table(shown: Timeline) -> Table:
    table = Table("When", "Step", "By", "State", "Why")
    for one in shown.messages:
        table.add_row(f"{one.at[:10]} {one.at[11:16]}", one.step, one.channel or "-", one.status, one.reason)
    return table


def reschedule_command(
    enrollment: Enrollment,
    procedure_date: Annotated[str, typer.Option("--procedure-date", help="YYYY-MM-DD.")],
    arrival: Arrival = None,
    dry_run: DryRun = False,
) -> None:
    """Move a procedure to another date or arrival time; without --arrival, the time is open again."""
    day = read_day(procedure_date, "--procedure-date")
    at: time | None = read_time(arrival, "--arrival")
    _change(enrollment, wishes.reschedule(day, at), dry_run)
    if at is None:
        out.print("No arrival time is set now; messages that need it wait until you give it with --arrival.")


_WISHES: dict[str, Callable[[], Wish]] = {
    "cancel": wishes.cancel,
    "complete": wishes.complete,
    "postpone": wishes.postpone,
    "pause": wishes.pause,
    "resume": wishes.resume,
    "withdraw": wishes.withdraw,
    "replan": wishes.replan,
    "booked": lambda: wishes.reach_goal("booked"),
}


def change_command(
    enrollment: Enrollment,
    what: Annotated[str, typer.Argument(help=", ".join(_WISHES))],
    dry_run: DryRun = False,
) -> None:
    """Cancel, complete, postpone, pause, resume, withdraw, or note that the follow-up is booked."""
    if what not in _WISHES:
        raise Refusal(f"{what} is no change; use one of {', '.join(_WISHES)}")
    _change(enrollment, _WISHES[what](), dry_run)


def _change(enrollment: str, wish: Wish, dry_run: bool) -> None:
    with opened() as app:
        if dry_run:
            outcome = changing.preview_change(app.context, read_id(enrollment), wish)
        else:
            outcome = changing.change(app.context, read_id(enrollment), wish, actor())
    table = Table("Change", "Step", "When", "State", "Reason")
    for one in outcome.changes:
        table.add_row(*_change_row(one))
    out.print(table)
    out.print("Dry run: nothing was changed." if dry_run else "Done.")


def _change_row(change: Change) -> tuple[str, str, str, str, str]:
    target = change.target
    when = f"{target.due_at:%Y-%m-%d %H:%M}Z" if target else ""
    state = target.verdict.value if target else "cancelled"
    return change.action.value, change.step, when, state, change.reason.value if change.reason else ""


def stop_command(channel: Channel, address: str) -> None:
    """No more messages to a phone number or e-mail address; returns when none is on its way."""
    with opened() as app:
        found = suppressing.read_address(app.context, channel, address)
        new = suppressing.stop(app.context, channel, found, source=actor())
        owners = suppressing.count_owners(app.context, channel, found)
    out.print(f"{'Stopped' if new else 'It was stopped already'}; {owners} patients have this address.")


def restart_command(channel: Channel, address: str) -> None:
    """Messages may go to an address again."""
    with opened() as app:
        found = suppressing.read_address(app.context, channel, address)
        was = suppressing.restart(app.context, channel, found, source=actor())
    out.print("Messages may go there again." if was else "It was not stopped.")
