"""After sending: staff ask back, the patient answers, says that it got worse, and takes the request back."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from intake import actions as intake
from queues.models import FollowUpForm, Task
from queues.states import State
from queues.urgency import Urgency
from tests import factories as make
from tests.browser.conftest import Site
from tests.intake.conftest import ASTHMA


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_question_back_is_answered_and_the_request_taken_back_and_kept_after_all(
    site: Site, visitor, javascript: bool
) -> None:
    end = "quick" if javascript else "plain"
    mail, code = f"otto-{end}@example.org", f"nights-{end}"
    with site.rows():
        clinic = site.clinic
        otto = site.newcomer(mail, name="Otto Waits")
        questionnaire = make.request_type(code, ASTHMA, name=f"Nights {end}").questionnaire
        intake.offer_follow_up(questionnaire=questionnaire, how="clinical", by=clinic.admin)
        form = FollowUpForm.objects.get(code=code)
        draft = intake.start_draft(request_type=clinic.refill, patient=otto, by=otto.user)
        raw = {"i.medicine": ["Budesonide 0.2 mg"], "i.left": ["days"]}
        intake.save_draft(draft=draft, raw=raw, by=otto.user)
        sent = intake.submit(draft_id=draft.pk, by=otto.user)
        task = sent.tasks.get()
        path = sent.get_absolute_url()

    # Ana asks in words, and with a small form.
    ana = visitor("nurse@example.org", javascript=javascript)
    page = ana.page
    ana.go(f"/work/tasks/{task.pk}/")
    page.get_by_role("button", name="Claim", exact=True).or_(
        page.get_by_role("button", name="Claim C")
    ).click()
    page.get_by_text("Ask back").first.click()
    page.get_by_label("What do you need to know?").fill("Do you use it in the morning too?")
    page.get_by_label("With a few questions").select_option(form.code)
    ana.follow(page.get_by_role("button", name="Ask the patient"))

    # Otto gets a mail without a word of it, sees that it waits for him, and answers both.
    said = site.mail(mail, about=path).get_content()
    assert "morning" not in said
    visit = visitor(mail, phone=True, javascript=javascript)
    page = visit.page
    visit.go(path)
    expect(page.get_by_text("Do you use it in the morning too?")).to_be_visible()
    expect(page.get_by_text("Your answer", exact=True)).to_be_visible()
    visit.follow(page.get_by_role("button", name="Answer the questions"))
    page.get_by_label("How many nights did you wake?").fill("3")
    visit.follow(page.get_by_role("button", name="Continue"))
    visit.follow(page.get_by_role("button", name="Send", exact=True))
    expect(page.get_by_text("Your answers are sent.")).to_be_visible()
    expect(page.get_by_text("How many nights did you wake?")).to_be_visible()
    page.get_by_label("Add something").fill("In the morning, yes.")
    visit.follow(page.get_by_role("button", name="Send message"))
    expect(page.get_by_text("Your message is sent.")).to_be_visible()
    if javascript:
        visit.check_accessible()

    # It got worse: that is read sooner.
    visit.follow(page.get_by_role("link", name="This got worse"))
    page.get_by_label("What got worse?").fill("I cough more than yesterday.")
    visit.follow(page.get_by_role("button", name="Send message"))
    with site.rows():
        task = Task.objects.get(pk=task.pk)
        assert (task.state, task.urgency) == (State.CLAIMED, Urgency.SOON)

    # Ana has it all on the task's page.
    ana.go(f"/work/tasks/{task.pk}/")
    for words in ("In the morning, yes.", "I cough more than yesterday.", "How many nights did you wake?"):
        expect(ana.page.get_by_text(words).first).to_be_visible()

    # Otto takes it back, sees that nobody works on it, and keeps it after all.
    page.get_by_text("I don't need this any more").click()
    visit.follow(page.get_by_role("button", name="Withdraw this request"))
    expect(page.get_by_text("The request is withdrawn.")).to_be_visible()
    with site.rows():
        assert not Task.objects.live().filter(pk=task.pk).exists()
    visit.follow(page.get_by_role("button", name="Undo: I still need this"))
    expect(page.get_by_text("Your request is open again.", exact=True)).to_be_visible()
    with site.rows():
        assert Task.objects.live().filter(pk=task.pk).exists()


def test_an_alarm_in_a_later_message_is_urgent_and_the_page_says_what_to_do(site: Site, visitor) -> None:
    with site.rows():
        ondine = site.newcomer("ondine@example.org", name="Ondine Later")
        draft = intake.start_draft(request_type=site.clinic.billing_question, patient=ondine, by=ondine.user)
        intake.save_draft(draft=draft, raw={"i.question": ["What is this bill?"]}, by=ondine.user)
        sent = intake.submit(draft_id=draft.pk, by=ondine.user)
    visit = visitor("ondine@example.org", phone=True, javascript=False)
    page = visit.page
    visit.go(sent.get_absolute_url())
    page.get_by_label("Add something").fill("Now my chest hurts and I can't breathe")
    visit.follow(page.get_by_role("button", name="Send message"))
    expect(page.get_by_role("heading", name="This may be an emergency")).to_be_visible()
    expect(page.get_by_role("link", name="Call 911")).to_be_visible()
    with site.rows():
        front = sent.tasks.front_first()[0]
        assert (front.queue, front.urgency) == (site.clinic.urgent, Urgency.URGENT)
