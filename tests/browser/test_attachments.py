"""A photo goes with a request: chosen on the phone, shown with the draft, seen by the nurse."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests import factories as make
from tests.browser.conftest import Site
from tests.intake.attachments.files import RASH, SVG, located_photo, pdf


def photograph(page: Page, name: str) -> None:
    if folder := os.environ.get("PORTER_SHOTS"):
        page.screenshot(path=Path(folder) / f"attachments-{name}.png", full_page=True, caret="initial")


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_photo_from_the_patients_phone_to_the_nurses_page(site: Site, visitor, javascript: bool) -> None:
    code = "rash-quick" if javascript else "rash-plain"
    with site.rows():
        make.request_type(code, RASH, name=f"Skin {code}", title_items=["where"])

    maya = visitor("patient@example.org", phone=True, javascript=javascript)
    page = maya.page
    page.get_by_role("button", name=f"Skin {code}").click()
    page.get_by_label("Where is it?").fill("On the elbow")
    photos = page.get_by_label("Photos of it")
    photos.set_input_files({"name": "film.mov", "mimeType": "video/quicktime", "buffer": SVG})
    if not javascript:
        page.get_by_role("button", name="Upload").first.click()
    expect(page.get_by_role("alert").get_by_text("This is not a photo or a PDF")).to_be_visible()
    photograph(page, f"refused-{code}")
    maya.problems.clear()  # the browser notes that a page came with status 422
    if javascript:
        maya.check_accessible()

    photos = page.get_by_label("Photos of it")
    if javascript:
        photos.set_input_files(
            {"name": "huge.jpg", "mimeType": "image/jpeg", "buffer": b"\xff" * 11 * 1024 * 1024}
        )
        expect(page.get_by_text("huge.jpg: This file is too large.")).to_be_visible()
    photos.set_input_files(
        [
            {"name": "arm.jpg", "mimeType": "image/jpeg", "buffer": located_photo()},
            {"name": "letter.pdf", "mimeType": "application/pdf", "buffer": pdf()},
        ]
    )
    if not javascript:
        page.get_by_role("button", name="Upload").first.click()
    expect(page.get_by_role("link", name="arm.jpg")).to_be_visible()
    expect(page.get_by_label("Where is it?")).to_have_value("On the elbow")
    shown = page.locator(".files img").first
    expect(shown).to_be_visible()
    if javascript:
        assert shown.evaluate("(img) => img.decode().then(() => img.naturalWidth)") > 0
    photograph(page, f"added-{code}")
    if javascript:
        maya.check_accessible()
    page.get_by_role("button", name="Remove letter.pdf").click()
    expect(page.get_by_role("link", name="letter.pdf")).to_have_count(0)
    expect(page.get_by_role("link", name="arm.jpg")).to_be_visible()

    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Look it over, then send")).to_be_visible()
    expect(page.get_by_role("link", name="arm.jpg")).to_be_visible()
    photograph(page, f"review-{code}")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", name="We have your request")).to_be_visible()

    ana = visitor("nurse@example.org", javascript=javascript)
    page = ana.page
    page.get_by_role("link", name=re.compile("^Triage")).first.click()
    page.get_by_role("link", name="On the elbow").first.click()
    expect(page.get_by_text("not screened", exact=True)).to_be_visible()
    photograph(page, f"task-{code}")
    if javascript:
        ana.check_accessible()
    answer = page.request.get(site.url + str(page.get_by_role("link", name="arm.jpg").get_attribute("href")))
    assert (answer.status, answer.headers["content-type"]) == (200, "image/jpeg")
