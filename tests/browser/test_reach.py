"""The patient's way for everybody: with the keyboard alone, much enlarged, on a thin line, and about two things."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page, expect

from queues.models import Conversation
from tests.browser.conftest import Site

FIRST_LOAD = 100_000  # bytes over the line, headers included
LATER_LOAD = 15_000
PAGES = ("/requests/", "/access/", "/away/")  # not /access/log/: a long one still weighs up to 22 KB


def no_wider_than_the_screen(page: Page) -> None:
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{page.title()} is {wide} px too wide"


def tab_to(page: Page, name: str) -> None:
    """Tab until the focus is on the control of this name, and see that it shows."""
    for _press in range(60):
        page.keyboard.press("Tab")
        here = page.evaluate(
            """() => { const at = document.activeElement, label = at.labels && at.labels[0];
            return [(label || at).innerText, at.matches(':focus-visible')] }"""
        )
        if name in (here[0] or ""):
            break
    else:
        raise AssertionError(f"“{name}” can't be reached with the keyboard")
    assert here[1], f"the focus on “{name}” can't be seen"


def press_away(page: Page, key: str) -> None:
    with page.expect_navigation():
        page.keyboard.press(key)


def test_a_whole_request_by_keyboard_at_four_hundred_per_cent(site: Site, visitor) -> None:
    """1,280 px at 400 % are 320 px of CSS, and 256 px high."""
    maya = visitor("patient@example.org")
    page = maya.page
    page.set_viewport_size({"width": 320, "height": 256})
    maya.go("/")
    no_wider_than_the_screen(page)
    tab_to(page, "Refill")
    press_away(page, "Enter")
    no_wider_than_the_screen(page)
    tab_to(page, "Which medicine?")
    page.keyboard.type("Folic acid 5 mg")
    tab_to(page, "None")
    page.keyboard.press("Space")
    tab_to(page, "Continue")
    press_away(page, "Enter")
    no_wider_than_the_screen(page)
    tab_to(page, "Continue")
    press_away(page, "Enter")
    expect(page.get_by_text("Folic acid 5 mg")).to_be_visible()
    maya.check_accessible()
    no_wider_than_the_screen(page)
    tab_to(page, "Send")
    press_away(page, "Enter")
    expect(page.get_by_role("heading", name="We have your request")).to_be_visible()
    no_wider_than_the_screen(page)
    tab_to(page, "See your request")
    press_away(page, "Enter")
    no_wider_than_the_screen(page)
    maya.check_accessible()


def transferred(page: Page, go: Any) -> int:
    """Bytes over the line for all that a page loads."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    found: list[float] = []
    session.on("Network.loadingFinished", lambda event: found.append(event["encodedDataLength"]))
    go()
    page.wait_for_load_state("networkidle")
    session.detach()
    assert found
    return int(sum(found))


def test_pages_are_light(site: Site, visitor) -> None:
    """From the door to the first question all together are a first load; whatever is opened after that is light."""
    maya = visitor()
    page = maya.page
    first = transferred(page, lambda: maya.go("/accounts/login/"))
    maya.log_in("patient@example.org")
    first += transferred(page, lambda: maya.go("/"))
    first += transferred(page, lambda: maya.follow(page.get_by_role("button", name="Refill")))
    assert first < FIRST_LOAD, first
    form = page.url.removeprefix(site.url)
    weights = {path: transferred(page, lambda path=path: maya.go(path)) for path in (form, "/", *PAGES)}
    heavy = {path: weight for path, weight in weights.items() if weight >= LATER_LOAD}
    assert not heavy, heavy


def test_two_things_from_one_visit_are_two_requests_shown_as_one(site: Site, visitor) -> None:
    maya = visitor("patient@example.org", phone=True, javascript=False)
    page = maya.page
    maya.follow(page.get_by_role("button", name="Refill"))
    page.get_by_label("Which medicine?").fill("Metoprolol 50 mg")
    page.get_by_text("None", exact=True).click()
    maya.follow(page.get_by_role("button", name="Continue"))
    while not page.get_by_role("button", name="Send", exact=True).count():
        maya.follow(page.get_by_role("button", name="Continue"))
    maya.follow(page.get_by_role("button", name="Send", exact=True))
    first = int(re.search(r"/requests/(\d+)/", page.url)[1])  # type: ignore[index]
    page.get_by_text("Is there something else?").click()
    maya.follow(page.get_by_role("button", name=re.compile("Billing")))
    page.get_by_role("textbox").first.fill("I was charged twice for the visit in May.")
    while not page.get_by_role("button", name="Send", exact=True).count():
        maya.follow(page.get_by_role("button", name="Continue"))
    maya.follow(page.get_by_role("button", name="Send", exact=True))
    second = int(re.search(r"/requests/(\d+)/", page.url)[1])  # type: ignore[index]
    maya.follow(page.get_by_role("link", name="See your request"))
    expect(page.locator(f'a[href*="/requests/{first}/"]').first).to_be_visible()
    with site.rows():
        both = Conversation.objects.filter(pk__in=[first, second])
        queues = {task.queue_id for each in both for task in each.tasks.all()}
    assert len(queues) == 2, "each goes to those who can answer it"
