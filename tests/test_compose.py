"""docker-compose.yml without Docker: its form is checked, and its own commands run as processes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.clinic import KEYS
from tests.fakes.process import REPOSITORY, Child, wait_until
from tests.fakes.twilio_process import FakeTwilio
from tests.faults.plant import free_port
from tests.noon import noon_zone
from tests.servers import RedisServer

OURS = ("migrate", "web", "worker", "beat")
THEIRS = ("redis", "postgres")
# Compose's way of filling in: ${NAME}, ${NAME:-default}, ${NAME:?complaint}.
_VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")
STARTS = 60.0


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())
    return content


def test_the_file_follows_the_compose_specification(compose: dict[str, Any]) -> None:
    schema = json.loads((REPOSITORY / "tests" / "compose-schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    faults = [
        f"{fault.json_path}: {fault.message}" for fault in Draft202012Validator(schema).iter_errors(compose)
    ]
    assert faults == []


def test_every_part_of_the_service_is_there_and_every_lasting_one_says_whether_it_is_well(
    compose: dict[str, Any],
) -> None:
    services = compose["services"]
    assert set(services) == {*OURS, *THEIRS}
    lasting = {name for name, service in services.items() if service.get("restart") != "no"}
    assert {name for name, service in services.items() if "healthcheck" in service} == lasting


def test_what_a_service_names_is_declared(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for service in services.values():
        assert set(service.get("secrets", [])) <= set(compose["secrets"])
        assert set(service.get("depends_on", [])) <= set(services)
        named = {mount.partition(":")[0] for mount in service.get("volumes", [])}
        assert {name for name in named if not name.startswith((".", "/"))} <= set(compose["volumes"])


def test_no_secret_stands_in_the_file_and_each_is_mounted_where_it_is_read(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            if re.search("SECRET|TOKEN|PASSWORD|SMTP_URL|DATABASE_URL", name):
                assert name.endswith("_FILE"), name
                folder, _, secret = value.rpartition("/")
                assert folder == "/run/secrets"
                assert secret in service["secrets"]


class Stack:
    """The file's services as processes. What the operator supplies is the test's: .env and secrets."""

    def __init__(self, compose: dict[str, Any], folder: Path, hosts: Mapping[str, str]) -> None:
        self._services = compose["services"]
        self._folder = folder
        self._hosts = hosts
        self._children: list[Child] = []
        self.port = free_port()
        self.dotenv: dict[str, str] = {}
        for name in ("secrets", "volume"):
            (folder / name).mkdir()

    def secret(self, name: str, value: str) -> None:
        (self._folder / "secrets" / name).write_text(value + "\n")

    def environment(self, service: str) -> dict[str, str]:
        """The service's own variables and nothing of ours, with the image's PATH and data directory."""
        given = self._services[service]["environment"]
        own = {name: self._real(self._filled(str(value))) for name, value in given.items()}
        kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
        image = {"JOURNEY_DATA_DIR": str(self._folder / "volume"), "PATH": os.environ["PATH"]}
        return {**kept, **image, "PYTHONPATH": str(REPOSITORY), **own}

    def command(self, service: str) -> list[str]:
        program, *arguments = self._services[service]["command"]
        assert program == "journey"
        return self._local([program, *arguments])

    def run(self, service: str, *arguments: str) -> str:
        """`docker compose run SERVICE journey ARGUMENTS`, or the service's own command, to its end."""
        command = self._local(["journey", *arguments]) if arguments else self.command(service)
        done = subprocess.run(
            command,
            env=self.environment(service),
            cwd=self._folder / "volume",
            capture_output=True,
            text=True,
            check=False,
            timeout=STARTS,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def up(self, service: str) -> None:
        log = self._folder / f"{service}.log"
        environment, cwd = self.environment(service), self._folder / "volume"
        self._children.append(Child(self.command(service), log=log, env=environment, cwd=cwd))

    def is_healthy(self, service: str) -> bool:
        kind, *test = self._services[service]["healthcheck"]["test"]
        assert kind == "CMD"
        done = subprocess.run(
            self._local(test),
            env=self.environment(service),
            cwd=self._folder / "volume",
            capture_output=True,
            check=False,
            timeout=STARTS,
        )
        return done.returncode == 0

    def down(self) -> None:
        for child in self._children:
            os.killpg(child.pid, signal.SIGKILL)  # not waited for yet: still our own group
            child.stop(signal.SIGKILL)

    def _local(self, words: list[str]) -> list[str]:
        """The image's programs are this environment's; the container's port is one that is free here."""
        programs = {"journey": [sys.executable, "-m", "journey"], "python": [sys.executable]}
        rest = [word.replace("8000", str(self.port)).replace("0.0.0.0", "127.0.0.1") for word in words[1:]]
        return [*programs[words[0]], *rest]

    def _filled(self, text: str) -> str:
        def fill(match: re.Match[str]) -> str:
            name, kind, rest = match.groups()
            value = self.dotenv.get(name, "")
            if not value and kind == "?":
                raise AssertionError(f"{name} must be given: {rest}")
            return value or (rest if kind == "-" else "")

        return _VARIABLE.sub(fill, text)

    def _real(self, text: str) -> str:
        for host, address in self._hosts.items():
            text = text.replace(host, address)
        return text.replace("/run/secrets", str(self._folder / "secrets"))


@contextmanager
def stack_for(
    compose: dict[str, Any], folder: Path, database_url: str, redis: RedisServer, twilio: FakeTwilio
) -> Iterator[Stack]:
    stack = Stack(compose, folder, {"redis:6379": f"127.0.0.1:{redis.port}"})
    stack.secret("database_url", database_url)
    stack.secret("secret_keys", KEYS)
    stack.secret("twilio_auth_token", twilio.auth_token)
    stack.secret("smtp_url", "smtp://user:password@127.0.0.1:9")
    stack.dotenv = {
        "JOURNEY_PUBLIC_URL": f"http://127.0.0.1:{stack.port}",
        "JOURNEY_SITE_TIME_ZONE": noon_zone(),
        "JOURNEY_TWILIO_ACCOUNT_SID": twilio.account_sid,
        "JOURNEY_TWILIO_FROM": "+15005550006",
        "JOURNEY_TWILIO_API_URL": twilio.url,
        "JOURNEY_EMAIL_FROM": "Clinic <hello@clinic.example>",
    }
    try:
        yield stack
    finally:
        stack.down()


@pytest.mark.timeout(300)  # a dozen starts of Python, on whatever else runs here
def test_its_own_commands_and_environment_carry_a_patient_from_enrolling_to_a_receipt(
    compose: dict[str, Any],
    tmp_path: Path,
    postgres_url: str,
    redis_server: RedisServer,
    fake_twilio: FakeTwilio,
) -> None:
    redis_server.flush_all()
    fake_twilio.control(callbacks={"statuses": ["sent", "delivered"]})
    with stack_for(compose, tmp_path, postgres_url, redis_server, fake_twilio) as stack:
        stack.run("migrate")
        for service in ("web", "worker", "beat"):
            stack.up(service)
        wait_until(lambda: stack.is_healthy("web"), "a healthy web service", timeout=STARTS)
        stack.run("web", "pathway", "publish", "bvn-ablation", "--approved-by", "Dr. Approver")
        person = ["--given-name", "Anna", "--family-name", "Kowalska", "--phone", "+447700900101"]
        stack.run("web", "enroll", *person, "--consent-sms", "--procedure-date", in_two_months())
        wait_until(lambda: bool(fake_twilio.accepted()), "the welcome text", timeout=STARTS)
        fake_twilio.wait_for_callbacks()
        assert [event["to"] for event in fake_twilio.accepted()] == ["+447700900101"]
        assert fake_twilio.state()["callbacks_delivered"] == 2
        _a_patient_answers(stack, fake_twilio)
        assert stack.is_healthy("worker")
        assert stack.is_healthy("beat")


def _a_patient_answers(stack: Stack, twilio: FakeTwilio) -> None:
    """Twilio tells of a reply, signed; a worker answers it, and it is on the list of what needs a person."""
    hook = f"http://127.0.0.1:{stack.port}/hooks/twilio/inbound"
    twilio.text_in("+447700900101", "My left leg is weak", to="+15005550006", webhook=hook)
    wait_until(lambda: len(twilio.accepted()) == 2, "the emergency number", timeout=STARTS)
    assert "Automatic reply" in twilio.accepted()[1]["body"]
    assert "red_flag" in stack.run("web", "tasks")


def in_two_months() -> str:
    return str((datetime.now(UTC) + timedelta(days=60)).date())
