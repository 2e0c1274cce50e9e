"""A slow network: answers that go on changing while the page is being saved."""

from __future__ import annotations

from playwright.sync_api import Route, expect

from tests.browser.conftest import Site


def test_what_is_typed_while_the_page_is_being_saved_stays(site: Site, visitor) -> None:
    maya = visitor("patient@example.org", phone=True)
    page = maya.page
    maya.follow(page.get_by_role("button", name="Refill"))
    box = page.get_by_label("Which medicine?")
    held: list[Route] = []

    def hold_the_first_save(route: Route) -> None:
        if route.request.method == "POST" and not held:
            held.append(route)
        else:
            route.continue_()

    page.route("**/drafts/**", hold_the_first_save)
    with page.expect_request(lambda request: request.method == "POST"):
        box.fill("Lisi")
    box.press_sequentially("nopril 20 mg")
    with page.expect_response(lambda response: response.request.method == "POST"):
        held[0].continue_()
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
