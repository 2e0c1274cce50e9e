"""Going back on something, for everybody: taking a request back, throwing a draft away, leaving at once. By keyboard,
and on every screen."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from intake import actions as intake
from intake.models import Draft
from queues.models import Conversation
from tests import factories as make
from tests.browser.conftest import Site
from tests.browser.test_emergency import DARK
from tests.browser.test_reach import (
    no_wider_than_the_screen,
    press_away,
    small,
    sound,
    tab_to,
    without_scripts,
)
from tests.intake.attachments.files import RASH, located_photo, pdf


def test_a_request_is_taken_back_and_kept_after_all_by_keyboard_and_the_page_is_sound_between(
    site: Site, visitor
) -> None:
    with site.rows():
        wanda = site.newcomer("wanda@example.org", name="Wanda Withdraws")
        draft = intake.start_draft(
            request_type=site.clinic.refill,
            patient=wanda,
            by=wanda.user,
            raw={"i.medicine": ["Ramipril 5 mg"], "i.left": ["days"]},
        )
        sent = intake.submit(draft_id=draft.pk, by=wanda.user)
    visit = visitor("wanda@example.org")
    page = small(visit)
    visit.go(sent.get_absolute_url())
    tab_to(page, "I don't need this any more")
    page.keyboard.press("Enter")
    no_wider_than_the_screen(page)
    tab_to(page, "Withdraw this request")
    press_away(page, "Enter")
    expect(page.get_by_text("The request is withdrawn.")).to_be_visible()
    sound(visit)
    page = small(visit)
    tab_to(page, "Undo: I still need this")
    press_away(page, "Enter")
    expect(page.get_by_text("Your request is open again.", exact=True)).to_be_visible()


def test_a_draft_is_thrown_away_after_asking_by_keyboard(site: Site, visitor) -> None:
    with site.rows():
        dora = site.newcomer("dora@example.org", name="Dora Discards")
        draft = intake.start_draft(
            request_type=site.clinic.refill, patient=dora, by=dora.user, raw={"i.medicine": ["Ibuprofen"]}
        )
    visit = visitor("dora@example.org")
    page = small(visit)
    visit.go(f"/drafts/{draft.pk}/")
    dialog = page.get_by_role("dialog", name="Delete this draft?")
    tab_to(page, "Delete this draft")
    page.keyboard.press("Enter")
    expect(dialog).to_be_visible()
    sound(visit)
    page = small(visit)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("link", name="Delete this draft")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Keep it")).to_be_focused()
    page.keyboard.press("Space")
    expect(dialog).to_be_hidden()
    with site.rows():
        assert Draft.objects.filter(pk=draft.pk).exists()
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("button", name="Delete it")).to_be_focused()
    press_away(page, "Enter")
    expect(page.get_by_text("The draft is deleted.")).to_be_visible()
    with site.rows():
        assert not Draft.objects.filter(pk=draft.pk).exists()


def test_a_draft_is_thrown_away_after_asking_without_scripts(site: Site, visitor) -> None:
    with site.rows():
        dave = site.newcomer("dave@example.org", name="Dave Discards")
        draft = intake.start_draft(
            request_type=site.clinic.refill, patient=dave, by=dave.user, raw={"i.medicine": ["Ibuprofen"]}
        )
    visit = without_scripts(visitor("dave@example.org", phone=True))
    visit.go(f"/drafts/{draft.pk}/")
    visit.follow(visit.page.get_by_role("link", name="Delete this draft"))
    expect(visit.page.get_by_role("heading", name="Delete this draft?")).to_be_visible()
    sound(visit)
    visit.follow(visit.page.get_by_role("button", name="Delete it"))
    expect(visit.page.get_by_text("The draft is deleted.")).to_be_visible()
    with site.rows():
        assert not Draft.objects.filter(pk=draft.pk).exists()


def test_leaving_at_once_by_keyboard(site: Site, visitor) -> None:
    with site.rows():
        lou = site.newcomer("lou@example.org", name="Lou Leaves")
        draft = intake.start_draft(request_type=site.clinic.refill, patient=lou, by=lou.user)
        raw = {"i.medicine": ["None"], "i.left": ["days"], "i.problems": ["true"], "i.which": [DARK]}
        intake.save_draft(draft=draft, raw=raw, by=lou.user)
    visit = visitor("lou@example.org")
    page = small(visit)
    visit.go(f"/drafts/{draft.pk}/pages/p2/")
    no_wider_than_the_screen(page)
    tab_to(page, "Leave this page now")
    press_away(page, "Enter")
    expect(page).to_have_url(re.compile("/away/$"))
    no_wider_than_the_screen(page)
    page.go_back()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()


def test_two_things_from_one_visit_by_keyboard(site: Site, visitor) -> None:
    with site.rows():
        tove = site.newcomer("tove@example.org", name="Tove Twice")
    visit = visitor("tove@example.org")
    page = small(visit)
    tab_to(page, "Refill")
    press_away(page, "Enter")
    tab_to(page, "Which medicine?")
    page.keyboard.type("Losartan 50 mg")
    tab_to(page, "None")
    page.keyboard.press("Space")
    for button in ("Continue", "Continue", "Send"):
        tab_to(page, button)
        press_away(page, "Enter")
    no_wider_than_the_screen(page)
    tab_to(page, "Is there something else?")
    page.keyboard.press("Enter")
    tab_to(page, "Billing question")
    press_away(page, "Enter")
    tab_to(page, "What is your question?")
    page.keyboard.type("Was I charged twice?")
    for button in ("Continue", "Send", "See your request"):
        tab_to(page, button)
        press_away(page, "Enter")
        no_wider_than_the_screen(page)
    expect(page.get_by_text("Sent together with:")).to_be_visible()
    with site.rows():
        assert Conversation.objects.filter(patient=tove).values("visit").distinct().count() == 1


def test_a_form_with_files_without_scripts_fits_each_screen_and_axe_finds_nothing(
    site: Site, visitor
) -> None:
    with site.rows():
        site.newcomer("fay@example.org", name="Fay Files")
        make.request_type("rash-sound", RASH, name="Skin sound", title_items=["where"])
    visit = without_scripts(visitor(phone=True)).log_in("fay@example.org")
    page = visit.page
    visit.follow(page.get_by_role("button", name="Skin sound"))
    sound(visit)
    page.get_by_label("Where is it?").fill("Elbow")
    page.get_by_label("Photos of it").set_input_files(
        [
            {"name": "a-very-long-name-" * 5 + ".jpg", "mimeType": "image/jpeg", "buffer": located_photo()},
            {"name": "letter.pdf", "mimeType": "application/pdf", "buffer": pdf()},
            {"name": "film.mov", "mimeType": "video/quicktime", "buffer": b"film"},
        ]
    )
    visit.follow(page.get_by_role("button", name="Upload").first)
    expect(page.get_by_text("This is not a photo or a PDF")).to_be_visible()
    expect(page.get_by_role("link", name="letter.pdf")).to_be_visible()
    visit.problems.clear()  # the browser notes the answer 422
    sound(visit)
    visit.follow(page.get_by_role("button", name="Continue"))
    sound(visit)
    visit.follow(page.get_by_role("button", name="Send", exact=True))
    visit.follow(page.get_by_role("link", name="See your request"))
    shown = page.locator("main .files img")
    expect(shown).to_have_count(1)
    assert shown.evaluate("(img) => img.decode().then(() => img.naturalWidth)") > 0
    sound(visit)
    page.get_by_label("Add something").fill("One more")
    page.get_by_label("Add a photo or a PDF").set_input_files(
        {"name": "more.jpg", "mimeType": "image/jpeg", "buffer": located_photo()}
    )
    visit.follow(page.get_by_role("button", name="Send message"))
    expect(page.locator(".said .files img")).to_have_count(1)
    sound(visit)
