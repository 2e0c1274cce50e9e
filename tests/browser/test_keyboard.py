"""A nurse's morning without a mouse, and a lead who moves work before it is late."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from audit.now import now
from queues import actions
from queues.models import Task
from queues.states import State
from tests import factories as make
from tests.browser.conftest import PASSWORD, Site
from tests.browser.test_look import look


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def go_to(page: Page, title: str) -> None:
    """Up the list by K to its first row, then down by J until the focus is on this one."""
    focused = "document.activeElement.textContent.trim()"
    for key in ["k"] * 40 + ["j"] * 40:
        if page.evaluate(focused).startswith(title):
            return
        press(page, key)
    raise AssertionError(f"{title} is not in the list")


def tab_to(page: Page, name: str) -> None:
    """On by Tab, until the focus is on the field of this name."""
    for _ in range(20):
        if page.evaluate("document.activeElement.name") == name:
            return
        press(page, "Tab")
    raise AssertionError(f"{name} can't be reached by Tab")


def press_away(page: Page, key: str) -> None:
    """A key that leads to another page, and be there."""
    with page.expect_navigation():
        page.keyboard.press(key)


def test_a_nurses_morning_by_keyboard_alone(site: Site, visitor) -> None:
    with site.rows():
        clinic = site.clinic
        for task in Task.objects.live():
            Task.objects.filter(pk=task.pk).update(due_at=now() + timedelta(days=60))
        names = ["Cetirizine 10 mg", "Loratadine 10 mg", "Folic acid 5 mg", "Vitamin D"]
        first, second, third, fourth = (clinic.task(medicine=name) for name in names)
        Task.objects.filter(pk__in=[task.pk for task in (first, second, third, fourth)]).update(flags=[])
    ana = visitor("nurse@example.org")
    page = ana.page
    ana.go(f"/work/queues/{first.queue_id}/")

    # The help is a key away, and none of the keys works while it is open.
    press(page, "?")
    expect(page.get_by_role("dialog")).to_be_visible()
    expect(page.get_by_role("dialog").get_by_text("claim the next task")).to_be_visible()
    press(page, "Escape")

    # Down, down, up, and into the second task; the focus is where the eyes are.
    press(page, "j", "j", "k", "j")
    expect(page.get_by_role("link", name=re.compile("^Loratadine"))).to_be_focused()
    press_away(page, "o")
    expect(page.get_by_role("heading", name=re.compile("^Loratadine"))).to_be_visible()

    # Back on the same row.
    press_away(page, "u")
    expect(page.get_by_role("link", name=re.compile("^Loratadine"))).to_be_focused()

    # She claims it from the list, opens it again and answers; letters typed are letters.
    press_away(page, "c")
    expect(page.get_by_text("Claimed: 1 task.")).to_be_visible()
    press(page, "j")
    go_to(page, "Loratadine")
    press_away(page, "Enter")
    press(page, "r")
    page.keyboard.type("jkxcn: it is at your pharmacy.")
    expect(page.get_by_label("Reply to the patient")).to_have_value("jkxcn: it is at your pharmacy.")
    tab_to(page, "outcome")
    page.keyboard.type("D")
    press_away(page, "Control+Enter")

    # A phrase is searched, and the result opened.
    press(page, "/")
    page.keyboard.type("folic")
    press_away(page, "Enter")
    assert "folic" not in page.url
    expect(page.locator("mark", has_text="Folic").first).to_be_visible()
    press(page, "Escape", "j")
    expect(page.get_by_role("link", name=re.compile("^Folic acid"))).to_be_focused()

    # Three are picked with a range and resolved with the same words.
    press(page, "g")
    press_away(page, "a")
    go_to(page, "Cetirizine")
    press(page, "x")
    go_to(page, "Vitamin")
    press(page, "Shift+X")
    expect(page.get_by_text("3 selected", exact=True)).to_be_visible()
    press_away(page, "d")
    press(page, "r")
    page.keyboard.type("Your pharmacy has it.")
    press(page, "Tab")
    page.keyboard.type("D")
    press_away(page, "Control+Enter")
    expect(page.get_by_text(re.compile("^Resolved as “Done”"))).to_be_visible()
    with site.rows():
        done = {task.pk for task in Task.objects.filter(state=State.RESOLVED)}
    assert {first.pk, third.pk, fourth.pk} <= done

    # And the next one, from anywhere.
    with site.rows():
        site.clinic.task(medicine="Zinc")
    press_away(page, "n")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert "/work/tasks/" in page.url


def test_a_list_shows_what_comes_in_without_a_reload_and_keeps_what_was_picked(site: Site, visitor) -> None:
    with site.rows():
        old = site.clinic.task(medicine="Ramipril 5 mg")
    ana = visitor("nurse@example.org")
    page = ana.page
    ana.go(f"/work/queues/{old.queue_id}/")
    page.get_by_role("checkbox", name=re.compile("Ramipril")).last.check()
    with site.rows():
        site.clinic.task(medicine="Bisoprolol 5 mg")
    # The page asks every twenty seconds, and at once when somebody comes back to it.
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_role("link", name=re.compile("^Bisoprolol"))).to_be_visible()
    expect(page.get_by_role("checkbox", name=re.compile("Ramipril")).last).to_be_checked()


@pytest.fixture
def lead(site: Site) -> str:
    with site.rows():
        user = make.staff(
            "lead", facility=site.clinic.facility, name="Lia Lead", title="RN", email="lia@example.org"
        )
        user.set_password(PASSWORD)
        user.save()
        soon = now() + timedelta(minutes=30)
        for name in ("Enalapril 5 mg", "Losartan 50 mg", "Candesartan 8 mg"):
            task = site.clinic.task(medicine=name)
            Task.objects.filter(pk=task.pk).update(due_at=soon, respond_due=soon)
        actions.claim(task=task, by=site.clinic.nurse)
    return "lia@example.org"


def test_a_lead_sees_what_will_be_late_and_moves_it_by_keys_and_by_dragging(
    site: Site, visitor, lead: str
) -> None:
    lia = visitor(lead)
    page = lia.page
    press(page, "g")
    press_away(page, "l")
    look(lia, "lead")
    page.set_viewport_size({"width": 1440, "height": 900})
    expect(page.get_by_text("will be late at this pace").first).to_be_visible()

    # By keys: to Kim, who has time.
    page.get_by_role("link", name=re.compile("^Candesartan")).focus()
    press(page, "x", "h")
    page.keyboard.type("Kim")
    press_away(page, "Control+Enter")
    expect(page.get_by_text("1 task moved to Kim Osei, RN.")).to_be_visible()
    with site.rows():
        moved = Task.objects.get(title__startswith="Candesartan")
        assert moved.owner == site.clinic.second_nurse

    # By dragging: onto a person.
    row = page.get_by_role("row", name=re.compile("Enalapril"))
    kim = page.locator("[data-drop]").filter(has_text="Kim Osei")
    with page.expect_navigation():
        row.drag_to(kim)
    expect(page.get_by_text("1 task moved to Kim Osei, RN.")).to_be_visible()
    with site.rows():
        assert Task.objects.get(title__startswith="Enalapril").owner == site.clinic.second_nurse
