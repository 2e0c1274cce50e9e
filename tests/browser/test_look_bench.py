"""The corners of the workbench, looked at like its main pages: what opens, what is told, what two people share."""

from __future__ import annotations

import itertools
import re

import pytest
from playwright.sync_api import expect

from queues import actions, tasks
from queues.models import Protocol, ProtocolStep, Task
from tests.browser.conftest import DESKTOP, PASSWORD, Site
from tests.browser.test_look import look


def test_quiet_hours_and_what_they_refuse(site: Site, visitor) -> None:
    with site.rows():
        task = actions.claim(task=site.clinic.task(medicine="Amlodipine 5 mg"), by=site.clinic.nurse)
        actions.escalate(task=task, situation="Swollen ankles.", question="Change?", by=site.clinic.nurse)
        tasks.look(task.pk)
    chen = visitor("doctor@example.org")
    page = chen.page
    chen.go("/work/notices/")
    expect(page.get_by_role("link", name="A question for a physician").first).to_be_visible()
    page.locator("summary", has_text="Mail and quiet hours").click()
    look(chen, "quiet-hours")
    page.get_by_label("No mail from").fill("19:00")
    chen.follow(page.get_by_role("button", name="Store"))
    expect(page.get_by_text("Quiet hours need a beginning and an end.")).to_be_visible()
    expect(page.get_by_label("No mail from")).to_have_value("19:00")
    chen.problems.clear()
    look(chen, "quiet-hours-refused")
    chen.problems.clear()
    page.get_by_label("Until", exact=True).fill("07:00")
    chen.follow(page.get_by_role("button", name="Store"))
    expect(page.get_by_text("Stored.")).to_be_visible()
    page.locator("summary", has_text="Mail and quiet hours").click()
    expect(page.get_by_label("Until", exact=True)).to_have_value("07:00")


def test_the_help_of_the_keys(site: Site, visitor) -> None:
    ana = visitor("nurse@example.org")
    ana.go("/work/all/")
    ana.page.keyboard.press("?")
    expect(ana.page.get_by_role("dialog")).to_be_visible()
    look(ana, "keys")
    ana.page.get_by_role("button", name="Close").click()
    expect(ana.page.get_by_role("dialog")).to_have_count(0)


def test_who_else_looks_at_a_task(site: Site, visitor, kim: str) -> None:
    with site.rows():
        task = site.clinic.task(medicine="Furosemide 40 mg")
    ana, other = visitor("nurse@example.org"), visitor(kim)
    with other.page.expect_response(re.compile("/here/")):  # her page says that it is open
        other.go(task.get_absolute_url())
    ana.go(task.get_absolute_url())
    expect(ana.page.get_by_text("Kim Osei, RN is looking")).to_be_visible()
    look(ana, "presence")
    with other.page.expect_response(re.compile("/here/")):
        other.page.reload()
    ana.go(f"/work/queues/{task.queue_id}/")
    expect(ana.page.get_by_text("Kim Osei is looking at it")).to_be_visible()
    look(ana, "presence-list")


@pytest.fixture
def kim(site: Site) -> str:
    with site.rows():
        user = site.clinic.second_nurse
        user.set_password(PASSWORD)
        user.save()
        return user.email


def test_many_done_together_and_what_became_of_each(site: Site, visitor) -> None:
    with site.rows():
        names = ("Doxycycline", "Nitrofurantoin", "Cefalexin")
        plain = [site.clinic.task(medicine=f"{name} 100 mg") for name in names]
        asked = site.clinic.task(medicine="Ibuprofen 600 mg")
        Task.objects.filter(pk__in=[task.pk for task in [*plain, asked]]).update(flags=[])
        asked = actions.claim(task=asked, by=site.clinic.nurse)
        actions.escalate(task=asked, situation="Stomach.", question="Stop?", by=site.clinic.nurse)
    ana = visitor("nurse@example.org")
    page = ana.page
    ana.go(f"/work/queues/{plain[0].queue_id}/")
    for name in (*names, "Ibuprofen"):
        page.get_by_role("checkbox", name=re.compile(name)).check()
    look(ana, "bulk-picked")
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    ana.follow(page.get_by_role("button", name="Resolve"))
    expect(page.get_by_text("A physician was asked about it and has not answered yet.")).to_be_visible()
    look(ana, "bulk-resolve")
    page.get_by_label("Reply to each of them").fill("It is at your pharmacy.")
    page.get_by_label("Outcome").select_option("done")
    ana.follow(page.get_by_role("button", name="Send and resolve"))
    expect(page.get_by_text("Resolved as “Done”: 3 tasks.")).to_be_visible()
    look(ana, "bulk-done")


