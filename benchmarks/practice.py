"""A practice with patients on a database of its own, whose messages a figure makes due at will."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Self

from sqlalchemy import text

from benchmarks.scene import Scene
from journey.bootstrap import build
from journey.domain.site import Site
from journey.services.admission import Request, prepare
from journey.services.enrolling import enroll_all
from journey.services.publishing import find_setting, install_content, publish
from journey.settings import read_settings
from journey.store.migrating import migrate
from tests.noon import noon_zone

PATHWAY = "bvn-ablation"
_MAKE_DUE = text(
    """
    WITH chosen AS (
        SELECT id, row_number() OVER (ORDER BY enrollment_id) AS place FROM messages
        WHERE step = :step AND channel = 'sms' ORDER BY enrollment_id LIMIT :number
    )
    UPDATE messages SET status = 'planned', reason = NULL, check_at = NULL, attempts = 0,
        due_at = :at + (place - 1) * :apart, planned_at = :at, send_by = :at + interval '1 day',
        claimed_at = NULL, accepted_at = NULL, delivered_at = NULL, provider_id = NULL, code = NULL,
        sealed_content = NULL
    FROM chosen WHERE messages.id = chosen.id
    """
)
_LEFT = text("SELECT count(*) FROM messages WHERE status IN ('planned', 'sending') AND due_at <= :now")
_SPAN = text(
    "SELECT min(claimed_at), max(accepted_at), count(*) FROM messages"
    " WHERE step = :step AND status = 'accepted'"
)


def person(number: int) -> dict[str, str | None]:
    """A made-up patient. Nothing leaves loopback, so the number only has to be well formed."""
    return {
        "given_name": f"Given{number % 97}",
        "family_name": f"Family-{number:06d}",
        "phone": f"+4474{number:08d}",
        "email": f"patient.{number}@example.org",
        "birth_date": f"{1940 + number % 50}-0{1 + number % 9}-1{number % 10}",
        "record_number": f"R-{number:07d}",
    }


def procedure_day(now: datetime, number: int = 0) -> date:
    return now.date() + timedelta(days=30 + number % 60)


class Practice:
    """Its site is where it is noon, so that quiet hours never interfere. Only texts, no e-mail."""

    def __init__(self, scene: Scene, *, with_content: bool = True) -> None:
        self.url = scene.new_database()
        self.app = build(read_settings(**scene.settings(self.url)))
        self.context = self.app.context
        migrate(self.context.database)
        if with_content:
            install_content(self.context, Site(zone=noon_zone()))
            publish(self.context, PATHWAY, "Dr. Bench")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.app.close()

    def enroll(self, number: int) -> None:
        now = datetime.now(UTC)
        with self.context.database.read() as tx:
            setting = find_setting(tx, PATHWAY, None, "bench")
        requests = [
            prepare(
                Request(
                    person(n),
                    procedure_day(now, n).isoformat(),
                    "09:30",
                    {"takes_glp1": "yes", "diabetic": "yes"},
                    consent_sms=True,
                ),
                setting,
                now,
            )
            for n in range(number)
        ]
        enroll_all(self.context, [(setting, requests)])
        # Welcomes are due at once; only what a figure makes due shall go out.
        self.execute("UPDATE messages SET status = 'cancelled' WHERE step = 'welcome'")
        self.vacuum()

    def make_due(self, step: str, number: int, at: datetime, apart: float = 0.0) -> None:
        """Makes one step of `number` patients due at a moment, or from it on, `apart` seconds each."""
        values = {"step": step, "number": number, "at": at, "apart": timedelta(seconds=apart)}
        with self.context.database.write() as tx:
            changed = tx.connection.execute(_MAKE_DUE, values).rowcount
        assert changed == number, f"{changed} of {number} rows"

    def wait_until_recorded(self, step: str, number: int, *, timeout: float = 120.0) -> tuple[float, float]:
        """Unix times of the first claim and the last record of a step, once all are recorded."""
        give_up = time.monotonic() + timeout
        while time.monotonic() < give_up:
            time.sleep(0.1)  # a look takes about 2 ms: rarely enough not to disturb
            with self.context.database.read() as tx:
                if tx.connection.execute(_LEFT, {"now": datetime.now(UTC)}).scalar_one():
                    continue
                begun, ended, count = tx.connection.execute(_SPAN, {"step": step}).one()
            if count >= number:
                return begun.timestamp(), ended.timestamp()
        raise TimeoutError(f"{step}: not all of {number} messages were recorded in {timeout} s")

    def cancel(self, step: str) -> None:
        """Takes a step out of the way of the next measurement."""
        self.execute(f"UPDATE messages SET status = 'cancelled', check_at = NULL WHERE step = '{step}'")

    def execute(self, statement: str) -> None:
        with self.context.database.write() as tx:
            tx.connection.execute(text(statement))

    def rows(self, statement: str) -> Sequence[Any]:
        with self.context.database.read() as tx:
            return tx.connection.execute(text(statement)).all()

    def vacuum(self) -> None:
        """Gives both sides of a comparison the same well-kept tables."""
        engine = self.context.database.engine
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
            connection.execute(text("CHECKPOINT"))
