"""Which database a test of both runs on in the normal suite; the other one joins in the slow group."""

import pytest

_SLOW = pytest.mark.slow

ON_SQLITE_FIRST = pytest.mark.parametrize(
    "database_url", ["sqlite", pytest.param("postgresql", marks=_SLOW)], indirect=True
)
ON_POSTGRES_FIRST = pytest.mark.parametrize(
    "database_url", [pytest.param("sqlite", marks=_SLOW), "postgresql"], indirect=True
)
