"""Forms that come too late: they come back filled to whoever sent them, and to nobody else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from journey.domain.access import Role
from journey.services import accounts
from tests.clinic import Clinic
from tests.web.desk import COORDINATOR, OWN, PASSWORD, Desk


@pytest.fixture
def clinic(embedded_clinic: Clinic) -> Clinic:
    return embedded_clinic


@pytest.fixture
def desk(clinic: Clinic) -> Iterator[Desk]:
    """A coordinator who chose a password."""
    desk = Desk(clinic, Role.COORDINATOR, by_password=True)
    yield desk
    desk.close()


def test_a_form_sent_too_late_comes_back_filled_after_signing_in(clinic: Clinic, desk: Desk) -> None:
    clinic.clock.advance(timedelta(hours=1))
    late = desk.post("/enroll", given_name="Zdzisława <b>", step="confirm", note="naïve & 100%")
    assert late.status_code == 401
    kept = re.search(r'name="kept" value="([0-9a-f]+)"', late.text)
    assert kept
    assert "Zdzisława" not in late.text  # sealed
    back = desk.post("/sign-in", email=COORDINATOR, password=PASSWORD, kept=kept[1])
    assert back.status_code == 200
    assert 'action="/enroll"' in back.text
    assert "Zdzisława &lt;b&gt;" in back.text
    assert 'name="step"' not in back.text  # what was pressed is not pressed again
    tampered = kept[1][:-2] + ("00" if kept[1][-2:] != "00" else "11")
    plain = desk.post("/sign-in", email=COORDINATOR, password=PASSWORD, kept=tampered)
    assert (plain.status_code, plain.headers["location"]) == (303, "/")


def late_form(clinic: Clinic, desk: Desk, address: str, **fields: str) -> str:
    """What the sign-in page keeps of a form that was sent too late; empty for nothing."""
    clinic.clock.advance(timedelta(hours=1))
    late = desk.post(address, **fields)
    assert late.status_code == 401
    found = re.search(r'name="kept" value="([0-9a-f]*)"', late.text)
    return found[1] if found else ""


def test_a_kept_form_comes_back_to_nobody_else(clinic: Clinic, desk: Desk) -> None:
    kept = late_form(clinic, desk, "/enroll", given_name="Zdzisława")
    assert kept
    link = accounts.invite(clinic.app.context, "lee@clinic.example", Role.COORDINATOR, "tests")
    other = Desk(clinic, web=desk.web)
    other.post(f"/{link}", name="Lee Example", password=PASSWORD)
    back = other.post("/sign-in", email="lee@clinic.example", password=PASSWORD, kept=kept)
    assert back.status_code == 303
    assert "Zdzisława" not in back.text
    other.close()


@pytest.mark.parametrize("address", ["/account/password", "/sign-in/code", "/second-factor", "/sign-out"])
def test_no_password_or_code_is_kept(clinic: Clinic, desk: Desk, address: str) -> None:
    assert late_form(clinic, desk, address, old="my old secret", new="my new secret", code="123456") == ""


def test_a_form_without_a_session_is_not_kept(clinic: Clinic, desk: Desk) -> None:
    desk.visitor.clear_cookies()
    assert late_form(clinic, desk, "/enroll", given_name="Zdzisława") == ""


def test_a_form_larger_than_any_of_ours_is_refused(desk: Desk) -> None:
    assert desk.visitor.post("/sign-in", content=b"a=" + b"x" * 300_000, headers=OWN).status_code == 413
