"""What staff or a patient may do in the demonstration: shown first with all that follows, then done."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from journey.bootstrap import App
from journey.domain.calendar import read_zone
from journey.domain.pathway import Channel
from journey.services import changing, suppressing
from journey.web.charts import acts
from journey.web.charts.acts import Act, Asked
from journey.web.charts.cards import Chart
from journey.web.charts.consequences import (
    CHANGES,
    FALLS_AWAY,
    Consequences,
    Line,
    consequences_of,
    summarize,
)
from journey.web.words import CHANNELS, count

ACTOR = "demonstration page"
_STOP = Act("stop-texts", "Stop texts", "Stop texts to {name}?", "Stop texts", (), True)
_SHARED = ("move", "arrival", "cancel", "went-ahead", "booked")
# The clock says which day it is: nobody is asked.
ACTS = {key: acts.ACTS[key] for key in _SHARED} | {_STOP.key: _STOP}
ACTS["went-ahead"] = replace(ACTS["went-ahead"], fields=())


def acts_for(chart: Chart, now: datetime, *, texts_stopped: bool) -> list[Act]:
    """What makes sense for a patient now."""
    possible = {act.key for act in acts.acts_for(chart, now)}
    today, day = now.astimezone(read_zone(chart.site.zone)).date(), chart.enrollment.procedure_date
    if day is not None and day <= today:
        possible.discard("cancel")
    if possible and not texts_stopped:
        possible.add(_STOP.key)
    return [act for key, act in ACTS.items() if key in possible]


def first_guess(chart: Chart, act: Act) -> Asked:
    return acts.first_guess(chart, act)


def consequences(app: App, chart: Chart, asked: Asked, now: datetime) -> Consequences:
    """What would follow, without doing it. Raises Refusal with what to mend."""
    if asked.act is _STOP:
        return _without_texts(chart)
    wish = acts.wish_of(chart, asked, now)
    return consequences_of(chart, changing.preview_change(app.context, chart.id, wish).changes)


def perform(app: App, chart: Chart, asked: Asked, revision: int, now: datetime) -> None:
    """Does it. Raises Stale where somebody else was first."""
    if asked.act is not _STOP:
        wish = acts.wish_of(chart, asked, now)
        changing.change(app.context, chart.id, wish, ACTOR, revision=revision)
        return
    phone = chart.patient.person.phone
    assert phone is not None  # the act is offered only where texts can be stopped
    suppressing.stop(app.context, Channel.SMS, phone, source=ACTOR)


def _without_texts(chart: Chart) -> Consequences:
    """Planned texts take another channel where their step has one and the patient too."""
    has_mail = chart.patient.address(Channel.EMAIL) and chart.patient.consents_to(Channel.EMAIL)
    texts = [card for card in chart.cards if card.is_open and card.channel == CHANNELS[Channel.SMS]]
    tag = CHANGES if has_mail else FALLS_AWAY
    note = "by e-mail" if has_mail else "no other way is left"
    lines = [
        Line(tag, card.title, card.at, card.at if has_mail else None, card.at_clinic, note) for card in texts
    ]
    what = "will go out by e-mail instead" if has_mail else "will not go out"
    return Consequences(summarize([f"{count(len(texts), 'text')} {what}"] if texts else []), lines, [])
