"""The staff's pages in a practice of 100,000 patients and 1,400,000 messages, against one of 100 patients."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

from sqlalchemy import delete

from benchmarks.figures import Figure, Tell, percentile
from benchmarks.practice import PATHWAY, Practice
from benchmarks.scene import Scene
from journey.channels.protocol import Incoming
from journey.domain.access import Role
from journey.services import accounts, signing_in
from journey.services.admission import Request, prepare
from journey.services.conversation.receiving import receive
from journey.services.enrolling import enroll_all
from journey.services.publishing import find_setting
from journey.store import enrollments
from journey.store.schema import report_days
from journey.web.app import create_app
from tests.web.visitor import Visitor

OWN = {"sec-fetch-site": "same-origin"}
GOAL = 1.5
_SLICE = 2_500
_EVERYBODY_HAS = {"takes_glp1": "yes", "diabetic": "yes"}
# Names as real ones are: some beginnings are common, and most people share theirs with somebody.
_SYLLABLES = "ma ko ri ta ben dor lin fer sa vi jo nel ka ros tin ha mor li ven zar".split()
_FAMILIES = ["".join(parts) for parts in product(_SYLLABLES, repeat=3)]
_GIVEN = [f"{a}{b}a".capitalize() for a, b in product(_SYLLABLES, repeat=2)]


def _large(quick: bool) -> int:
    return 10_000 if quick else 100_000


def _rounds(quick: bool) -> int:
    return 60 if quick else 200


def steps(quick: bool) -> int:
    return 2 + _large(quick) // _SLICE + 3


def measure(scene: Scene, tell: Tell) -> list[Figure]:
    number = _large(scene.quick)
    with Practice(scene) as small, Practice(scene) as large:
        tell("enroll 100 patients")
        _fill(small, 100, lambda _: None)
        tell(f"enroll {number:,} patients")
        _fill(large, number, tell)
        messages = large.rows("SELECT count(*) FROM messages")[0][0]
        desks = _Desk(small, 100), _Desk(large, number)
        runs = []
        for turn in range(1, 4):
            tell(f"open the pages of both, {turn}")
            runs.append(_one_turn(*desks, _rounds(scene.quick)))
        counting = [desk.count_anew() for desk in desks]
        for desk in desks:
            desk.close()
    figures = [_figure(key, runs, number, messages) for key in _TITLES]
    return [*figures[:-1], replace(figures[-1], detail=_and_counting(figures[-1].detail, *counting))]


_TITLES = {
    "search": "Patient search",
    "patient": "Patient page",
    "today": "Today",
    "preview": "Enroll preview",
    "reports": "Reports of 30 days",
}


def _figure(key: str, runs: list[dict[str, Any]], number: int, messages: int) -> Figure:
    ratios = sorted(run[key]["ratio"] for run in runs)
    small, large = (sorted(run[key][side] for run in runs)[1] for side in ("small_ms", "large_ms"))
    return Figure(
        name=f"page-{key}",
        title=f"{_TITLES[key]}: p95 with {number:,} patients and {messages:,} messages, against 100 patients",
        measured=ratios[1],
        goal=GOAL,
        at_least=False,
        unit="",
        detail=f"{large:.1f} against {small:.1f} ms; ratios {ratios[0]:.2f}…{ratios[-1]:.2f}",
        runs=[run[key] for run in runs],
    )


def _and_counting(detail: str, small: float, large: float) -> str:
    """Days that can still change are counted again once a minute, within the look that finds them old."""
    return f"{detail}; with all 30 days counted anew {1000 * large:.0f} against {1000 * small:.0f} ms"


def _person(n: int) -> dict[str, str | None]:
    return {
        "given_name": _GIVEN[n * 7 % len(_GIVEN)],
        "family_name": _FAMILIES[n * 31 % len(_FAMILIES)].capitalize(),
        "phone": f"+4474{n:08d}",
        "email": f"patient.{n}@example.org",
        "birth_date": f"{1940 + n % 50}-0{1 + n % 9}-1{n % 10}",
        "record_number": f"R-{n:07d}",
    }


def _fill(practice: Practice, number: int, tell: Tell) -> None:
    """Both practices have the same page full: 20 procedures tomorrow, 10 urgent replies, 60 tasks and more.
    Every fiftieth patient has asked something."""
    now = datetime.now(UTC)
    with practice.context.database.read() as tx:
        setting = find_setting(tx, PATHWAY, None, "bench")

    def request(n: int) -> Request:
        day = now.date() + timedelta(days=1 if n < 20 else 2 + n % 700)
        arrival = None if 20 <= n < 80 or n % 100 == 99 else "09:30"
        return Request(_person(n), day.isoformat(), arrival, _EVERYBODY_HAS, consent_sms=True)

    for start in range(0, number, _SLICE):
        part = range(start, min(start + _SLICE, number))
        enroll_all(practice.context, [(setting, [prepare(request(n), setting, now) for n in part])])
        tell(f"enrolled {part.stop:,} patients")
    for n in (*range(10), *range(10, number, 50)):
        text = "My left leg is weak" if n < 10 else "Where do I park?"
        incoming = Incoming(f"SM{n}", str(_person(n)["phone"]), text)
        receive(practice.context, practice.app.library, incoming)
    practice.vacuum()


class _Desk:
    """A coordinator at a browser, whose next look differs from the last."""

    def __init__(self, practice: Practice, number: int) -> None:
        self._context = context = practice.context
        self._number = number
        accounts.invite(context, "kim@clinic.example", Role.COORDINATOR, "bench")
        one = accounts.find(context, "kim@clinic.example")
        self._visitor = Visitor(create_app(practice.app))
        self._visitor.set_cookie("journey", signing_in.begin(context, one))
        with context.database.read() as tx:
            self._enrollments = [str(row.id) for row in enrollments.everyone(tx, 100)]
        self._turns = self._count()

    def _count(self) -> Iterator[int]:
        n = 0
        while True:
            n += 37
            yield n % self._number

    def search(self) -> None:
        who = _person(n := next(self._turns))
        text = (str(who["family_name"])[:4], str(who["phone"]), str(who["record_number"]), _full(who))[n % 4]
        self._post("/patients", q=text)

    def patient(self) -> None:
        self._get(f"/enrollments/{self._enrollments[next(self._turns) % len(self._enrollments)]}")

    def today(self) -> None:
        self._get("/")

    def preview(self) -> None:
        who = _person(next(self._turns))
        form = {name: text or "" for name, text in who.items()} | {
            "record_number": "new",
            "phone": "07400 123456",
        }
        form |= {"pathway": PATHWAY, "arrival_time": "09:30", "consent_sms": "yes", "locale": "en-GB"}
        self._post(
            "/enroll/preview", **form, procedure_date=str(datetime.now(UTC).date() + timedelta(days=40))
        )

    def reports(self) -> None:
        today = datetime.now(UTC).date()
        self._get(f"/reports?since={today}&until={today + timedelta(days=29)}")

    def count_anew(self) -> float:
        """The seconds that a look takes when no day has been counted yet."""
        with self._context.database.write() as tx:
            tx.connection.execute(delete(report_days))
        return _timed(self.reports)

    def _get(self, address: str) -> None:
        assert self._visitor.get(address).status_code == 200

    def _post(self, address: str, **fields: str) -> None:
        assert self._visitor.post(address, data=fields, headers=OWN).status_code == 200

    def close(self) -> None:
        self._visitor.close()


def _full(who: dict[str, str | None]) -> str:
    return f"{who['given_name']} {who['family_name']}"


def _one_turn(small: _Desk, large: _Desk, rounds: int) -> dict[str, Any]:
    """Both sides in turn, so that whatever else the machine does meets both."""
    found = {}
    for key in _TITLES:
        times: tuple[list[float], list[float]] = ([], [])
        for _ in range(rounds):
            for side, desk in enumerate((small, large)):
                times[side].append(_timed(getattr(desk, key)))
        slow = [1000 * percentile(one, 0.95) for one in times]
        found[key] = {
            "small_ms": round(slow[0], 2),
            "large_ms": round(slow[1], 2),
            "ratio": round(slow[1] / slow[0], 3),
        }
    return found


def _timed(act: Callable[[], None]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun
