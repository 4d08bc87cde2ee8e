"""Addresses not to be written to, per channel. Kept by token: they outlive a patient's record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from journey.domain.delivery import Reason
from journey.domain.pathway import Channel
from journey.store.database import Tx
from journey.store.ids import new_id
from journey.store.schema import suppressions
from journey.store.sealing import SealError

EVIDENCE = "suppressions.evidence"
ADDRESS = "suppressions.address"


def add(
    tx: Tx,
    channel: Channel,
    address: str,
    reason: Reason,
    source: str,
    at: datetime,
    evidence: str | None = None,
) -> bool:
    """Suppresses an address; False if it already is."""
    row_id = new_id()
    row: dict[str, Any] = {
        "id": row_id,
        "channel": channel.value,
        "address_token": tx.sealer.token(channel.value, address.casefold()),
        "sealed_address": tx.sealer.seal(address, ADDRESS, row_id),
        "reason": reason.value,
        "source": source,
        "sealed_evidence": tx.sealer.seal(evidence, EVIDENCE, row_id) if evidence else None,
        "at": at,
    }
    if active(tx, tx.sealer.tokens(channel.value, address.casefold())):
        return False  # perhaps under an older key, which the unique index cannot know
    try:
        with tx.connection.begin_nested():
            tx.connection.execute(insert(suppressions), row)
    except IntegrityError:
        return False
    return True


def retoken_some(tx: Tx, after: UUID | None, limit: int) -> tuple[UUID | None, int]:
    """Makes the next rows' tokens and seals anew under the first key; else a rotation would forget them."""
    query = select(suppressions).order_by(suppressions.c.id).limit(limit)
    if after is not None:
        query = query.where(suppressions.c.id > after)
    rows = tx.connection.execute(tx.locked(query)).all()
    stale = [row for row in rows if not tx.sealer.is_current(row.sealed_address)]
    for row in stale:
        address = tx.sealer.open(row.sealed_address, ADDRESS, row.id)
        values = {
            "address_token": tx.sealer.token(row.channel, address.casefold()),
            "sealed_address": tx.sealer.seal(address, ADDRESS, row.id),
        }
        tx.connection.execute(update(suppressions).where(suppressions.c.id == row.id).values(values))
    return (rows[-1].id if rows else None), len(stale)


def lift(
    tx: Tx, channel: Channel, tokens: Sequence[bytes], at: datetime, evidence: str | None = None
) -> bool:
    """Allows an address again; False if it was not suppressed. The old row stays, with both evidences."""
    if evidence:
        _add_evidence(tx, channel, tokens, evidence)
    result = tx.connection.execute(
        update(suppressions)
        .where(
            tx.among(suppressions.c.address_token, tokens),
            suppressions.c.channel == channel.value,
            suppressions.c.lifted_at.is_(None),
        )
        .values(lifted_at=at)
    )
    return result.rowcount > 0


def make_opt_out(tx: Tx, channel: Channel, tokens: Sequence[bytes], source: str, evidence: str) -> None:
    """Turns what stops an address for another reason into an opting out, which no mended number ends."""
    query = select(suppressions.c.id).where(
        tx.among(suppressions.c.address_token, tokens),
        suppressions.c.channel == channel.value,
        suppressions.c.lifted_at.is_(None),
        suppressions.c.reason != Reason.OPTED_OUT.value,
    )
    for (row_id,) in tx.connection.execute(tx.locked(query)).all():
        sealed = tx.sealer.seal(evidence, EVIDENCE, row_id)
        values = {"reason": Reason.OPTED_OUT.value, "source": source, "sealed_evidence": sealed}
        tx.connection.execute(update(suppressions).where(suppressions.c.id == row_id).values(values))


def _add_evidence(tx: Tx, channel: Channel, tokens: Sequence[bytes], evidence: str) -> None:
    query = select(suppressions.c.id, suppressions.c.sealed_evidence).where(
        tx.among(suppressions.c.address_token, tokens),
        suppressions.c.channel == channel.value,
        suppressions.c.lifted_at.is_(None),
    )
    for row in tx.connection.execute(tx.locked(query)).all():
        before = _open(tx, row.id, row.sealed_evidence) if row.sealed_evidence else ""
        text = f"{before}\nRestarted: {evidence}".strip()
        sealed = tx.sealer.seal(text, EVIDENCE, row.id)
        tx.connection.execute(
            update(suppressions).where(suppressions.c.id == row.id).values(sealed_evidence=sealed)
        )


def _open(tx: Tx, row_id: UUID, sealed: bytes) -> str:
    try:
        return str(tx.sealer.open(sealed, EVIDENCE, row_id))
    except SealError:  # it is lost already, and must not keep the patient from opting in
        return "(an earlier evidence does not open)"


@dataclass(frozen=True, slots=True)
class Suppression:
    """Why an address is not written to, and who says so."""

    reason: Reason
    source: str


def standing(tx: Tx, channel: Channel, tokens: Sequence[bytes]) -> list[Suppression]:
    """The suppressions of an address that hold now."""
    query = select(suppressions.c.reason, suppressions.c.source).where(
        tx.among(suppressions.c.address_token, tokens),
        suppressions.c.channel == channel.value,
        suppressions.c.lifted_at.is_(None),
    )
    return [Suppression(Reason(row.reason), row.source) for row in tx.connection.execute(query)]


def active(tx: Tx, tokens: Sequence[bytes]) -> set[tuple[bytes, Channel]]:
    """Which of these addresses are suppressed on which channel."""
    query = select(suppressions.c.address_token, suppressions.c.channel).where(
        tx.among(suppressions.c.address_token, tokens), suppressions.c.lifted_at.is_(None)
    )
    return {(bytes(token), Channel(channel)) for token, channel in tx.connection.execute(query)}
