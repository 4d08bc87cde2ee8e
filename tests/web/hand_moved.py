"""The demonstration's buttons on a test clinic: pressing one does the work of a worker, then and there."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from uuid import UUID

import httpx

from journey.store import messages
from journey.web.demo import create_demo
from tests.clinic import Clinic
from tests.web.visitor import Visitor

OWN = {"sec-fetch-site": "same-origin"}


class HandMoved:
    """Controls over a `Clinic` and its manual clock."""

    def __init__(self, clinic: Clinic) -> None:
        self._clinic = clinic
        self.is_playing = False
        self.news_after = clinic.clock.now()
        self.stories: dict[UUID, str] = {}
        # A worker belongs to the thread that made it; the web's threads come and go.
        self._thread = ThreadPoolExecutor(1)

    def next_moment(self) -> datetime | None:
        with self._clinic.database.read() as tx:
            return messages.next_due(tx)

    def to_next(self) -> None:
        upcoming = self.next_moment()
        if upcoming is not None:
            self._run_until(upcoming)

    def ahead(self, days: int) -> None:
        self._run_until(self._clinic.clock.now() + timedelta(days=days))

    def _run_until(self, end: datetime) -> None:
        self.news_after = self._clinic.clock.now()
        self._thread.submit(self._clinic.run_until, end).result()

    def close(self) -> None:
        self._thread.submit(lambda: self._clinic.app.worker().sender.close()).result()
        self._thread.shutdown()

    def play(self) -> None:
        self.is_playing = True

    def pause(self) -> None:
        self.is_playing = False

    def still(self) -> AbstractContextManager[None]:
        return nullcontext()


class Browser:
    """A browser without scripts: it follows redirects and says where its forms come from."""

    def __init__(self, clinic: Clinic) -> None:
        self._controls = HandMoved(clinic)
        self._visitor = Visitor(create_demo(clinic.app, self._controls))
        self.headers = dict(OWN)

    def get(self, address: str) -> httpx.Response:
        return self._visitor.get(address, headers=self.headers)

    def post(
        self,
        address: str,
        data: Mapping[str, str] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        follow: bool = True,
    ) -> httpx.Response:
        sent = {**self.headers, **(headers or {})}
        return self._visitor.post(address, data=dict(data or {}), headers=sent, follow_redirects=follow)

    def close(self) -> None:
        self._visitor.close()
        self._controls.close()
