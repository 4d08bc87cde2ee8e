"""Accepted messages, in the shapes and paging of Twilio's REST API."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

API_VERSION = "2010-04-01"
DAY = 86_400


@dataclass(slots=True)
class Message:
    """One accepted message; `at` is Unix time, `n` the number of its create request."""

    account: str
    to: str
    sender: str | None
    body: str
    callback: str | None
    service: str | None
    n: int
    at: float = field(default_factory=time.time)
    sid: str = field(default_factory=lambda: "SM" + os.urandom(16).hex())
    status: str = ""
    error_code: int | None = None
    is_inbound: bool = False
    pictures: int = 0

    def __post_init__(self) -> None:
        if self.is_inbound:
            self.status = "received"
            return
        # Twilio answers "accepted" until a messaging service has picked a sender.
        self.status = "accepted" if self.service else "queued"


@lru_cache(maxsize=4)
def rfc2822(seconds: int) -> str:
    """Twilio's dates have whole seconds; formatting once a second keeps creates cheap."""
    return formatdate(seconds, usegmt=False).replace("-0000", "+0000")


def segments(message: Message) -> str:
    """A rough count: the service under test measures properly, this only fills the field."""
    if message.service:
        return "0"
    single, part = (160, 153) if message.body.isascii() else (70, 67)
    length = len(message.body)
    return str(1 if length <= single else -(-length // part))


def as_json(message: Message, *, created: bool = False) -> dict[str, Any]:
    """The fields of a Message resource; an answer to a create has no `date_sent` yet."""
    uri = f"/{API_VERSION}/Accounts/{message.account}/Messages/{message.sid}"
    date = rfc2822(int(message.at))
    return {
        "account_sid": message.account,
        "api_version": API_VERSION,
        "body": message.body,
        "date_created": date,
        "date_sent": None if created else date,
        "date_updated": date,
        "direction": "inbound" if message.is_inbound else "outbound-api",
        "error_code": message.error_code,
        "error_message": None,
        "from": message.sender,
        "messaging_service_sid": message.service,
        "num_media": str(message.pictures),
        "num_segments": segments(message),
        "price": None,
        "price_unit": "USD",
        "sid": message.sid,
        "status": message.status,
        "subresource_uris": {"media": uri + "/Media.json"},
        "to": message.to,
        "uri": uri + ".json",
    }


def unix_seconds(text: str) -> int:
    """A GMT date (`2026-03-01`) or date-time (`2026-03-01T09:30:00Z`)."""
    moment = datetime.fromisoformat(text)
    return int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp())


def is_sent_within(message: Message, query: Mapping[str, str]) -> bool:
    """Both bounds are inclusive, at whole seconds; a date without a time is its whole day."""
    sent = int(message.at)
    exactly, after, before = (query.get(key) for key in ("DateSent", "DateSent>", "DateSent<"))
    if exactly and sent // DAY != unix_seconds(exactly) // DAY:
        return False
    if after and sent < unix_seconds(after):
        return False
    if before:
        whole_day = DAY - 1 if len(before) == len("2026-03-01") else 0
        return sent <= unix_seconds(before) + whole_day
    return True


class MessageStore:
    """All accepted messages, by sid and by recipient, oldest first."""

    def __init__(self) -> None:
        self.by_sid: dict[str, Message] = {}
        self._by_recipient: dict[str, list[Message]] = {}

    def __len__(self) -> int:
        return len(self.by_sid)

    def add(self, message: Message) -> None:
        self.by_sid[message.sid] = message
        self._by_recipient.setdefault(message.to, []).append(message)

    def find(self, query: Mapping[str, str], *, accepted_by: float) -> list[Message]:
        """Newest first, as Twilio lists them; `accepted_by` hides what a lag hides."""
        to = query.get("To")
        known = self._by_recipient.get(to, []) if to else list(self.by_sid.values())
        sender = query.get("From")
        return [
            message
            for message in reversed(known)
            if message.at <= accepted_by
            and (not sender or message.sender == sender)
            and is_sent_within(message, query)
        ]


def as_page(found: list[Message], uri: str, query: Mapping[str, str]) -> dict[str, Any]:
    """One page in Twilio's envelope. The token names the last message of the page before,
    so a message that arrives between two pages moves nothing."""
    size = min(max(int(query.get("PageSize", 50)), 1), 1000)
    number = int(query.get("Page", 0))
    token = query.get("PageToken", "").removeprefix("PA")
    sids = [message.sid for message in found]
    first = sids.index(token) + 1 if token in sids else 0
    shown = found[first : first + size]
    filters = {key: query[key] for key in query if key not in ("Page", "PageToken", "PageSize")}

    def page_uri(page: int, after: str | None = None) -> str:
        token_part = {"PageToken": "PA" + after} if after else {}
        return f"{uri}?{urlencode({**filters, 'PageSize': size, 'Page': page, **token_part})}"

    has_more = first + size < len(found)
    return {
        "messages": [as_json(message) for message in shown],
        "end": first + len(shown) - 1 if shown else 0,
        "first_page_uri": page_uri(0),
        "next_page_uri": page_uri(number + 1, shown[-1].sid) if has_more else None,
        "page": number,
        "page_size": size,
        "previous_page_uri": None,
        "start": first,
        "uri": page_uri(number, token or None),
    }
