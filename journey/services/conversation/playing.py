"""The patient's part, where messages stay in the outbox: what somebody who tries Journey writes back."""

from __future__ import annotations

from uuid import UUID

from journey.channels.protocol import Incoming
from journey.domain.pathway import Channel
from journey.services.context import Context, Missing, Refusal
from journey.services.conversation.receiving import follow, receive
from journey.services.library import Library
from journey.store import audit, outbox
from journey.store.ids import new_id

_MOST = 1_600  # characters, as a telephone takes them


def reply(context: Context, library: Library, message_id: UUID, text: str, actor: str) -> None:
    """Answers a text in the outbox. Raises Missing, or Refusal for what no telephone would send.

    The audit log says who it was that spoke for the patient.
    """
    with context.database.write() as tx:
        sent = outbox.get(tx, message_id)
        if sent is None or sent.channel is not Channel.SMS:
            raise Missing("There is no such text in the outbox.")
        if not 0 < len(text) <= _MOST:
            raise Refusal(f"Write a reply of 1 to {_MOST:,} characters.")
        entry = audit.Entry(actor, "reply.played", f"message/{message_id}", {})
        audit.append(tx, [entry], context.clock.now())
    incoming = Incoming(f"outbox-reply-{new_id()}", sent.content["to"], text)
    follow(context, receive(context, library, incoming))
