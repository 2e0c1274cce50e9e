"""Every page of the main job, on a small phone, a phone and a desktop: nothing sticks out, nothing that axe finds.

With PORTER_SHOTS=folder the pages are kept as pictures, to be looked at.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from audit.now import at, now
from intake import actions as intake
from queues import actions
from tests.browser.conftest import Site, Visitor

SHOTS = os.environ.get("PORTER_SHOTS")
SIZES = {"320": (320, 700), "390": (390, 844), "1440": (1440, 900)}


def look(visitor: Visitor, name: str) -> None:
    """At each width, light and dark: no sideways scrolling, no violation; and a picture where one is wanted."""
    page = visitor.page
    for label, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            if label != "320":
                visitor.check_accessible()
            if SHOTS:
                page.screenshot(
                    path=str(Path(SHOTS) / f"{name}-{label}-{scheme}.png"), full_page=True, caret="initial"
                )
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name} is {wide} px too wide at {width} px"
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 390, "height": 844})


def test_the_way_in(site: Site, visitor) -> None:
    guest = visitor()
    guest.go("/accounts/login/")
    look(guest, "log-in")
    guest.go("/accounts/password/reset/")
    look(guest, "reset")
    guest.page.goto(f"{site.url}/nothing-here/")
    look(guest, "nothing")
    guest.problems.clear()


def test_the_patients_pages(site: Site, visitor) -> None:
    maya = visitor("patient@example.org", phone=True)
    page = maya.page
    maya.go("/")
    look(maya, "home")
    maya.follow(page.get_by_role("button", name="Refill"))
    look(maya, "form")
    maya.follow(page.get_by_role("button", name="Continue"))
    page.wait_for_selector("#errors")
    look(maya, "form-errors")
    maya.problems.clear()  # the browser notes the answer 422
    page.get_by_label("Which medicine?").fill("Insulin glargine")
    page.get_by_text("None", exact=True).click()
    maya.follow(page.get_by_role("button", name="Continue"))
    page.get_by_text("Yes", exact=True).click()
    page.get_by_label("Which problems?").fill("I can't breathe and my chest hurts")
    page.wait_for_selector(".stop")
    look(maya, "notice")
    maya.follow(page.get_by_role("button", name="Continue"))
    look(maya, "review")
    maya.follow(page.get_by_role("button", name="Send"))
    look(maya, "sent")
    maya.follow(page.get_by_role("link", name="See your request"))
    look(maya, "request")
    maya.go("/requests/")
    look(maya, "requests")


def test_a_request_whose_answer_is_late(site: Site, visitor) -> None:
    with site.rows():
        patient = site.newcomer("waits@example.org", name="Lena Waits")
        draft = intake.start_draft(
            request_type=site.clinic.refill,
            patient=patient,
            by=patient.user,
            raw={"i.medicine": ["Albuterol inhaler"], "i.left": ["days"]},
        )
        with at(now() - timedelta(hours=9)):
            sent = intake.submit(draft_id=draft.pk, by=patient.user)
    lena = visitor("waits@example.org", phone=True)
    lena.go(sent.get_absolute_url())
    expect(lena.page.get_by_text("We are late with our answer")).to_be_visible()
    expect(lena.page.get_by_text("They are reading now")).to_have_count(0)
    look(lena, "late")


@pytest.fixture
def answered(site: Site) -> int:
    """A task in every place: open, claimed and replied, escalated; the key of one to look at."""
    with site.rows():
        clinic = site.clinic
        for medicine in ("Albuterol inhaler", "Sertraline 50 mg", "Levothyroxine 75 mcg"):
            clinic.task(medicine=medicine)
        clinic.task("billing")
        task = clinic.task(
            medicine="Warfarin 5 mg", left="none", problems="true", which="Bruises on both arms since Monday."
        )
        task = actions.claim(task=task, by=clinic.nurse)
        actions.reply(task=task, body="How large are the bruises?", by=clinic.nurse)
        actions.log_call(task=task, result="voicemail", note="Asked her to call back.", by=clinic.nurse)
        actions.add_note(task=task, body="@Kim Osei, if she calls: put her through.", by=clinic.nurse)
        actions.escalate(
            task=task,
            situation="62, on warfarin for a heart valve, new bruises without a fall.",
            background="Last INR 2.6, three weeks ago.",
            assessment="No bleeding, no fall. INR may be high.",
            question="INR today, or hold a dose first?",
            options=["INR today", "Hold one dose, INR tomorrow"],
            by=clinic.nurse,
        )
        return task.pk


def test_the_staffs_pages(site: Site, visitor, answered: int) -> None:
    nurse = visitor("nurse@example.org")
    with site.rows():
        refills, billing, physicians = (
            site.clinic.refills.pk,
            site.clinic.billing.pk,
            site.clinic.physicians.pk,
        )
    nurse.go(f"/work/queues/{refills}/")
    look(nurse, "queue")
    nurse.go(f"/work/queues/{refills}/?filter=1&unclaimed=1")
    look(nurse, "queue-filter")
    nurse.page.set_viewport_size({"width": 1440, "height": 900})
    for row in nurse.page.get_by_role("checkbox", name="Select").all():
        row.check()
    look(nurse, "queue-picked")
    nurse.page.set_viewport_size({"width": 1440, "height": 900})
    nurse.follow(nurse.page.get_by_role("button", name="Resolve"))
    look(nurse, "together")
    nurse.go(f"/work/tasks/{answered}/")
    look(nurse, "task")
    nurse.go(f"/work/tasks/{answered}/why/")
    look(nurse, "why")
    nurse.go(f"/work/queues/{refills}/")
    for words, name in (("nobody", "search-empty"), ("warfarin", "search")):
        nurse.page.get_by_role("searchbox").fill(words)
        with nurse.page.expect_navigation():
            nurse.page.get_by_role("searchbox").press("Enter")
        look(nurse, name)
    nurse.page.set_viewport_size({"width": 1440, "height": 900})
    nurse.go(f"/work/queues/{refills}/")
    nurse.follow(nurse.page.get_by_role("button", name="Claim next"))
    look(nurse, "claimed")
    nurse.page.set_viewport_size({"width": 1440, "height": 900})
    for key in ("a", "e", "h", "m", "l"):
        nurse.page.locator("main").click(position={"x": 2, "y": 2})
        nurse.page.keyboard.press(key)
        expect(nurse.page.locator(f"details[data-key={key}]")).to_have_attribute("open", "")
        look(nurse, f"task-{key}")
    doctor = visitor("doctor@example.org")
    doctor.go(f"/work/queues/{physicians}/")
    doctor.follow(doctor.page.get_by_role("link", name="Warfarin").first)
    look(doctor, "question")
    clerk = visitor("billing@example.org")
    clerk.go(f"/work/queues/{billing}/")
    look(clerk, "queue-billing")
