"""Real servers and stateful fakes for the suite; every pytest-xdist worker starts its own."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from journey.store.database import Database
from journey.store.migrating import migrate
from journey.store.sealing import Sealer, read_keys
from tests.clinic import KEYS, Clinic
from tests.fakes.smtp_process import SmtpSink
from tests.fakes.twilio_process import FakeTwilio
from tests.servers import PostgresServer, RedisServer, start_postgres, start_redis


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    with start_postgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> str:
    """The migrated database that every `postgres_url` is a copy of."""
    database = Database(postgres_server.create_database("template_journey"), Sealer(read_keys(KEYS)))
    migrate(database)
    database.close()
    return "template_journey"


@pytest.fixture
def postgres_url(postgres_server: PostgresServer, postgres_template: str) -> Iterator[str]:
    """A fresh database of this test's own."""
    name = f"test_{uuid4().hex}"
    yield postgres_server.create_database(name, template=postgres_template)
    postgres_server.drop_database(name)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with start_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="session")
def shared_fake_twilio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeTwilio]:
    with FakeTwilio(tmp_path_factory.mktemp("twilio"), fsync=False) as fake:
        yield fake


@pytest.fixture
def fake_twilio(shared_fake_twilio: FakeTwilio) -> FakeTwilio:
    """The shared fake with nothing remembered; a test may even kill it."""
    shared_fake_twilio.reset()
    return shared_fake_twilio


@pytest.fixture(scope="session")
def shared_smtp_sink(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmtpSink]:
    with SmtpSink(tmp_path_factory.mktemp("smtp"), fsync=False) as sink:
        yield sink


@pytest.fixture
def smtp_sink(shared_smtp_sink: SmtpSink) -> SmtpSink:
    """The shared sink with nothing remembered."""
    shared_smtp_sink.reset()
    return shared_smtp_sink


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of the test's own, on both kinds: the test runs twice."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'journey.sqlite3'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture(scope="session")
def clinic_template(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The database of a whole practice that every clinic on PostgreSQL is a copy of."""
    url = postgres_server.create_database("template_clinic")
    Clinic(tmp_path_factory.mktemp("clinic"), database_url=url).close()
    return "template_clinic"


@pytest.fixture
def postgres_clinic_url(postgres_server: PostgresServer, clinic_template: str) -> Iterator[str]:
    name = f"clinic_{uuid4().hex}"
    yield postgres_server.create_database(name, template=clinic_template)
    postgres_server.drop_database(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def on_both(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Clinic]:
    """A whole practice on both databases, sending to the outbox: the test runs twice."""
    if request.param == "sqlite":
        clinic = Clinic(tmp_path)
    else:
        url: str = request.getfixturevalue("postgres_clinic_url")
        clinic = Clinic(tmp_path, database_url=url, is_ready=True)
    yield clinic
    clinic.close()


@pytest.fixture
def clinic(on_both: Clinic) -> Clinic:
    """The same. A file whose tests hardly depend on the database has its own `clinic`, and asks for `on_both`
    where one does."""
    return on_both


@pytest.fixture
def embedded_clinic(tmp_path: Path) -> Iterator[Clinic]:
    """The same on SQLite only, for rules that do not depend on the database."""
    clinic = Clinic(tmp_path)
    yield clinic
    clinic.close()
