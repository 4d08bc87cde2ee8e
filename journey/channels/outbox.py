"""The local outbox: keeps messages in the database instead of sending them. Nothing leaves the machine."""

from __future__ import annotations

from datetime import datetime

from journey.channels.protocol import Candidates, ChannelPort, Outgoing, Sent, Verdict
from journey.domain.outcomes import Accepted, Outcome
from journey.domain.pathway import Channel
from journey.store import outbox
from journey.store.database import Database


class OutboxChannel(ChannelPort):
    may_resend = False

    def __init__(self, kind: Channel, database: Database) -> None:
        self.kind = kind
        self._database = database

    async def send(self, outgoing: Outgoing, now: datetime) -> Outcome:
        content = {
            "to": outgoing.to,
            "subject": outgoing.subject,
            "text": outgoing.text,
            "html": outgoing.html,
        }
        with self._database.write() as tx:
            outbox.put(tx, outgoing.message_id, outgoing.attempt, self.kind, content, now)
        return Accepted(_provider_id(outgoing.message_id, outgoing.attempt), delivered=True)

    async def find(self, sent: Sent) -> Verdict:
        with self._database.read() as tx:
            kept = outbox.has(tx, sent.message_id, sent.attempt)
        return Candidates((_provider_id(sent.message_id, sent.attempt),) if kept else ())

    async def close(self) -> None:
        return


def _provider_id(message_id: object, attempt: int) -> str:
    return f"outbox-{message_id}-{attempt}"
