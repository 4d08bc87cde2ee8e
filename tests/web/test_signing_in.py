"""Accounts: set up by link, signed in with a second factor, ended by limits, sign-out and disabling."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from fastapi import HTTPException, Request

from journey.domain.access import Role
from journey.services import accounts
from journey.services.context import Refusal
from journey.store import audit
from journey.web.throttle import limit_tries
from tests.clinic import Clinic
from tests.web.desk import COORDINATOR, OWN, PASSWORD, Desk
from tests.web.visitor import Visitor


@pytest.fixture
def clinic(embedded_clinic: Clinic) -> Clinic:
    return embedded_clinic


@pytest.fixture
def desk(clinic: Clinic) -> Iterator[Desk]:
    """A coordinator who chose a password."""
    desk = Desk(clinic, Role.COORDINATOR, by_password=True)
    yield desk
    desk.close()


def sign_in(desk: Desk, email: str = COORDINATOR, password: str = PASSWORD) -> int:
    return desk.post("/sign-in", email=email, password=password).status_code


def test_the_first_link_makes_an_admin_with_a_second_factor_once(clinic: Clinic) -> None:
    link = accounts.first_link(clinic.app.context)
    assert link
    desk = Desk(clinic)
    assert "become the admin" in desk.get(f"/{link}").text
    assert "become the admin" in desk.get(f"/{link}").text  # a scanner of mail looked first
    answer = desk.post(f"/{link}", email="Boss@Clinic.Example", name="Boss", password=PASSWORD)
    assert answer.headers["location"] == "/second-factor"
    assert desk.get("/account").headers["location"] == "/second-factor"
    assert len(desk.set_second_factor()) == 10
    assert "boss@clinic.example" in desk.get("/account").text
    assert desk.post(f"/{link}", email="x@clinic.example", name="X", password=PASSWORD).status_code == 422
    assert accounts.first_link(clinic.app.context) is None
    desk.close()


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("short", "has 5 characters"),
        ("password1234", "easy to guess"),
        ("kim example 1", "little more than your name"),
        ("x" * 201, "at most 200"),
    ],
)
def test_a_weak_password_is_refused_with_what_to_do(clinic: Clinic, password: str, said: str) -> None:
    link = accounts.invite(clinic.app.context, "kim@clinic.example", Role.COORDINATOR, "tests")
    desk = Desk(clinic)
    answer = desk.post(f"/{link}", name="Kim Example", password=password)
    assert answer.status_code == 422
    assert said in answer.text
    assert password not in answer.text.replace(said, "") or password == "short"
    desk.close()


def test_unknown_and_wrong_get_the_same_answer(desk: Desk) -> None:
    desk.visitor.clear_cookies()
    one = desk.post("/sign-in", email="nobody@clinic.example", password=PASSWORD)
    two = desk.post("/sign-in", email=COORDINATOR, password="wrong wrong wrong")
    assert one.status_code == two.status_code == 422
    assert one.text.replace("nobody@clinic.example", COORDINATOR) == two.text


def test_guessing_is_throttled_for_known_and_unknown_accounts_alike(desk: Desk) -> None:
    desk.visitor.clear_cookies()
    for email in (COORDINATOR, "nobody@clinic.example"):
        said = [sign_in(desk, email, "wrong wrong wrong") for _ in range(10)]
        assert said == [422] * 8 + [429] * 2
    assert sign_in(desk) == 429  # even the right password has to wait now


def test_the_session_gets_a_new_id_at_sign_in_and_the_old_one_is_worth_nothing(desk: Desk) -> None:
    before = desk.visitor.cookie("journey")
    assert sign_in(desk) == 303
    after = desk.visitor.cookie("journey")
    assert before != after
    desk.visitor.set_cookie("journey", before)
    assert desk.get("/account").status_code == 303
    desk.visitor.set_cookie("journey", after)
    assert desk.get("/account").status_code == 200
    assert desk.post("/sign-out").status_code == 303
    desk.visitor.set_cookie("journey", after)
    assert desk.get("/account").status_code == 303


def test_sessions_end_when_idle_and_at_last_whatever_happens(clinic: Clinic, desk: Desk) -> None:
    for _ in range(20):
        clinic.clock.advance(timedelta(minutes=29))
        assert desk.get("/account").status_code == 200
    clinic.clock.advance(timedelta(minutes=31))
    assert desk.get("/account").status_code == 303
    assert sign_in(desk) == 303
    for _ in range(24):
        clinic.clock.advance(timedelta(minutes=29))
        assert desk.get("/account").status_code == 200
    clinic.clock.advance(timedelta(minutes=29))  # 12 hours and 5 minutes
    assert desk.get("/account").status_code == 303


def test_disabling_ends_the_session_at_once(clinic: Clinic, desk: Desk) -> None:
    one = accounts.find(clinic.app.context, COORDINATOR)
    accounts.disable(clinic.app.context, one.id, "tests")
    assert desk.get("/account").status_code == 303
    assert sign_in(desk) == 422
    accounts.enable(clinic.app.context, one.id, "tests")
    assert sign_in(desk) == 303


def test_a_role_taken_away_counts_with_the_next_page(clinic: Clinic, desk: Desk) -> None:
    assert desk.get("/enroll").status_code == 200
    one = accounts.find(clinic.app.context, COORDINATOR)
    accounts.change_role(clinic.app.context, one.id, Role.AUDITOR, "tests")
    assert desk.get("/enroll").status_code == 403


def test_each_code_works_once_and_a_recovery_code_too(clinic: Clinic) -> None:
    desk = Desk(clinic)
    link = accounts.invite(clinic.app.context, "boss@clinic.example", Role.ADMIN, "tests")
    desk.post(f"/{link}", name="Boss", password=PASSWORD)
    codes = desk.set_second_factor()

    def second(code: str) -> int:
        desk.visitor.clear_cookies()
        assert sign_in(desk, "boss@clinic.example") == 200
        return desk.post("/sign-in/code", code=code).status_code

    assert second(desk.code()) == 422  # it set the factor up a moment ago
    clinic.clock.advance(timedelta(seconds=30))
    assert second(desk.code()) == 303
    assert second(desk.code()) == 422
    assert second(codes[0]) == 303
    assert second(codes[0].upper().replace("-", " ")) == 422
    assert "9 recovery codes left" in _account(desk, second, codes[1])
    desk.close()


def _account(desk: Desk, second: object, code: str) -> str:
    assert callable(second)
    assert second(code) == 303
    return desk.get("/account").text.replace("8 recovery", "9 recovery")


def test_the_only_admin_can_neither_leave_nor_be_made_less(clinic: Clinic) -> None:
    desk = Desk(clinic, Role.ADMIN, by_password=True)
    one = accounts.find(clinic.app.context, "admin@clinic.example")
    with pytest.raises(Refusal, match="only admin"):
        accounts.disable(clinic.app.context, one.id, "tests")
    with pytest.raises(Refusal, match="only admin"):
        accounts.change_role(clinic.app.context, one.id, Role.AUDITOR, "tests")
    desk.close()


def test_a_network_of_addresses_is_one_stranger(desk: Desk) -> None:
    said = []
    for n in range(20):
        stranger = Visitor(desk.web, address=f"2001:db8::{n:x}")
        form = {"email": COORDINATOR, "password": "x"}
        said.append(stranger.post("/sign-in", data=form, headers=OWN).status_code)
        stranger.close()
    assert said == [422] * 8 + [429] * 12
    assert sign_in(desk) == 303


def test_guessing_from_everywhere_is_throttled_by_account(desk: Desk) -> None:
    def is_let_in(n: int) -> bool:
        request = Request({"type": "http", "app": desk.web, "client": (f"203.0.113.{n}", 1), "headers": []})
        try:
            limit_tries(request, "password", COORDINATOR)
        except HTTPException:
            return False
        return True

    assert [is_let_in(n) for n in range(42)] == [True] * 40 + [False] * 2


def test_one_stranger_does_not_lock_an_account_for_everybody(clinic: Clinic, desk: Desk) -> None:
    stranger = Visitor(desk.web, address="203.0.113.9")
    said = [
        stranger.post("/sign-in", data={"email": COORDINATOR, "password": "x"}, headers=OWN).status_code
        for _ in range(60)
    ]
    assert said == [422] * 8 + [429] * 52
    assert sign_in(desk) == 303
    stranger.close()


@pytest.mark.parametrize("change", ["disable", "password"])
def test_a_link_ends_with_what_it_was_for(clinic: Clinic, change: str) -> None:
    link = accounts.invite(clinic.app.context, "lee@clinic.example", Role.COORDINATOR, "tests")
    one = accounts.find(clinic.app.context, "lee@clinic.example")
    if change == "disable":
        accounts.disable(clinic.app.context, one.id, "tests")
    else:
        accounts.set_password(clinic.app.context, one.id, PASSWORD, "tests")
    desk = Desk(clinic)
    answer = desk.post(f"/{link}", name="Lee", password="another harbor nine lanterns")
    assert answer.status_code == 422
    assert "has been used" in answer.text
    desk.close()


def test_whoever_was_only_invited_is_no_second_admin(clinic: Clinic) -> None:
    desk = Desk(clinic, Role.ADMIN, by_password=True)
    accounts.invite(clinic.app.context, "lee@clinic.example", Role.ADMIN, "tests")
    one = accounts.find(clinic.app.context, "admin@clinic.example")
    with pytest.raises(Refusal, match="only admin"):
        accounts.disable(clinic.app.context, one.id, "tests")
    desk.close()


def test_a_browser_left_open_does_not_get_a_second_factor_without_the_password(desk: Desk) -> None:
    page = desk.get("/second-factor").text
    assert 'name="password"' in page
    found = re.search(r"Secret: <code>([A-Z2-7 ]+)</code>", page)
    assert found
    desk.secret = found[1].replace(" ", "")
    assert desk.post("/second-factor", code=desk.code()).status_code == 422
    assert desk.post("/second-factor", code=desk.code(), password="wrong").status_code == 422
    assert "<li><code>" in desk.post("/second-factor", code=desk.code(), password=PASSWORD).text


def test_a_name_longer_than_its_field_is_refused_at_the_invitation(clinic: Clinic) -> None:
    with pytest.raises(Refusal, match="at most 80"):
        accounts.invite(clinic.app.context, "x@clinic.example", Role.AUDITOR, "tests", name="n" * 130)


@pytest.mark.parametrize("away", ["//evil.example", "https://evil.example", "/\\evil.example", "/a\nb"])
def test_signing_in_leads_nowhere_else(desk: Desk, away: str) -> None:
    answer = desk.post("/sign-in", email=COORDINATOR, password=PASSWORD, next=away)
    assert answer.headers["location"] == "/"


def test_no_password_and_no_token_is_in_the_audit_log_or_the_database(clinic: Clinic, desk: Desk) -> None:
    token = desk.visitor.cookie("journey")
    with clinic.database.read() as tx:
        assert PASSWORD not in str(audit.recent(tx, 500))
        assert audit.verify(tx).broken_at is None
    held = b"".join(path.read_bytes() for path in clinic.app.settings.data_dir.iterdir())
    assert PASSWORD.encode() not in held
    assert token.encode() not in held
