"""Entry: `python -m tests.browser.screens`, or `make screens`: a picture of each page into docs/screens."""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from rich.progress import track

from journey.domain.access import Role
from tests.browser import gallery, scene
from tests.browser.conftest import FLAGS, Served, elsewhere, find_chromium
from tests.clinic import Clinic

_FOLDER = Path(__file__).parent.parent.parent / "docs" / "screens"
_NARROW = ("today", "patient", "enroll", "import-rows", "reports", "reschedule")
_DARK = ("today", "patient")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        clinic = Clinic(Path(folder))
        pages = elsewhere(lambda: gallery.addresses(clinic, scene.play(clinic)))
        served = Served(clinic)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
            page = browser.new_page(locale="en-GB")
            served.sign_in(page, Role.ADMIN)
            for name in track(gallery.NAMES, "Looking at every page"):
                _picture(page, served.address + pages[name], name)
            browser.close()
        served.close()
        clinic.close()


def _picture(page: Page, address: str, name: str) -> None:
    for width in (1280, 390) if name in _NARROW else (1280,):
        page.set_viewport_size({"width": width, "height": 1000})
        page.goto(address)
        if name == "enroll":
            _fill(page)
        page.evaluate("scrollTo(0, 0)")
        # The preview stays beside the form as one scrolls: its picture is what a screen shows.
        page.screenshot(path=_FOLDER / f"{name}-{width}.png", full_page=name != "enroll")
    if name in _DARK:
        page.set_viewport_size({"width": 1280, "height": 800})
        page.emulate_media(color_scheme="dark")
        page.screenshot(path=_FOLDER / f"{name}-dark-1280.png", full_page=True)
        page.emulate_media(color_scheme="light")


def _fill(page: Page) -> None:
    """A form as it stands in the middle of enrolling, beside its preview."""
    page.fill("#procedure_date", "2026-12-18")
    page.fill("#arrival_time", "09:30")
    page.select_option('[id="fact.takes_blood_thinners"]', "yes")
    page.fill("#given_name", "Mila")
    page.fill("#family_name", "Sand")
    page.fill("#phone", "07700 900155")
    page.check("#consent_sms")
    page.locator("#preview .bubble").first.wait_for()


if __name__ == "__main__":
    main()
