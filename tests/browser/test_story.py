"""The whole life of a request, as people see it. Read it as the specification of the main job.

Maya needs a refill. Ana, a nurse, finds it in her queue with the reason it came there, answers and resolves it. Maya
gets a mail that says nothing but that there is a message, and reads the answer. Ada, the admin, sees every step of it
in the audit log. It works the same with JavaScript switched off.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from audit.models import Event
from tests.browser.conftest import Site


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_refill_from_the_patients_wish_to_the_nurses_answer_and_the_audit_log(
    site: Site, visitor, javascript: bool
) -> None:
    medicine = "Lisinopril 20 mg" if javascript else "Metformin 500 mg"

    # Maya, on her phone, says what she needs.
    maya = visitor(phone=True, javascript=javascript).log_in("patient@example.org")
    page = maya.page
    expect(page.get_by_role("heading", name="What do you need?")).to_be_visible()
    page.get_by_role("button", name="Refill").click()
    page.get_by_label("Which medicine?").fill(medicine)
    page.get_by_text("A few days").click()
    page.get_by_role("button", name="Continue").click()
    page.get_by_text("No", exact=True).click()
    expect(page.get_by_text("The nursing team answers by")).to_be_visible()
    page.get_by_role("button", name="Continue").click()

    # She looks it over, sees who will answer and by when, and sends it.
    expect(page.get_by_role("heading", name="Look it over, then send")).to_be_visible()
    expect(page.get_by_text(medicine)).to_be_visible()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", name="We have your request")).to_be_visible()
    reference = page.locator(".reference").inner_text()
    expect(page.get_by_text("The nursing team answers by")).to_be_visible()

    # Ana finds it in the refill queue, and why it came there.
    ana = visitor(javascript=javascript).log_in("nurse@example.org")
    page = ana.page
    page.get_by_role("link", name=re.compile("^Refills")).first.click()
    page.get_by_role("link", name=f"{medicine}, A few days").click()
    expect(page.get_by_text(reference)).to_be_visible()
    expect(page.get_by_role("heading", name="Why it came here")).to_be_visible()
    expect(page.get_by_text("→ queue refills")).to_be_visible()

    # She takes it, answers, and resolves it with an outcome.
    page.get_by_role("button", name="Claim", exact=True).or_(
        page.get_by_role("button", name="Claim C")
    ).click()
    page.get_by_label("Reply to the patient").fill("It is at your pharmacy from 4 pm.")
    page.get_by_label("Outcome").select_option("done")
    page.get_by_role("button", name="Send and resolve").click()
    expect(page.get_by_text("Resolved: Done.")).to_be_visible()

    # Maya gets a mail that holds a link and nothing about her.
    request_page = f"/requests/{int(reference.removeprefix('R-')) - 10000}/"
    mail = site.mail("patient@example.org", about=request_page)
    text = mail.get_content()
    assert "You have a new message" in mail["Subject"]
    assert medicine not in text
    assert "Maya" not in text
    link = re.search(r"http\S+", text)
    assert link

    # She follows it and reads the answer.
    page = maya.page
    page.goto(link.group())
    expect(page.get_by_text("It is at your pharmacy from 4 pm.")).to_be_visible()
    expect(page.get_by_text("Result: done")).to_be_visible()

    # Ada reads the whole story in the audit log.
    ada = visitor(javascript=javascript).log_in("admin@example.org")
    ada.go("/admin/audit/event/?o=-1")
    for action in ("intake.submission.send", "queues.task.open", "queues.task.claim", "queues.task.resolve"):
        expect(ada.page.get_by_text(action).first).to_be_visible()
    with site.rows():
        patient = site.clinic.patient.pk
        actions = set(Event.objects.about_patient(patient).values_list("action", flat=True))
    assert {
        "intake.draft.start",
        "intake.submission.send",
        "queues.task.open",
        "queues.task.read",
        "queues.task.claim",
        "queues.task.resolve",
        "intake.conversation.read",
    } <= actions


def test_each_role_sees_its_own_queues_and_outsiders_see_none(site: Site, visitor) -> None:
    with site.rows():
        task = site.clinic.task()
    nurse, biller = visitor("nurse@example.org"), visitor("billing@example.org")
    nurse.go(f"/work/tasks/{task.pk}/")
    expect(nurse.page.get_by_role("heading", name="Lisinopril 20 mg, A few days")).to_be_visible()
    expect(biller.page.get_by_role("navigation").get_by_text("Billing")).to_be_visible()
    expect(biller.page.get_by_role("navigation").get_by_text("Refills")).not_to_be_visible()
    for outsider in (biller, visitor("admin@example.org"), visitor("patient@example.org")):
        response = outsider.page.goto(f"{site.url}/work/tasks/{task.pk}/")
        assert response.status == 404
        outsider.problems.clear()
