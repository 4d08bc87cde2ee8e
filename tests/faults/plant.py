"""One installation under test: a database, its real processes, and the patients whose first text is due."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen
from uuid import UUID

from sqlalchemy import select

from journey.domain.delivery import IN_FLIGHT, Status
from journey.domain.site import Site
from journey.services.admission import Request, prepare
from journey.services.enrolling import enroll_all
from journey.services.publishing import find_setting
from journey.store.schema import messages
from tests.clinic import KEYS, PATHWAY, Clinic, RealClock
from tests.fakes.process import REPOSITORY, Child
from tests.fakes.twilio_process import FakeTwilio
from tests.noon import noon_zone

RECOVERY = 60.0  # seconds within which everything comes right by itself
START = 60.0  # seconds that a process may take to start on a busy machine
_SOON = timedelta(minutes=10)  # retries are nearer than this, the pathway's later steps are days away

# Short times, in the same proportions as the defaults, so that a lost message comes back in seconds.
SHORT = {
    "lease_seconds": 4.0,
    "begin_seconds": 2.0,
    "request_seconds": 1.0,
    "lookup_grace_seconds": 4.0,
    "tick_seconds": 0.25,
    "batch_size": 20,
    "twilio_messages_per_second": 10_000.0,
}


@dataclass(frozen=True, slots=True)
class Patient:
    """Somebody enrolled a moment ago, whose welcome is due at once."""

    phone: str
    enrollment: UUID


@dataclass
class Service:
    """A process of the installation, and how to start it again."""

    command: list[str]
    child: Child
    restart: bool


@dataclass
class Plant:
    """Made by `plant`, which also takes it down."""

    clinic: Clinic
    folder: Path
    port: int
    environment: Mapping[str, str]
    services: list[Service] = field(default_factory=list)

    @property
    def is_embedded(self) -> bool:
        return not self.clinic.database.is_postgres

    def start(self, *arguments: str, module: str = "journey", restart: bool = False) -> Service:
        """Starts `python -m journey ARGUMENTS`; with `restart`, again whenever it has died."""
        command = [sys.executable, "-m", module, *arguments]
        service = Service(command, self._spawn(command), restart)
        self.services.append(service)
        return service

    def start_engine(self, *, web: bool = False, concurrency: int = 2, restart: bool = False) -> None:
        """Whatever sends on this kind of database: worker (and web), or everything in one process."""
        if self.is_embedded:
            self.start("up", "--port", str(self.port), restart=restart)
            web = True
        else:
            self.start("worker", "--concurrency", str(concurrency), restart=restart)
            if web:
                self.start("web", "--port", str(self.port), restart=restart)
        if web:
            self.until(self.is_healthy, "the web process answering", timeout=START)

    def kill_all(self) -> None:
        """SIGKILL to every process group of this installation at once: the machine goes away."""
        for service in self.services:
            _kill_group(service.child)

    def is_healthy(self) -> bool:
        with suppress(URLError, OSError), urlopen(f"{self.address}/healthz", timeout=2) as answer:
            return bool(answer.status == 200)
        return False

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def enroll(self, count: int, *, first: int = 0, **person: Any) -> list[Patient]:
        """Patients number `first` and on, each with a phone of their own unless `person` says otherwise."""
        return self.enroll_people([_person(first + number) | person for number in range(count)])

    def enroll_people(self, people: Sequence[Mapping[str, str]]) -> list[Patient]:
        now = self.clinic.clock.now()
        day = (now + timedelta(days=60)).date()
        with self.clinic.database.read() as tx:
            setting = find_setting(tx, PATHWAY, None, "faults")
        requests = [Request(who, str(day), "09:00", {}, "phone" in who, "email" in who) for who in people]
        prepared = [prepare(request, setting, now) for request in requests]
        enrolled = enroll_all(self.clinic.app.context, [(setting, prepared)])
        pairs = zip(people, enrolled, strict=True)
        return [Patient(who.get("phone", ""), one.enrollment_id) for who, one in pairs]

    def rows(self) -> list[Any]:
        """Every message that was due until now, or that was ever tried."""
        query = select(messages).where(
            (messages.c.due_at <= self.clinic.clock.now() + _SOON) | (messages.c.attempts > 0)
        )
        with self.clinic.database.read() as tx:
            return list(tx.connection.execute(query))

    def is_at_rest(self) -> bool:
        """Nothing is due soon, on its way, or waiting for a look-up."""
        moving = {Status.PLANNED, *IN_FLIGHT}
        return not any(row.status in moving for row in self.rows())

    def settle(self, *, timeout: float = RECOVERY) -> None:
        self.until(self.is_at_rest, "everything coming to rest", timeout=timeout)

    def until(self, is_true: Callable[[], bool], what: str, *, timeout: float = RECOVERY) -> None:
        """Waits, and meanwhile starts again what died and is meant to be restarted."""
        give_up = time.monotonic() + timeout
        while not is_true():
            if time.monotonic() > give_up:
                raise TimeoutError(f"{what} did not happen within {timeout} s; {self._picture()}")
            self.revive()
            time.sleep(0.1)

    def revive(self) -> None:
        """What systemd or Docker does: a process that has ended is started again."""
        for service in self.services:
            if service.restart and not service.child.is_running:
                _end(service.child)
                service.child = self._spawn(service.command)

    def stop(self, service: Service) -> None:
        self.services.remove(service)
        _end(service.child)

    def close(self) -> None:
        for service in list(self.services):
            self.stop(service)
        self.clinic.close()

    def _spawn(self, command: list[str]) -> Child:
        return Child(command, log=self.folder / "processes.log", cwd=self.folder, env=dict(self.environment))

    def _picture(self) -> str:
        states = [(row.status, row.reason) for row in self.rows()]
        counts = {state: states.count(state) for state in sorted(set(states), key=str)}
        log = (self.folder / "processes.log").read_text()[-3000:] if self.services else "no process"
        return f"messages: {counts}; log:\n{log}"


@contextmanager
def plant(
    folder: Path, database_url: str, redis_url: str, twilio: FakeTwilio, **settings: Any
) -> Iterator[Plant]:
    """An installation with a published pathway at a site where it is noon; nothing runs yet."""
    port = free_port()
    chosen: dict[str, Any] = {
        **SHORT,
        "secret_keys": KEYS,
        "database_url": database_url,
        "redis_url": redis_url if database_url.startswith("postgres") else "",
        "public_url": f"http://127.0.0.1:{port}",
        "sms": "twilio",
        "twilio_account_sid": twilio.account_sid,
        "twilio_auth_token": twilio.auth_token,
        "twilio_from": "+15005550006",
        "twilio_api_url": twilio.url,
        **settings,
    }
    site = Site(zone=noon_zone(datetime.now(UTC)))
    clinic = Clinic(folder / "data", clock=RealClock(), site=site, **chosen)
    made = Plant(clinic, folder, port, _as_environment(chosen | {"data_dir": folder / "data"}))
    try:
        yield made
    finally:
        made.close()


def _as_environment(settings: Mapping[str, Any]) -> dict[str, str]:
    """The settings as variables, on top of this process's own, without its JOURNEY_ ones."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JOURNEY_")}
    given = {f"JOURNEY_{name.upper()}": str(value) for name, value in settings.items()}
    return kept | given | {"PYTHONPATH": str(REPOSITORY)}


def _person(number: int) -> dict[str, str]:
    assert number < 1000  # as many numbers as Ofcom keeps for films
    return {
        "given_name": "Pat",
        "family_name": f"Number {number}",
        "phone": f"+447700900{number:03}",
        "record_number": f"F-{number}",
    }


def _kill_group(child: Child) -> None:
    """The leader is not waited for yet, so the number still names our own group."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


def _end(child: Child) -> None:
    _kill_group(child)
    child.stop(signal.SIGKILL)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
