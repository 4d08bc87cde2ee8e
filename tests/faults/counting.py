"""The provider's ledger against the database: what is lost, sent twice, or silent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from journey.domain.delivery import GONE_OUT, Status
from journey.domain.pathway import Channel
from tests.fakes.ledger import Event
from tests.fakes.twilio_process import FakeTwilio
from tests.faults.plant import Plant


@dataclass(frozen=True, slots=True)
class Tally:
    """Each list names messages at fault; all must be empty."""

    sent: int  # messages that the provider has, each counted once
    lost: list[str]  # the database and the ledger disagree on whether the provider has it
    twice: list[str]  # the provider has it more than once
    silent: list[str]  # not sent, and no reason says why

    @property
    def is_sound(self) -> bool:
        return not (self.lost or self.twice or self.silent)


def count(plant: Plant, twilio: FakeTwilio) -> Tally:
    rows = [row for row in plant.rows() if row.channel == Channel.SMS.value]
    accepts = by_message(twilio.accepted())
    return Tally(
        sent=sum(row.id in accepts for row in rows),
        lost=[_say(row, accepts) for row in rows if _disagrees(row, accepts.get(row.id, []))],
        twice=[_say(row, accepts) for row in rows if len(accepts.get(row.id, [])) > 1],
        silent=[_say(row, accepts) for row in rows if row.status not in GONE_OUT and not row.reason],
    )


def by_message(accepted: Iterable[Event]) -> dict[UUID, list[Event]]:
    """Accepts by the message id that each one's callback address carries."""
    found: dict[UUID, list[Event]] = {}
    for event in accepted:
        query = parse_qs(urlsplit(event["callback"]).query)
        found.setdefault(UUID(query["message"][0]), []).append(event)
    return found


def _disagrees(row: Any, accepts: list[Event]) -> bool:
    if row.status in GONE_OUT:
        return not accepts or row.provider_id not in {event["sid"] for event in accepts}
    # A failed one may have been accepted first, and an unknown one is asked about.
    return bool(accepts) and row.status not in (Status.FAILED, Status.UNKNOWN)


def _say(row: Any, accepts: dict[UUID, list[Event]]) -> str:
    found = Counter(event.get("action", "accept") for event in accepts.get(row.id, []))
    return f"{row.id} {row.status} {row.reason} attempt {row.attempts}, ledger {dict(found)}"


def assert_all_sent_once(plant: Plant, twilio: FakeTwilio, expected: int) -> None:
    """The whole promise where nothing stands in the way: everyone got it, once, and we know it."""
    tally = count(plant, twilio)
    assert (tally.lost, tally.twice, tally.silent) == ([], [], [])
    assert tally.sent == expected
