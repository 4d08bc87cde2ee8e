"""The whole story in a real browser: from the set-up link to the report, as a clinic lives it."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pyotp
from playwright.sync_api import Browser, Page, expect

from journey.domain.access import Role
from journey.services import accounts
from tests.browser.conftest import Served, elsewhere
from tests.clinic import START
from tests.web.desk import PASSWORD

CSV = "First name,Surname,Mobile,Procedure date,Text consent\nIda,Berg,07700 900141,2026-12-21,yes\n"
BAD_ROW = "Nils,Vik,no number,2026-12-22,yes\n"
GOOD_ROW = "Nils,Vik,07700 900142,2026-12-22,yes\n"


def set_up(served: Served, page: Page) -> str:
    """The first admin, with a second factor. Returns its secret."""
    link = accounts.first_link(served.clinic.app.context)
    page.goto(f"{served.address}/{link}")
    page.fill("#email", "boss@clinic.example")
    page.fill("#name", "Bo Manager")
    page.fill("#password", PASSWORD)
    page.click("text=Set up the account")
    page.click("text=Type it instead")
    secret = page.locator("details code").inner_text().replace(" ", "")
    page.fill("#code", pyotp.TOTP(secret).at(served.clinic.clock.now()))
    page.click("text=Confirm")
    expect(page.locator("h1")).to_have_text("Keep these recovery codes")
    assert page.locator(".codes li").count() == 10
    page.click("text=I have kept them")
    expect(page.locator("h1")).to_contain_text("Today")
    return secret


def sign_in_again(served: Served, page: Page, secret: str) -> None:
    page.click("text=Sign out")
    served.clinic.clock.advance(timedelta(minutes=1))
    page.fill("#email", "boss@clinic.example")
    page.fill("#password", "a wrong password entirely")
    page.click("main >> text=Sign in >> nth=-1")
    expect(page.locator(".errors")).to_be_focused()
    page.fill("#password", PASSWORD)
    page.click("button:has-text('Sign in')")
    page.fill("#code", pyotp.TOTP(secret).at(served.clinic.clock.now()))
    page.click("text=Go on")
    expect(page.locator("h1")).to_contain_text("Today")


def enroll(page: Page) -> str:
    """Enrolls Anna beside the live preview. Returns her page's address."""
    page.click("text=Enroll a patient")
    preview = page.locator("#preview")
    page.fill("#procedure_date", "2026-12-15")
    page.fill("#arrival_time", "09:00")
    page.fill("#given_name", "Anna")
    page.fill("#family_name", "Kowalska")
    page.fill("#phone", "07700 900101")
    page.check("#consent_sms")
    expect(preview.locator(".lead")).to_contain_text("messages will go out")
    expect(preview).not_to_contain_text("Medicines plan")
    page.select_option('[id="fact.takes_blood_thinners"]', "yes")
    expect(preview).to_contain_text("Medicines plan")
    expect(preview).to_contain_text("Spine Clinic: Hello")
    page.fill("#phone", "07700")
    expect(preview).to_contain_text("is no")
    page.fill("#phone", "07700 900101")
    page.click("text=Show what will go out")
    page.click("#confirm")
    expect(page.locator("h1")).to_contain_text("Anna Kowalska")
    return page.url.partition("?")[0]


