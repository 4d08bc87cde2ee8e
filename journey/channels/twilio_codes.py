"""Twilio's words, translated at the border by one table. An unknown code stops and asks staff.

Sources: Twilio's error dictionary; what each code calls for is decided in docs/decisions/0008.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from journey.channels.protocol import Incoming
from journey.domain.delivery import Event, Reason
from journey.domain.outcomes import NotNow, Outcome, Receipt, Refused

_REFUSALS = {
    21610: Refused(Reason.OPTED_OUT, blocks_address=True, ask_staff=False),
    21211: Refused(Reason.BAD_ADDRESS, blocks_address=True),
    21614: Refused(Reason.BAD_ADDRESS, blocks_address=True),
    30005: Refused(Reason.BAD_ADDRESS, blocks_address=True),
    30006: Refused(Reason.BAD_ADDRESS, blocks_address=True),
    30007: Refused(Reason.REFUSED),  # filtered by the network: staff should look at the wording
}
# Nobody's messages pass until somebody acts: keep them, and say so.
_HALTS = frozenset({20003, 20005, 21408, 21606, 30002, 30034})
_BUSY = frozenset({20429, 30001, 14107})
_RESEND = frozenset({30003, 30008})


def read_refusal(code: int | None, http_status: int) -> Outcome:
    """What a create that was answered with an error means. 5xx is not handled here: it may be accepted."""
    text = str(code or f"http-{http_status}")
    if http_status == 429 or code in _BUSY:
        return NotNow(Reason.PROVIDER_BUSY, text)
    if code in _HALTS or http_status in (401, 403):
        return NotNow(Reason.PROVIDER_HALTED, text, halts=True)
    known = _REFUSALS.get(code or 0, Refused(Reason.REFUSED))
    return Refused(known.reason, text, known.blocks_address, known.ask_staff)


def read_receipt(status: str, sid: str, code: str) -> Receipt | None:
    """What a status callback means, or None where it says nothing new."""
    if status in ("queued", "accepted", "scheduled", "sending", "sent"):
        return Receipt(Event.ACCEPT, sid)
    if status in ("delivered", "read"):
        return Receipt(Event.DELIVER, sid)
    if status not in ("undelivered", "failed", "canceled"):
        return None
    number = int(code) if code.isdigit() else 0
    known = _REFUSALS.get(number, Refused(Reason.UNDELIVERED))
    resend = number in _RESEND
    return Receipt(
        Event.UNDELIVER,
        sid,
        code,
        known.reason,
        known.blocks_address,
        ask_staff=known.ask_staff and not resend,
        resend=resend,
    )


def read_incoming(form: Mapping[str, str]) -> Incoming | None:
    """What an incoming message's form says, or None where it is no message. Sources: Twilio's request
    parameters of a messaging webhook; OptOutType is there where Advanced Opt-Out has answered."""
    sid, media = form.get("MessageSid", ""), form.get("NumMedia", "")
    # Whole, since a signature covers names and values run together: one cut elsewhere is no call of Twilio's.
    if not re.fullmatch(r"(SM|MM)[0-9a-f]{32}", sid) or not {"From", "Body", "NumMedia"} <= form.keys():
        return None
    pictures = int(media) if re.fullmatch(r"[0-9]{1,2}", media) else 0
    return Incoming(sid, form["From"], form["Body"], pictures, form.get("OptOutType", ""))
