"""What was sent is taken back, what was done is not done twice: undo, the way back, a second tab, a double click."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from portal.people.models import Mail
from queues import actions
from queues.models import Filing, Message, Task
from queues.states import State
from tests.browser.conftest import Site, Visitor
from tests.browser.test_look import look

WITH_AND_WITHOUT = pytest.mark.parametrize(
    "javascript", [True, False], ids=["with JavaScript", "without JavaScript"]
)


def claimed(site: Site, medicine: str) -> Task:
    with site.rows():
        return actions.claim(task=site.clinic.task(medicine=medicine), by=site.clinic.nurse)


def resolve(visitor: Visitor, words: str) -> None:
    page = visitor.page
    page.get_by_label("Reply to the patient").fill(words)
    page.get_by_label("Outcome").select_option("done")
    visitor.follow(page.get_by_role("button", name="Send and resolve"))


@WITH_AND_WITHOUT
def test_what_was_sent_is_taken_back_and_nobody_saw_it(
    site: Site, unhurried: Site, visitor, javascript: bool
) -> None:
    task = claimed(site, "Metoprolol 25 mg" if javascript else "Metoprolol 50 mg")
    ana = visitor("nurse@example.org", javascript=javascript, of=unhurried)
    page = ana.page
    ana.go(task.get_absolute_url())
    resolve(ana, "Take two of them from now on.")
    expect(page.get_by_text("Resolved: Done.")).to_be_visible()
    expect(page.get_by_text("The patient sees it in")).to_be_visible()

    # Meanwhile the patient sees nothing of it.
    maya = visitor("patient@example.org", phone=True, javascript=javascript, of=unhurried)
    maya.go(task.conversation.get_absolute_url())
    expect(maya.page.get_by_text("Take two of them")).to_have_count(0)

    if javascript:
        look(ana, "undo")
        with page.expect_navigation():
            page.keyboard.press("u")
    else:
        ana.follow(page.get_by_role("button", name="Undo"))
    expect(page.get_by_text("Taken back. The patient has not seen it")).to_be_visible()
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    expect(page.get_by_label("Reply to the patient")).to_have_value("Take two of them from now on.")
    with site.rows():
        task.refresh_from_db()
        assert (task.state, task.owner, task.outcome) == (State.CLAIMED, site.clinic.nurse, None)
        assert set(Mail.objects.filter(path=task.conversation.get_absolute_url()).values_list("state")) == {
            (Mail.State.WITHDRAWN,)
        }
        assert set(Filing.objects.filter(task=task).values_list("state")) == {(Filing.State.WITHDRAWN,)}

    # The second thought goes out, once.
    page.get_by_label("Reply to the patient").fill("Go on with one a day.")
    ana.follow(page.get_by_role("button", name="Send", exact=True))
    expect(page.get_by_text("The patient sees it in")).to_be_visible()
    with site.rows():
        assert Message.objects.standing().get(task=task).body == "Go on with one a day."


def test_the_way_back_after_the_end_shows_the_end(site: Site, visitor) -> None:
    task = claimed(site, "Simvastatin 20 mg")
    ana = visitor("nurse@example.org")
    page = ana.page
    ana.go(f"/work/queues/{task.queue_id}/")
    ana.go(task.get_absolute_url())
    resolve(ana, "It is ready.")
    expect(page.get_by_text("Resolved: Done.")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("button", name="Send and resolve")).to_have_count(0)
    expect(page.get_by_text("Simvastatin 20 mg").first).to_be_visible()
    with site.rows():
        assert task.steps.filter(verb="resolve").count() == 1


@WITH_AND_WITHOUT
def test_the_second_of_two_tabs_is_told_and_keeps_its_words(site: Site, visitor, javascript: bool) -> None:
    task = claimed(site, "Pravastatin 20 mg" if javascript else "Pravastatin 40 mg")
    ana = visitor("nurse@example.org", javascript=javascript)
    second = Visitor(site, ana.context, ana.context.new_page())
    for tab in (ana, second):
        tab.go(task.get_absolute_url())
    ana.page.get_by_label("Reply to the patient").fill("From the first tab.")
    ana.follow(ana.page.get_by_role("button", name="Send", exact=True))
    expect(ana.page.get_by_text("Sent.", exact=True)).to_be_visible()

    page = second.page
    resolve(second, "From the second tab.")
    expect(page.get_by_text("You changed this task meanwhile, in another tab")).to_be_visible()
    second.problems.clear()  # the browser notes that the answer was a refusal
    expect(page.get_by_label("Reply to the patient")).to_have_value("From the second tab.")
    with site.rows():
        assert Message.objects.get(task=task).body == "From the first tab."
        assert Task.objects.get(pk=task.pk).state == State.CLAIMED

    # Having looked, she sends it.
    second.follow(page.get_by_role("button", name="Send and resolve"))
    expect(page.get_by_text("Resolved: Done.")).to_be_visible()

    # What a tab still shows of a request that ended is told, and not done.
    page = ana.page
    resolve(ana, "Once more.")
    expect(page.get_by_text("it is now resolved. Nothing was done twice")).to_be_visible()
    expect(page.get_by_text("Once more.")).to_be_visible()
    ana.problems.clear()
    with site.rows():
        assert task.steps.filter(verb="resolve").count() == 1


def test_a_double_click_does_it_once(site: Site, visitor) -> None:
    with site.rows():
        names = ("Allopurinol", "Colchicine", "Febuxostat")
        first, *_others = [site.clinic.task(medicine=name) for name in names]
    ana = visitor("nurse@example.org")
    page = ana.page

    def done(verb: str) -> int:
        with site.rows():
            return Task.objects.get(pk=first.pk).steps.filter(verb=verb).count()

    def press_twice(name: str) -> None:
        page.get_by_role("button", name=name, exact=True).dblclick()

    ana.go(first.get_absolute_url())
    press_twice("Claim")
    expect(page.get_by_text("It is yours.")).to_be_visible()
    assert done("claim") == 1

    page.get_by_label("Reply to the patient").fill("Only once.")
    press_twice("Send")
    expect(page.get_by_text("Sent.", exact=True)).to_be_visible()
    with site.rows():
        assert Message.objects.filter(task=first).count() == 1

    page.get_by_label("Outcome").select_option("done")
    press_twice("Send and resolve")
    expect(page.get_by_text("Resolved: Done.")).to_be_visible()
    assert done("resolve") == 1

    # And the next one is one task, not two.
    with site.rows():
        held = Task.objects.filter(owner=site.clinic.nurse, state=State.CLAIMED).count()
    press_twice("Claim next")
    expect(page.get_by_text("Resolved: Done.")).to_have_count(0)
    expect(page.get_by_label("Reply to the patient")).to_be_visible()
    with site.rows():
        assert Task.objects.filter(owner=site.clinic.nurse, state=State.CLAIMED).count() == held + 1
