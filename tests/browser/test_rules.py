"""How a rule is changed safely. Read it as the specification of the routing admin's job.

Ada narrows the rule that makes emergencies urgent, by mistake to refills alone. A replay shows the past red flag that
would be lost, and a built-in promise refuses the change with a request that breaks it, whose trace she opens. She mends
the rule; because it is a safety rule, Lee, the triage lead, approves it; Ada publishes. At the end she goes back to the
version before, with one click.
"""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from intake import actions as intake
from tests import factories as make
from tests.browser.conftest import DESKTOP, PASSWORD, Site, Visitor
from tests.browser.test_look import look

PATIENCE = 40_000  # a worker proves and replays meanwhile, and the page loads itself again


def see(visitor: Visitor, name: str) -> None:
    """The page has nothing that axe finds and does not scroll sideways, on a phone and a desktop, light and dark."""
    before = list(visitor.problems)
    look(visitor, name)
    # axe copies the admin's style sheet that imports another one, which the page's policy refuses, and says so.
    visitor.problems[:] = before
    visitor.page.set_viewport_size(DESKTOP)


def build_red_flag(ada: Visitor) -> None:
    """From the draft's page to the rows of the rule's condition."""
    ada.follow(ada.page.get_by_role("link", name=re.compile("Build the condition ?: red flag")))
    expect(ada.page.get_by_role("heading", name="When does “red flag” apply?")).to_be_visible()


def pick(ada: Visitor, row: int, field: str, value: str) -> None:
    """Choose a field, have its values shown, and choose one: with the keyboard alone, but for the choice itself."""
    page = ada.page
    page.get_by_label(f"Field {row}", exact=True).select_option(field)
    page.get_by_role("button", name="Show values").focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.get_by_label(f"Value {row}", exact=True).select_option(value)


def store(ada: Visitor) -> None:
    ada.follow(ada.page.get_by_role("button", name="Store"))
    expect(ada.page.get_by_text("The condition is stored.")).to_be_visible()


def back_to_the_draft(page: Page) -> None:
    with page.expect_navigation():
        page.get_by_role("link", name=re.compile(r"Ruleset \d+ \(draft\)")).first.click()


