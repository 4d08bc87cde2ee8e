"""Versions of pathways with their templates: drafts until published, never changed afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, func, insert, select, update

from journey.domain.pathway import Pathway
from journey.store.database import Tx
from journey.store.ids import new_id
from journey.store.schema import pathway_versions

_READ: dict[str, Pathway] = {}
_MOST_READ = 64


@dataclass(frozen=True)
class PathwayVersion:
    """A pathway and its templates by file name, such as "welcome.en-GB.sms.txt"."""

    id: UUID
    pathway_key: str
    number: int
    digest: str
    content: Mapping[str, Any]
    published_at: datetime | None
    approved_by: str | None
    for_demonstration: bool

    @cached_property
    def pathway(self) -> Pathway:
        """Read once per process: whatever has the same digest says the same."""
        found = _READ.get(self.digest)
        if found is None:
            if len(_READ) >= _MOST_READ:
                _READ.clear()
            found = _READ[self.digest] = Pathway.model_validate(self.content["pathway"])
        return found

    @property
    def templates(self) -> Mapping[str, str]:
        found: Mapping[str, str] = self.content["templates"]
        return found


def _read(row: Row[Any]) -> PathwayVersion:
    return PathwayVersion(
        row.id,
        row.pathway,
        row.number,
        row.digest,
        row.content,
        row.published_at,
        row.approved_by,
        row.for_demonstration,
    )


def get(tx: Tx, version_id: UUID) -> PathwayVersion:
    query = select(pathway_versions).where(pathway_versions.c.id == version_id)
    return _read(tx.connection.execute(query).one())


def latest(tx: Tx, pathway: str, *, published: bool = False) -> PathwayVersion | None:
    query = select(pathway_versions).where(pathway_versions.c.pathway == pathway)
    if published:
        query = query.where(pathway_versions.c.published_at.is_not(None))
    row = tx.connection.execute(query.order_by(pathway_versions.c.number.desc()).limit(1)).first()
    return _read(row) if row else None


def newest_published(tx: Tx) -> list[UUID]:
    """The newest published version of each pathway."""
    newest = (
        select(pathway_versions.c.pathway, func.max(pathway_versions.c.number).label("number"))
        .where(pathway_versions.c.published_at.is_not(None))
        .group_by(pathway_versions.c.pathway)
        .subquery()
    )
    same = and_(newest.c.pathway == pathway_versions.c.pathway, newest.c.number == pathway_versions.c.number)
    query = select(pathway_versions.c.id).join(newest, same).order_by(pathway_versions.c.pathway)
    return list(tx.connection.execute(query).scalars())


def keys(tx: Tx) -> list[str]:
    query = select(pathway_versions.c.pathway).distinct().order_by(pathway_versions.c.pathway)
    return [str(row[0]) for row in tx.connection.execute(query)]


def add_draft(tx: Tx, pathway: str, digest: str, content: Mapping[str, Any], at: datetime) -> int:
    """Stores a new draft and returns its number."""
    query = select(func.max(pathway_versions.c.number)).where(pathway_versions.c.pathway == pathway)
    number = int(tx.connection.execute(query).scalar_one() or 0) + 1
    tx.connection.execute(
        insert(pathway_versions).values(
            id=new_id(),
            pathway=pathway,
            number=number,
            digest=digest,
            content=content,
            created_at=at,
        )
    )
    return number


def publish(tx: Tx, version_id: UUID, approved_by: str, at: datetime, *, for_demonstration: bool) -> bool:
    """Marks a draft as published; False if it already was."""
    result = tx.connection.execute(
        update(pathway_versions)
        .where(pathway_versions.c.id == version_id, pathway_versions.c.published_at.is_(None))
        .values(published_at=at, approved_by=approved_by, for_demonstration=for_demonstration)
    )
    return result.rowcount == 1
