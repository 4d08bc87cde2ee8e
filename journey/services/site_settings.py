"""Changing a site's settings, and with them the times of what is still to go."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import yaml
from pydantic import ValidationError

from journey.domain.site import Site
from journey.services.changing import change, replan
from journey.services.context import Context, Refusal, Stale
from journey.store import audit, enrollments, sites
from journey.store.sites import StoredSite


def change_site(
    context: Context,
    stored: StoredSite,
    pairs: Sequence[str],
    actor: str,
    progress: Callable[[int, int], None],
) -> int:
    """Applies name=value pairs. Returns how many enrollments were planned anew."""
    changed = _read(stored.site, pairs)
    with context.database.write() as tx:
        if not sites.save(tx, stored, changed):
            raise Stale("somebody else changed this site; look at it again, then decide")
        detail = {"fields": sorted(pair.partition("=")[0] for pair in pairs)}
        entry = audit.Entry(actor, "site.changed", f"site/{stored.site.key}", detail)
        audit.append(tx, [entry], context.clock.now())
    with context.database.read() as tx:
        affected = enrollments.live_of_site(tx, stored.id)
    for done, enrollment_id in enumerate(affected, start=1):
        change(context, enrollment_id, replan(), actor)
        progress(done, len(affected))
    return len(affected)


def _read(site: Site, pairs: Sequence[str]) -> Site:
    values = site.model_dump(mode="json")
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or name not in values:
            raise Refusal(f"{pair}: write name=value with one of: {', '.join(values)}")
        # Lists and yes/no are read as YAML; everything else stays the text it is.
        plain = isinstance(values[name], str)
        values[name] = text if plain else yaml.safe_load(text)
    try:
        return Site.model_validate(values)
    except ValidationError as error:
        faults = [
            f"{fault['loc'][0] if fault['loc'] else 'site'}: {fault['msg']}" for fault in error.errors()
        ]
        raise Refusal("; ".join(faults).replace("Value error, ", "")) from None
