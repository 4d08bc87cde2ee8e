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
_OF_PATIENTS = (PATIENT, "provider")  # whose stops a patient may lift: their own, and a provider's for them


def opt(
    tx: Tx, phone: str, intent: Intent, evidence: str, now: datetime, *, may_start: bool
) -> tuple[bool, list[Entry]]:
    """Does what a reply asks for. False if it asks for texts again and somebody must decide.

    `may_start`: nothing can have come in between. What staff have stopped, a text does not start.
    """
    if intent in (Intent.STOP, Intent.CANCEL):
        added = suppressions.add(tx, Channel.SMS, phone, Reason.OPTED_OUT, PATIENT, now, evidence)
        return True, _follow(tx, phone, "address.stopped", now) if added else []
    if intent is not Intent.START:
        return True, []
    tokens = tx.sealer.tokens(Channel.SMS.value, phone)
    standing = suppressions.standing(tx, Channel.SMS, tokens)
    own = all(one.reason is Reason.OPTED_OUT and one.source.startswith(_OF_PATIENTS) for one in standing)
    if not (own and may_start):
        return not standing, []
    lifted = suppressions.lift(tx, Channel.SMS, tokens, now, evidence)
    return True, _follow(tx, phone, "address.restarted", now) if lifted else []


def _follow(tx: Tx, phone: str, action: str, now: datetime) -> list[Entry]:
    renewing.leave_to_workers(tx, patients.with_addresses(tx, [(Channel.SMS, phone)]), PATIENT, now)
    token = patients.address_token(tx.sealer, Channel.SMS, phone)
    detail = {"channel": Channel.SMS.value, "source": PATIENT}
    return [audit.Entry(PATIENT, action, f"address/{token.hex()}", detail)]
