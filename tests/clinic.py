"""A whole Journey for tests: real services on a real database, with a clock that the test moves."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from journey.bootstrap import App, build
from journey.domain.conditions import FactValue
from journey.domain.pathway import Channel
from journey.domain.site import Site
from journey.services import changing, wishes
from journey.services.admission import Request, prepare
from journey.services.dispatching import deliver
from journey.services.enrolling import Enrolled, enroll
from journey.services.publishing import find_setting, install_content, publish
from journey.services.sweeping import sweep
from journey.settings import read_settings
from journey.store import messages, outbox, staff_tasks
from journey.store.messages import Message
from journey.store.migrating import migrate

START = datetime(2026, 12, 1, 10, tzinfo=UTC)  # a Tuesday
PROCEDURE = date(2026, 12, 15)  # a Tuesday two weeks later
PATHWAY = "bvn-ablation"
KEYS = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
ANNA = {
    "given_name": "Anna",
    "family_name": "Kowalska",
    "phone": "+447700900101",
    "email": "anna@example.org",
    "birth_date": "1961-04-12",
    "record_number": "A-101",
}


class ManualClock:
    """Stands still until told to move; leases run on its own monotonic time."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at
        self._from = at

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return (self.at - self._from).total_seconds()

    def advance(self, span: timedelta) -> None:
        self.at += span


def _copy_ready(folder: Path) -> bool:
    """False if there is a database in the folder already."""
    target = folder / _ready_file().name
    if target.exists():
        return False
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(_ready_file(), target)
    return True


class RealClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


@cache
def _ready_file() -> Path:
    """The database of a practice with a published pathway: made once per process, and copied from then on."""
    folder = Path(tempfile.mkdtemp(prefix="journey-ready-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    made = Clinic(folder, clock=ManualClock())
    made.close()
    return Path(str(made.database.engine.url.database))


class Clinic:
    """One practice with a published pathway. `settings` go to Settings, without the prefix.

    `is_ready`: its database holds all that already, as a copy of one that was made so.
    """

    def __init__(
        self,
        folder: Path,
        *,
        clock: Any = None,
        site: Site | None = None,
        published: bool = True,
        is_ready: bool = False,
        **settings: Any,
    ) -> None:
        if (
            clock is None
            and site is None
            and published
            and not settings.keys() & {"database_url", "secret_keys"}
        ):
            is_ready = _copy_ready(folder)
        self.clock = clock or ManualClock()
        settings.setdefault("secret_keys", KEYS)
        self.app: App = build(read_settings(data_dir=folder, **settings), clock=self.clock)
        self.database = self.app.context.database
        if is_ready:
            return
        migrate(self.database)
        install_content(self.app.context, site or Site())
        if published:
            publish(self.app.context, PATHWAY, "Dr. Approver")

    def enroll(
        self,
        person: Mapping[str, str | None] = ANNA,
        *,
        day: date | str = PROCEDURE,
        arrival: str | None = "09:00",
        facts: Mapping[str, FactValue] | None = None,
        sms: bool = True,
        email: bool = True,
    ) -> Enrolled:
        with self.database.read() as tx:
            setting = find_setting(tx, PATHWAY, None, "tests")
        request = Request(person, str(day), arrival, facts or {}, sms, email)
        prepared = prepare(request, setting, self.clock.now())
        return enroll(self.app.context, setting, prepared)

    def change(self, enrollment: UUID, wish: wishes.Wish) -> changing.Outcome:
        return changing.change(self.app.context, enrollment, wish, "tests")

    def messages(self, enrollment: UUID) -> list[Message]:
        with self.database.read() as tx:
            return messages.of_enrollment(tx, enrollment)

    def message(self, enrollment: UUID, step: str) -> Message:
        """The newest message of a step."""
        found = [m for m in self.messages(enrollment) if m.step == step]
        return max(found, key=lambda m: m.occurrence)

    def tasks(self) -> list[dict[str, Any]]:
        with self.database.read() as tx:
            return staff_tasks.open_tasks(tx)

    def outbox(self) -> list[outbox.Delivered]:
        with self.database.read() as tx:
            return outbox.recent(tx)

    def work(self) -> int:
        """One round of everything a worker does. Returns how many messages went out."""
        worker = self.app.worker()
        sent = sum(deliver(worker, channel) for channel in Channel)
        sweep(worker)
        return sent

    def run_until(self, end: datetime) -> int:
        """Moves the clock from one due message to the next, and sends, until `end`."""
        sent = 0
        for _ in range(10_000):
            with self.database.read() as tx:
                due = messages.next_due(tx)
            if due is None or due > end:
                self.clock.at = max(self.clock.at, end)
                return sent + self.work()
            self.clock.at = max(self.clock.at, due)
            sent += self.work()
        raise AssertionError("the clinic never came to rest")

    def close(self) -> None:
        self.app.close()
