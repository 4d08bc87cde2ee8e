"""Who a reply is from, and what they were asked last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from journey.domain.calendar import read_zone
from journey.domain.goals import CONFIRMED
from journey.domain.pathway import Channel, Pathway
from journey.domain.site import Site
from journey.services.library import Library
from journey.store import enrollments, listings, patients, sites
from journey.store.database import Tx
from journey.store.enrollments import LIVE, Enrollment
from journey.store.messages import Message

_MOST = 20  # enrollments of one number that are looked at, the newest


@dataclass(frozen=True, slots=True)
class Correspondent:
    """Whoever wrote. `sharing`: how many patients have the number; none for a stranger.

    `enrollment`: the one that was written to last. `was_asked`: the last text to somebody at this number
    asked for a yes. `asked`: the date, if that was this one's alone and is open. `has_said_yes`: it is not.
    `was_warned`: the last text asks after danger signs, so that a yes is one.
    """

    phone: str | None
    sharing: int
    enrollment: Enrollment | None
    site: Site | None
    was_asked: bool = False
    asked: date | None = None
    has_said_yes: bool = False
    was_warned: bool = False


def find(tx: Tx, library: Library, phone: str | None, at: datetime) -> Correspondent:
    """The patient behind a number in E.164 (None: no number of a telephone) who wrote at that moment."""
    ids = patients.with_addresses(tx, [(Channel.SMS, phone)]) if phone else []
    known = sorted(enrollments.of_patients(tx, ids), key=lambda one: one.enrolled_at)[-_MOST:] if ids else []
    told = [(one, listings.last_text_of(tx, one.id, at)) for one in known]
    written_to = max(told, key=_order, default=None)
    if written_to is None:
        every = sites.everyone(tx)
        return Correspondent(phone, len(ids), None, every[0].site if every else None)
    enrollment, last = written_to
    site = library.site(tx, enrollment.site_id)
    questions = [one for one, text in told if text and _is_question(tx, library, one, text, at)]
    asked = [one for one in questions if not one.is_confirmed]
    # A text that is on its way, or in doubt, may be the one that was answered.
    is_sure = not listings.any_text_in_flight(tx, [one.id for one in known])
    day = enrollment.procedure_date if asked == [enrollment] and is_sure else None
    return Correspondent(
        phone,
        len(ids),
        enrollment,
        site,
        was_asked=bool(questions),
        asked=day,
        has_said_yes=is_sure and enrollment in questions and not asked,
        was_warned=last is not None and _pathway(tx, library, enrollment).warns(last.step),
    )


def _order(one: tuple[Enrollment, Message | None]) -> tuple[bool, float, datetime]:
    """Those still under way come last, and among them the one that was written to last."""
    enrollment, text = one
    at = text.accepted_at.timestamp() if text and text.accepted_at else 0.0
    return enrollment.status in LIVE, at, enrollment.enrolled_at


def _pathway(tx: Tx, library: Library, one: Enrollment) -> Pathway:
    return library.version(tx, one.pathway_version_id).pathway


def _is_question(tx: Tx, library: Library, one: Enrollment, text: Message, now: datetime) -> bool:
    """Whether the last text asked for a yes to the date as it still is."""
    if one.status not in LIVE or one.completed_on is not None or one.procedure_date is None:
        return False
    today = now.astimezone(read_zone(library.site(tx, one.site_id).zone)).date()
    is_asking = _pathway(tx, library, one).goal_of(text.step) == CONFIRMED
    return is_asking and text.procedure_date == one.procedure_date >= today
