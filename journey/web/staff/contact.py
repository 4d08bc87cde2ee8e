"""How a patient is reached: details and consent, and channels stopped or restarted with evidence."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from journey.bootstrap import App
from journey.domain.changes import Change
from journey.domain.contact import LOCALES, FieldErrors
from journey.domain.pathway import Channel
from journey.services import contact_changes, suppressing
from journey.services.contact_changes import Details, version_of
from journey.services.context import Missing, Refusal, Stale
from journey.services.enrolling import CONSENT_WORDING
from journey.store.staff import Staff
from journey.web.access import Coordinator
from journey.web.charts.consequences import consequences_of
from journey.web.forms import Fields, Form
from journey.web.requests import TheApp
from journey.web.staff.patient import File, read_file
from journey.web.staff.shell import show
from journey.web.words import CHANNELS

router = APIRouter()
_MOST_EVIDENCE = 2_000  # characters
_PERSON = (
    "given_name", "family_name", "phone", "email", "birth_date", "record_number", "locale", "time_zone",
    "prefers",
)  # fmt: skip


@router.get("/enrollments/{enrollment_id}/contact")
def ask(app: TheApp, who: Coordinator, enrollment_id: UUID) -> Response:
    file = read_file(app, enrollment_id, who)
    return _form(app, who, file, Fields(_as_pairs(file)), {})


@router.post("/enrollments/{enrollment_id}/contact")
def decide(app: TheApp, who: Coordinator, enrollment_id: UUID, form: Form) -> Response:
    file = read_file(app, enrollment_id, who)
    details = Details(
        {name: form[name] or None for name in _PERSON},
        form.is_ticked("consent_sms"),
        form.is_ticked("consent_email"),
    )
    try:
        preview = contact_changes.preview_contact(app.context, enrollment_id, details)
        if form["step"] != "confirm":
            return _form(app, who, file, form, {}, preview.changes)
        contact_changes.change_contact(app.context, enrollment_id, details, who.email, form["version"])
    except FieldErrors as error:
        return _form(app, who, file, form, error.errors)
    except Stale as error:
        return _form(app, who, file, Fields(_as_pairs(file)), {"": str(error)}, status=409)
    except Refusal as error:
        return _form(app, who, file, form, {"": str(error)})
    return RedirectResponse(f"/enrollments/{enrollment_id}", status_code=303)


def _as_pairs(file: File) -> list[tuple[str, str]]:
    patient = file.chart.patient
    person, contact = patient.person, patient.contact
    texts = {
        **{name: getattr(person, name) for name in ("given_name", "family_name", "phone", "email")},
        "birth_date": person.birth_date and person.birth_date.isoformat(),
        "record_number": person.record_number,
        "locale": contact.locale,
        "time_zone": contact.time_zone,
        "prefers": contact.prefers and contact.prefers.value,
        "consent_sms": "on" if contact.consent_sms else "",
        "consent_email": "on" if contact.consent_email else "",
        "version": version_of(patient),
    }
    return [(name, text or "") for name, text in texts.items()]


def _form(
    app: App,
    who: Staff,
    file: File,
    form: Fields,
    errors: dict[str, str],
    changes: Sequence[Change] | None = None,
    status: int = 0,
) -> Response:
    return show(
        app,
        who,
        "contact",
        here="/patients",
        status=status or (422 if errors else 200),
        chart=file.chart,
        form=form,
        version=form["version"] or version_of(file.chart.patient),
        errors=errors,
        found=None if changes is None else consequences_of(file.chart, changes),
        locales=LOCALES,
        wording=CONSENT_WORDING,
    )


@router.get("/enrollments/{enrollment_id}/channels/{channel}")
def ask_channel(app: TheApp, who: Coordinator, enrollment_id: UUID, channel: Channel) -> Response:
    file = read_file(app, enrollment_id, who)
    return _channel(app, who, file, channel, "")


@router.post("/enrollments/{enrollment_id}/channels/{channel}")
def turn(app: TheApp, who: Coordinator, enrollment_id: UUID, channel: Channel, form: Form) -> Response:
    """Stops a channel that is open, or opens one that is stopped; what the patient said is the evidence."""
    file = read_file(app, enrollment_id, who)
    address, is_stopped = _address(file, channel), channel in file.stopped
    if form["step"] != "confirm":
        return _channel(app, who, file, channel, "", form["evidence"])
    if form["was"] != ("stopped" if is_stopped else "open"):
        text = "Somebody else has just done this, or undone it. Look again, then decide."
        return _channel(app, who, file, channel, text, form["evidence"])
    if not form["evidence"]:
        text = "Write what the patient said, and when: it is kept as evidence."
        return _channel(app, who, file, channel, text)
    if len(form["evidence"]) > _MOST_EVIDENCE:
        text = f"This has {len(form['evidence']):,} characters; at most {_MOST_EVIDENCE:,} are kept."
        return _channel(app, who, file, channel, text, form["evidence"][:_MOST_EVIDENCE])
    if is_stopped:
        suppressing.restart(app.context, channel, address, source=who.email, evidence=form["evidence"])
    else:
        suppressing.stop(app.context, channel, address, source=who.email, evidence=form["evidence"])
    return RedirectResponse(f"/enrollments/{enrollment_id}", status_code=303)


def _address(file: File, channel: Channel) -> str:
    address = file.chart.patient.address(channel)
    if address is None:
        raise Missing(f"This patient has no address for {CHANNELS[channel].lower()}s.")
    return address


def _channel(
    app: TheApp, who: Staff, file: File, channel: Channel, error: str, evidence: str = ""
) -> Response:
    address, is_stopped = _address(file, channel), channel in file.stopped
    preview = suppressing.preview_restart if is_stopped else suppressing.preview_stop
    try:
        found = consequences_of(file.chart, preview(app.context, file.chart.id, channel, address).changes)
    except Refusal:  # the enrollment has ended: only the address changes
        found = None
    return show(
        app,
        who,
        "channel",
        here="/patients",
        status=422 if error else 200,
        chart=file.chart,
        channel=channel,
        word=CHANNELS[channel],
        address=address,
        is_stopped=is_stopped,
        found=found,
        evidence=evidence,
        errors={"evidence": error} if error else {},
    )
