"""What staff do with more than an answer: a question to a physician and back, and a call that is written down."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from portal.people.models import StaffRole
from queues import actions
from queues.models import Task
from queues.urgency import Urgency
from tests.browser.conftest import Site


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_an_escalation_goes_to_the_physician_and_back_to_the_patient(
    site: Site, visitor, javascript: bool
) -> None:
    medicine = "Warfarin 5 mg" if javascript else "Apixaban 5 mg"
    with site.rows():
        task = actions.claim(task=site.clinic.task(medicine=medicine, left="none"), by=site.clinic.nurse)

    # Ana asks one question, with what is needed to answer it, and two answers to tap.
    ana = visitor("nurse@example.org", javascript=javascript)
    page = ana.page
    ana.go(task.get_absolute_url())
    if javascript:
        page.keyboard.press("e")
        expect(page.get_by_label("The one question")).to_be_focused()
    else:
        page.locator("summary", has_text="Ask a physician").click()
    page.get_by_label("The one question").fill("INR today, or hold a dose first?")
    expect(page.get_by_label("Situation", exact=True)).to_have_value(f"Maya Ortiz, 46: {medicine}, none.")
    page.get_by_label("Your assessment").fill("No bleeding. INR may be high.")
    page.get_by_label("Others, one a line").fill("INR today\nHold one dose")
    ana.follow(page.get_by_role("button", name="Ask", exact=True))
    expect(page.get_by_text("Your question is with the physicians.")).to_be_visible()
    expect(page.get_by_text("No answer yet.")).to_be_visible()

    # Dr. Chen's page shows exceptions only. The question is what she reads first; she taps an answer.
    chen = visitor("doctor@example.org", javascript=javascript)
    page = chen.page
    with site.rows():
        chen.go(f"/work/queues/{site.clinic.physicians.pk}/")
    chen.follow(page.get_by_role("link", name=medicine).first)
    expect(page.get_by_role("heading", name="Ana Ruiz, RN asks")).to_be_visible()
    expect(page.get_by_text("INR today, or hold a dose first?")).to_be_visible()
    expect(page.get_by_text("No bleeding. INR may be high.")).to_be_visible()
    if javascript:
        chen.check_accessible()
    chen.follow(page.get_by_role("button", name="INR today", exact=True))
    expect(page.get_by_text("Answered. It is back with the one who asked.")).to_be_visible()

    # Ana has it back with the answer, and closes the loop with the patient.
    page = ana.page
    ana.go(task.get_absolute_url())
    expect(page.get_by_text("Dana Chen, MD:")).to_be_visible()
    expect(page.locator(".answer", has_text="INR today")).to_be_visible()
    page.get_by_label("Reply to the patient").fill("Please come in for a blood test today.")
    page.get_by_label("Outcome").select_option("done")
    page.get_by_text("10", exact=True).click()
    if javascript:
        page.get_by_label("Reply to the patient").focus()
        with page.expect_navigation():
            page.keyboard.press("Control+Enter")
    else:
        ana.follow(page.get_by_role("button", name="Send and resolve"))
    expect(page.get_by_text("Resolved: Done.")).to_be_visible()
    maya = visitor("patient@example.org", phone=True, javascript=javascript)
    maya.go(task.conversation.get_absolute_url())
    expect(maya.page.get_by_text("Please come in for a blood test today.")).to_be_visible()
    with site.rows():
        task.refresh_from_db()
        assert task.minutes_spent == 10


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_phone_call_is_written_down_and_answered_like_any_request(
    site: Site, visitor, javascript: bool
) -> None:
    medicine = "Insulin glargine" if javascript else "Insulin lispro"
    # Ana finds who calls; the name goes in no address.
    ana = visitor("nurse@example.org", javascript=javascript)
    page = ana.page
    ana.go("/work/")
    ana.follow(page.get_by_role("link", name="Take a call"))
    page.get_by_label("Name, birthday or record number of the patient").fill("Maya Ortiz")
    ana.follow(page.get_by_role("button", name="Find"))
    assert "maya" not in page.url.lower()
    if javascript:
        ana.check_accessible()
    ana.follow(page.get_by_role("link", name=re.compile("^Maya Ortiz born")))
    expect(page.get_by_text("born 4 Mar 1980, 46")).to_be_visible()
    if javascript:
        ana.check_accessible()

    # She asks what the form asks, and writes it down.
    ana.follow(page.get_by_role("button", name="Refill"))
    expect(page.get_by_text("You write this down for Maya Ortiz, who is on the phone.")).to_be_visible()
    page.get_by_label("Which medicine?").fill(medicine)
    if javascript:
        expect(page.locator("#saved")).to_have_text("Saved a moment ago")
    page.get_by_text("None", exact=True).click()
    expect(page.get_by_label("None", exact=True)).to_be_checked()
    ana.follow(page.get_by_role("button", name="Continue"))
    page.get_by_text("No", exact=True).click()
    ana.follow(page.get_by_role("button", name="Continue"))
    ana.follow(page.get_by_role("button", name="Send"))

    # She reads the caller what happens now, and opens the task.
    expect(page.get_by_role("heading", name="Written down")).to_be_visible()
    expect(page.get_by_text("The nursing team answers by")).to_be_visible()
    if javascript:
        ana.check_accessible()
    reference = page.locator(".reference").inner_text()
    ana.follow(page.get_by_role("link", name="Open the task"))
    expect(page.get_by_text("Ana Ruiz, RN wrote it down")).to_be_visible()

    # A call back is logged on the task.
    page.locator("summary", has_text="Log a call").click()
    page.get_by_label("What was said, if it matters").fill("Asked her to call back.")
    ana.follow(page.get_by_role("button", name="Left a voicemail"))
    expect(page.get_by_text("called: left a voicemail")).to_be_visible()

    # Maya finds it among her requests.
    maya = visitor("patient@example.org", phone=True, javascript=javascript)
    number = int(reference.removeprefix("R-")) - 10000
    maya.go(f"/requests/{number}/")
    expect(maya.page.get_by_text("we wrote this down for you on the phone")).to_be_visible()
    expect(maya.page.get_by_text(medicine)).to_be_visible()
    expect(maya.page.get_by_text("Asked her to call back.")).not_to_be_visible()
    with site.rows():
        task = Task.objects.get(conversation=number)
        assert (task.queue, task.urgency) == (site.clinic.refills, Urgency.SOON)
        assert StaffRole.objects.filter(user=task.conversation.author).exists()
