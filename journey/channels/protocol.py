"""What a channel must do: send one message, say what became of it, and own up when it cannot say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import Any, Protocol
from uuid import UUID

from journey.domain.outcomes import Outcome
from journey.domain.pathway import Channel


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A rendered message on its way. `attempt` counts from 1; instants are UTC."""

    message_id: UUID
    attempt: int
    to: str
    text: str
    send_by: datetime
    subject: str = ""
    html: str = ""
    from_name: str = ""
    unsubscribe_url: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """A message whose outcome is unknown, as far as a look-up needs it."""

    message_id: UUID
    attempt: int
    to: str
    text: str
    tried_at: datetime


@dataclass(frozen=True, slots=True)
class Candidates:
    """Ids of messages at the provider that can be the one asked for; none: the provider lacks it."""

    provider_ids: tuple[str, ...] = ()


class CannotSay:
    """The look-up itself failed, or this provider has none."""


Verdict = Candidates | CannotSay


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message that somebody sent to us. `sender` as its provider writes it, a phone number in E.164.

    `keyword`: STOP, START or HELP, where the provider took it for that and has answered. `pictures`: how many
    came with it. `fetched_at`: when the provider received it, if we had to ask; None for one that it told.
    """

    provider_id: str
    sender: str
    text: str
    pictures: int = 0
    keyword: str = ""
    fetched_at: datetime | None = None


class ChannelPort(Protocol):
    """One provider. Its methods never raise for what a provider does; that is an Outcome."""

    kind: Channel
    # Whether a lost message may go out again unseen (e-mail, under the same Message-ID).
    may_resend: bool

    async def send(self, outgoing: Outgoing, now: datetime) -> Outcome:
        """Tries once, within the channel's own time limit."""
        ...

    async def find(self, sent: Sent) -> Verdict:
        """Looks for a message at the provider. Whether a candidate is another's, the caller knows."""
        ...

    async def received(self, since: datetime, until: datetime) -> Sequence[Incoming] | CannotSay:
        """What came in between two moments, also what was told; nothing where it cannot be asked."""
        return ()

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Post:
    """One event for one address. `secret` as its receiver knows it: whsec_ and base64."""

    url: str
    secret: str
    event_id: str
    type: str
    at: datetime
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """`code` 0: none came, and `said` is why. `is_gone`: the receiver wants no more."""

    code: int
    said: str

    @property
    def is_taken(self) -> bool:
        return 200 <= self.code < 300

    @property
    def is_gone(self) -> bool:
        return self.code == 410


PostAll = Callable[[Sequence[Post], datetime, float], list[Answer]]


def is_metadata_address(host: str) -> bool:
    """Whether a host is an address where a cloud's machines find their own keys, or none at all."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    plain = getattr(address, "ipv4_mapped", None) or address
    return plain.is_link_local or plain.is_unspecified or plain.is_multicast
