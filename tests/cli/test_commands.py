"""The operator's commands: what they print, what they refuse, and with which exit code."""

from __future__ import annotations

import json
import re
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from journey.cli.app import app
from journey.domain.contact import FieldErrors
from journey.services.context import Refusal
from journey.services.pathway_files import load_built_in
from journey.settings import Settings, SettingsError

SOON = (datetime.now(UTC) + timedelta(days=40)).date()
ANNA = [
    *("enroll", "--given-name", "Anna", "--family-name", "Kowalska", "--phone", "+447700900101"),
    *("--procedure-date", SOON.isoformat(), "--consent-sms"),
]


class Operator:
    """Somebody at a shell, with a data directory of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment: dict[str, str] = {"JOURNEY_DATA_DIR": str(folder)}

    def run(self, *words: str, code: int = 0, typed: str = "") -> str:
        """What a command prints. An error that `main` would print is raised."""
        result = CliRunner().invoke(app, list(words), env=self.environment, input=typed)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return result.output

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--json"))


@pytest.fixture
def operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Operator:
    monkeypatch.setenv("COLUMNS", "200")
    return Operator(tmp_path / "data")


@pytest.fixture
def practice(operator: Operator) -> Operator:
    """Migrated, with the pathway published."""
    operator.run("migrate")
    operator.run("pathway", "publish", "bvn-ablation", "--approved-by", "Dr. Approver")
    return operator


def test_a_draft_takes_nobody_and_the_refusal_names_the_command(operator: Operator) -> None:
    operator.run("migrate")
    with pytest.raises(Refusal, match="journey pathway publish bvn-ablation --approved-by"):
        operator.run(*ANNA)


def test_an_enrollment_answers_with_its_id_and_its_messages(practice: Operator) -> None:
    made = practice.json(*ANNA)
    assert made["new"]
    assert practice.json("timeline", made["id"])["messages"] == made["messages"]
    assert practice.json(*ANNA)["new"] is False


def test_a_preview_has_every_field_of_its_contract(practice: Operator) -> None:
    shown = practice.json("preview", "bvn-ablation", "--procedure-date", "2027-03-16", "--arrival", "07:30")
    fields = ["step", "phase", "channel", "at", "send_by", "status", "reason"]
    fields += ["subject", "text", "encoding", "segments"]
    assert all(list(one) == fields for one in shown)
    assert {one["phase"] for one in shown} == {"before", "day", "after"}
    assert all(datetime.fromisoformat(one["at"]).utcoffset() is not None for one in shown)


def test_a_task_is_listed_in_full_and_closed_once(practice: Operator) -> None:
    made = practice.json(*ANNA)
    (task,) = practice.json("tasks")
    assert (task["kind"], task["enrollment_id"]) == ("set_arrival", made["id"])
    assert task["id"] in practice.run("tasks")
    practice.run("tasks", "done", task["id"])
    assert practice.json("tasks") == []
    with pytest.raises(Refusal, match="no open task"):
        practice.run("tasks", "done", task["id"])
    assert "unbroken" in practice.run("audit", "verify")


def test_an_id_that_is_none_is_refused_with_where_to_find_one(practice: Operator) -> None:
    with pytest.raises(Refusal, match="journey tasks"):
        practice.run("tasks", "done", "7")
    with pytest.raises(Refusal, match="journey patients"):
        practice.run("timeline", "7")


def test_a_new_date_without_an_arrival_time_says_that_it_is_open_again(practice: Operator) -> None:
    made = practice.json(*ANNA, "--arrival", "09:00")
    later = (SOON + timedelta(days=7)).isoformat()
    assert "No arrival time is set" in practice.run("reschedule", made["id"], "--procedure-date", later)
    said = practice.run("reschedule", made["id"], "--procedure-date", later, "--arrival", "08:00")
    assert "No arrival time" not in said


def test_stopping_an_address_takes_it_as_people_write_it(practice: Operator) -> None:
    practice.json(*ANNA)
    assert "1 patients have this address" in practice.run("stop", "sms", "07700 900101")
    assert "stopped already" in practice.run("stop", "sms", "+44 7700 900101")
    assert "again" in practice.run("restart", "sms", "07700900101")


def test_a_file_is_tried_dry_then_imported_whole_or_not_at_all(practice: Operator, tmp_path: Path) -> None:
    header = "given_name,family_name,phone,procedure_date,consent_sms\n"
    good = f"Anna,Kowalska,07700 900101,{SOON},yes\n"
    file = tmp_path / "patients.csv"
    file.write_text(header + good + "Ben,Test,12,2020-01-01,yes\n", encoding="utf-8")
    said = practice.run("import", str(file), "--dry-run", code=1)
    assert "2 rows, 1 with errors" in said
    assert "Dry run" in said
    assert "Nobody was enrolled" in practice.run("import", str(file), code=1)
    file.write_text(header + good, encoding="utf-8")
    assert "1 enrolled" in practice.run("import", str(file))
    assert "1 were enrolled already" in practice.run("import", str(file))


def test_the_doctor_names_a_misspelled_variable_and_the_right_one(practice: Operator) -> None:
    assert "wrong" not in practice.run("doctor")
    practice.environment["JOURNEY_PUBLIC_ULR"] = "https://journey.example.org"
    assert "did you mean JOURNEY_PUBLIC_URL?" in practice.run("doctor", code=1).replace("\n", " ")


def test_the_doctor_finds_our_example_values_in_a_real_practice(practice: Operator) -> None:
    keys = (practice.folder / "secret.keys").read_text("ascii").strip()
    real = {"JOURNEY_EMAIL": "smtp", "JOURNEY_SMTP_URL": "smtp://127.0.0.1:9"}
    practice.environment |= {**real, "JOURNEY_EMAIL_FROM": "x@example.org", "JOURNEY_SECRET_KEYS": keys}
    assert "still has our example for name, sms_name, phone" in practice.run("doctor", code=1)
    changes = ["name=Back Care", "sms_name=Back Care", "phone=020 7946 0999", "address=2 Real Street"]
    practice.run("site", "set", *changes, "booking_url=https://book.example.org")
    assert "our example" not in practice.run("doctor", code=1)


def test_who_approves_sees_every_text_and_email_the_correction_included(practice: Operator) -> None:
    patient = ["--procedure-date", "2027-03-16", "--arrival", "07:30"]
    shown = practice.run("pathway", "show", "bvn-ablation", *patient)
    content = load_built_in("bvn-ablation")
    for key in [*(step.key for step in content.pathway.steps), content.pathway.correction.key]:
        assert f"{key} · sms" in shown
        assert f"{key} · email" in shown
    assert "cannot be rendered" not in shown
    assert "is empty here" not in shown
    assert "version 1" in practice.run("pathway", "list")


def test_a_preview_for_one_channel_shows_only_that(practice: Operator) -> None:
    shown = practice.json("preview", "bvn-ablation", "--procedure-date", "2027-03-16", "--only", "email")
    assert {one["channel"] for one in shown} == {"email"}


def test_what_is_typed_in_is_not_seen_on_the_command_line(practice: Operator) -> None:
    words = ["enroll", "--stdin", "--procedure-date", SOON.isoformat(), "--consent-sms"]
    person = json.dumps({"given_name": "Anna", "family_name": "Kowalska", "phone": "07700 900101"})
    assert "Enrolled" in practice.run(*words, typed=person)
    assert "Kowalska" in practice.run("patients", "-", typed="kowal\n")
    assert "1 patients have" in practice.run("stop", "sms", "-", typed="07700 900101\n")
    assert "again" in practice.run("restart", "sms", "-", typed="07700 900101\n")
    for wrong, said in (
        ("{", "is no JSON"),
        ("[]", "one JSON object"),
        ('{"fone": "1"}', "fone is no field"),
    ):
        with pytest.raises(Refusal, match=said):
            practice.run(*words, typed=wrong)


def test_a_goal_is_reached_by_its_name_and_an_unknown_one_is_refused(practice: Operator) -> None:
    made = practice.json(*ANNA)
    assert "goal_reached" in practice.run("change", made["id"], "booked")
    assert "goal_reached" in practice.run("change", made["id"], "confirm")
    with pytest.raises(Refusal, match=r"boked is no change \(cancel, .*has no goal boked; it has: booked"):
        practice.run("change", made["id"], "boked")


def test_the_outbox_shows_what_went_nowhere(practice: Operator) -> None:
    assert "The outbox is empty" in practice.run("outbox")


def test_a_second_site_is_added_once_and_then_enrolling_asks_which(practice: Operator) -> None:
    with pytest.raises(Refusal, match="a site needs zone and country"):
        practice.run("site", "add", "boston", "name=Boston Spine")
    with pytest.raises(FieldErrors, match="zone: 'Boston' is no time zone"):
        practice.run("site", "add", "boston", "zone=Boston", "country=US")
    practice.run("site", "add", "boston", "zone=America/New_York", "country=US", "name=Boston Spine")
    shown = practice.run("site", "show")
    assert "zone = America/New_York" in shown
    assert "emergency_number = 911" in shown
    with pytest.raises(Refusal, match="there is a site boston already"):
        practice.run("site", "add", "boston", "zone=America/New_York", "country=US")
    with pytest.raises(Refusal, match="a site keeps its key"):
        practice.run("site", "set", "key=boston", "--site", "main")
    with pytest.raises(Refusal, match="which site"):
        practice.run(*ANNA)
    assert practice.json(*ANNA, "--site", "boston")["new"]


@pytest.mark.parametrize("sender", ["clinic", "Clinic <>", "a@b\nBcc: c@d", "a b@c d"])
def test_a_sender_that_is_no_address_is_refused(operator: Operator, sender: str) -> None:
    operator.environment["JOURNEY_EMAIL_FROM"] = sender
    with pytest.raises(SettingsError, match=r"JOURNEY_EMAIL_FROM.*is no sender"):
        operator.run("migrate")


def test_a_new_database_and_its_keys_are_their_owners_alone(operator: Operator) -> None:
    operator.run("migrate")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in operator.folder.iterdir()}
    assert set(modes.values()) == {0o600}, modes


@pytest.mark.parametrize("command", ["up", "web", "demo"])
def test_a_port_in_use_is_refused_before_anything_is_done(operator: Operator, command: str) -> None:
    with a_taken_port() as port, pytest.raises(Refusal, match="is in use by another program"):
        operator.run(command, "--port", str(port))
    assert not operator.folder.exists()


def test_links_lead_to_the_port_that_is_served_at_unless_another_address_is_set() -> None:
    assert Settings().served_at(8123).public_url == "http://127.0.0.1:8123"
    stated = Settings(public_url="https://journey.clinic.example")
    assert stated.served_at(8123).public_url == "https://journey.clinic.example"
    with_twilio = Settings(sms="twilio").served_at(8123)
    assert any("JOURNEY_PUBLIC_URL is missing" in text for text in with_twilio.missing())


@contextmanager
def a_taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield taken.getsockname()[1]


def test_every_setting_stands_in_the_operators_table_with_its_default() -> None:
    table = (Path(__file__).parents[2] / "docs" / "operations.md").read_text("utf-8")
    told = dict(re.findall(r"^\| `JOURNEY_([A-Z_]+)` \| (.*?) \|", table, re.MULTILINE))
    assert set(told) == {name.upper() for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        default = field.default
        text = default.get_secret_value() if isinstance(default, SecretStr) else str(default)
        if isinstance(default, float):
            text = f"{default:g}"
        assert told[name.upper()] == (f"`{text}`" if text else "empty"), name
