"""The practice's sites."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import insert, select, update

from journey.domain.site import Site
from journey.store.database import Tx
from journey.store.ids import new_id
from journey.store.schema import sites


@dataclass(frozen=True, slots=True)
class StoredSite:
    id: UUID
    site: Site
    revision: int


def everyone(tx: Tx) -> list[StoredSite]:
    return [
        StoredSite(row.id, Site.model_validate(row.config), row.revision)
        for row in tx.connection.execute(select(sites).order_by(sites.c.key))
    ]


def get(tx: Tx, site_id: UUID, *, share: bool = False) -> StoredSite:
    """`share`: nobody changes it before the end of the transaction."""
    query = select(sites).where(sites.c.id == site_id)
    if share and tx.is_postgres:
        query = query.with_for_update(read=True)
    row = tx.connection.execute(query).one()
    return StoredSite(row.id, Site.model_validate(row.config), row.revision)


def add(tx: Tx, site: Site) -> UUID:
    site_id = new_id()
    config = site.model_dump(mode="json")
    tx.connection.execute(insert(sites).values(id=site_id, key=site.key, config=config))
    return site_id


def save(tx: Tx, stored: StoredSite, site: Site) -> bool:
    """Writes new settings; False when somebody else changed them first."""
    result = tx.connection.execute(
        update(sites)
        .where(sites.c.id == stored.id, sites.c.revision == stored.revision)
        .values(config=site.model_dump(mode="json"), revision=stored.revision + 1)
    )
    return result.rowcount == 1
