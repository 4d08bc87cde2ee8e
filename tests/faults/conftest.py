"""Installations for the fault tests, on PostgreSQL with Redis, or on both kinds of database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.twilio_process import FakeTwilio
from tests.faults.plant import Plant, plant
from tests.servers import RedisServer


@pytest.fixture
def redis(redis_server: RedisServer) -> RedisServer:
    """The suite's Redis, without the wake-ups of an earlier test."""
    redis_server.flush_all()
    return redis_server


@pytest.fixture
def plant_on_postgres(
    tmp_path: Path, postgres_url: str, redis: RedisServer, fake_twilio: FakeTwilio
) -> Iterator[Plant]:
    with plant(tmp_path, postgres_url, redis.url, fake_twilio) as made:
        yield made


@pytest.fixture
def plant_on_sqlite(tmp_path: Path, fake_twilio: FakeTwilio) -> Iterator[Plant]:
    """Everything in one process, as `journey up` runs it."""
    with plant(tmp_path, f"sqlite:///{tmp_path / 'journey.sqlite3'}", "", fake_twilio) as made:
        yield made


@pytest.fixture
def plant_on_both(
    tmp_path: Path, database_url: str, redis: RedisServer, fake_twilio: FakeTwilio
) -> Iterator[Plant]:
    """The test runs twice: workers on PostgreSQL and Redis, and one process on SQLite."""
    with plant(tmp_path, database_url, redis.url, fake_twilio) as made:
        yield made


@pytest.fixture
def racecourse(
    tmp_path: Path, postgres_url: str, redis: RedisServer, fake_twilio: FakeTwilio
) -> Iterator[Plant]:
    """Batches so small that a slice of patients takes as long to send as their wishes take to come."""
    with plant(tmp_path, postgres_url, redis.url, fake_twilio, batch_size=2) as made:
        yield made
