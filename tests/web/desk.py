"""Somebody on staff at a browser: signed in, clicking through pages as forms post them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from typing import Any

import httpx
import pyotp

from journey.domain.access import Role
from journey.services import accounts, signing_in
from journey.web.app import create_app
from tests.clinic import Clinic
from tests.web.visitor import Visitor

COORDINATOR = "coordinator@clinic.example"
PASSWORD = "quiet harbor seven lanterns"
OWN = {"sec-fetch-site": "same-origin"}


class Desk:
    """One browser. `role` None: nobody is signed in; with one, somebody whom another provider vouched for,
    or, where the test is about that, who chose a password and a second factor."""

    def __init__(
        self, clinic: Clinic, role: Role | None = None, web: Any = None, *, by_password: bool = False
    ) -> None:
        self.clinic = clinic
        self.web = web or create_app(clinic.app)
        self.visitor = Visitor(self.web)
        self.secret = ""
        if role is not None:
            (self.enter if by_password else self.arrive)(role)

    def arrive(self, role: Role) -> None:
        """Signed in, without the time that hashing a password takes."""
        context, address = self.clinic.app.context, f"{role.value}@clinic.example"
        accounts.invite(context, address, role, "tests", name="Kim Example")
        token = signing_in.sign_in_elsewhere(context, address, has_second_factor=True)
        self.visitor.set_cookie("journey", token)

    def enter(self, role: Role, email: str = "") -> None:
        """Invited, set up, and signed in with all that the role needs."""
        address = email or f"{role.value}@clinic.example"
        link = accounts.invite(self.clinic.app.context, address, role, "tests")
        answer = self.post(f"/{link}", name="Kim Example", password=PASSWORD)
        assert answer.status_code == 303, answer.text
        if answer.headers["location"] == "/second-factor":
            self.set_second_factor()

    def set_second_factor(self) -> list[str]:
        page = self.get("/second-factor").text
        found = re.search(r"Secret: <code>([A-Z2-7 ]+)</code>", page)
        assert found, page
        self.secret = found[1].replace(" ", "")
        answer = self.post("/second-factor", code=self.code())
        assert answer.status_code == 200, answer.text
        return re.findall(r"<li><code>([a-z0-9-]+)</code>", answer.text)

    def code(self) -> str:
        return pyotp.TOTP(self.secret).at(self.clinic.clock.now())

    def get(self, address: str, **how: Any) -> httpx.Response:
        return self.visitor.get(address, **how)

    def post(self, address: str, fields: Mapping[str, Any] | None = None, /, **more: Any) -> httpx.Response:
        return self.visitor.post(address, data={**(fields or {}), **more}, headers=OWN)

    def close(self) -> None:
        self.visitor.close()


def fields_of(page: str, action: str | None = None) -> dict[str, str]:
    """What a page's form would send as it stands: hidden, typed, ticked and chosen."""
    forms = re.findall(r"<form\b([^>]*)>(.*?)</form>", page, re.DOTALL)
    chosen = [body for head, body in forms if 'method="post"' in head and "sign-out" not in head]
    if action is not None:
        chosen = [body for head, body in forms if f'action="{action}"' in head]
    assert chosen, f"no form {action or ''} on the page"
    found: dict[str, str] = {}
    for tag in re.findall(r"<input\b[^>]*>", chosen[0]):
        named = dict(re.findall(r'([a-z-]+)="([^"]*)"', tag))
        box = named.get("type") in ("checkbox", "radio")
        if "name" in named and (not box or " checked" in tag):
            found[named["name"]] = unescape(named.get("value", "on" if box else ""))
    for name, body in re.findall(
        r'<textarea\b[^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', chosen[0], re.DOTALL
    ):
        found[name] = unescape(body)
    for name, body in re.findall(r'<select\b[^>]*name="([^"]+)"[^>]*>(.*?)</select>', chosen[0], re.DOTALL):
        option = re.search(r'<option value="([^"]*)" selected', body) or re.search(r'value="([^"]*)"', body)
        found[name] = unescape(option[1]) if option else ""
    return found
