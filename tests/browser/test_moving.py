"""A lead of a practice with many queues moves work to one that is not offered, by typing a part of its name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from audit.now import now
from queues import actions
from queues.models import Queue, Task
from tests import factories as make
from tests.browser.conftest import Site
from tests.browser.test_keyboard import press, press_away, tab_to
from tests.browser.test_look import look

LEAD = "lia.hillside@example.org"


@pytest.fixture(scope="module")
def rooms(site: Site) -> Iterator[list[Queue]]:
    """Thirty queues at another place, more than a drop-down offers; gone afterwards."""
    with site.rows():
        hillside = make.FacilityFactory(name="Hillside")
        codes = ["refills", *(f"room-{number}" for number in range(1, 31))]
        queues = [make.queue(code, facility=hillside, name=code.replace("-", " ").title()) for code in codes]
        make.staff("nurse", facility=hillside, name="Nell Hill", queues_worked=tuple(queues))
        site.let_in(make.staff("lead", facility=hillside, name="Lia Hill", title="RN", email=LEAD))
    yield queues
    with site.rows():
        for queue in queues[1:]:
            actions.hand_everything_on(queue=queue, to=queues[0], by=None)
            actions.retire_queue(queue=queue, by=None)


def due_soon(site: Site, queue: Queue, medicine: str) -> Task:
    with site.rows():
        task = site.clinic.task(medicine=medicine)
        soon = now() + timedelta(minutes=30)
        Task.objects.filter(pk=task.pk).update(queue=queue, due_at=soon, respond_due=soon)
    return task


def pick(page: Page, title: str) -> None:
    page.get_by_role("link", name=re.compile(f"^{title}")).focus()
    press(page, "x", "h")
    tab_to(page, "find")


def test_a_queue_is_typed_and_the_work_is_there(site: Site, visitor, rooms: list[Queue]) -> None:
    tasks = [due_soon(site, rooms[0], name) for name in ("Valsartan 80 mg", "Telmisartan 40 mg")]
    lia = visitor(LEAD)
    page = lia.page
    press(page, "g")
    press_away(page, "l")

    # What is typed is completed, and one that fits moves it.
    pick(page, "Valsartan")
    page.keyboard.type("room 17")
    expect(page.locator("#fitting option")).to_have_count(1)
    expect(page.locator("#fitting option")).to_have_attribute("value", "Room 17 · Hillside")
    look(lia, "lead-typing")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.locator("#find").focus()
    press_away(page, "Control+Enter")
    expect(page.get_by_text("1 task moved to Room 17, Hillside.")).to_be_visible()

    # What fits several is asked, with the place to say it again; nothing was moved.
    pick(page, "Telmisartan")
    page.keyboard.type("room 2")
    press_away(page, "Control+Enter")
    expect(page.get_by_role("heading", name="Which queue is “room 2”?")).to_be_visible()
    expect(page.get_by_text("1 task is picked, and nothing was moved yet.")).to_be_visible()
    look(lia, "lead-which")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_label("Room 25").check()
    lia.follow(page.get_by_role("button", name="Move"))
    expect(page.get_by_text("1 task moved to Room 25, Hillside.")).to_be_visible()
    with site.rows():
        assert [Task.objects.get(pk=task.pk).queue for task in tasks] == [rooms[17], rooms[25]]


def test_and_without_javascript_too(site: Site, visitor, rooms: list[Queue]) -> None:
    task = due_soon(site, rooms[0], "Irbesartan 75 mg")
    lia = visitor(LEAD, javascript=False)
    page = lia.page
    lia.go("/work/lead/")
    page.get_by_role("checkbox", name=re.compile("Irbesartan")).check()
    page.get_by_label("Or another queue: its name or place").fill("hillside 30")
    lia.follow(page.get_by_role("button", name="Move"))
    expect(page.get_by_text("1 task moved to Room 30, Hillside.")).to_be_visible()
    with site.rows():
        assert Task.objects.get(pk=task.pk).queue == rooms[30]