def test_from_the_set_up_link_to_the_report(
    chromium: Browser, served: Served, page: Page, tmp_path: Path
) -> None:
    secret = set_up(served, page)
    sign_in_again(served, page, secret)
    anna = enroll(page)

    elsewhere(served.clinic.work)
    page.click("text=Outbox")
    expect(page.locator(".phone")).to_contain_text("Spine Clinic: Hello. We will text you")
    page.fill(".phone input[name=text]", "My left leg is weak")
    page.click(".phone >> text=Send")
    expect(page.locator(".phone .from-patient")).to_contain_text("My left leg is weak")
    page.click("nav >> text=Today")
    expect(page.locator(".task").first).to_contain_text("My left leg is weak")
    elsewhere(served.clinic.work)
    page.click(".task >> text=Anna Kowalska")
    expect(page.locator(".conversation")).to_contain_text("Call 999 now")

    page.goto(anna)
    page.click("text=Move the date")
    page.fill("#day", "2026-12-22")
    page.fill("#arrival", "08:00")
    page.click("text=Show what changes")
    expect(page.locator(".changes").first).to_contain_text("Correction")
    expect(page.locator(".changes").first).to_contain_text("Moves")

    _somebody_else_cancels(chromium, served, anna)
    page.click("text=Move the procedure")
    expect(page.locator("h1")).to_have_text(re.compile("Not found|Move Anna"))
    page.goto(anna)
    expect(page.locator("h1")).to_contain_text("Cancelled")

    _import(served, page, tmp_path)
    page.click("nav >> text=Reports")
    expect(page.locator(".headlines")).to_contain_text("Messages sent")
    page.locator("summary", has_text="The numbers").first.click()
    with page.expect_download() as found:
        page.click("text=Download as CSV")
    assert "messages,sms" in Path(found.value.path()).read_text("utf-8-sig")
    page.click("nav >> text=Audit")
    page.click("text=Walk the whole log")
    expect(page.locator("main")).to_contain_text("Whole")


def _somebody_else_cancels(chromium: Browser, served: Served, anna: str) -> None:
    context = chromium.new_context()
    other = context.new_page()
    served.sign_in(other, Role.COORDINATOR)
    other.goto(anna)
    other.click("text=Cancel the procedure")
    other.click("button:has-text('Cancel the procedure')")
    expect(other.locator("h1")).to_contain_text("Cancelled")
    context.close()


def _import(served: Served, page: Page, folder: Path) -> None:
    """A file with a fault, mended and uploaded again: nobody is enrolled twice."""
    path = folder / "list.csv"
    for text, refused in ((CSV + BAD_ROW, True), (CSV + GOOD_ROW, False)):
        path.write_text(text, "utf-8")
        page.click("nav >> text=Import")
        page.set_input_files("#file", path)
        page.click("button:has-text('Upload')")
        page.click("text=Check every row")
        if refused:
            expect(page.locator("table.rows")).to_contain_text("is no phone number")
        page.click("button:has-text('Enroll')")
        expect(page.locator(".done")).to_contain_text("1 patient enrolled")
    expect(page.locator(".done")).to_contain_text("1 were enrolled already")


def test_two_people_and_one_patient(chromium: Browser, served: Served, page: Page) -> None:
    """The second is shown what the first changed, and nothing is overwritten."""
    enrollment = served.clinic.enroll().enrollment_id
    served.sign_in(page, Role.COORDINATOR)
    address = f"{served.address}/enrollments/{enrollment}/acts/move"
    page.goto(address)
    context = chromium.new_context()
    other = context.new_page()
    served.sign_in(other, Role.CLINICIAN)
    other.goto(address)
    other.fill("#day", "2026-12-18")
    other.click("text=Show what changes")
    other.click("text=Move the procedure")
    context.close()
    page.click("text=Move the procedure")
    expect(page.locator(".errors")).to_be_focused()
    expect(page.locator("main")).to_contain_text("What changed while you looked")
    expect(page.locator("main")).to_contain_text(
        "Date changed to Fri 18 Dec 2026, by clinician@clinic.example"
    )


def test_a_session_that_ends_while_somebody_types_loses_nothing(served: Served, page: Page) -> None:
    served.sign_in(page, Role.COORDINATOR, by_password=True)
    page.goto(f"{served.address}/enroll")
    page.fill("#given_name", "Anna")
    page.fill("#family_name", "Kowalska")
    page.fill("#procedure_date", str(START.date() + timedelta(days=20)))
    served.clinic.clock.advance(timedelta(hours=1))
    page.fill("#phone", "07700 900101")
    expect(page.locator("#preview")).to_contain_text("You have been signed out")
    page.click("text=Show what will go out")
    page.fill("#email", "coordinator@clinic.example")
    page.fill("#password", PASSWORD)
    page.click("button:has-text('Sign in')")
    page.click("text=Back to my form")
    expect(page.locator("#given_name")).to_have_value("Anna")
    expect(page.locator("#phone")).to_have_value("07700 900101")
