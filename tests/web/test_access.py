"""Every route × every role × nobody: what the rules say is what happens, and forms are ours alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import APIRouter

from journey.domain.access import MAY, Power, Role
from journey.web.access import Guarded, routes_of
from journey.web.app import create_app
from tests.clinic import Clinic
from tests.web.desk import PASSWORD, Desk

NOBODY = "00000000-0000-7000-8000-000000000000"
ROLES: list[Role | None] = [*Role, None]
STAFF = {power.value for power in Power}


def routes(clinic: Clinic) -> list[tuple[Guarded, str]]:
    return [(route, route.rules[0].kind) for route in routes_of(create_app(clinic.app))]


def address_of(route: Guarded) -> str:
    return re.sub(r"\{[^}]+\}", NOBODY, route.path)


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    clinic = Clinic(tmp_path)
    yield clinic
    clinic.close()


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.value if role else "nobody")
def test_every_route_lets_in_whom_its_rule_says_and_nobody_else(clinic: Clinic, role: Role | None) -> None:
    desk = Desk(clinic, role)
    walked = 0
    for route, kind in routes(clinic):
        if kind not in STAFF:
            continue
        for method in sorted(route.methods):
            address = address_of(route)
            answer = desk.post(address) if method == "POST" else desk.get(address)
            said = f"{method} {route.path} as {role}: {answer.status_code}"
            if role is None:
                assert answer.status_code == (401 if method == "POST" else 303), said
                if method != "POST":
                    assert answer.headers["location"].startswith("/sign-in"), said
            elif role in MAY[Power(kind)]:
                assert answer.status_code not in (401, 403), said
                assert "/sign-in" not in answer.headers.get("location", "") or "password" in route.path, said
            else:
                assert answer.status_code == 403, said
            walked += 1
    if role is None:
        assert {"public", "signed", "pending"} < {kind for _, kind in routes(clinic)}
    assert walked > 15
    desk.close()


def test_a_form_from_another_site_changes_nothing(clinic: Clinic) -> None:
    desk = Desk(clinic, Role.ADMIN)
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}, {}):
        for route, kind in routes(clinic):
            if kind in {*STAFF, "pending"} or route.path.startswith(("/sign-in", "/setup")):
                for _ in route.methods - {"GET", "HEAD"}:
                    answer = desk.visitor.post(address_of(route), data={}, headers=headers)
                    assert answer.status_code == 403, (route.path, headers)
    assert desk.get("/account").status_code == 200  # and the session still stands
    desk.close()


def test_a_route_without_a_rule_keeps_the_application_from_starting(clinic: Clinic) -> None:
    bare = APIRouter()
    bare.add_api_route("/oops", lambda: None)
    with pytest.raises(RuntimeError, match="/oops"):
        create_app(clinic.app, [bare])


def test_a_browser_without_the_second_factor_gets_no_further(clinic: Clinic) -> None:
    desk = Desk(clinic, Role.ADMIN)
    desk.visitor.clear_cookies()
    desk.post("/sign-in", email="admin@clinic.example", password=PASSWORD)
    for route, kind in routes(clinic):
        if kind in STAFF and "GET" in route.methods:
            answer = desk.get(address_of(route))
            assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in/code"), route.path
    desk.close()
