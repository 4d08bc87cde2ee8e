"""The API: one request is one enrollment, however often, at whatever moment and however late it comes."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from journey.services import enrolling
from journey.store import enrollments
from journey.web.api import enrollments as routes
from tests.clinic import Clinic
from tests.web.other import ANNA, Other, changed


def test_the_same_request_twice_is_one_enrollment(other: Other) -> None:
    first = other.post("/enrollments", ANNA, "key-1")
    again = other.post("/enrollments", ANNA, "key-1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json()["id"] == first.json()["id"]
    assert again.headers["idempotent-replayed"] == "true"
    without = other.post("/enrollments", ANNA)
    assert (without.status_code, without.json()["id"]) == (200, first.json()["id"])
    mixed = other.post("/enrollments", changed(arrival_time="10:00"), "key-1")
    assert mixed.status_code == 409
    assert "another request" in mixed.json()["detail"]


def test_twenty_at_once_make_one_enrollment(clinic: Clinic) -> None:
    others = [Other(clinic) for _ in range(4)]
    others[1].key = others[2].key = others[3].key = others[0].key
    barrier = threading.Barrier(4)

    def send(one: Other) -> list[tuple[int, str]]:
        barrier.wait(10)
        answers = [one.post("/enrollments", ANNA, "same") for _ in range(5)]
        return [(answer.status_code, answer.json().get("id", "")) for answer in answers]

    with ThreadPoolExecutor(4) as pool:
        found = [pair for pairs in pool.map(send, others) for pair in pairs]
    assert {code for code, _ in found} <= {201, 409}
    assert len({made for code, made in found if code == 201}) == 1
    with clinic.database.read() as tx:
        assert len(enrollments.everyone(tx)) == 1
    for one in others:
        one.visitor.close()


def test_a_refused_request_may_be_mended_under_its_key(other: Other) -> None:
    assert other.post("/enrollments", changed(procedure_date="2020-01-01"), "key-2").status_code == 409
    assert other.post("/enrollments", ANNA, "key-2").status_code == 201


def test_a_repeated_request_is_answered_as_the_first_was_also_after_its_day(other: Other) -> None:
    first = other.post("/enrollments", ANNA, "key-9")
    other.clinic.clock.at += timedelta(days=25)  # the procedure is behind them
    assert other.post("/enrollments", ANNA).status_code == 409
    other.clinic.clock.at -= timedelta(days=24)
    again = other.post("/enrollments", ANNA, "key-9")
    assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])
    found = other.post("/enrollments", ANNA, "key-10")
    assert (found.status_code, other.post("/enrollments", ANNA, "key-10").status_code) == (200, 200)


def test_a_crash_after_enrolling_leaves_the_key_with_its_enrollment(
    other: Other, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies right after the commit; staff cancel; the same request comes again."""

    class Death(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Death

    with monkeypatch.context() as patch:
        patch.setattr(routes, "describe", die)
        with pytest.raises(Death):
            other.post("/enrollments", ANNA, "key-1")
    with other.clinic.database.read() as tx:
        (made,) = enrollments.everyone(tx)
    other.post(f"/enrollments/{made.id}/cancel", {})
    other.clinic.clock.at += timedelta(minutes=2)
    assert other.post("/enrollments", ANNA, "key-1").json()["id"] == str(made.id)
    with other.clinic.database.read() as tx:
        assert len(enrollments.everyone(tx)) == 1


def test_a_first_request_that_wakes_up_late_brings_nobody_back(
    other: Other, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It hangs; the same request comes again and enrolls; staff cancel; then the first one goes on."""
    real, made = enrolling.enroll, []

    def slow(*args: Any, **how: Any) -> Any:
        monkeypatch.setattr(routes, "enroll", real)
        other.clinic.clock.at += timedelta(seconds=90)
        with ThreadPoolExecutor(1) as thread:
            made.append(thread.submit(other.again).result())
        return real(*args, **how)

    monkeypatch.setattr(routes, "enroll", slow)
    late = other.post("/enrollments", ANNA, "key-1")
    assert late.status_code == 409
    with other.clinic.database.read() as tx:
        (one,) = enrollments.everyone(tx)
    assert str(one.id) == made[0]
    assert other.post("/enrollments", ANNA, "key-1").json()["id"] == made[0]
