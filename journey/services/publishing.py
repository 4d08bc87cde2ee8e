"""The built-in content and the practice's own: drafts first, published by a clinician's name."""

from __future__ import annotations

from journey.domain.site import Site
from journey.services.admission import Setting
from journey.services.context import Context, Refusal
from journey.services.enrolling import draft_refusal
from journey.services.keyring import check_keys
from journey.services.pathway_files import PathwayContent, built_in_pathways, load_built_in
from journey.store import audit, pathways, sites
from journey.store.database import Tx
from journey.store.pathways import PathwayVersion
from journey.store.sites import StoredSite

SYSTEM = "journey"


def install_content(context: Context, first_site: Site) -> list[str]:
    """Makes a first site, and drafts of built-in pathways that are new or changed. Says what it did."""
    contents = [load_built_in(key) for key in built_in_pathways()]
    now = context.clock.now()
    check_keys(context)
    done: list[str] = []
    with context.database.write() as tx:
        if not sites.everyone(tx):
            sites.add(tx, first_site)
            done.append(f"made the site {first_site.key} ({first_site.zone})")
        done += [text for content in contents if (text := _add_if_new(context, tx, content))]
        entries = [audit.Entry(SYSTEM, "content.installed", "installation", {"did": t}) for t in done]
        audit.append(tx, entries, now)
    return done


def _add_if_new(context: Context, tx: Tx, content: PathwayContent) -> str | None:
    newest = pathways.latest(tx, content.pathway.key)
    if newest is not None and newest.digest == content.digest:
        return None
    number = pathways.add_draft(
        tx, content.pathway.key, content.digest, content.as_json(), context.clock.now()
    )
    return f"added {content.pathway.key} version {number} as a draft"


def add_pathway(context: Context, content: PathwayContent, actor: str) -> str:
    """Adds a practice's own pathway as a draft."""
    with context.database.write() as tx:
        said = _add_if_new(context, tx, content)
        text = said or f"{content.pathway.key} has not changed; nothing to add"
        if said:
            entry = audit.Entry(actor, "pathway.added", f"pathway/{content.pathway.key}", {})
            audit.append(tx, [entry], context.clock.now())
    return text


def publish(
    context: Context, pathway: str, approved_by: str, *, for_demonstration: bool = False
) -> PathwayVersion:
    """Publishes the newest draft with its templates; from then on it never changes."""
    if not approved_by.strip():
        raise Refusal("say who approves it: --approved-by NAME")
    now = context.clock.now()
    with context.database.write() as tx:
        newest = pathways.latest(tx, pathway)
        if newest is None:
            known = ", ".join(pathways.keys(tx)) or "none; run: journey migrate"
            raise Refusal(f"there is no pathway {pathway}; there are: {known}")
        done = pathways.publish(tx, newest.id, approved_by.strip(), now, for_demonstration=for_demonstration)
        if not done:
            raise Refusal(
                f"{pathway} version {newest.number} is published already, approved by {newest.approved_by}"
            )
        entry = audit.Entry(
            approved_by.strip(),
            "pathway.published",
            f"pathway/{pathway}",
            {"version": newest.number, "digest": newest.digest},
        )
        audit.append(tx, [entry], now)
        return pathways.get(tx, newest.id)


def find_site(tx: Tx, key: str | None) -> StoredSite:
    """The named site; without a name, the only one."""
    known = sites.everyone(tx)
    if not known:
        raise Refusal("there is no site yet; run: journey migrate")
    names = ", ".join(stored.site.key for stored in known)
    if key is None:
        if len(known) > 1:
            raise Refusal(f"which site? name one of: {names}")
        return known[0]
    for stored in known:
        if stored.site.key == key:
            return stored
    raise Refusal(f"there is no site {key}; there are: {names}")


def find_setting(tx: Tx, pathway: str, site: str | None, actor: str) -> Setting:
    """The newest published version of a pathway at a site. Refuses drafts with the way out."""
    version = pathways.latest(tx, pathway, published=True)
    if version is None:
        if pathways.latest(tx, pathway) is not None:
            raise draft_refusal(pathway)
        known = ", ".join(pathways.keys(tx)) or "none; run: journey migrate"
        raise Refusal(f"there is no pathway {pathway}; there are: {known}")
    return Setting(find_site(tx, site), version, actor)


def only_pathway(tx: Tx) -> str | None:
    """The one to enroll in where none is named: the only one there is. None where there are several."""
    keys = pathways.keys(tx)
    published = [key for key in keys if pathways.latest(tx, key, published=True) is not None]
    known = published or keys
    return known[0] if len(known) == 1 else None


def offered(tx: Tx) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """The published pathways and the sites, as key and name. Raises Refusal while there is none."""
    found = [pathways.latest(tx, key, published=True) for key in pathways.keys(tx)]
    live = [(one.pathway_key, one.pathway.title) for one in found if one is not None]
    if not live:
        raise Refusal(
            "No pathway is published yet, so nobody can be enrolled. A clinician reads its messages and "
            "publishes it with: journey pathway publish NAME --approved-by WHO"
        )
    return live, [(stored.site.key, stored.site.name) for stored in sites.everyone(tx)]
