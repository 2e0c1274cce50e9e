"""The patient's way for everybody: with the keyboard alone, much enlarged, without scripts, on a thin line,
and about two things."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page, expect

from audit.now import now
from intake import actions as intake
from portal.people import actions as people
from queues import actions as queues
from queues.models import Conversation, FollowUpForm, Message
from tests import factories as make
from tests.browser.conftest import Site, Visitor
from tests.intake.attachments.files import RASH, located_photo
from tests.intake.conftest import ASTHMA

FIRST_LOAD = 100_000  # bytes over the line, headers included
LATER_LOAD = 15_000
PAGES = ("/requests/", "/access/", "/access/log/", "/away/")


def no_wider_than_the_screen(page: Page) -> None:
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{page.title()} is {wide} px too wide"


def tab_to(page: Page, name: str) -> None:
    """Tab until the focus is on the control of this name, and see that it shows."""
    for _press in range(60):
        page.keyboard.press("Tab")
        here = page.evaluate(
            """() => { const at = document.activeElement, label = at.labels && at.labels[0];
            return at === document.body ? ["", false] : [(label || at).innerText, at.matches(':focus-visible')] }"""
        )
        if name in " ".join((here[0] or "").split()):
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


def transferred(page: Page, go: Any) -> dict[str, int]:
    """Bytes over the line for all that a page loads, by address; nothing for what the browser had."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    names: dict[str, str] = {}
    found: dict[str, int] = {}
    session.on(
        "Network.requestWillBeSent", lambda event: names.update({event["requestId"]: event["request"]["url"]})
    )

    def finished(event: dict[str, Any]) -> None:
        name = names.get(event["requestId"], "")
        found[name] = found.get(name, 0) + int(event["encodedDataLength"])

    session.on("Network.loadingFinished", finished)
    go()
    page.wait_for_load_state("networkidle")
    session.detach()
    assert found
    return found


def test_pages_are_light(site: Site, visitor) -> None:
    """The first page brings all that the others need; whatever is opened after it is light, the first question too."""
    with site.rows():
        site.newcomer("lena@example.org", name="Lena Light")
    lena = visitor()
    page = lena.page
    first = transferred(page, lambda: lena.go("/accounts/login/"))
    assert sum(first.values()) < FIRST_LOAD, first
    steps = {
        "log in": lambda: lena.log_in("lena@example.org"),
        "form": lambda: lena.follow(page.get_by_role("button", name="Refill")),
        **{path: (lambda path=path: lena.go(path)) for path in ("/", *PAGES)},
    }
    for name, go in steps.items():
        weight = transferred(page, go)
        assert sum(weight.values()) < LATER_LOAD, (name, weight)


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


WIDTHS = {"320": (320, 700), "390": (390, 844), "1440": (1440, 900)}


def sound(visitor: Visitor) -> None:
    """At each width no sideways scrolling, and nothing that axe finds."""
    for width, height in WIDTHS.values():
        visitor.page.set_viewport_size({"width": width, "height": height})
        no_wider_than_the_screen(visitor.page)
        visitor.check_accessible()


def without_scripts(visitor: Visitor) -> Visitor:
    """Every script of the site is empty. Switching JavaScript off would switch axe off too, and all there is are files:
    the site's rules for content let no other script run."""
    visitor.context.route(
        re.compile(r"\.js(\?|$)"), lambda route: route.fulfill(body="", content_type="text/javascript")
    )
    return visitor


def test_every_page_without_javascript_fits_each_screen_and_axe_finds_nothing(site: Site, visitor) -> None:
    with site.rows():
        clinic = site.clinic
        nils = site.newcomer("nils@example.org", name="Nils Noscript")
        carer = site.let_in(make.UserFactory(email="carla@example.org", name="Carla Noscript"))
        for patient in (nils, site.newcomer("nova@example.org", name="Nova Noscript")):
            people.grant_proxy(user=carer, patient=patient, relationship="carer", by=clinic.admin)
        questionnaire = make.request_type("breath-reach", ASTHMA, name="Breath").questionnaire
        intake.offer_follow_up(questionnaire=questionnaire, how="clinical", by=clinic.admin)
    nobody = without_scripts(visitor())
    page = nobody.page
    for path in ("/accounts/login/", "/accounts/password/reset/", "/away/"):
        nobody.go(path)
        sound(nobody)

    nils = without_scripts(visitor(phone=True)).log_in("nils@example.org")
    page = nils.page
    sound(nils)
    nils.follow(page.get_by_role("button", name="Refill"))
    sound(nils)
    nils.follow(page.get_by_role("button", name="Continue"))
    expect(page.locator("#errors")).to_be_visible()
    nils.problems.clear()  # the browser notes the answer 422
    sound(nils)
    page.get_by_label("Which medicine?").fill("Timolol")
    page.get_by_text("None", exact=True).click()
    nils.follow(page.get_by_role("button", name="Continue"))
    page.get_by_text("Yes", exact=True).click()
    nils.follow(page.get_by_role("button", name="Continue"))
    expect(page.get_by_text("Your answer brings up one more question.")).to_be_visible()
    sound(nils)
    page.get_by_label("Which problems?").fill("My chest hurts and I can't breathe")
    nils.follow(page.get_by_role("button", name="Continue"))
    expect(page.locator("#notice")).to_be_visible()
    sound(nils)
    nils.follow(page.get_by_role("button", name="Send", exact=True))
    sound(nils)
    nils.follow(page.get_by_role("link", name="See your request"))
    sound(nils)
    answers = page.url.removeprefix(site.url) + "answers/"
    nils.follow(page.get_by_role("link", name="This got worse"))
    sound(nils)
    for path in ("/", answers, "/requests/", "/access/", "/access/log/", "/accounts/email/"):
        nils.go(path)
        sound(nils)
    nils.go("/access/")
    nils.follow(page.get_by_role("link", name=re.compile("End this")))
    sound(nils)

    carla = without_scripts(visitor(phone=True)).log_in("carla@example.org")
    sound(carla)


