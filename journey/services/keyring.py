"""The installation's keys: are they the right ones, and sealing everything anew after a rotation."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from journey.services.context import Context
from journey.store import audit, installation, patients, suppressions
from journey.store.database import Tx
from journey.store.resealing import SEALED_COLUMNS, reseal_column

_SLICE = 500


def check_keys(context: Context) -> None:
    """Raises SealError when the key ring is not the one this database was sealed with.

    The first call on a new database leaves the mark that later ones open.
    """
    with context.database.read() as tx:
        if installation.is_marked(tx):
            installation.open_mark(tx)
            return
    with context.database.write() as tx:
        installation.mark(tx)


def reseal(context: Context, actor: str, progress: Callable[[int], None]) -> int:
    """Seals every value under the first key, slice by slice; safe to stop and run again."""
    done = 0
    for slice_of in (patients.reseal_some, suppressions.retoken_some):
        done += _reseal_slices(context, slice_of, done, progress)
    for column in SEALED_COLUMNS:
        after = None
        while True:
            with context.database.write() as tx:
                after, changed = reseal_column(tx, column, after, _SLICE)
            done += changed
            progress(done)
            if after is None:
                break
    with context.database.write() as tx:
        installation.mark(tx)
        _note(tx, context, actor, done)
    return done


def _reseal_slices(
    context: Context,
    slice_of: Callable[[Tx, UUID | None, int], tuple[UUID | None, int]],
    before: int,
    progress: Callable[[int], None],
) -> int:
    done, after = 0, None
    while True:
        with context.database.write() as tx:
            after, changed = slice_of(tx, after, _SLICE)
        done += changed
        progress(before + done)
        if after is None:
            return done


def _note(tx: Tx, context: Context, actor: str, done: int) -> None:
    entry = audit.Entry(actor, "keys.resealed", "installation", {"values": done})
    audit.append(tx, [entry], context.clock.now())
