"""Every page in a real browser: axe finds nothing, light and dark; one heading, a title; 200 % zoom holds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyotp
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

from journey.domain.access import Power, Role
from journey.services import accounts
from journey.web.access import routes_of
from tests.browser import gallery, scene
from tests.browser.conftest import Served, elsewhere
from tests.clinic import Clinic
from tests.web.desk import PASSWORD

Open = tuple[Served, dict[str, str]]
_HEAVY = 100_000  # bytes of a page with everything it loads
_NO_PAGES = {  # files to keep, and a message as its reader has it
    "/reports.csv",
    "/imports/{import_id}/result.csv",
    "/enrollments/{enrollment_id}/messages/{message_id}/html",
}
NEW = "noor@clinic.example"


@pytest.fixture(scope="module")
def open_clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """A clinic on an ordinary Tuesday, and the address of each page."""
    clinic = Clinic(tmp_path_factory.mktemp("gallery"))
    pages = elsewhere(lambda: gallery.addresses(clinic, scene.play(clinic)))
    served = Served(clinic)
    yield served, pages
    served.close()
    elsewhere(clinic.close)


@pytest.fixture(scope="module")
def context(chromium: Browser, open_clinic: Open) -> Iterator[BrowserContext]:
    served, _ = open_clinic
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(15_000)
    page = context.new_page()
    served.sign_in(page, Role.ADMIN)
    page.close()
    yield context
    context.close()


@pytest.fixture
def tab(context: BrowserContext) -> Iterator[Page]:
    page = context.new_page()
    yield page
    page.close()


@pytest.mark.parametrize("name", gallery.NAMES)
def test_axe_finds_nothing_and_nothing_is_cut_off(tab: Page, open_clinic: Open, name: str) -> None:
    """320 pixels are what 1280 show at 400 %, and 640 at 200 % (WCAG 1.4.10): it scrolls one way only."""
    served, pages = open_clinic
    weight = 0

    def weigh(answer: Any) -> None:
        nonlocal weight
        weight += len(answer.body()) if answer.ok else 0

    tab.on("response", weigh)
    tab.goto(served.address + pages[name])
    assert weight < _HEAVY
    assert re.fullmatch(r".+ · Journey", tab.title())
    assert_is_sound(tab)
    tab.set_viewport_size({"width": 320, "height": 640})
    over = tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert over <= 0, f"{name} is {over} px wider than the screen"


def assert_is_sound(tab: Page) -> None:
    """One heading, a title, and nothing that axe finds in light or dark."""
    assert tab.locator("h1").count() == 1
    assert tab.title().strip()
    for scheme in ("light", "dark"):
        tab.emulate_media(color_scheme=scheme)
        found = Axe().run(tab)
        assert found.violations_count == 0, f"{tab.url} {scheme}: {found.generate_report()}"


def test_no_page_of_the_staff_is_missing_here(open_clinic: Open) -> None:
    served, pages = open_clinic
    ours = {power.value for power in Power}
    shown = {urlsplit(address).path for address in pages.values()}
    for route in routes_of(served.web):
        if "GET" in route.methods and route.rules[0].kind in ours and route.path not in _NO_PAGES:
            pattern = re.sub(r"\{[^}]+\}", "[^/]+", route.path)
            assert any(re.fullmatch(pattern, path) for path in shown), route.path


@pytest.mark.parametrize(
    "name", ["today", "patients", "enroll", "patient", "import-rows", "reports", "site", "audit"]
)
def test_the_keyboard_reaches_everything_in_order_and_focus_is_seen(
    tab: Page, open_clinic: Open, name: str
) -> None:
    served, pages = open_clinic
    tab.goto(served.address + pages[name])
    assert tab.locator("[tabindex]").evaluate_all("all => all.every(one => one.tabIndex <= 0)")
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.className") == "skip"
    places = []
    for _ in range(12):
        tab.keyboard.press("Tab")
        seen = tab.evaluate(
            "(() => { const one = document.activeElement, box = one.getBoundingClientRect();"
            " return [getComputedStyle(one).outlineStyle, box.top + scrollY, one.tagName]; })()"
        )
        assert seen[0] != "none", seen
        places.append(seen[1])
    assert places[0] < 100  # it begins with the head of the page


def test_small_targets_are_no_smaller_than_24_pixels(tab: Page, open_clinic: Open) -> None:
    """WCAG 2.5.8; links within a sentence are exempt."""
    served, pages = open_clinic
    for name in ("today", "patient", "import-rows", "systems"):
        tab.goto(served.address + pages[name])
        small = tab.locator("button, select, input:not([type=hidden]), .button, nav a").evaluate_all(
            "all => all.filter(one => one.offsetParent && one.getBoundingClientRect().height < 23.5)"
            ".map(one => one.outerHTML.slice(0, 120))"
        )
        assert small == [], name


def test_the_pages_before_signing_in_too(chromium: Browser, open_clinic: Open) -> None:
    served, _ = open_clinic
    link = elsewhere(lambda: accounts.invite(served.clinic.app.context, NEW, Role.COORDINATOR, "tests"))
    context = chromium.new_context()
    page = context.new_page()
    for path in ("/sign-in", "/setup/none", f"/{link}", "/u/none"):
        page.goto(served.address + path)
        assert_is_sound(page)
    page.goto(f"{served.address}/{link}")
    page.fill("#name", "Noor Example")
    page.fill("#password", "password")
    page.click("main button")
    assert_is_sound(page)  # with what is wrong
    page.fill("#password", PASSWORD)
    page.click("main button")
    page.goto(f"{served.address}/second-factor")
    page.click("text=Type it instead")
    secret = page.locator("details code").inner_text().replace(" ", "")
    assert_is_sound(page)
    page.fill("#code", pyotp.TOTP(secret).at(served.clinic.clock.now()))
    page.fill("#password", PASSWORD)
    page.click("main button")
    page.get_by_text("recovery codes").first.wait_for()
    assert_is_sound(page)
    context.clear_cookies()
    page.goto(f"{served.address}/sign-in")
    page.fill("#email", NEW)
    page.fill("#password", PASSWORD)
    page.click("button:has-text('Sign in')")
    page.locator("#code").wait_for()
    assert_is_sound(page)
    context.close()


def test_the_pages_behind_forms_too(tab: Page, open_clinic: Open) -> None:
    served, pages = open_clinic
    tab.goto(f"{served.address}/enroll")
    tab.click("text=Show what will go out")
    tab.locator("[role=alert], .errors").first.wait_for()
    assert_is_sound(tab)
    tab.goto(served.address + pages["write"])
    tab.fill("#text", "Spine Clinic: please bring your scan.")
    tab.click("main form button.primary")
    assert_is_sound(tab)
    tab.goto(served.address + pages["reschedule"])
    tab.fill("#day", "2020-01-01")
    tab.click("main form button >> nth=0")
    assert_is_sound(tab)


def test_no_page_needs_a_script_for_what_matters(
    chromium: Browser, open_clinic: Open, tmp_path: Path
) -> None:
    served, _ = open_clinic
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    served.sign_in(page, Role.COORDINATOR)
    page.goto(f"{served.address}/enroll")
    page.fill("#given_name", "Mila")
    page.fill("#family_name", "Sand")
    page.fill("#phone", "07700 900155")
    page.fill("#procedure_date", "2026-12-18")
    page.fill("#arrival_time", "09:30")
    page.check("#consent_sms")
    page.click("text=Show what will go out")
    assert page.locator("#preview .bubble").count() > 3
    page.click("#confirm")
    assert page.locator("h1").inner_text().startswith("Mila Sand")
    path = tmp_path / "rows.csv"
    path.write_text("given_name,family_name,phone,procedure_date\nJo,Doe,07700 900156,2026-12-20\n", "utf-8")
    page.goto(f"{served.address}/imports")
    page.set_input_files("#file", path)
    page.click("button:has-text('Upload')")
    page.click("text=Check every row")
    page.click("text=Enroll 1 patient")
    page.get_by_text("1 patient enrolled").wait_for()
    context.close()
