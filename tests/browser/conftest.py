"""A real server and a real Chromium; skipped with the reason where there is none, never in CI."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright

from journey.domain.access import Role
from journey.web.app import create_app
from journey.web.listening import listen
from tests.clinic import Clinic
from tests.web.desk import PASSWORD, Desk

_NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_chromium() -> str:
    found = next((path for name in _NAMES if (path := shutil.which(name))), "")
    if not found and os.environ.get("CI"):
        pytest.fail("there is no Chromium on this machine, and CI must look at the pages")
    if not found:
        pytest.skip("NO PAGE WAS LOOKED AT: there is no Chromium here; install it and run this again")
    return found


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """No longer than its module: Playwright's event loop runs in this thread, and other tests have theirs."""
    path = find_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


T = TypeVar("T")


def elsewhere(act: Callable[[], T]) -> T:
    """Does something in another thread: Playwright has an event loop in this one, a worker its own."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(act).result()


class Served:
    """A clinic behind a real socket, with somebody of each role set up."""

    def __init__(self, clinic: Clinic) -> None:
        self.clinic = clinic
        self.web = create_app(clinic.app)
        self._listener = listen("127.0.0.1", 0)
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        config = uvicorn.Config(self.web, access_log=False, log_level="warning")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._listener],), daemon=True)
        self._thread.start()

    def sign_in(self, page: Page, role: Role, *, by_password: bool = False) -> None:
        """A browser that is signed in, as somebody with the role."""
        token = elsewhere(lambda: self._enter(role, by_password=by_password))
        page.context.add_cookies([{"name": "journey", "value": token, "url": self.address}])

    def _enter(self, role: Role, *, by_password: bool) -> str:
        desk = Desk(self.clinic, role, self.web, by_password=by_password)
        token = desk.visitor.cookie("journey")
        desk.close()
        return token

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self._listener.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    clinic = Clinic(tmp_path)
    served = Served(clinic)
    yield served
    served.close()
    elsewhere(clinic.close)


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(10_000)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if "Security Policy" in said.text else None)
    yield page
    context.close()
    assert faults == []


__all__ = ["PASSWORD", "Served", "elsewhere"]
