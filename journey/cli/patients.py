"""Commands that act on patients: enroll, import, change, stop and restart."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import time
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.table import Table

from journey.cli.looking import timeline_table
from journey.cli.shared import (
    Arrival,
    Enrollment,
    Facts,
    JsonFlag,
    SiteOption,
    actor,
    opened,
    out,
    progress_bar,
    read_day,
    read_facts,
    read_id,
    read_object,
    read_quietly,
    read_time,
)
from journey.domain.calendar import read_zone
from journey.domain.changes import Change
from journey.domain.pathway import Channel
from journey.services import changing, suppressing, taking_back, wishes
from journey.services.admission import Request, prepare
from journey.services.context import Refusal
from journey.services.enrolling import enroll
from journey.services.importing import Report, import_file
from journey.services.publishing import find_setting, only_pathway
from journey.services.timelines import timeline
from journey.services.wishes import Wish

DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would happen; change nothing.")]
Address = Annotated[str, typer.Argument(help="- reads it from standard input, unseen by others.")]


def register(app: typer.Typer) -> None:
    app.command("enroll")(enroll_command)
    app.command("import")(import_command)
    app.command("reschedule")(reschedule_command)
    app.command("change")(change_command)
    app.command("stop")(stop_command)
    app.command("restart")(restart_command)


def enroll_command(
    procedure_date: Annotated[str, typer.Option("--procedure-date", help="YYYY-MM-DD.")],
    given_name: Annotated[str | None, typer.Option("--given-name")] = None,
    family_name: Annotated[str | None, typer.Option("--family-name")] = None,
    phone: Annotated[str | None, typer.Option("--phone")] = None,
    email: Annotated[str | None, typer.Option("--email")] = None,
    birth_date: Annotated[str | None, typer.Option("--birth-date")] = None,
    record_number: Annotated[str | None, typer.Option("--record-number")] = None,
    locale: Annotated[str | None, typer.Option("--locale")] = None,
    time_zone: Annotated[str | None, typer.Option("--time-zone")] = None,
    prefers: Annotated[str | None, typer.Option("--prefers", help="sms or email.")] = None,
    stdin: Annotated[
        bool, typer.Option("--stdin", help="Read these fields as a JSON object from standard input.")
    ] = False,
    pathway: Annotated[
        str | None, typer.Option("--pathway", help="Needed where several are published.")
    ] = None,
    site: SiteOption = None,
    arrival: Arrival = None,
    fact: Facts = None,
    consent_sms: Annotated[bool | None, typer.Option("--consent-sms/--no-consent-sms")] = None,
    consent_email: Annotated[bool | None, typer.Option("--consent-email/--no-consent-email")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Enroll one patient. Consent is per channel: nothing goes out without it.

    What stands on a command line can be seen by others of this machine; --stdin cannot.
    """
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
    if stdin:
        person = read_object(set(person)) | {name: text for name, text in person.items() if text}
    request = Request(person, procedure_date, arrival, read_facts(fact), consent_sms, consent_email)
    _enroll(request, pathway, site, as_json)


def _enroll(request: Request, pathway: str | None, site: str | None, as_json: bool) -> None:
    with opened() as app:
        with app.context.database.read() as tx:
            wanted = pathway or only_pathway(tx)
            if wanted is None:
                raise Refusal("several pathways are published: name one with --pathway")
            setting = find_setting(tx, wanted, site, actor())
        enrolled = enroll(app.context, setting, prepare(request, setting, app.context.clock.now()))
        shown = timeline(app.context, enrolled.enrollment_id)
    if as_json:
        typer.echo(json.dumps({"id": str(enrolled.enrollment_id), "new": enrolled.is_new, **shown.as_json()}))
        return
    said = "Enrolled" if enrolled.is_new else "Was enrolled already"
    out.print(f"{said}: {enrolled.enrollment_id}")
    for text in enrolled.differs:
        out.print(text, markup=False)
    out.print(timeline_table(shown))


def import_command(
    file: Path,
    pathway: Annotated[str | None, typer.Option("--pathway", help="For rows that name none.")] = None,
    dry_run: DryRun = False,
    partial: Annotated[bool, typer.Option("--partial", help="Enroll the rows without errors.")] = False,
) -> None:
    """Enroll everybody of a CSV file: all of it, or with an error nobody."""
    with opened() as app, progress_bar("Reading") as bar:
        task = bar.add_task("import", total=None)
        with app.context.database.read() as tx:
            usual = pathway or only_pathway(tx)
        report = import_file(
            app.context,
            file,
            pathway=usual,
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
    "confirm": wishes.confirm,
    "unconfirm": wishes.unconfirm,
    "postpone": wishes.postpone,
    "pause": wishes.pause,
    "resume": wishes.resume,
    "withdraw": wishes.withdraw,
    "replan": wishes.replan,
}
_TAKE_BACK = "take-back"  # that it was called off, within a day
_NAMES = (*_WISHES, _TAKE_BACK)


def change_command(
    enrollment: Enrollment,
    what: Annotated[str, typer.Argument(help=f"{', '.join(_NAMES)}, or a goal such as booked.")],
    dry_run: DryRun = False,
) -> None:
    """Cancel, complete, postpone, pause, resume, withdraw, take back, or note that a goal is reached."""
    if what == _TAKE_BACK:
        with opened() as app:
            wish, _ = taking_back.wish_for(app.context, read_id(enrollment))
    else:
        wish = _WISHES[what]() if what in _WISHES else wishes.reach_goal(what)
    try:
        _change(enrollment, wish, dry_run)
    except Refusal as error:
        if wish.goal and "has no goal" in str(error):
            raise Refusal(f"{what} is no change ({', '.join(_NAMES)}), and {error}") from None
        raise


def _change(enrollment: str, wish: Wish, dry_run: bool) -> None:
    with opened() as app:
        if dry_run:
            outcome = changing.preview_change(app.context, read_id(enrollment), wish)
        else:
            outcome = changing.change(app.context, read_id(enrollment), wish, actor())
    table = Table("Change", "Step", f"When ({outcome.zone})", "State", "Reason")
    for one in outcome.changes:
        table.add_row(*_change_row(one, read_zone(outcome.zone)))
    out.print(table)
    out.print("Dry run: nothing was changed." if dry_run else "Done.")


def _change_row(change: Change, zone: ZoneInfo) -> tuple[str, str, str, str, str]:
    target = change.target
    when = f"{target.due_at.astimezone(zone):%Y-%m-%d %H:%M}" if target else ""
    state = target.verdict.value if target else "cancelled"
    return change.action.value, change.step, when, state, change.reason.value if change.reason else ""


def stop_command(channel: Channel, address: Address) -> None:
    """No more messages to a phone number or e-mail address; returns when none is on its way."""
    with opened() as app:
        found = suppressing.read_address(app.context, channel, read_quietly(address))
        new = suppressing.stop(app.context, channel, found, source=actor())
        owners = suppressing.count_owners(app.context, channel, found)
    out.print(f"{'Stopped' if new else 'It was stopped already'}; {owners} patients have this address.")


def restart_command(channel: Channel, address: Address) -> None:
    """Messages may go to an address again."""
    with opened() as app:
        found = suppressing.read_address(app.context, channel, read_quietly(address))
        was = suppressing.restart(app.context, channel, found, source=actor())
    out.print("Messages may go there again." if was else "It was not stopped.")