def test_an_admin_is_stopped_by_a_promise_mends_the_rule_and_publishes_it(site: Site, visitor) -> None:
    with site.rows():
        lee = make.staff("lead", name="Lee Lind", email="lead@example.org")
        lee.set_password(PASSWORD)
        lee.save()
        bill = site.clinic.send("billing")
        # Only later does the patient write of an emergency, under a billing question.
        intake.write(
            conversation=bill, body="Now my chest hurts and I can't breathe", by=site.clinic.patient.user
        )
    ada = visitor("admin@example.org")
    page = ada.page

    # Ada starts a draft from the version that decides: the admin's first page shows which.
    ada.go("/admin/")
    see(ada, "rules-first-page")
    ada.follow(page.get_by_role("button", name="Start a draft"))
    expect(page.get_by_text("The draft is ready.")).to_be_visible()
    draft = page.url

    # She narrows the rule about emergencies to refills, in rows that know each field's values.
    build_red_flag(ada)
    see(ada, "rules-builder")
    pick(ada, 2, "request.type", "refill")
    store(ada)
    back_to_the_draft(page)

    # A built-in promise is broken, and she opens the request that breaks it: its trace says which rules it meets.
    broken = page.get_by_role("listitem").filter(has_text="“An emergency is urgent and stays so” is broken")
    expect(broken).to_be_visible(timeout=PATIENCE)
    see(ada, "rules-draft")
    ada.follow(broken.get_by_role("link", name="See how this request is decided"))
    expect(
        page.get_by_role("heading", name=re.compile(r"How ruleset \d+ decides this request"))
    ).to_be_visible()
    expect(page.get_by_role("row", name="emergency found in the text yes")).to_be_visible()
    see(ada, "rules-example")

    # The replay shows the past red flag that would be lost.
    page.goto(draft)
    ada.follow(page.get_by_role("button", name="Replay", exact=True))
    expect(
        page.get_by_role("heading", name=re.compile(r"^[1-9]\d* red flags? would be lost or lowered\.$"))
    ).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("red flag lost", exact=True).first).to_be_visible()
    see(ada, "rules-replay")

    # There is no way to publish it.
    page.goto(draft)
    ada.follow(page.get_by_role("link", name="Publish …"))
    expect(page.get_by_role("heading", name="It can't be published yet")).to_be_visible()
    expect(page.get_by_role("button", name="Publish", exact=True)).to_have_count(0)
    see(ada, "rules-publish-stopped")

    # She mends it: an emergency in the text, or the notice that was shown.
    page.goto(draft)
    build_red_flag(ada)
    pick(ada, 2, "notice.shown", "true")
    page.get_by_label("at least one of these is true").check()
    store(ada)
    back_to_the_draft(page)
    expect(page.get_by_text("must approve them").first).to_be_visible(timeout=PATIENCE)
    expect(broken).to_have_count(0)
    ada.follow(page.get_by_role("link", name="Compare with the published one"))
    expect(page.get_by_text("Rule “red flag”")).to_be_visible()
    see(ada, "rules-compare")

    # A safety rule needs a clinician's word as well: Lee reads what changes and approves exactly that.
    lead = visitor("lead@example.org")
    lead.follow(lead.page.get_by_role("link", name="Approve a draft"))
    expect(lead.page.get_by_text("Rule “red flag”")).to_be_visible()
    see(lead, "rules-approval")
    lead.follow(lead.page.get_by_role("button", name="Approve exactly this"))
    expect(lead.page.get_by_text("You approved the safety rules")).to_be_visible()

    # Now it can be published, with a reason.
    page.goto(draft)
    expect(page.get_by_role("heading", name="It can be published")).to_be_visible(timeout=PATIENCE)
    ada.follow(page.get_by_role("link", name="Publish …"))
    see(ada, "rules-publish")
    page.get_by_label("Why is it published?").fill("A notice that was shown is an emergency too.")
    ada.follow(page.get_by_role("button", name="Publish", exact=True))
    expect(page.get_by_text("Published: it decides from now on.")).to_be_visible()

    # And with one click she goes back to the version before.
    ada.go("/admin/triage/ruleset/?status__exact=retired")
    ada.follow(page.locator("#result_list tbody a").first)
    page.get_by_label("Publish this version again, because:").fill("It was only an exercise.")
    ada.follow(page.get_by_role("button", name="Publish it again"))
    expect(page.get_by_text("Published again under a new number")).to_be_visible()


def test_a_nurse_reads_why_a_task_came_and_a_lead_which_rule_to_mend(site: Site, visitor) -> None:
    from queues import actions as queues
    from queues.assessing import Assessed
    from queues.urgency import Urgency

    with site.rows():
        clinic = site.clinic
        for _each in range(4):
            task = clinic.task(left="none")
            queues.claim(task=task, by=clinic.nurse)
            queues.resolve(
                task=task, outcome=clinic.done, assessed=Assessed(urgency=Urgency.URGENT), by=clinic.nurse
            )
    ana = visitor("nurse@example.org")
    ana.go(f"{task.get_absolute_url()}why/")
    expect(
        ana.page.get_by_text("“refills to nursing” sent it to “refills”; “none left” made it soon.")
    ).to_be_visible()
    expect(ana.page.get_by_text("Needs “emergency found in the text: yes”; here it was: no.")).to_be_visible()
    see(ana, "rules-trace")
    ada = visitor("admin@example.org")
    ada.go("/work/rules/sorting/")
    mend = ada.page.get_by_role("button", name=re.compile("Mend it in a draft ?: none left"))
    expect(mend).to_be_visible()
    see(ada, "rules-sorting")
