"""Telling other systems what happened: addresses kept by admins, each event posted until it is taken."""

from __future__ import annotations

import base64
import secrets
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from journey.channels.protocol import Answer, Post, PostAll, is_metadata_address
from journey.services.context import Context, Missing, Refusal
from journey.store import audit, webhooks
from journey.store.schema.work import DeliveryStatus
from journey.store.webhooks import Delivery, Endpoint

# After each try that failed; then it is given up (https://www.standardwebhooks.com, retry schedule).
_PAUSES = tuple(
    timedelta(seconds=seconds) for seconds in (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
)
_BATCH, _MOST_URL = 50, 500
_UNREADABLE = Answer(0, "the secret does not open with the present keys; stop this address, and add it anew")
_ORDINARY_HTTP = ("127.0.0.1", "localhost", "::1")


def add(context: Context, url: str, actor: str) -> tuple[UUID, str]:
    """A new address. Returns its id, and the secret that its receiver checks signatures with."""
    address = read_url(url)
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    now = context.clock.now()
    with context.database.write() as tx:
        if any(one.url == address and one.is_active for one in webhooks.endpoints(tx)):
            raise Refusal(f"{address} is told already")
        endpoint_id = webhooks.add_endpoint(tx, address, secret, actor, now)
        audit.append(tx, [audit.Entry(actor, "webhook.added", f"webhook/{endpoint_id}", {})], now)
    return endpoint_id, secret


def read_url(text: str) -> str:
    """Raises Refusal unless it is an address that events may be sent to."""
    url = text.strip()
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise Refusal(f"{url!r} is no address; write it like https://hospital.example/hooks") from None
    if len(url) > _MOST_URL or parts.scheme not in ("https", "http") or not host or not url.isascii():
        raise Refusal("write an address like https://hospital.example/hooks")
    if parts.username or parts.password or parts.fragment or any(char.isspace() for char in url):
        raise Refusal("leave user names, fragments and blanks out of the address")
    if parts.scheme == "http" and host not in _ORDINARY_HTTP:
        raise Refusal("the address must begin with https://, so that nobody on the way reads it")
    if is_metadata_address(host.rstrip(".")):
        raise Refusal(f"{host} is an address of the machine's own provider, and no receiver")
    return url


def everyone(context: Context) -> list[Endpoint]:
    with context.database.read() as tx:
        return webhooks.endpoints(tx)


def log_of(context: Context, endpoint_id: UUID) -> tuple[Endpoint, list[Delivery]]:
    with context.database.read() as tx:
        found = webhooks.get_endpoint(tx, endpoint_id)
        if found is None:
            raise Missing("There is no such address.")
        return found, webhooks.log_of(tx, endpoint_id)


def turn(context: Context, endpoint_id: UUID, actor: str, *, on: bool) -> None:
    """Stops telling an address, or goes on with what was queued. What happens meanwhile is not queued."""
    now = context.clock.now()
    with context.database.write() as tx:
        if not webhooks.set_active(tx, endpoint_id, on):
            raise Missing("There is no such address.")
        action = "webhook.resumed" if on else "webhook.stopped"
        audit.append(tx, [audit.Entry(actor, action, f"webhook/{endpoint_id}", {})], now)


def send_again(context: Context, delivery_id: UUID, actor: str) -> None:
    now = context.clock.now()
    with context.database.write() as tx:
        if not webhooks.send_again(tx, delivery_id, now):
            raise Missing("There is no such delivery.")
        audit.append(tx, [audit.Entry(actor, "webhook.sent_again", f"delivery/{delivery_id}", {})], now)


def post_due(context: Context, post_all: PostAll) -> int:
    """Posts what is due, with no transaction open meanwhile. How many were posted."""
    posted = 0
    while batch := _claim(context):
        pairs = [(one, post) for one, post in batch if post is not None]
        answers = post_all([post for _, post in pairs], context.clock.now(), context.rules.request)
        _record(context, [one for one, _ in pairs], answers)
        mute = [one for one, post in batch if post is None]
        _record(context, mute, [_UNREADABLE] * len(mute))
        posted += len(pairs)
        if len(batch) < _BATCH:
            break
    return posted


def _claim(context: Context) -> list[tuple[Delivery, Post | None]]:
    """What is due; without a post where the address's secret does not open, which holds up nobody else."""
    now = context.clock.now()
    # A batch ends well within this; a worker that dies leaves its tries to the next one.
    until = now + timedelta(seconds=context.rules.request * (_BATCH / 8 + 2))
    with context.database.write() as tx:
        due = webhooks.take_due(tx, now, until, _BATCH)
        known = webhooks.secrets_of(tx, list({one.endpoint_id for one in due})) if due else {}
    return [(one, _post(one, known[one.endpoint_id]) if one.endpoint_id in known else None) for one in due]


def _post(one: Delivery, address_and_secret: tuple[str, str]) -> Post:
    return Post(*address_and_secret, f"evt_{one.event_id.hex}", one.type, one.at, one.data)


def _record(context: Context, batch: list[Delivery], answers: list[Answer]) -> None:
    now = context.clock.now()
    with context.database.write() as tx:
        for delivery, answer in zip(batch, answers, strict=True):
            status, due = _verdict(delivery, answer, now)
            webhooks.record(tx, delivery, status, answer.said, now, due)
            if answer.is_gone:
                webhooks.set_active(tx, delivery.endpoint_id, False)
                gone = audit.Entry("journey", "webhook.stopped", f"webhook/{delivery.endpoint_id}", {})
                audit.append(tx, [gone], now)


def _verdict(delivery: Delivery, answer: Answer, now: datetime) -> tuple[DeliveryStatus, datetime]:
    """What becomes of a delivery after this try, and when the next one is."""
    if answer.is_taken:
        return DeliveryStatus.DELIVERED, now
    if answer.is_gone or delivery.attempts >= len(_PAUSES):
        return DeliveryStatus.FAILED, now
    return DeliveryStatus.PENDING, now + _PAUSES[delivery.attempts]
