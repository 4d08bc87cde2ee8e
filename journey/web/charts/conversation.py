"""What was said between the clinic and one patient, in one line of time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from journey.store.replies import Reply
from journey.web.charts.cards import Card, Chart


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that was said: a message that went out, or a reply."""

    at: datetime  # local to the patient
    card: Card | None = None
    reply: Reply | None = None


def read_conversation(chart: Chart, replies: Iterable[Reply]) -> list[Said]:
    """Everything that went out or came in, the newest first."""
    said = [Said(card.at, card=card) for card in chart.cards if card.went_out and card.text]
    said += [Said(one.at.astimezone(chart.zone), reply=one) for one in replies]
    return sorted(said, key=lambda one: one.at, reverse=True)
