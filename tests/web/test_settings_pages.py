"""Settings, people, other systems, the outbox and the audit log, as their forms post them."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from journey.domain.access import Role
from journey.store import sites
from tests.clinic import Clinic
from tests.web.desk import PASSWORD, Desk, fields_of


def test_the_outbox_is_there_only_where_messages_stay(tmp_path: Path, clinic: Clinic, desk: Desk) -> None:
    clinic.enroll()
    clinic.work()
    assert "Spine Clinic: Hello" in desk.get("/outbox").text
    smtp: Any = {"email": "smtp", "smtp_url": "smtp://127.0.0.1:9", "email_from": "a@b.example"}
    twilio: Any = {"sms": "twilio", "twilio_account_sid": "AC1", "twilio_auth_token": "t"}
    address: Any = {"twilio_from": "+15005550006", "public_url": "http://127.0.0.1:8000"}
    real = Clinic(tmp_path / "real", **smtp, **twilio, **address)
    other = Desk(real, Role.ADMIN)
    assert other.get("/outbox").status_code == 404
    assert "Outbox" not in other.get("/").text
    other.close()
    real.close()


def test_a_sites_settings_plan_anew_what_is_to_go_and_are_not_overwritten(clinic: Clinic, desk: Desk) -> None:
    enrollment = clinic.enroll().enrollment_id
    before = clinic.message(enrollment, "confirm").due_at
    form = fields_of(desk.get("/settings/sites/main").text)
    form = {name: text for name, text in form.items() if name != "open_weekdays"}
    wrong = desk.post("/settings/sites/main", form, zone="Mars", open_weekdays=["0", "1"])
    assert wrong.status_code == 422
    assert "is no time zone" in wrong.text
    saved = desk.post(
        "/settings/sites/main", form, zone="America/New_York", open_weekdays=["0", "1", "2", "3", "4"]
    )
    assert saved.status_code == 303
    assert clinic.message(enrollment, "confirm").due_at == before + timedelta(hours=5)
    stale = desk.post("/settings/sites/main", form, zone="Europe/Paris", open_weekdays=["0"])
    assert stale.status_code == 409
    with clinic.database.read() as tx:
        assert sites.everyone(tx)[0].site.zone == "America/New_York"
    assert "1 enrollment planned anew" in desk.get("/settings").text


def test_people_are_invited_changed_and_disabled(clinic: Clinic, desk: Desk) -> None:
    page = desk.post("/people", email="Rosa@Clinic.example", name="Rosa", role="coordinator")
    link = re.search(r'id="link">([^<]+)<', page.text)
    assert link
    assert "/setup/" in link[1]
    assert link[1] not in desk.get("/people").text  # shown once
    rosa = Desk(clinic, web=desk.web)
    assert (
        rosa.post(link[1].removeprefix("http://127.0.0.1:8000"), name="Rosa", password=PASSWORD).status_code
        == 303
    )
    assert rosa.get("/patients").status_code == 200
    assert desk.post("/people", email="rosa@clinic.example", role="coordinator").status_code == 422
    assert desk.post("/people", email="x@clinic.example", role="king").status_code == 422
    found = re.search(r'href="(/people/[0-9a-f-]+)">Rosa<', desk.get("/people").text)
    assert found
    assert desk.post(f"{found[1]}/role", role="auditor").status_code == 303
    assert rosa.get("/enroll").status_code == 403
    assert desk.post(f"{found[1]}/disable").status_code == 303
    assert rosa.get("/patients").status_code == 303
    assert desk.post(f"{found[1]}/disable").status_code == 404
    assert desk.post(f"{found[1]}/enable").status_code == 303
    me = re.search(r'href="(/people/[0-9a-f-]+)">Kim Example<', desk.get("/people").text)
    assert me
    assert "the only admin" in desk.post(f"{me[1]}/disable").text
    rosa.close()


def test_the_audit_log_is_searched_and_walked(clinic: Clinic, desk: Desk) -> None:
    enrollment = clinic.enroll().enrollment_id
    desk.get(f"/enrollments/{enrollment}")
    page = desk.get("/audit?action=patient.viewed&actor=admin@clinic.example").text
    assert page.count("patient viewed") == 1
    assert desk.get("/audit?since=bad").status_code == 422
    assert desk.post("/audit/check").status_code == 303
    assert "none was changed, removed or slipped in" in desk.get("/audit").text


def test_keys_and_secrets_of_other_systems_are_shown_once(clinic: Clinic, desk: Desk) -> None:
    made = desk.post("/settings/systems/keys", name="Booking", scope=["read"])
    key = re.search(r'id="secret">(jrn_[^<]+)<', made.text)
    assert key
    assert key[1] not in desk.get("/settings/systems").text
    headers = {"authorization": f"Bearer {key[1]}"}
    assert desk.visitor.get("/api/v1/tasks", headers=headers).status_code == 200
    assert desk.post("/settings/systems/keys", name="", scope=["read"]).status_code == 422
    assert desk.post("/settings/systems/keys", name="Other").status_code == 422
    desk.post("/settings/systems/keys/revoke", name="Booking")
    assert desk.visitor.get("/api/v1/tasks", headers=headers).status_code == 401
    assert desk.post("/settings/systems/webhooks", url="http://x.example").status_code == 422
    hook = desk.post("/settings/systems/webhooks", url="https://x.example/hook")
    assert "whsec_" in hook.text
    found = re.search(r"/settings/systems/webhooks/([0-9a-f-]+)", desk.get("/settings/systems").text)
    assert found
    assert UUID(found[1])
    assert desk.post(f"/settings/systems/webhooks/{found[1]}/stop").status_code == 303
    assert "Stopped" in desk.get(f"/settings/systems/webhooks/{found[1]}").text
