"""`journey doctor`: looks at each part in turn and says in plain words what is wrong and what to do."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit

from redis import Redis
from redis.exceptions import RedisError

from journey.bootstrap import INBOUND_HOOK, App, build, public_address
from journey.channels.smtp_email import SmtpServer
from journey.domain.site import Site
from journey.services.keyring import check_keys
from journey.settings import Settings, SettingsError, unknown_names
from journey.store import messages, pathways, sites
from journey.store.database import StoreUnavailable, server_clock
from journey.store.migrating import schema_state
from journey.store.sealing import SealError

VITAL = frozenset({"database", "keys", "broker"})
# What every practice has of its own, and patients act on.
_PLACEHOLDERS = ("name", "sms_name", "phone", "address", "booking_url")
_CLOCK_TOLERANCE = timedelta(seconds=5)
_ROOM = 200_000_000  # bytes
_CONNECT_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Finding:
    part: str
    is_well: bool
    text: str


def examine(settings: Settings, only: frozenset[str] | None = None) -> list[Finding]:
    """Every part's finding; one that fails does not keep the others from being looked at."""
    try:
        app = build(settings)
    except (SettingsError, ValueError) as error:
        return [Finding("settings", False, str(error))]
    parts: list[tuple[str, Callable[[App], Iterator[Finding]]]] = [
        ("settings", _settings),
        ("database", _database),
        ("keys", _keys),
        ("content", _content),
        ("broker", _broker),
        ("providers", _providers),
        ("clock", _clock),
        ("disk", _disk),
    ]
    findings = []
    for name, look in parts:
        if only is not None and name not in only:
            continue
        try:
            findings += list(look(app))
        except (StoreUnavailable, SealError, RedisError, OSError, ValueError) as error:
            findings.append(Finding(name, False, str(error)))
    app.close()
    return findings


def _settings(app: App) -> Iterator[Finding]:
    settings = app.settings
    kind = "several processes over Redis" if not settings.is_embedded else "all in one process"
    yield Finding("settings", True, f"{kind}; SMS by {settings.sms}, e-mail by {settings.email}")
    host = urlsplit(settings.public_url).hostname or ""
    if settings.sms == "twilio" and not settings.public_url.startswith("https://") and host != "127.0.0.1":
        yield Finding(
            "settings", False, "JOURNEY_PUBLIC_URL is not https: receipts and links would travel in the open"
        )
    for name, nearest in unknown_names().items():
        hint = f"; did you mean {nearest}?" if nearest else ""
        yield Finding("settings", False, f"{name} is no setting of Journey and does nothing{hint}")


def _database(app: App) -> Iterator[Finding]:
    present, newest = schema_state(app.context.database)
    if present != newest:
        yield Finding(
            "database", False, f"its schema is {present or 'empty'}, not {newest}; run: journey migrate"
        )
        return
    with app.context.database.read() as tx:
        counts = messages.counts_by_status(tx)
    yield Finding("database", True, f"schema {newest}, {sum(counts.values()):,} messages")


def _keys(app: App) -> Iterator[Finding]:
    check_keys(app.context)
    yield Finding("keys", True, "the key ring opens what is sealed here")


def _content(app: App) -> Iterator[Finding]:
    with app.context.database.read() as tx:
        known = sites.everyone(tx)
        published = [key for key in pathways.keys(tx) if pathways.latest(tx, key, published=True)]
    if not known:
        yield Finding("content", False, "there is no site yet; run: journey migrate")
    for one in known if app.settings.is_production else []:
        example = [name for name in _PLACEHOLDERS if getattr(one.site, name) == getattr(Site(), name)]
        if example:
            yield Finding(
                "content",
                False,
                f"site {one.site.key} still has our example for {', '.join(example)}, which patients would "
                f"read; set them with: journey site set {example[0]}=… (journey site show lists them)",
            )
    if not published:
        yield Finding(
            "content",
            False,
            "no pathway is published, so nobody can be enrolled; a clinician reads it (journey pathway show) "
            "and publishes it with: journey pathway publish bvn-ablation --approved-by NAME",
        )
    else:
        yield Finding("content", True, f"published: {', '.join(published)}")


def _broker(app: App) -> Iterator[Finding]:
    url = app.settings.redis_url.get_secret_value()
    if not url:
        yield Finding("broker", True, "in memory, as fits one process")
        return
    try:
        Redis.from_url(url, socket_connect_timeout=_CONNECT_SECONDS, socket_timeout=_CONNECT_SECONDS).ping()
    except RedisError as error:
        yield Finding(
            "broker", False, f"Redis does not answer ({type(error).__name__}); check JOURNEY_REDIS_URL"
        )
        return
    yield Finding("broker", True, "Redis answers")


def _providers(app: App) -> Iterator[Finding]:
    settings = app.settings
    if settings.sms == "twilio":
        yield _reach("Twilio", *_host_and_port(settings.twilio_api_url))
        yield from _replies(app)
    if settings.email == "smtp":
        server = SmtpServer.parse(settings.smtp_url.get_secret_value())
        yield _reach("SMTP", server.host, server.port)
    if settings.sms == "outbox" or settings.email == "outbox":
        yield Finding("providers", True, "the local outbox keeps messages; nothing leaves this machine")


def _replies(app: App) -> Iterator[Finding]:
    hook = public_address(app.settings, INBOUND_HOOK)
    yield Finding("replies", True, f"Twilio's “A message comes in” must call {hook} (POST)")
    if not app.settings.twilio_from:
        yield Finding(
            "replies",
            False,
            "replies that Twilio could not tell of cannot be fetched: give the number as "
            "JOURNEY_TWILIO_FROM, also with a messaging service",
        )
    with app.context.database.read() as tx:
        live = [library.pathway for library in map(partial(pathways.get, tx), pathways.newest_published(tx))]
    for pathway in live:
        if not pathway.replies.answers:
            yield Finding(
                "replies",
                False,
                f"{pathway.key} answers no urgent reply by itself; add replies: to it, or publish its draft",
            )


def _host_and_port(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def _reach(name: str, host: str, port: int) -> Finding:
    try:
        with socket.create_connection((host, port), timeout=_CONNECT_SECONDS):
            return Finding("providers", True, f"{name} answers at {host}:{port}")
    except OSError as error:
        return Finding(
            "providers", False, f"{name} does not answer at {host}:{port} ({error.strerror or error})"
        )


def _clock(app: App) -> Iterator[Finding]:
    """The database's clock is the second opinion: several machines must agree on what is due."""
    if not app.context.database.is_postgres:
        yield Finding("clock", True, f"{app.context.clock.now():%Y-%m-%d %H:%M:%S} UTC")
        return
    with app.context.database.read() as tx:
        theirs = server_clock(tx)
    apart = abs(theirs - app.context.clock.now())
    if apart > _CLOCK_TOLERANCE:
        yield Finding(
            "clock",
            False,
            f"this machine and the database differ by {apart.total_seconds():.0f} s; run a time service",
        )
    else:
        yield Finding("clock", True, "agrees with the database")


def _disk(app: App) -> Iterator[Finding]:
    folder = app.settings.data_dir
    if not folder.exists():
        return
    free = shutil.disk_usage(folder).free
    yield Finding("disk", free > _ROOM, f"{free / 1e9:.1f} GB free for {folder}")
