"""Every route × every role × nobody: what the rules say is what happens, and forms are ours alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import APIRouter

from journey.domain.access import MAY, Power, Role, Scope
from journey.services import api_keys
from journey.web.access import Guarded, routes_of
from journey.web.app import create_app
from tests.clinic import Clinic
from tests.web.desk import OWN, PASSWORD, Desk

NOBODY = "00000000-0000-7000-8000-000000000000"
ROLES: list[Role | None] = [*Role, None]
STAFF = {power.value for power in Power}
API = {f"api:{scope.value}": scope for scope in Scope}


def routes(clinic: Clinic) -> list[tuple[Guarded, str]]:
    return [(route, route.rules[0].kind) for route in routes_of(create_app(clinic.app))]


def address_of(route: Guarded) -> str:
    return re.sub(r"\{[^}]+\}", NOBODY, route.path)


def ask(desk: Desk, route: Guarded, method: str, **how: Any) -> httpx.Response:
    """As a browser of ours would send it."""
    address = address_of(route)
    if method != "POST":
        return desk.visitor.get(address, **how)
    if route.path == "/imports":  # the one form that carries a file
        return desk.visitor.post(address, files={"file": b""}, **how)
    return desk.visitor.post(address, data={}, **how)


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
            answer = ask(desk, route, method, headers=OWN)
            said = f"{method} {route.path} as {role}: {answer.status_code}"
            if role is None:
                assert answer.status_code == (401 if method == "POST" else 303), said
                if method != "POST":
                    assert answer.headers["location"].startswith("/sign-in"), said
            elif role in MAY[Power(kind)]:
                assert answer.status_code not in (401, 403, 500), said
                assert "/sign-in" not in answer.headers.get("location", "") or "password" in route.path, said
            else:
                assert answer.status_code == 403, said
            walked += 1
    if role is None:
        assert {"public", "signed", "pending"} < {kind for _, kind in routes(clinic)}
    assert walked > 40
    desk.close()


def test_a_form_from_another_site_changes_nothing(clinic: Clinic) -> None:
    desk = Desk(clinic, Role.ADMIN)
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}, {}):
        for route, kind in routes(clinic):
            if kind in {*STAFF, "pending"} or route.path.startswith(("/sign-in", "/setup")):
                for _ in route.methods - {"GET", "HEAD"}:
                    answer = ask(desk, route, "POST", headers=headers)
                    assert answer.status_code == 403, (route.path, headers)
    assert desk.get("/account").status_code == 200  # and the session still stands
    desk.close()


def test_a_route_without_a_rule_keeps_the_application_from_starting(clinic: Clinic) -> None:
    bare = APIRouter()
    bare.add_api_route("/oops", lambda: None)
    with pytest.raises(RuntimeError, match="/oops"):
        create_app(clinic.app, [bare])


def test_a_browser_without_the_second_factor_gets_no_further(clinic: Clinic) -> None:
    desk = Desk(clinic, Role.ADMIN, by_password=True)
    desk.visitor.clear_cookies()
    desk.post("/sign-in", email="admin@clinic.example", password=PASSWORD)
    for route, kind in routes(clinic):
        if kind in STAFF and "GET" in route.methods:
            answer = desk.get(address_of(route))
            assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in/code"), route.path
    desk.close()


@pytest.mark.parametrize("scope", [*Scope, None], ids=str)
def test_every_route_of_the_api_asks_for_its_scope_and_no_cookie_opens_it(
    clinic: Clinic, scope: Scope | None
) -> None:
    desk = Desk(clinic, Role.ADMIN)  # signed in, and that does not help
    headers = {}
    if scope is not None:
        headers["authorization"] = f"Bearer {api_keys.add(clinic.app.context, 'walker', [scope], 'tests')}"
    walked = 0
    for route, kind in routes(clinic):
        for method in sorted(route.methods) if kind in API else ():
            answer = ask(desk, route, method, headers=headers)
            said = f"{method} {route.path} with {scope}: {answer.status_code}"
            if scope is None:
                assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer"), said
            elif API[kind] is scope:
                assert answer.status_code not in (401, 403, 500), said
            else:
                assert answer.status_code == 403, said
            assert answer.status_code < 300 or answer.headers["content-type"] == "application/problem+json", (
                said
            )
            walked += 1
    assert walked == 20
    desk.close()


@pytest.mark.parametrize("key", ["", "Bearer", "Bearer x", "Basic eDp5", "Bearer jrn_" + "A" * 43, "jrn_x"])
def test_a_key_that_nobody_has_opens_nothing(clinic: Clinic, key: str) -> None:
    desk = Desk(clinic)
    assert desk.visitor.get("/api/v1/tasks", headers={"authorization": key}).status_code == 401
    desk.close()


def test_a_revoked_key_opens_nothing_any_more(clinic: Clinic) -> None:
    desk = Desk(clinic)
    key = api_keys.add(clinic.app.context, "walker", list(Scope), "tests")
    headers = {"authorization": f"Bearer {key}"}
    assert desk.visitor.get("/api/v1/tasks", headers=headers).status_code == 200
    api_keys.revoke(clinic.app.context, "walker", "tests")
    assert desk.visitor.get("/api/v1/tasks", headers=headers).status_code == 401
    desk.close()