def small(visitor: Visitor) -> Page:
    """A browser of 1,280 px at 400 %: 320 px of CSS, and 256 px high."""
    visitor.page.set_viewport_size({"width": 320, "height": 256})
    return visitor.page


def test_choosing_a_person_ending_a_grant_and_leaving_at_once_by_keyboard(site: Site, visitor) -> None:
    with site.rows():
        carer = site.let_in(make.UserFactory(email="kay@example.org", name="Kay Keys"))
        for mail, name in (("kim@example.org", "Kim Keys"), ("kurt@example.org", "Kurt Keys")):
            patient = site.newcomer(mail, name=name)
            people.grant_proxy(user=carer, patient=patient, relationship="carer", by=site.clinic.admin)
    kay = visitor("kay@example.org")
    page = small(kay)
    no_wider_than_the_screen(page)
    tab_to(page, "Kurt Keys")
    press_away(page, "Enter")
    expect(page.locator(".who")).to_contain_text("Kurt Keys")
    tab_to(page, "change")
    press_away(page, "Enter")
    tab_to(page, "Kim Keys")
    press_away(page, "Space")
    expect(page.locator(".who")).to_contain_text("Kim Keys")
    tab_to(page, "Privacy")
    press_away(page, "Enter")
    no_wider_than_the_screen(page)
    tab_to(page, "Who opened the record of Kim Keys")
    press_away(page, "Enter")
    no_wider_than_the_screen(page)
    tab_to(page, "Privacy")
    press_away(page, "Enter")
    tab_to(page, "End this Kim Keys")
    press_away(page, "Enter")
    no_wider_than_the_screen(page)
    tab_to(page, "End it now")
    press_away(page, "Enter")
    expect(page.get_by_text("It is ended.")).to_be_visible()
    kay.go("/away/")
    no_wider_than_the_screen(page)
    tab_to(page, "555-0100")


def test_a_photo_and_a_small_form_of_the_clinics_by_keyboard(site: Site, visitor) -> None:
    with site.rows():
        clinic = site.clinic
        rosa = site.newcomer("rosa.keys@example.org", name="Rosa Keys")
        make.request_type("rash-keys", RASH, name="Skin keys", title_items=["where"])
        questionnaire = make.request_type("breath-keys", ASTHMA, name="Breath keys").questionnaire
        intake.offer_follow_up(questionnaire=questionnaire, how="clinical", by=clinic.admin)
    visit = visitor("rosa.keys@example.org")
    page = small(visit)
    tab_to(page, "Skin keys")
    press_away(page, "Enter")
    tab_to(page, "Where is it?")
    page.keyboard.type("On the elbow")
    tab_to(page, "Photos of it")
    expect(page.locator("#saved")).to_have_text("Saved a moment ago", timeout=20_000)
    page.wait_for_load_state("networkidle")
    expect(page.get_by_label("Photos of it")).to_be_focused()
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    chooser.value.set_files({"name": "arm.jpg", "mimeType": "image/jpeg", "buffer": located_photo()})
    expect(page.get_by_role("link", name="arm.jpg")).to_be_visible()
    no_wider_than_the_screen(page)
    tab_to(page, "Remove arm.jpg")
    tab_to(page, "Continue")
    press_away(page, "Enter")
    tab_to(page, "Send")
    press_away(page, "Enter")
    tab_to(page, "See your request")
    press_away(page, "Enter")

    with site.rows():
        task = queues.claim(task=rosa.conversations.get().tasks.get(), by=clinic.nurse)
        form = FollowUpForm.objects.get(code="breath-keys")
        queues.ask_back(task=task, question="", follow_up=form, by=clinic.nurse)
        Message.objects.filter(task=task).update(shown_at=now())  # nobody takes it back
    page.reload()
    no_wider_than_the_screen(page)
    tab_to(page, "Answer the questions")
    press_away(page, "Enter")
    no_wider_than_the_screen(page)
    tab_to(page, "How many nights did you wake?")
    page.keyboard.type("3")
    tab_to(page, "Continue")
    press_away(page, "Enter")
    tab_to(page, "Send")
    press_away(page, "Enter")
    expect(page.get_by_text("Your answers are sent.")).to_be_visible()
    no_wider_than_the_screen(page)
    visit.check_accessible()
    tab_to(page, "Add something")
    page.keyboard.type("Better since today.")
    tab_to(page, "Send message")
    press_away(page, "Enter")
    expect(page.get_by_text("Your message is sent.")).to_be_visible()
