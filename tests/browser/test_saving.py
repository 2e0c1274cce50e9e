"""A slow network: answers that go on changing while the page is being saved."""

from __future__ import annotations

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Site


class Line:
    """Saves of a form's page that are on their way until the test lets them arrive."""

    def __init__(self, page: Page, *, holds: int) -> None:
        self.page, self.holds, self.held = page, holds, list[Route]()
        page.route("**/drafts/**", self._hold)

    def _hold(self, route: Route) -> None:
        if "hx-request" in route.request.headers and len(self.held) < self.holds:
            self.held.append(route)
        else:
            route.continue_()

    def arrives(self, number: int) -> None:
        """The save of this number, from 1, reaches the server, and its answer the page."""
        for _wait in range(250):
            if len(self.held) >= number:
                break
            self.page.wait_for_timeout(20)
        with self.page.expect_response(lambda response: response.request.method == "POST") as got:
            self.held[number - 1].continue_()
        got.value.finished()
        self.page.wait_for_timeout(100)


def test_what_is_typed_while_the_page_is_being_saved_stays(site: Site, visitor) -> None:
    maya = visitor("patient@example.org", phone=True)
    page = maya.page
    maya.follow(page.get_by_role("button", name="Refill"))
    box = page.get_by_label("Which medicine?")
    line = Line(page, holds=1)
    with page.expect_request(lambda request: request.method == "POST"):
        box.fill("Lisi")
    box.press_sequentially("nopril 20 mg")
    line.arrives(1)
    expect(box).to_have_value("Lisinopril 20 mg")
    expect(page.locator("#saved")).to_have_text("Saved a moment ago")
    expect(box).to_have_value("Lisinopril 20 mg")
    page.get_by_text("None", exact=True).click()
    maya.follow(page.get_by_role("button", name="Continue"))
    maya.follow(page.get_by_role("button", name="Back"))
    expect(page.get_by_label("Which medicine?")).to_have_value("Lisinopril 20 mg")
    expect(page.get_by_label("None", exact=True)).to_be_checked()
    page.get_by_role("link", name="Delete this draft").click()
    maya.follow(page.get_by_role("button", name="Delete it"))


def test_no_press_is_lost_while_the_page_is_being_saved(site: Site, visitor) -> None:
    """The answer of a save puts a new page in place of the old: under a finger, and under the focus."""
    maya = visitor("patient@example.org", phone=True)
    page = maya.page
    maya.follow(page.get_by_role("button", name="Refill"))
    box = page.get_by_label("Which medicine?")
    line = Line(page, holds=2)
    button = page.get_by_role("button", name="Continue", exact=True)
    with page.expect_request(lambda request: request.method == "POST"):
        box.fill("Lisinopril 20 mg")
        button.focus()
    line.arrives(1)
    expect(page.locator("#saved")).to_have_text("Saved a moment ago")
    expect(button).to_be_focused()

    with page.expect_request(lambda request: request.method == "POST"):
        page.get_by_text("None", exact=True).click()
    place = button.bounding_box()
    assert place
    page.mouse.move(place["x"] + 9, place["y"] + 9)
    page.mouse.down()
    line.arrives(2)
    with page.expect_navigation():
        page.mouse.up()
    page.get_by_role("link", name="Delete this draft").click()
    maya.follow(page.get_by_role("button", name="Delete it"))
