"""Opting out and in by text. It counts from the same commit on; what is planned follows within seconds."""

from __future__ import annotations

from datetime import datetime

from journey.domain.delivery import Reason
from journey.domain.pathway import Channel
from journey.domain.triage import Intent
from journey.services import renewing
from journey.store import audit, patients, suppressions
from journey.store.audit import Entry
from journey.store.database import Tx

PATIENT = "patient"
_PROVIDER = "provider "  # how the source of a stop begins that a provider reported for the patient


def opt(
    tx: Tx, phone: str, intent: Intent, evidence: str, now: datetime, *, may_start: bool
) -> tuple[bool, list[Entry]]:
    """Does what a reply asks for. False if it asks for texts again and somebody must decide.

    `may_start`: nothing can have come in between. What staff have stopped, a text does not start.
    """
    if intent in (Intent.STOP, Intent.CANCEL):
        added = suppressions.add(tx, Channel.SMS, phone, Reason.OPTED_OUT, PATIENT, now, evidence)
        if not added:  # stopped already, perhaps only since it did not work for a while
            suppressions.make_opt_out(tx, Channel.SMS, _tokens(tx, phone), PATIENT, evidence)
        return True, _follow(tx, phone, "address.stopped", now) if added else []
    if intent is not Intent.START:
        return True, []
    tokens = _tokens(tx, phone)
    standing = suppressions.standing(tx, Channel.SMS, tokens)
    own = all(one.reason is Reason.OPTED_OUT and _is_theirs(one.source) for one in standing)
    if not (own and may_start):
        return not standing, []
    lifted = suppressions.lift(tx, Channel.SMS, tokens, now, evidence)
    return True, _follow(tx, phone, "address.restarted", now) if lifted else []


def _tokens(tx: Tx, phone: str) -> list[bytes]:
    return tx.sealer.tokens(Channel.SMS.value, phone)


def _is_theirs(source: str) -> bool:
    """Whether a patient may lift it: their own stop, or a provider's for them."""
    return source == PATIENT or source.startswith(_PROVIDER)


def _follow(tx: Tx, phone: str, action: str, now: datetime) -> list[Entry]:
    renewing.leave_to_workers(tx, patients.with_addresses(tx, [(Channel.SMS, phone)]), PATIENT, now)
    token = patients.address_token(tx.sealer, Channel.SMS, phone)
    detail = {"channel": Channel.SMS.value, "source": PATIENT}
    return [audit.Entry(PATIENT, action, f"address/{token.hex()}", detail)]
