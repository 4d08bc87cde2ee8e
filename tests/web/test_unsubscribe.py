"""The link that stops e-mail: a scanner that follows it changes nothing, one press of the button does."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from journey.services.unsubscribing import unsubscribe_url
from journey.store import audit, suppressions
from journey.web.app import create_app
from tests.clinic import ANNA, Clinic
from tests.web.visitor import Visitor


@pytest.fixture
def web(embedded_clinic: Clinic) -> Iterator[Visitor]:
    visitor = Visitor(create_app(embedded_clinic.app))
    yield visitor
    visitor.close()


@pytest.fixture
def link(embedded_clinic: Clinic) -> str:
    """The path of Anna's own link."""
    embedded_clinic.enroll()
    return urlsplit(unsubscribe_url(embedded_clinic.app.context, ANNA["email"])).path


def is_stopped(clinic: Clinic) -> bool:
    with clinic.database.read() as tx:
        return bool(suppressions.active(tx, tx.sealer.tokens("email", ANNA["email"])))


def test_looking_at_the_link_changes_nothing(embedded_clinic: Clinic, web: Visitor, link: str) -> None:
    for _ in range(3):
        assert web.get(link).status_code == 200
    assert not is_stopped(embedded_clinic)


def test_pressing_it_stops_email_and_twice_is_fine(embedded_clinic: Clinic, web: Visitor, link: str) -> None:
    for _ in range(2):
        answer = web.post(link, data={"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
        assert "E-mails stopped" in answer.text
        assert is_stopped(embedded_clinic)


def test_an_email_that_is_repeated_has_the_same_link(embedded_clinic: Clinic, link: str) -> None:
    again = unsubscribe_url(embedded_clinic.app.context, ANNA["email"])
    assert urlsplit(again).path == link
    assert ANNA["email"] not in again


def test_a_second_press_leaves_no_trace(embedded_clinic: Clinic, web: Visitor, link: str) -> None:
    web.post(link)
    with embedded_clinic.database.read() as tx:
        entries = audit.verify(tx).entries
    web.post(link)
    with embedded_clinic.database.read() as tx:
        assert audit.verify(tx).entries == entries


def test_an_old_link_stops_the_address_it_was_mailed_to_and_not_the_corrected_one(
    embedded_clinic: Clinic, web: Visitor, link: str
) -> None:
    embedded_clinic.enroll(ANNA | {"email": "right@example.org"})
    web.post(link)
    assert is_stopped(embedded_clinic)
    with embedded_clinic.database.read() as tx:
        assert not suppressions.active(tx, tx.sealer.tokens("email", "right@example.org"))


def test_a_link_that_was_changed_is_unknown(embedded_clinic: Clinic, web: Visitor, link: str) -> None:
    flipped = link[:-6] + ("A" if link[-6] != "A" else "B") + link[-5:]
    for wrong in (link[:-4], flipped, "/u/x.y", "/u/", "/u/é", f"/u/{'A' * 4000}"):
        assert web.post(wrong).status_code in (404, 405)
    assert not is_stopped(embedded_clinic)


def test_the_page_does_not_say_whose_link_it_is(web: Visitor, link: str) -> None:
    for answer in (web.get(link), web.post(link)):
        assert ANNA["email"] not in answer.text
        assert ANNA["family_name"] not in answer.text
        assert "no-store" in answer.headers["cache-control"]
        assert answer.headers["referrer-policy"] == "no-referrer"
