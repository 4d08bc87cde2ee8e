"""Single sign-on against a real provider's behavior: what is not exactly right opens nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc.jwk import RSAKey

from journey.domain.access import Role
from journey.services import accounts
from journey.settings import SettingsError, read_settings
from tests.clinic import Clinic, RealClock
from tests.fakes.oidc import FakeProvider
from tests.web.desk import Desk

KIM = "kim@clinic.example"


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with FakeProvider() as provider:
        yield provider


@pytest.fixture
def desk(tmp_path: Path, provider: FakeProvider) -> Iterator[Desk]:
    clinic = Clinic(
        tmp_path,
        clock=RealClock(),
        oidc_issuer=provider.issuer,
        oidc_client_id=provider.client_id,
        oidc_client_secret=provider.client_secret,
        oidc_name="Hospital account",
    )
    accounts.invite(clinic.app.context, KIM, Role.COORDINATOR, "tests")
    desk = Desk(clinic)
    yield desk
    desk.close()
    clinic.close()


def go(desk: Desk, next: str = "/patients") -> str:
    """To the provider and back: the address that the browser comes back to."""
    away = desk.get(f"/sign-in/sso?next={next}")
    assert away.status_code == 303
    back = httpx.get(away.headers["location"]).headers["location"]
    parts = urlsplit(back)
    assert f"{parts.scheme}://{parts.netloc}" == "http://127.0.0.1:8000"
    return f"{parts.path}?{parts.query}"


def test_whoever_the_provider_vouches_for_is_signed_in(desk: Desk) -> None:
    assert "Sign in with Hospital account" in desk.get("/sign-in").text
    arrived = desk.get(go(desk))
    assert (arrived.status_code, arrived.headers["location"]) == (303, "/patients")
    assert desk.get("/patients").status_code == 200
    assert KIM in desk.get("/account").text


def test_a_code_works_once_and_only_in_the_browser_that_asked(desk: Desk) -> None:
    back = go(desk)
    other = Desk(desk.clinic, web=desk.web)
    assert other.get(back).status_code == 422
    other.close()
    assert desk.get(back).status_code == 303
    desk.visitor.clear_cookies()
    assert desk.get(back).status_code == 422


def test_an_admin_still_gives_a_second_factor_unless_the_provider_asked_for_one(
    desk: Desk, provider: FakeProvider
) -> None:
    accounts.invite(desk.clinic.app.context, "boss@clinic.example", Role.ADMIN, "tests")
    provider.email = "Boss@Clinic.Example"
    assert desk.get(go(desk)).status_code == 303
    assert desk.get("/people").headers["location"] == "/second-factor"
    desk.visitor.clear_cookies()
    provider.claims = {"amr": ["pwd", "mfa"]}
    assert desk.get(go(desk)).status_code == 303
    assert desk.get("/people").status_code == 200


def test_who_has_no_account_or_a_disabled_one_stays_outside(desk: Desk, provider: FakeProvider) -> None:
    provider.email = "stranger@clinic.example"
    refused = desk.get(go(desk))
    assert (refused.status_code, "no account here" in refused.text) == (422, True)
    provider.email = KIM
    one = accounts.find(desk.clinic.app.context, KIM)
    accounts.disable(desk.clinic.app.context, one.id, "tests")
    assert desk.get(go(desk)).status_code == 422
    assert desk.get("/patients").status_code == 303


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"email_verified": False}, "not verified"),
        ({"email_verified": "true"}, "not verified"),
        ({"email": None}, "not verified"),
        ({"nonce": "another"}, "not signed as it must be"),
        ({"aud": "somebody-else"}, "not signed as it must be"),
        ({"iss": "https://evil.example"}, "not signed as it must be"),
        ({"exp": int(time.time()) - 3600}, "not signed as it must be"),
    ],
)
def test_an_answer_that_is_not_right_is_refused(
    desk: Desk, provider: FakeProvider, claims: dict[str, Any], said: str
) -> None:
    provider.claims = claims
    refused = desk.get(go(desk))
    assert (refused.status_code, said in unescape(refused.text)) == (422, True), refused.text
    assert desk.get("/patients").status_code == 303


def test_a_token_signed_by_somebody_else_is_refused(desk: Desk, provider: FakeProvider) -> None:
    provider.signer = RSAKey.generate_key(2048, {"kid": "one"})
    assert desk.get(go(desk)).status_code == 422


@pytest.mark.parametrize("change", ["state=x", "code=x", "error=access_denied", "nothing=1"])
def test_a_tampered_way_back_is_refused(desk: Desk, change: str) -> None:
    back = go(desk)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}
    name, _, value = change.partition("=")
    query = "" if name == "nothing" else httpx.QueryParams(asked | {name: value})
    assert desk.get(f"/sign-in/sso/back?{query}").status_code == 422


def test_it_leads_nowhere_else(desk: Desk) -> None:
    assert desk.get(go(desk, "//evil.example")).headers["location"] == "/"


def test_a_provider_that_is_away_leaves_the_password(desk: Desk) -> None:
    desk.web.state.provider._settings = desk.clinic.app.settings.model_copy(
        update={"oidc_issuer": "http://127.0.0.1:9"}
    )
    refused = desk.get("/sign-in/sso")
    assert refused.status_code == 422
    assert "cannot be reached" in refused.text
    assert 'name="password"' in refused.text


def test_without_a_provider_there_is_no_button(tmp_path: Path) -> None:
    clinic = Clinic(tmp_path)
    desk = Desk(clinic)
    assert "sign-in/sso" not in desk.get("/sign-in").text
    assert desk.get("/sign-in/sso").status_code == 404
    desk.close()
    clinic.close()


def test_settings_that_cannot_work_are_refused() -> None:
    assert read_settings(oidc_issuer="https://id.example").missing() == [
        "JOURNEY_OIDC_CLIENT_ID is missing",
        "JOURNEY_OIDC_CLIENT_SECRET is missing",
    ]
    with pytest.raises(SettingsError, match="https"):
        read_settings(oidc_issuer="http://id.example")
