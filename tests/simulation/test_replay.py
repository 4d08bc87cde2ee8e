"""The same seed is the same run: in this process, and in one that hashes differently."""

import os
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO

import pytest
from rich.console import Console

from journey.channels import twilio_sms
from journey.services import changing
from journey.simulation import Result, Violation, report, run_simulation
from journey.simulation.provider import SKEW
from journey.store import ids

_PRINT_DIGEST = (
    "import sys; from journey.simulation import run_simulation; "
    "sys.stdout.write(run_simulation(6, 60, 7, True, None).digest)"
)


@pytest.fixture(scope="module")
def small() -> Result:
    return run_simulation(6, 60, 7, True, None)


def test_a_seed_replays_exactly(small: Result) -> None:
    assert run_simulation(6, 60, 7, True, None) == small
    assert run_simulation(6, 60, 8, True, None).digest != small.digest


def test_a_seed_replays_in_another_process_whatever_its_hashes(small: Result) -> None:
    environment = os.environ | {"PYTHONHASHSEED": "4711"}
    digest = subprocess.run(
        [sys.executable, "-c", _PRINT_DIGEST], capture_output=True, text=True, check=True, env=environment
    ).stdout
    assert digest == small.digest


def test_without_faults_everything_is_accepted_and_nothing_goes_wrong() -> None:
    seen: list[float] = []
    result = run_simulation(8, 120, 1, False, seen.append)
    assert result.violations == []
    assert result.fault_counts == {}
    assert not result.statuses.keys() & {"sending", "unknown", "failed"}
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_the_simulated_look_up_looks_back_as_far_as_the_real_one() -> None:
    assert vars(twilio_sms)["_SKEW"] == SKEW


def test_the_machine_is_given_back(small: Result) -> None:
    assert vars(changing)["real_time"] is time
    assert ids.new_id() != ids.new_id()


def test_the_report_names_what_broke_and_how_to_see_it_again(small: Result) -> None:
    when = datetime(2026, 3, 1, tzinfo=UTC)
    broken = replace(
        small, violations=[Violation("accepted twice", "welcome/0", when, ("what [led] to it",))]
    )
    out = StringIO()
    report(broken, Console(file=out, width=100))
    assert "accepted twice" in out.getvalue()
    assert "what [led] to it" in out.getvalue()
    assert "journey simulate --patients 6 --days 60 --seed 7 --faults" in out.getvalue()
    out = StringIO()
    report(small, Console(file=out, width=100))
    assert "every invariant held" in out.getvalue()
