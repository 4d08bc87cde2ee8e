"""Every page that staff can open, by name, for looking at all of them in the same way."""

from __future__ import annotations

from uuid import UUID

from journey.services import accounts, uploads
from journey.services.csv_files import read_csv
from journey.store import messages, webhooks
from tests.browser import scene
from tests.clinic import Clinic

NAMES = [
    "today",
    "patients",
    "called-off",
    "needs-attention",
    "enroll",
    "patient",
    "message",
    "reschedule",
    "cancel",
    "went-ahead",
    "confirmed",
    "contact",
    "channel",
    "write",
    "send-now",
    "imports",
    "import-columns",
    "import-rows",
    "reports",
    "outbox",
    "settings",
    "site",
    "systems",
    "webhook",
    "people",
    "person",
    "audit",
    "account",
    "not-found",
]


def addresses(clinic: Clinic, found: dict[str, UUID]) -> dict[str, str]:
    """Name and address of each page of a clinic on which `scene.play` was played."""
    anna, ben, elif_ = (found[name] for name in ("Anna", "Ben", "Elif"))
    with clinic.database.read() as tx:
        sent = messages.of_enrollment(tx, anna)
        planned = [one for one in messages.of_enrollment(tx, elif_) if one.status.value == "planned"]
        endpoint = webhooks.endpoints(tx)[0].id
    checked = scene.upload(clinic)
    fresh = uploads.keep(clinic.app.context, "january.csv", scene.CSV.encode(), scene.ACTOR)
    assert read_csv(scene.CSV.encode(), "january.csv").rows
    rosa = next(one for one in accounts.everyone(clinic.app.context) if one.name == "Rosa Marino")
    email = next(one for one in sent if one.channel and one.channel.value == "sms")
    return {
        "today": "/",
        "patients": "/patients",
        "called-off": f"/?off={found['Iris']}",
        "needs-attention": "/patients?show=attention",
        "enroll": "/enroll",
        "patient": f"/enrollments/{anna}",
        "message": f"/enrollments/{anna}/messages/{email.id}",
        "reschedule": f"/enrollments/{elif_}/acts/move",
        "cancel": f"/enrollments/{elif_}/acts/cancel",
        "went-ahead": f"/enrollments/{ben}/acts/went-ahead",
        "confirmed": f"/enrollments/{found['Farid']}/acts/confirmed",
        "contact": f"/enrollments/{anna}/contact",
        "channel": f"/enrollments/{anna}/channels/sms",
        "write": f"/enrollments/{anna}/write",
        "send-now": f"/enrollments/{elif_}/messages/{planned[0].id}/send-now",
        "imports": "/imports",
        "import-columns": f"/imports/{fresh}",
        "import-rows": f"/imports/{checked}",
        "reports": "/reports?since=2026-10-20",
        "outbox": "/outbox",
        "settings": "/settings",
        "site": "/settings/sites/main",
        "systems": "/settings/systems",
        "webhook": f"/settings/systems/webhooks/{endpoint}",
        "people": "/people",
        "person": f"/people/{rosa.id}",
        "audit": "/audit",
        "account": "/account",
        "not-found": "/nowhere",
    }
