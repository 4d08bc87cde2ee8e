"""What the versions in force say about replies: which words may be urgent, and the words of an answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from uuid import UUID

from journey.domain.triage import RedFlag
from journey.services.conversation.correspondents import Correspondent
from journey.services.library import Library
from journey.services.pathway_files import built_in_pathways, load_built_in
from journey.store import pathways
from journey.store.database import Tx
from journey.store.pathways import PathwayVersion


def red_flags(tx: Tx, library: Library, who: Correspondent) -> list[RedFlag]:
    """Of every pathway's newest version in force, of the patient's own, and of those that ship with Journey:
    an older version knows fewer words, and a stranger may be anybody's patient."""
    known = [version.pathway for version in _versions(tx, library, who)]
    known += [load_built_in(key).pathway for key in built_in_pathways()]
    return list(dict.fromkeys(flag for pathway in known for flag in pathway.replies.red_flags))


def templates_with(tx: Tx, library: Library, who: Correspondent, name: str) -> Mapping[str, str]:
    """The templates of the version that has one: the patient's own, or the newest that was approved."""
    assert who.enrollment is not None
    key = who.enrollment.pathway
    for version in _versions(tx, library, who):
        if version.pathway_key == key and name in version.templates:
            return version.templates
    return {}


def _versions(tx: Tx, library: Library, who: Correspondent) -> Iterator[PathwayVersion]:
    own: list[UUID] = [who.enrollment.pathway_version_id] if who.enrollment else []
    for one in dict.fromkeys([*own, *pathways.newest_published(tx)]):
        yield library.version(tx, one)
