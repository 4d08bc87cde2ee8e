"""The frame of every staff page: who is signed in, where one is, and what else there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi.responses import HTMLResponse

from journey.bootstrap import App
from journey.domain.access import MAY, Power
from journey.store.staff import Staff
from journey.web.pages import page


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of the navigation."""

    address: str
    label: str
    power: Power


OUTBOX = Place("/outbox", "Outbox", Power.READ)  # only where messages stay here
PLACES = (
    Place("/", "Today", Power.READ),
    Place("/patients", "Patients", Power.READ),
    Place("/enroll", "Enroll", Power.COORDINATE),
    Place("/imports", "Import", Power.COORDINATE),
    Place("/reports", "Reports", Power.READ),
    OUTBOX,
    Place("/settings", "Settings", Power.ADMINISTER),
    Place("/people", "People", Power.ADMINISTER),
    Place("/audit", "Audit", Power.AUDIT),
)


def keeps_messages(app: App) -> bool:
    """Whether some messages go to the local outbox and no further."""
    return "outbox" in (app.settings.sms, app.settings.email)


def show(
    app: App, who: Staff, template: str, /, *, here: str, status: int = 200, **values: Any
) -> HTMLResponse:
    """A staff page. `here` is the navigation's entry that it belongs to."""
    places = [
        place
        for place in PLACES
        if who.role in MAY[place.power] and (place is not OUTBOX or keeps_messages(app))
    ]
    return page(
        f"staff/{template}",
        status=status,
        who=who,
        places=places,
        here=here,
        may_act=who.role in MAY[Power.COORDINATE],
        **values,
    )
