"""An emergency in the form: it is told before anything is sent, it interrupts, and it keeps nobody from sending."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from intake.models import Draft
from intake.notices import Notice
from portal.people.models import Patient
from queues.models import Task
from queues.urgency import Urgency
from tests.browser.conftest import Site, Visitor

ALARM = "My chest hurts and I can't breathe"
DARK = "I want to kill myself"


def to_the_second_page(visitor: Visitor) -> Page:
    page = visitor.page
    visitor.follow(page.get_by_role("button", name="Refill"))
    page.get_by_label("Which medicine?").fill("Nadolol 40 mg")
    page.get_by_text("None", exact=True).click()
    visitor.follow(page.get_by_role("button", name="Continue"))
    return page


def stands_above_all_else(page: Page) -> None:
    """Nothing of the page is above the notice but the way here."""
    above = page.evaluate(
        """() => { const top = document.querySelector("#notice").getBoundingClientRect().top;
        return [...document.querySelectorAll("main h1, main .question, main .answers, main button:not(.hide)")]
          .filter((each) => each.getBoundingClientRect().height > 1 && each.getBoundingClientRect().top < top)
          .map((each) => each.outerHTML.slice(0, 100)) }"""
    )
    assert above == []


def sent_as_urgent(visitor: Visitor, site: Site, patient: Patient) -> None:
    visitor.follow(visitor.page.get_by_role("button", name="Send", exact=True))
    expect(visitor.page.get_by_role("heading", name="We have your request")).to_be_visible()
    with site.rows():
        task = Task.objects.get(conversation__patient=patient)
        assert (task.urgency, task.floor, task.queue) == (Urgency.URGENT, Urgency.URGENT, site.clinic.urgent)
        assert set(Notice.objects.filter(patient=patient).values_list("outcome", flat=True)) == {
            Notice.Outcome.SENT
        }


def test_it_comes_while_it_is_typed_takes_the_focus_and_stays_when_the_words_are_taken_back(
    site: Site, visitor
) -> None:
    with site.rows():
        nadia = site.newcomer("nadia@example.org", name="Nadia Quick")
    visit = visitor("nadia@example.org", phone=True)
    page = to_the_second_page(visit)
    page.get_by_text("Yes", exact=True).click()
    page.get_by_label("Which problems?").fill(ALARM)
    notice = page.locator("#notice")
    expect(notice).to_be_focused()
    expect(notice.get_by_role("heading", name="This can be an emergency")).to_be_visible()
    expect(notice.get_by_role("link", name="Call 911")).to_have_attribute("href", "tel:911")
    expect(notice.get_by_text("You can still send this form.")).to_be_visible()
    stands_above_all_else(page)
    visit.check_accessible()
    with site.rows():
        assert not Task.objects.filter(conversation__patient=nadia).exists(), "it was told before sending"
        assert Notice.objects.filter(patient=nadia).exists()

    # Nothing is taken away: the words are there, and she can take them back; the notice stays.
    expect(page.get_by_label("Which problems?")).to_have_value(ALARM)
    with page.expect_response(lambda response: response.request.method == "POST"):
        page.get_by_label("Which problems?").fill("It itches a bit")
    expect(page.locator("#saved")).to_have_text("Saved a moment ago")
    expect(page.locator("#notice")).to_be_visible()
    visit.follow(page.get_by_role("button", name="Continue"))
    expect(page.locator("#notice")).to_be_visible()
    sent_as_urgent(visit, site, nadia)


def test_it_comes_with_the_next_page_where_there_is_no_javascript(site: Site, visitor) -> None:
    with site.rows():
        ned = site.newcomer("ned@example.org", name="Ned Plain")
    visit = visitor("ned@example.org", phone=True, javascript=False)
    page = to_the_second_page(visit)
    page.get_by_text("Yes", exact=True).click()
    visit.follow(page.get_by_role("button", name="Continue"))
    expect(page.get_by_text("Your answer brings up one more question.")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    page.get_by_label("Which problems?").fill(ALARM)
    visit.follow(page.get_by_role("button", name="Continue"))
    notice = page.locator("#notice")
    expect(notice.get_by_role("heading", name="This can be an emergency")).to_be_visible()
    expect(notice.get_by_role("link", name="Call 911")).to_have_attribute("href", "tel:911")
    with site.rows():
        assert not Task.objects.filter(conversation__patient=ned).exists(), "it was told before sending"
    sent_as_urgent(visit, site, ned)


@pytest.mark.parametrize("how", ["the button", "Esc three times", "without JavaScript"])
def test_the_quick_way_out_leaves_nothing_to_go_back_to(site: Site, visitor, how: str) -> None:
    mail = f"{how.split()[0]}-{how.split()[-1]}@example.org".lower()
    with site.rows():
        patient = site.newcomer(mail, name="Quinn Quiet")
        draft = site.clinic.draft(by=site.clinic.patient.user, problems="true", which=DARK)
        Draft.objects.filter(pk=draft.pk).update(author=patient.user, patient=patient)
    visit = visitor(mail, phone=True, javascript=how != "without JavaScript")
    page = visit.page
    visit.go("/requests/")
    visit.go(f"/drafts/{draft.pk}/pages/p2/")
    expect(page.get_by_role("link", name="Call 988")).to_be_visible()
    if how == "Esc three times":
        page.get_by_label("Which problems?").focus()
        with page.expect_navigation():
            for _press in range(3):
                page.keyboard.press("Escape")
    else:
        visit.follow(page.get_by_role("link", name="Leave this page now"))
    expect(page).to_have_url(re.compile("/away/$"))
    expect(page.get_by_role("heading", name="Clinics and phone numbers")).to_be_visible()
    expect(page.get_by_text("Quinn")).to_have_count(0)
    if how != "without JavaScript":
        visit.check_accessible()
    page.go_back()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    visit.log_in(mail)
    visit.go(f"/drafts/{draft.pk}/pages/p2/")
    expect(page.get_by_label("Which problems?")).to_have_value(DARK)
