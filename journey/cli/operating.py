"""Commands for whoever runs the installation: schema, health, keys, content, sites and audit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from journey.cli.doctoring import VITAL, examine
from journey.cli.shared import (
    Arrival,
    Facts,
    SiteOption,
    actor,
    opened,
    out,
    progress_bar,
    read_day,
    read_facts,
    read_id,
    read_time,
)
from journey.domain.site import Site
from journey.services.context import Refusal
from journey.services.keyring import reseal
from journey.services.pathway_files import load_pathway
from journey.services.previewing import VirtualPatient, wordings
from journey.services.publishing import add_pathway, find_site, install_content, publish
from journey.services.site_settings import add_site, change_site, example_site, read_pairs
from journey.services.tasks_of_staff import finish
from journey.services.working import see_through
from journey.settings import Settings, SettingsError, read_settings
from journey.store import audit, pathways, replies, sites, staff_tasks
from journey.store.migrating import migrate
from journey.store.sealing import new_key


def register(app: typer.Typer) -> None:
    app.command("migrate")(migrate_command)
    app.command("doctor")(doctor_command)
    for name, group in _GROUPS.items():
        app.add_typer(group, name=name)


_pathway = typer.Typer(no_args_is_help=True, help="Pathways and their templates.")
_site = typer.Typer(no_args_is_help=True, help="The practice's sites.")
_keys = typer.Typer(no_args_is_help=True, help="The keys that seal patients' data.")
_audit = typer.Typer(no_args_is_help=True, help="The audit log.")
_tasks = typer.Typer(invoke_without_command=True, help="What needs a person.")
_GROUPS = {"tasks": _tasks, "pathway": _pathway, "site": _site, "keys": _keys, "audit": _audit}
_MOST_TASKS = 200


def first_site(settings: Settings) -> Site:
    """The site that a new installation begins with; `journey site set` changes it."""
    try:
        return example_site(settings.site_time_zone, settings.site_country)
    except Refusal as error:
        raise SettingsError(f"JOURNEY_SITE_TIME_ZONE or JOURNEY_SITE_COUNTRY: {error}") from None


def migrate_command() -> None:
    """Bring the database up to date; make a first site and drafts of the built-in pathways."""
    with opened() as app:
        migrate(app.context.database)
        done = install_content(app.context, first_site(app.settings))
    out.print("The database is up to date.")
    for text in done:
        out.print(f"- {text}")


def doctor_command(
    alive: Annotated[
        bool, typer.Option("--alive", help="Only what a running process needs: database, keys, broker.")
    ] = False,
) -> None:
    """Say in plain words what is wrong with settings, database, broker, providers and clock."""
    try:
        settings = read_settings()
    except SettingsError as error:
        out.print(f"[red]wrong[/red]  settings: {error}")
        raise typer.Exit(1) from None
    findings = examine(settings, only=VITAL if alive else None)
    for finding in findings:
        mark = "[green]well [/green]" if finding.is_well else "[red]wrong[/red]"
        out.print(f"{mark}  {finding.part}: ", end="")
        out.print(finding.text, markup=False)
    raise typer.Exit(0 if all(finding.is_well for finding in findings) else 1)


@_tasks.callback()
def list_tasks(
    context: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
) -> None:
    """List what needs a person; `journey tasks done ID` closes one."""
    if context.invoked_subcommand:
        return
    with opened() as app, app.context.database.write() as tx:
        found, open_now = staff_tasks.open_tasks(tx, _MOST_TASKS), staff_tasks.count_open(tx)
        said = {} if as_json else replies.of_tasks(tx, [task["id"] for task in found])
        seen = [audit.Entry(actor(), "reply.listed", f"reply/{one.id}", {}) for one in said.values()]
        audit.append(tx, seen, app.context.clock.now())
    if as_json:
        shown = ("id", "kind", "detail", "due_at", "opened_at", "enrollment_id", "message_id")
        typer.echo(json.dumps([{name: one[name] for name in shown} for one in found], default=str, indent=2))
        return
    table = Table("Due", "Kind", "What", "Task and enrollment")
    table.columns[3].no_wrap = True
    for task in found:
        table.add_row(
            f"{task['due_at']:%Y-%m-%d %H:%M}Z",
            task["kind"],
            escape(f"{task['detail']} {said[task['id']].quoted}" if task["id"] in said else task["detail"]),
            f"{task['id']}\n{task['enrollment_id'] or ''}".strip(),
        )
    out.print(table if found else "Nothing needs a person.")
    if open_now > len(found):
        out.print(f"These are the {len(found)} most urgent of {open_now}.")


@_tasks.command("done")
def finish_task(task: Annotated[str, typer.Argument(help="Its id, as `journey tasks` shows it.")]) -> None:
    """Somebody did it."""
    with opened() as app:
        finish(app.context, read_id(task, "task", "journey tasks"), actor())
    out.print("Done.")


@_pathway.command("list")
def list_pathways() -> None:
    """List pathways: the version in force, and a newer draft if there is one."""
    table = Table("Pathway", "In force", "Approved by", "Draft")
    with opened() as app, app.context.database.read() as tx:
        for key in pathways.keys(tx):
            newest, in_force = pathways.latest(tx, key), pathways.latest(tx, key, published=True)
            assert newest is not None
            table.add_row(
                key,
                f"version {in_force.number}" if in_force else "none",
                in_force.approved_by or "" if in_force else "",
                "" if newest.published_at else f"version {newest.number}",
            )
    out.print(table)


@_pathway.command("show")
def show_pathway(
    name: str,
    procedure_date: Annotated[str, typer.Option("--procedure-date", help="YYYY-MM-DD.")],
    arrival: Arrival = None,
    fact: Facts = None,
    site: SiteOption = None,
    locale: Annotated[str | None, typer.Option("--locale", help="en-GB or en-US.")] = None,
) -> None:
    """Show every text and e-mail of the newest version, for whoever approves them."""
    patient = VirtualPatient(
        read_day(procedure_date, "--procedure-date"),
        read_time(arrival, "--arrival"),
        facts=read_facts(fact),
        locale=locale,
    )
    with opened() as app:
        try:
            found = wordings(app.context, name, site, patient)
        except ValueError as error:
            raise Refusal(str(error)) from None
    for one in found:
        out.rule(f"{one.step} · {one.channel.value} · {one.locale}", align="left")
        out.print("\n\n".join(part for part in (one.subject, one.text, one.fault) if part), markup=False)


@_pathway.command("check")
def check_pathway(
    key: str,
    folder: Annotated[Path, typer.Argument(help="Holds pathways/ and messages/.")],
) -> None:
    """Check a pathway's files without a database."""
    content = load_pathway(key, folder)
    out.print(f"{key}: {len(content.pathway.steps)} steps, {len(content.templates)} templates, no faults.")


