"""One message as a page, a command or another system shows it: its time, state, reason and words."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any
from zoneinfo import ZoneInfo

from journey.domain.delivery import Status
from journey.domain.explain import explain_status, why_as_data
from journey.domain.pathway import Channel
from journey.domain.plan import PlannedMessage
from journey.domain.sms import measure
from journey.rendering.message import Rendered

NO_WORDS = Rendered("")  # of a message that waits for something that its words name


@dataclass(frozen=True, slots=True)
class ShownMessage:
    """`at` and `send_by` are ISO 8601 in the patient's zone. `id` is None for one that is not stored."""

    step: str
    phase: str
    channel: str | None
    at: str
    send_by: str
    status: str
    reason: str
    subject: str
    text: str
    encoding: str | None
    segments: int | None
    id: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Without an id, which a virtual patient's messages have none of."""
        values = asdict(self)
        del values["id"]
        return values


def show_target(
    target: PlannedMessage, words: Rendered, zone: ZoneInfo, message_id: str | None = None
) -> ShownMessage:
    """A message as it is planned."""
    status = Status(target.verdict.value)
    return ShownMessage(
        id=message_id,
        step=target.step,
        phase=target.phase,
        channel=target.channel.value if target.channel else None,
        at=target.due_at.astimezone(zone).isoformat(),
        send_by=target.send_by.astimezone(zone).isoformat(),
        status=status.value,
        reason=explain_status(status, target.reason, why_as_data(target.why)),
        **words_and_size(target.channel, words.subject, words.text),
    )


def words_and_size(channel: Channel | None, subject: str, text: str) -> dict[str, Any]:
    """The words, and how a text of them is sent."""
    size = measure(text) if channel is Channel.SMS and text else None
    return {
        "subject": subject,
        "text": text,
        "encoding": size.encoding if size else None,
        "segments": size.segments if size else None,
    }
