"""Other systems: keys with which they use the API, and addresses that are told what happens."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from journey.bootstrap import App
from journey.domain.access import Scope
from journey.services import api_keys, webhooks
from journey.services.context import Refusal
from journey.services.library import practice_zone
from journey.store.schema.work import DeliveryStatus
from journey.store.staff import Staff
from journey.web.access import Administrator
from journey.web.forms import Fields, Form
from journey.web.requests import TheApp
from journey.web.staff.shell import show
from journey.web.words import Tag

router = APIRouter()
_STATES = {
    DeliveryStatus.PENDING: Tag("Waiting", "info"),
    DeliveryStatus.DELIVERED: Tag("Delivered", "good"),
    DeliveryStatus.FAILED: Tag("Given up", "bad"),
}


@router.get("/settings/systems")
def home(app: TheApp, who: Administrator) -> Response:
    return _home(app, who, Fields([]), {})


def _home(
    app: App, who: Staff, form: Fields, errors: dict[str, str], *, secret: str = "", secret_of: str = ""
) -> Response:
    with app.context.database.read() as tx:
        zone = practice_zone(tx)
    return show(
        app,
        who,
        "systems",
        here="/settings",
        status=422 if errors else 200,
        keys=api_keys.everyone(app.context),
        endpoints=webhooks.everyone(app.context),
        zone=zone,
        form=form,
        errors=errors,
        secret=secret,
        secret_of=secret_of,
    )


@router.post("/settings/systems/keys")
def add_key(app: TheApp, who: Administrator, form: Form) -> Response:
    """The key is on this answer alone."""
    scopes = [scope for scope in Scope if scope.value in form.every("scope")]
    try:
        if not scopes:
            raise Refusal("Tick what the key may do.")
        key = api_keys.add(app.context, form["name"], scopes, who.email)
    except Refusal as error:
        return _home(app, who, form, {"name": str(error)})
    return _home(app, who, Fields([]), {}, secret=key, secret_of=f"the key of {form['name']}")


@router.post("/settings/systems/keys/revoke")
def revoke_key(app: TheApp, who: Administrator, form: Form) -> Response:
    api_keys.revoke(app.context, form["name"], who.email)
    return RedirectResponse("/settings/systems", status_code=303)


@router.post("/settings/systems/webhooks")
def add_endpoint(app: TheApp, who: Administrator, form: Form) -> Response:
    """The secret that its receiver checks signatures with is on this answer alone."""
    try:
        _, secret = webhooks.add(app.context, form["url"], who.email)
    except Refusal as error:
        return _home(app, who, form, {"url": str(error)})
    return _home(app, who, Fields([]), {}, secret=secret, secret_of=f"the signing secret of {form['url']}")


@router.get("/settings/systems/webhooks/{endpoint_id}")
def log(app: TheApp, who: Administrator, endpoint_id: UUID) -> Response:
    endpoint, deliveries = webhooks.log_of(app.context, endpoint_id)
    with app.context.database.read() as tx:
        zone = practice_zone(tx)
    return show(
        app,
        who,
        "webhook",
        here="/settings",
        endpoint=endpoint,
        deliveries=deliveries,
        states=_STATES,
        zone=zone,
    )


@router.post("/settings/systems/webhooks/{endpoint_id}/{act}")
def turn(app: TheApp, who: Administrator, endpoint_id: UUID, act: str, form: Form) -> Response:
    """Stops telling an address, goes on, or sends one event again."""
    if act == "again":
        try:
            delivery_id = UUID(form["delivery"])
        except ValueError:
            raise Refusal("There is no such delivery.") from None
        webhooks.send_again(app.context, delivery_id, who.email)
    elif act in ("stop", "resume"):
        webhooks.turn(app.context, endpoint_id, who.email, on=act == "resume")
    else:
        raise Refusal("There is no such button.")
    return RedirectResponse(f"/settings/systems/webhooks/{endpoint_id}", status_code=303)
