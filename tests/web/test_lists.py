"""Lists of patients: every page shows others, nobody is left out, and one damaged record hides nobody."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import update

from journey.domain.access import Role
from journey.services import wishes
from journey.store.schema import patients
from tests.clinic import ANNA, PROCEDURE, START, Clinic
from tests.web.desk import Desk

MANY = 60


def person(number: int) -> dict[str, str | None]:
    return {**ANNA, "family_name": f"Number{number:02}", "record_number": f"R-{number}"}


def walk(desk: Desk, group: str) -> list[str]:
    """The names on every page of a group, in order; ends after ten pages."""
    names: list[str] = []
    address = f"/patients?show={group}"
    for _ in range(10):
        page = desk.get(address).text
        names += re.findall(r"Anna (Number\d\d)", page)
        more = re.search(r'href="(/patients\?show=[^"]*after=[^"]+)"', page)
        if more is None:
            return names
        address = more[1].replace("&amp;", "&")
    raise AssertionError(f"{group} has no end")


@pytest.mark.parametrize("group", ["upcoming", "recovering", "attention", "postponed"])
def test_every_page_shows_others_and_nobody_is_left_out(clinic: Clinic, group: str) -> None:
    arrival = None if group == "attention" else "09:00"  # a missing time is a task
    ids = [clinic.enroll(person(n), arrival=arrival).enrollment_id for n in range(MANY)]
    if group == "postponed":
        for one in ids:
            clinic.change(one, wishes.postpone())
    if group == "recovering":
        clinic.clock.at = START + (PROCEDURE - START.date()) - timedelta(days=2)
        for one in ids:  # each a little before the day that was planned
            clinic.change(one, wishes.complete(clinic.clock.at.date()))
    desk = Desk(clinic, Role.COORDINATOR)
    names = walk(desk, group)
    assert sorted(names) == [f"Number{n:02}" for n in range(MANY)]
    if group == "recovering":
        assert walk(desk, "upcoming") == []
    desk.close()


def test_a_record_that_does_not_open_hides_nobody_else(clinic: Clinic) -> None:
    bad = clinic.enroll(person(1), arrival=None)
    clinic.enroll(person(2), arrival=None)
    clinic.work()
    with clinic.database.write() as tx:
        row = patients.c.id == bad.patient_id
        tx.connection.execute(update(patients).where(row).values(sealed_person=b"\0" * 60))
    desk = Desk(clinic, Role.COORDINATOR)
    for address in ("/", "/patients", "/patients?show=attention", "/outbox"):
        answer = desk.get(address)
        assert answer.status_code == 200, address
        assert "Number02" in answer.text or address == "/outbox"
    assert "Number02" in desk.post("/patients", q="number").text
    desk.close()
