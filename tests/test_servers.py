"""The PostgreSQL and Redis that the suite runs on."""

from pathlib import Path

import psycopg
import pytest
import redis

from tests.servers import PostgresServer, RedisServer, start_postgres


def connect(url: str) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True)


@pytest.mark.parametrize("attempt", [1, 2])
def test_every_test_has_a_database_of_its_own(postgres_url: str, attempt: int) -> None:
    with connect(postgres_url) as connection:
        connection.execute("CREATE TABLE note (body text)")  # fails if the other one's is here


def test_database_can_copy_a_template(postgres_server: PostgresServer) -> None:
    template = postgres_server.create_database("migrated")
    with connect(template) as connection:
        connection.execute("CREATE TABLE note AS SELECT 'hello' AS body")
    with connect(postgres_server.create_database("copy", template="migrated")) as connection:
        assert connection.execute("SELECT body FROM note").fetchone() == ("hello",)
    postgres_server.drop_database("copy")
    postgres_server.drop_database("migrated")


def test_durable_postgres_waits_for_the_disk(tmp_path: Path, postgres_server: PostgresServer) -> None:
    with start_postgres(tmp_path, durable=True) as server, connect(server.url) as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
    with connect(postgres_server.url) as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("off",)


def test_redis_loses_everything_in_a_restart_but_its_address(redis_server: RedisServer) -> None:
    url = redis_server.url
    with redis.Redis.from_url(url) as client:
        client.set("wake-up", 1)
        redis_server.flush_all()
        assert client.dbsize() == 0
        client.set("wake-up", 1)
    redis_server.restart()
    assert redis_server.url == url
    with redis.Redis.from_url(url) as client:
        assert client.dbsize() == 0
