"""Another system that talks to the API with a key."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx

from journey.domain.access import Scope
from journey.services import api_keys
from journey.web.app import create_app
from tests.clinic import PATHWAY, PROCEDURE, Clinic
from tests.web.visitor import Visitor

ANNA: dict[str, Any] = {
    "patient": {
        "given_name": "Anna",
        "family_name": "Kowalska",
        "phone": "+447700900101",
        "email": "anna@example.org",
        "birth_date": "1961-04-12",
        "record_number": "A-101",
        "locale": "en-GB",
        "time_zone": "Europe/London",
    },
    "pathway": PATHWAY,
    "site": "main",
    "procedure_date": str(PROCEDURE),
    "arrival_time": "09:00",
    "facts": {"takes_blood_thinners": True},
    "consent": {"sms": True, "email": True},
}


class Other:
    """Another system with a key."""

    def __init__(self, clinic: Clinic) -> None:
        self.clinic = clinic
        self.web = create_app(clinic.app)
        self.key = api_keys.add(clinic.app.context, f"booking {uuid4()}", list(Scope), "tests")
        self.visitor = Visitor(self.web)

    def get(self, address: str) -> httpx.Response:
        return self.visitor.get(f"/api/v1{address}", headers=self.headers())

    def post(self, address: str, body: Any = None, idempotency_key: str = "") -> httpx.Response:
        headers = self.headers(idempotency_key)
        if body is None:
            return self.visitor.post(f"/api/v1{address}", headers=headers)
        return self.visitor.post(f"/api/v1{address}", json=body, headers=headers)

    def again(self) -> str:
        """Enrolls Anna under key-1 from another connection, then cancels it."""
        visitor = Visitor(self.web)
        answer = visitor.post("/api/v1/enrollments", json=ANNA, headers=self.headers("key-1"))
        made = str(answer.json()["id"])
        visitor.post(f"/api/v1/enrollments/{made}/cancel", json={}, headers=self.headers())
        visitor.close()
        return made

    def headers(self, idempotency_key: str = "") -> dict[str, str]:
        headers = {"authorization": f"Bearer {self.key}"}
        return headers | ({"idempotency-key": idempotency_key} if idempotency_key else {})


def changed(**other: Any) -> dict[str, Any]:
    return ANNA | other


def patient(**other: Any) -> dict[str, Any]:
    return changed(patient=ANNA["patient"] | other)
