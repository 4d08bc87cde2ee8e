"""Browsers and other systems for the tests of the pages and the API."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from journey.domain.access import Role
from tests.clinic import Clinic
from tests.web.desk import Desk
from tests.web.other import Other


@pytest.fixture
def desk(clinic: Clinic) -> Iterator[Desk]:
    """An admin's browser."""
    desk = Desk(clinic, Role.ADMIN)
    yield desk
    desk.close()


@pytest.fixture
def other(clinic: Clinic) -> Iterator[Other]:
    other = Other(clinic)
    yield other
    other.visitor.close()
