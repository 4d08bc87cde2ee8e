"""Making a site, and changing its settings, and with them the times of what is still to go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import yaml
from pydantic import ValidationError

from journey.domain.contact import FieldErrors
from journey.domain.site import Site
from journey.services.changing import replan_live
from journey.services.context import Context, Refusal, Stale
from journey.store import audit, enrollments, installation, jobs, sites, staff_tasks
from journey.store.database import Conflict
from journey.store.jobs import Job
from journey.store.schema.work import JobKind
from journey.store.sealing import SealError
from journey.store.sites import StoredSite
from journey.store.staff_tasks import NewTask, TaskKind

_SLICE = 25  # enrollments between two looks at the clock
_AMERICAN = {
    "locale": "en-US",
    "emergency_number": "911",
    "emergency_place": "the emergency room",
    "urgent_advice_number": "",
    "lifting_limit": "10 lb",
    "phone": "(212) 555-0100",
    "address": "1 Example Street, New York",
}


def example_site(zone: str, country: str, key: str = "main") -> Site:
    """A site to begin with. Its name, phone and addresses are examples, for the practice to replace."""
    words = _AMERICAN if country == "US" else {}
    return _validated({"key": key, "zone": zone, "country": country, **words})


def add_site(context: Context, key: str, pairs: Sequence[str], actor: str) -> Site:
    """Makes a further site of name=value pairs; zone and country must be among them."""
    given = {name: text for name, _, text in (pair.partition("=") for pair in pairs)}
    missing = [name for name in ("zone", "country") if not given.get(name)]
    if missing:
        raise Refusal(f"a site needs {' and '.join(missing)}, such as zone=Europe/London country=GB")
    site = read_pairs(example_site(given["zone"], given["country"], key), pairs)
    try:
        with context.database.write() as tx:
            sites.add(tx, site)
            entry = audit.Entry(actor, "site.added", f"site/{site.key}", {})
            audit.append(tx, [entry], context.clock.now())
    except Conflict:
        raise Refusal(
            f"there is a site {key} already; choose another key, or use: journey site set"
        ) from None
    return site


def change_site(context: Context, stored: StoredSite, changed: Site, actor: str) -> UUID:
    """Writes new settings. Returns the job that plans the site's enrollments anew with them."""
    if changed.key != stored.site.key:
        raise Refusal(f"a site keeps its key ({stored.site.key}): files and commands name it by that")
    before, after = stored.site.model_dump(), changed.model_dump()
    fields = sorted(name for name in after if before[name] != after[name])
    now = context.clock.now()
    with context.database.write() as tx:
        if not sites.save(tx, stored, changed):
            raise Stale("somebody else changed this site; look at it again, then decide")
        total = enrollments.count_live_of_site(tx, stored.id)
        # One that still runs would plan the rest with these settings anyway, but begins too late.
        jobs.give_up(tx, JobKind.REPLAN, str(stored.id), "the site was changed again", now)
        job_id = jobs.begin(tx, JobKind.REPLAN, str(stored.id), total, actor, now)
        entry = audit.Entry(actor, "site.changed", f"site/{stored.site.key}", {"fields": fields})
        audit.append(tx, [entry], now)
    return job_id


def replan_slice(context: Context, job: Job, is_time: Callable[[], bool]) -> bool:
    """Plans enrollments anew until the time is up; True once all are."""
    site_id = UUID(job.subject)
    while is_time():
        after = UUID(job.cursor) if job.cursor else None
        with context.database.read() as tx:
            part = enrollments.live_of_site(tx, site_id, after, _SLICE)
        if not part:
            return True
        seen = 0
        for enrollment_id in part:
            if seen and not is_time():  # each may wait for a message that is at the provider
                break
            _replan(context, enrollment_id, job.actor)
            seen += 1
        done, cursor = job.done + seen, str(part[seen - 1])
        with context.database.write() as tx:
            if not jobs.advance(tx, job, done=done, cursor=cursor):
                return False
        job = replace(job, done=done, cursor=cursor)
    return False


def _replan(context: Context, enrollment_id: UUID, actor: str) -> None:
    try:
        replan_live(context, enrollment_id, actor)
    except SealError:  # one damaged record must not hold up everybody behind it
        with context.database.write() as tx:
            installation.open_mark(tx)  # raises if the whole key ring is wrong
            staff_tasks.open_all(tx, [_unreadable(enrollment_id, context.clock.now())], context.clock.now())


def _unreadable(enrollment_id: UUID, now: datetime) -> NewTask:
    return NewTask(
        TaskKind.CANNOT_RENDER,
        f"{enrollment_id}/replan",
        "The patient's record does not open, so their messages keep their old times: run journey doctor.",
        now,
        enrollment_id,
    )


def read_pairs(site: Site, pairs: Sequence[str]) -> Site:
    """The site with name=value pairs applied, as operators and forms write them. Raises FieldErrors."""
    values = site.model_dump(mode="json")
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or name not in values:
            raise Refusal(f"{pair}: write name=value with one of: {', '.join(values)}")
        # Lists and yes/no are read as YAML; everything else stays the text it is.
        plain = isinstance(values[name], str)
        values[name] = text if plain else _as_yaml(pair, text)
    return _validated(values)


def _as_yaml(pair: str, text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        raise Refusal(f"{pair}: write a list like [0, 1, 2], or yes or no") from None


def _validated(values: dict[str, Any]) -> Site:
    try:
        return Site.model_validate(values)
    except ValidationError as error:
        raise FieldErrors(
            {
                str(fault["loc"][0]) if fault["loc"] else "site": fault["msg"].replace("Value error, ", "")
                for fault in error.errors()
            }
        ) from None
