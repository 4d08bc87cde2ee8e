"""People: who has an account, invited by a link that is shown once, changed and disabled."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from journey.bootstrap import App, public_address
from journey.domain.access import Role
from journey.services import accounts
from journey.services.context import Missing, Refusal
from journey.services.library import practice_zone
from journey.store.staff import Staff
from journey.web.access import Administrator
from journey.web.forms import Fields, Form
from journey.web.requests import TheApp
from journey.web.staff.shell import show
from journey.web.words import Tag

router = APIRouter()
_ROLES = [
    (Role.COORDINATOR.value, "Coordinator: enrolls patients and looks after them"),
    (Role.CLINICIAN.value, "Clinician: the same, and approves messages"),
    (Role.ADMIN.value, "Admin: the same, and keeps settings and people"),
    (Role.AUDITOR.value, "Auditor: reads, and changes nothing"),
]


@dataclass(frozen=True, slots=True)
class Act:
    """Something that an admin can do with an account."""

    key: str
    title: str
    what: str
    button: str
    news: str
    is_ending: bool = False


_ACTS = (
    Act("role", "Role", "It counts from the next page that they open.", "Change the role", "Role changed."),
    Act(
        "link",
        "New set-up link",
        "For a lost link, or a lost password. Their sessions end when it is used.",
        "Make a link",
        "",
    ),
    Act(
        "second-factor",
        "Reset the second factor",
        "For a lost phone. They are signed out, and set up a new one when they sign in.",
        "Reset it",
        "Second factor reset.",
        True,
    ),
    Act(
        "disable",
        "Disable the account",
        "They are signed out at once, and cannot sign in. What they did stays in the audit log.",
        "Disable",
        "Account disabled.",
        True,
    ),
    Act("enable", "Enable the account", "They can sign in again.", "Enable", "Account enabled."),
)


def state_of(one: Staff) -> Tag:
    if one.disabled_at is not None:
        return Tag("Disabled", "bad")
    return Tag("Active", "good") if one.password_hash else Tag("Invited", "info")


def _acts_for(one: Staff) -> list[Act]:
    wanted = {
        "role": one.disabled_at is None,
        "link": one.disabled_at is None,
        "second-factor": one.sealed_totp is not None,
        "disable": one.disabled_at is None,
        "enable": one.disabled_at is not None,
    }
    return [act for act in _ACTS if wanted[act.key]]


@router.get("/people")
def people(app: TheApp, who: Administrator, did: str = "") -> Response:
    news = {act.key: act.news for act in _ACTS}.get(did, "")
    return _people(app, who, Fields([]), {}, news=news)


@router.post("/people")
def invite(app: TheApp, who: Administrator, form: Form) -> Response:
    """The link is on this answer alone: it is in no address and in no log."""
    role = form["role"]
    if role not in set(Role):
        return _people(app, who, form, {"role": "Choose one of the roles"})
    try:
        link = accounts.invite(app.context, form["email"], Role(role), who.email, name=form["name"])
    except Refusal as error:
        return _people(app, who, form, {"email": str(error)})
    return _people(app, who, Fields([]), {}, link=public_address(app.settings, link), link_for=form["email"])


def _people(
    app: App,
    who: Staff,
    form: Fields,
    errors: dict[str, str],
    *,
    link: str = "",
    link_for: str = "",
    news: str = "",
) -> Response:
    with app.context.database.read() as tx:
        zone = practice_zone(tx)
    return show(
        app,
        who,
        "people",
        here="/people",
        status=422 if errors else 200,
        people=accounts.everyone(app.context),
        state_of=state_of,
        zone=zone,
        roles=_ROLES,
        form=form,
        errors=errors,
        link=link,
        link_for=link_for,
        news=news,
    )


@router.get("/people/{staff_id}")
def person(app: TheApp, who: Administrator, staff_id: UUID) -> Response:
    return _person(app, who, _find(app, staff_id))


def _find(app: App, staff_id: UUID) -> Staff:
    found = next((one for one in accounts.everyone(app.context) if one.id == staff_id), None)
    if found is None:
        raise Missing("There is no such account.")
    return found


def _person(app: App, who: Staff, one: Staff, error: str = "") -> Response:
    return show(
        app,
        who,
        "person",
        here="/people",
        status=422 if error else 200,
        one=one,
        state=state_of(one),
        acts=_acts_for(one),
        roles=_ROLES,
        error=error,
    )


@router.post("/people/{staff_id}/{key}")
def act(app: TheApp, who: Administrator, staff_id: UUID, key: str, form: Form) -> Response:
    one = _find(app, staff_id)
    if key not in {act.key for act in _acts_for(one)}:
        raise Missing("That cannot be done with this account now.")
    if key == "link":
        link = accounts.new_setup_link(app.context, staff_id, who.email)
        return _people(app, who, Fields([]), {}, link=public_address(app.settings, link), link_for=one.email)
    try:
        _do(app, who, staff_id, key, form)
    except Refusal as error:
        return _person(app, who, one, str(error))
    return RedirectResponse(f"/people?did={key}", status_code=303)


def _do(app: App, who: Staff, staff_id: UUID, key: str, form: Fields) -> None:
    if key == "role":
        if form["role"] not in set(Role):
            raise Refusal("Choose one of the roles.")
        accounts.change_role(app.context, staff_id, Role(form["role"]), who.email)
        return
    deeds = {
        "second-factor": accounts.reset_second_factor,
        "disable": accounts.disable,
        "enable": accounts.enable,
    }
    deeds[key](app.context, staff_id, who.email)
