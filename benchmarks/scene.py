"""The servers of a run: PostgreSQL that waits for its disk, Redis, and the fake provider."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from journey.store.sealing import new_key
from tests.fakes.twilio_process import FakeTwilio
from tests.servers import PostgresServer, RedisServer, start_postgres, start_redis

SENDER = "+15005550006"
CALLBACKS = "http://127.0.0.1:9"  # the fake never calls back unless told to
PROCESSES = 2
IN_FLIGHT = 16
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Scene:
    """What every figure measures on. `quick` makes all of it smaller."""

    folder: Path
    postgres: PostgresServer
    redis: RedisServer
    provider: FakeTwilio
    keys: str
    quick: bool

    def new_database(self) -> str:
        return self.postgres.create_database(f"bench_{next(_numbers)}")

    def log(self, name: str) -> Path:
        return self.folder / f"{name}-{next(_numbers)}.log"

    def settings(self, database_url: str) -> dict[str, str]:
        """The settings of a practice on this scene, without their prefix."""
        return {
            "data_dir": str(self.folder / "data"),
            "database_url": database_url,
            "redis_url": self.redis.url,
            "secret_keys": self.keys,
            "public_url": CALLBACKS,
            "sms": "twilio",
            "twilio_account_sid": self.provider.account_sid,
            "twilio_auth_token": self.provider.auth_token,
            "twilio_from": SENDER,
            "twilio_api_url": self.provider.url,
            "twilio_messages_per_second": "100000",
            "in_flight": str(IN_FLIGHT),
        }

    def environment(self, database_url: str) -> dict[str, str]:
        """The same as the environment of a process."""
        own = {k: v for k, v in os.environ.items() if not k.startswith(("JOURNEY_", "PG"))}
        given = {f"JOURNEY_{name.upper()}": value for name, value in self.settings(database_url).items()}
        return own | given


@contextmanager
def opened(folder: Path, *, quick: bool) -> Iterator[Scene]:
    with ExitStack() as stack:
        postgres = stack.enter_context(start_postgres(folder / "postgres", durable=True))
        redis = stack.enter_context(start_redis(folder / "redis"))
        (folder / "provider").mkdir()
        provider = stack.enter_context(FakeTwilio(folder / "provider", fsync=False))
        yield Scene(folder, postgres, redis, provider, new_key(), quick)


def python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]
