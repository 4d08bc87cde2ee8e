"""Builds what the edges use, once per process: database, clock, channels, limiter. The one wall clock."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urljoin

from journey.channels.limiter import ConfigurationError, SharedLimiter
from journey.channels.outbox import OutboxChannel
from journey.channels.protocol import ChannelPort, PostAll
from journey.channels.smtp_email import SmtpEmail, SmtpServer
from journey.channels.twilio_sms import TwilioSms
from journey.channels.webhook import post_all
from journey.domain.pathway import Channel
from journey.services.clockwatch import ClockWatch
from journey.services.context import Clock, Context, SendingRules
from journey.services.dispatching import Limiter, Worker
from journey.services.library import Library
from journey.services.sending import PortFactory, Sender
from journey.services.signing_in import Limits
from journey.settings import Settings, SettingsError
from journey.store.database import Database
from journey.store.sealing import Sealer, new_key, read_keys

KEY_FILE = "secret.keys"
STATUS_HOOK = "hooks/twilio/status"
INBOUND_HOOK = "hooks/twilio/inbound"


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


@dataclass
class App:
    """Everything that a process needs. Made by `build`, closed at its end."""

    settings: Settings
    context: Context
    library: Library
    factories: Mapping[Channel, PortFactory]
    limiter: Limiter
    post_events: PostAll
    watch: ClockWatch  # the process's own, from its start: a thread that comes later must not believe a jump
    _threads: threading.local = field(default_factory=threading.local)
    _workers: list[Worker] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def session_limits(self) -> Limits:
        settings = self.settings
        return Limits(
            timedelta(minutes=settings.session_idle_minutes), timedelta(hours=settings.session_hours)
        )

    def worker(self) -> Worker:
        """The calling thread's worker: its event loop and connections are its own."""
        worker: Worker | None = getattr(self._threads, "worker", None)
        if worker is None:
            sender = Sender(self.context, self.factories)
            worker = Worker(self.context, sender, Library(), self.limiter, self.watch)
            self._threads.worker = worker
            with self._lock:
                self._workers.append(worker)
        return worker

    def close(self) -> None:
        """Closes every thread's connections. Call it when those threads have come to rest."""
        with self._lock:
            while self._workers:
                self._workers.pop().sender.close()
        self._threads = threading.local()
        self.context.database.close()


def build(settings: Settings, *, clock: Clock | None = None) -> App:
    """Wires a process. Raises SettingsError when something that it needs is missing or wrong."""
    missing = settings.missing()
    if missing:
        raise SettingsError("\n".join(missing))
    try:
        database = Database(settings.effective_database_url, build_sealer(settings))
    except ValueError as error:
        raise SettingsError(str(error)) from None
    rules = SendingRules(
        lease=settings.lease_seconds,
        begin=settings.begin_seconds,
        request=settings.request_seconds,
        lookup_grace=settings.lookup_grace_seconds,
        batch=settings.batch_size,
        in_flight=settings.in_flight,
    )
    context = Context(database, clock or SystemClock(), rules, settings.public_url)
    factories = {
        Channel.SMS: _sms_factory(settings, database),
        Channel.EMAIL: _email_factory(settings, database),
    }
    rates = {Channel.SMS: settings.twilio_messages_per_second} if settings.sms == "twilio" else {}
    try:
        limiter = SharedLimiter(rates, settings.redis_url.get_secret_value() or None)
    except (ConfigurationError, ValueError):
        # The library's own words quote the address, and with it the password.
        raise SettingsError("JOURNEY_REDIS_URL cannot be read; write it like redis://HOST:6379/0") from None
    watch = ClockWatch(context.clock, rules.lookup_grace)
    return App(settings, context, Library(), factories, limiter, post_all, watch)


def build_sealer(settings: Settings) -> Sealer:
    """The key ring: from the settings, or from a key file that is made on first use when embedded."""
    text = settings.secret_keys.get_secret_value()
    try:
        return Sealer(read_keys(text or _own_keys(settings.data_dir)))
    except ValueError as error:
        raise SettingsError(f"JOURNEY_SECRET_KEYS: {error}") from None


def _own_keys(folder: Path) -> str:
    path = folder / KEY_FILE
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        # Created with its mode, and only if new: two processes that start at once agree on one key.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise SettingsError(f"JOURNEY_DATA_DIR {folder} cannot be written: {error.strerror}") from None
    key = new_key()
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(key + "\n")
    return key


def _sms_factory(settings: Settings, database: Database) -> PortFactory:
    if settings.sms == "outbox":
        return lambda: OutboxChannel(Channel.SMS, database)

    def make() -> ChannelPort:
        return TwilioSms(
            account_sid=settings.twilio_account_sid,
            auth_token=settings.twilio_auth_token.get_secret_value(),
            sender=settings.twilio_from,
            messaging_service_sid=settings.twilio_messaging_service_sid,
            api_url=settings.twilio_api_url,
            callback_url=public_address(settings, STATUS_HOOK),
            seconds=settings.request_seconds,
        )

    return make


def _email_factory(settings: Settings, database: Database) -> PortFactory:
    if settings.email == "outbox":
        return lambda: OutboxChannel(Channel.EMAIL, database)
    try:
        server = SmtpServer.parse(settings.smtp_url.get_secret_value())
    except ValueError as error:
        raise SettingsError(str(error)) from None
    return lambda: SmtpEmail(server, settings.email_from, settings.request_seconds)


def public_address(settings: Settings, path: str) -> str:
    """An address under the configured public URL: never built from a request's own headers."""
    return urljoin(settings.public_url.rstrip("/") + "/", path)