@_pathway.command("add")
def add_pathway_command(
    key: str, folder: Annotated[Path, typer.Argument(help="Holds pathways/ and messages/.")]
) -> None:
    """Check a practice's own pathway and add it as a draft."""
    with opened() as app:
        out.print(add_pathway(app.context, load_pathway(key, folder), actor()))


@_pathway.command("publish")
def publish_pathway(
    name: str,
    approved_by: Annotated[str, typer.Option("--approved-by", help="The clinician who read it.")],
) -> None:
    """Publish the newest draft with its templates, for enrolling patients. It never changes again."""
    with opened() as app:
        version = publish(app.context, name, approved_by)
    out.print(f"{name} version {version.number} is published, approved by {version.approved_by}.")


@_site.command("show")
def show_sites() -> None:
    """Show every site's settings."""
    with opened() as app, app.context.database.read() as tx:
        for stored in sites.everyone(tx):
            out.print(f"# {stored.site.key}")
            for name, value in stored.site.model_dump(mode="json").items():
                out.print(f"{name} = {value}", markup=False)


@_site.command("add")
def add_site_command(
    key: Annotated[str, typer.Argument(help="A short name, such as leeds.")],
    values: Annotated[list[str], typer.Argument(help="name=value; zone and country are needed.")],
) -> None:
    """Add another site of the practice."""
    with opened() as app:
        site = add_site(app.context, key, values, actor())
    out.print(f"Added the site {site.key} ({site.zone}); look at it with: journey site show")


@_site.command("set")
def set_site(
    changes: Annotated[list[str], typer.Argument(help="name=value, such as zone=America/New_York.")],
    site: Annotated[str | None, typer.Option("--site")] = None,
) -> None:
    """Change a site's settings; messages that are still to go are planned anew."""
    with opened() as app, progress_bar("Planning anew") as bar:
        with app.context.database.read() as tx:
            stored = find_site(tx, site)
        task = bar.add_task("replan", total=None)
        job_id = change_site(app.context, stored, read_pairs(stored.site, changes), actor())
        job = see_through(
            app.context, job_id, lambda done, total: bar.update(task, completed=done, total=total)
        )
    out.print(f"Saved; {job.done} enrollments planned anew.")


@_keys.command("new")
def new_key_command() -> None:
    """Print a new key for JOURNEY_SECRET_KEYS."""
    typer.echo(new_key())


@_keys.command("reseal")
def reseal_command() -> None:
    """Seal everything under the first key of JOURNEY_SECRET_KEYS; then an old key may go."""
    with opened() as app, progress_bar("Sealing") as bar:
        task = bar.add_task("seal", total=None)
        changed = reseal(app.context, actor(), lambda done: bar.update(task, completed=done))
    out.print(f"{changed} values sealed under the first key.")


@_audit.command("verify")
def verify_audit() -> None:
    """Walk the audit log's chain: nothing in it was changed, removed or slipped in."""
    with opened() as app, app.context.database.read() as tx:
        state = audit.verify(tx)
    if state.broken_at is not None:
        raise Refusal(f"the audit log is broken at entry {state.broken_at}; {state.entries} before it hold")
    out.print(f"{state.entries} entries, unbroken. Head: {state.head}")