def test_handing_one_over_and_calling_about_another(site: Site, visitor) -> None:
    with site.rows():
        task = actions.claim(task=site.clinic.task(medicine="Prednisone 5 mg"), by=site.clinic.nurse)
        for result in ("no-answer", "voicemail"):
            actions.log_call(task=task, result=result, note="Asked her to call back.", by=site.clinic.nurse)
        actions.add_note(
            task=task, body="She is easiest to reach after six, @Kim Osei.", by=site.clinic.nurse
        )
    ana = visitor("nurse@example.org")
    page = ana.page
    ana.go(task.get_absolute_url())
    expect(page.get_by_text("called: no answer")).to_be_visible()
    page.locator("summary", has_text="Log a call").click()
    look(ana, "calls")
    page.locator("summary", has_text="Hand over").click()
    look(ana, "hand-over")
    page.locator("summary", has_text="Split off a part").click()
    look(ana, "split")
    page.get_by_label("For", exact=True).select_option(label="Billing")
    page.get_by_label("What is asked of them, in a line").fill("Is this covered?")
    ana.follow(page.get_by_role("button", name="Split off"))
    expect(page.get_by_text("A task of its own is in Billing.")).to_be_visible()
    look(ana, "split-done")
    page.locator("summary", has_text="Hand over").click()
    page.get_by_label("To", exact=True).select_option(label="Triage")
    page.get_by_label("Why", exact=True).fill("She has a rash now.")
    ana.follow(page.get_by_role("button", name="Hand over", exact=True))
    expect(page.get_by_text("Handed over to Triage.")).to_be_visible()
    bo = visitor("billing@example.org")
    with site.rows():
        part = task.parts.get()
    bo.go(part.get_absolute_url())
    expect(bo.page.get_by_role("heading", name="Is this covered?")).to_be_visible()
    look(bo, "split-part")


def test_the_steps_of_a_protocol_stand_one_below_the_other(site: Site, visitor) -> None:
    with site.rows():
        protocol = Protocol.objects.create(code="none-left", title="Run out")
        for text in ("Dose is as in the chart", "Allergies looked at", "Seen within twelve months"):
            ProtocolStep.objects.create(protocol=protocol, text=text)
        task = actions.claim(
            task=site.clinic.task(medicine="Digoxin 125 mcg", left="none"), by=site.clinic.nurse
        )
    ana = visitor("nurse@example.org")
    page = ana.page
    ana.go(task.get_absolute_url())
    ana.follow(page.get_by_role("button", name="Allergies looked at"))
    expect(page.get_by_role("button", name="Allergies looked at", pressed=True)).to_be_visible()
    boxes = [each.bounding_box() for each in page.locator("#protocol li").all()]
    assert len({box["x"] for box in boxes}) == 1
    assert all(above["y"] + above["height"] <= below["y"] for above, below in itertools.pairwise(boxes))
    look(ana, "protocol")
    with site.rows():
        ProtocolStep.objects.update(retired=True)  # the site's other tests know of none


def test_queues_by_place(site: Site, visitor) -> None:
    ana = visitor("nurse@example.org")
    page = ana.page
    ana.go("/work/queues/")
    look(ana, "places")
    page.get_by_role("searchbox", name="Place or queue").fill("lakeside")
    ana.follow(page.get_by_role("button", name="Show"))
    expect(page.get_by_text("1 of 3 queues")).to_be_visible()
    ana.follow(page.get_by_role("main").get_by_role("link", name="Refills"))
    expect(page.get_by_role("heading", name="Refills, Lakeside Clinic")).to_be_visible()


def test_a_request_written_down_for_a_caller(site: Site, visitor) -> None:
    ana = visitor("nurse@example.org")
    page = ana.page
    ana.go("/work/callers/")
    look(ana, "callers")
    page.get_by_label("Name, birthday or record number of the patient").fill("Maya Ortiz")
    ana.follow(page.get_by_role("button", name="Find"))
    look(ana, "callers-found")
    ana.follow(page.get_by_role("link", name=re.compile("^Maya Ortiz born")))
    look(ana, "caller")
    ana.follow(page.get_by_role("button", name="Refill"))
    look(ana, "caller-form")
    page.get_by_label("Which medicine?").fill("Levothyroxine")
    page.get_by_text("A few days", exact=True).click()
    ana.follow(page.get_by_role("button", name="Continue"))
    page.get_by_text("No", exact=True).click()
    ana.follow(page.get_by_role("button", name="Continue"))
    look(ana, "caller-review")
    ana.follow(page.get_by_role("button", name="Send"))
    look(ana, "caller-sent")
    ana.follow(page.get_by_role("link", name="Open the task"))
    look(ana, "caller-task")
