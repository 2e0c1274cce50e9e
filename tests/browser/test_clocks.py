"""What the clock does when nobody looks: a red flag on Friday night, and a promise that is not kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.db import transaction
from playwright.sync_api import expect

from audit.now import at, now
from queues import actions, tasks
from queues.models import Notice, Task
from tests import factories as make
from tests.browser.conftest import PASSWORD, Site
from tests.browser.test_look import look

OFFICE = {day: [["09:00", "12:00"], ["13:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
CHEST = {"problems": "true", "which": "My chest hurts and I can't breathe"}


def at_work(role: str, **kwargs: Any) -> None:
    """Somebody who has worked here for a month, and can log in."""
    with at(now() - timedelta(days=30)):
        user = make.staff(role, **kwargs)
    user.set_password(PASSWORD)
    user.save()


@pytest.fixture
def friday_night(site: Site) -> Iterator[datetime]:
    """Eleven in the evening of the last Friday. The urgent queue keeps office hours; Olga's covers for it."""
    with site.rows():
        urgent = site.clinic.urgent
        before = urgent.calendar
        night = make.queue("night", name="Night nurses")
        at_work("nurse", name="Olga Owl", title="RN", email="owl@example.org", queues_worked=(night,))
        urgent.calendar, urgent.urgent_cover = make.CalendarFactory(hours=OFFICE), night
        urgent.receives_urgent = True
        actions.save_queue(urgent, by=None)
        local = now().astimezone(urgent.calendar.zone)
        day = local.date() - timedelta(days=(local.weekday() - 5) % 7 + 1)
        friday = datetime.combine(day, time(23), local.tzinfo)
    yield friday
    with site.rows():
        urgent.calendar, urgent.urgent_cover, urgent.receives_urgent = before, None, False
        actions.save_queue(urgent, by=None)


def look_at(task: Task, moment: datetime) -> None:
    """Let the clock look at this task at that moment. The site's worker may be at it: then after it, not beside it."""
    with at(moment), transaction.atomic():
        Task.objects.select_for_update().get(pk=task.pk)
        tasks.look(task.pk)


def test_a_red_flag_on_friday_night_is_alerted_until_somebody_has_it_and_ends_in_a_call(
    site: Site, visitor, friday_night: datetime
) -> None:
    with site.rows(), transaction.atomic():  # the site's own worker sees it when this is told
        with at(friday_night):
            task = site.clinic.task(**CHEST)
        look_at(task, friday_night)
        # Nobody has it ten minutes later.
        look_at(task, friday_night + timedelta(minutes=10))
        alerted = Notice.objects.filter(task=task, recipient__email="owl@example.org", kind="take-up")
        assert alerted.count() == 2

    # Olga covers at night. Her notices say what it is, and lead there.
    olga = visitor("owl@example.org")
    page = olga.page
    olga.go("/work/notices/")
    look(olga, "notices")
    olga.follow(page.get_by_role("link", name="Urgent, and nobody has taken it up yet").first)
    expect(page.get_by_text("Night nurses covers for this queue.")).to_be_visible()
    expect(page.get_by_text("Nobody has taken this up yet")).to_be_visible()
    look(olga, "task-not-taken-up")
    olga.follow(page.get_by_role("button", name="I have it"))
    expect(page.get_by_text("Nobody has taken this up yet")).not_to_be_visible()
    with site.rows():
        before = alerted.count()
        look_at(task, now() + timedelta(minutes=20))
        assert alerted.count() == before
        assert not alerted.filter(seen_at=None).exists()
        # Not claimed yet, so it is what she gets next.
        assert actions.claim_next(by=alerted[0].recipient) == task

    # She answers. Half an hour later nobody has read it: the patient is to be called.
    olga.go(task.get_absolute_url())
    page.get_by_label("Reply to the patient").fill("Please call 911 now. We stay in touch.")
    olga.follow(page.get_by_role("button", name="Send", exact=True))
    with site.rows():
        look_at(task, now() + timedelta(minutes=31))
    olga.go(task.get_absolute_url())
    expect(page.get_by_text("Call the patient", exact=True)).to_be_visible()
    look(olga, "task-call")
    page.locator("summary", has_text="Log a call").click()
    page.get_by_label("What was said, if it matters").fill("Is in the ambulance.")
    olga.follow(page.get_by_role("button", name="Reached", exact=False).first)
    expect(page.get_by_text("Call the patient", exact=True)).not_to_be_visible()


def test_a_promise_that_is_not_kept_is_told_to_the_lead_and_to_the_patient_with_what_to_do(
    site: Site, visitor
) -> None:
    with site.rows():
        at_work("lead", name="Lola Late", title="RN", email="late@example.org")
        with at(now() - timedelta(days=2)), transaction.atomic():
            task = site.clinic.task(medicine="Gliclazide 30 mg")
            with at(task.respond_due):
                tasks.look(task.pk)

    # Lola hears of it, and finds it on her board.
    lola = visitor("late@example.org")
    page = lola.page
    lola.go("/work/notices/")
    expect(page.get_by_role("link", name="Late: the promised time is over").first).to_be_visible()
    lola.go("/work/lead/")
    expect(page.get_by_role("link", name="Gliclazide").first).to_be_visible()
    look(lola, "lead-late")

    # Maya reads that it is late, and what to do now.
    maya = visitor("patient@example.org", phone=True)
    maya.go(task.conversation.get_absolute_url())
    expect(maya.page.get_by_text("we are late").first).to_be_visible()
    expect(maya.page.get_by_text(site.clinic.facility.after_hours_phone).first).to_be_visible()
    look(maya, "late-patient")


def test_a_wait_that_ends_tells_the_patient_the_new_time(site: Site, visitor) -> None:
    with site.rows():
        asked = now() - timedelta(days=6)
        with at(asked), transaction.atomic():
            task = actions.claim(task=site.clinic.task(medicine="Amlodipine 5 mg"), by=site.clinic.nurse)
            actions.ask_back(task=task, question="Which pharmacy?", by=site.clinic.nurse)
            with at(asked + timedelta(days=5)):
                tasks.look(task.pk)
        move = task.promise_moves.get()
    assert move.after > move.before
    maya = visitor("patient@example.org", phone=True)
    maya.go(task.conversation.get_absolute_url())
    with site.rows():
        said = task.conversation.messages.filter(author=None, from_patient=False).last()
    expect(maya.page.get_by_text(said.body).first).to_be_visible()
    look(maya, "wait-over-patient")
