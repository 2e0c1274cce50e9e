"""Asking somebody to act for a patient: by the patient, to an address that has no log-in yet; and at the front desk."""

from __future__ import annotations

import re
from datetime import date

from playwright.sync_api import expect

from audit.now import now
from portal.people.models import Proxy
from tests import factories as make
from tests.browser.conftest import PASSWORD, Site
from tests.browser.test_acting import years_ago
from tests.browser.test_look import look


def test_a_patient_asks_somebody_who_makes_a_log_in_says_yes_and_is_ended(site: Site, visitor) -> None:
    with site.rows():
        site.newcomer("gwen@example.org", name="Gwen Giver", birth_date=date(1961, 2, 3))
    gwen = visitor("gwen@example.org", phone=True)
    page = gwen.page
    gwen.go("/access/")
    gwen.follow(page.get_by_role("link", name="Let somebody act for me"))
    look(gwen, "ask")
    page.get_by_label("Their name").fill("Hal Helper")
    page.get_by_label("Their mail address").fill("hal@example.org")
    page.get_by_text("partner", exact=True).click()
    page.get_by_text("Only these kinds of requests:").click()
    gwen.follow(page.get_by_role("button", name="Continue"))
    expect(page.get_by_text("Choose at least one kind of request.")).to_be_visible()
    gwen.problems.clear()  # the browser notes the answer 422
    look(gwen, "ask-wrong")
    page.get_by_text("Billing question", exact=True).click()
    page.get_by_label("Last day").fill(f"{now().year + 1}-05-06")
    gwen.follow(page.get_by_role("button", name="Continue"))
    expect(page.get_by_role("heading", name="Let Hal Helper act for you?")).to_be_visible()
    expect(page.get_by_text("Billing question")).to_be_visible()
    look(gwen, "ask-sure")
    gwen.follow(page.get_by_role("button", name="Yes, ask them"))
    expect(page.get_by_text("asked, no answer yet")).to_be_visible()
    look(gwen, "ask-done")

    # Hal has no password yet: the mail says how to get one, and nothing of Gwen.
    said = site.mail("hal@example.org", about="/access/").get_content()
    assert "Gwen" not in said
    hal = visitor(phone=True)
    page = hal.page
    page.goto(re.search(r"http\S+/password/reset/", said)[0])  # type: ignore[index]
    page.get_by_label("Email").fill("hal@example.org")
    hal.follow(page.get_by_role("button", name=re.compile("Reset", re.I)))
    key = site.mail("hal@example.org", about="/password/reset/key/").get_content()
    page.goto(re.search(r"http\S+/password/reset/key/\S+", key)[0])  # type: ignore[index]
    for field in page.locator("input[type=password]").all():
        field.fill(PASSWORD)
    hal.follow(page.locator("main button").first)
    hal.log_in("hal@example.org")
    expect(page.get_by_text("hal@example.org")).to_have_count(0)
    expect(page.get_by_role("heading", name="You are asked")).to_be_visible()
    expect(page.get_by_text("Gwen")).to_have_count(0)
    look(hal, "asked")
    page.get_by_label("Birthday of the person").fill("1961-02-04")
    hal.follow(page.get_by_role("button", name="Yes, I will"))
    expect(page.get_by_text("That is not their birthday.")).to_be_visible()
    page.get_by_label("Birthday of the person").fill("1961-02-03")
    hal.follow(page.get_by_role("button", name="Yes, I will"))
    expect(page.get_by_text("You can act for Gwen Giver from now on.")).to_be_visible()
    expect(page.get_by_role("button", name="Billing question")).to_be_visible()
    expect(page.get_by_role("button", name="Refill")).to_have_count(0)

    # Gwen sees it, and ends it.
    page = gwen.page
    gwen.go("/access/")
    expect(page.locator(".grant", has_text="Hal Helper")).to_contain_text("Only: Billing question.")
    gwen.follow(page.get_by_role("link", name="End this Hal Helper"))
    gwen.follow(page.get_by_role("button", name="End it now"))
    hal.go("/")
    expect(hal.page.get_by_text("Your log-in is not linked to a record yet")).to_be_visible()


def test_the_front_desk_asks_a_mother_and_ends_it_with_the_reason(site: Site, visitor) -> None:
    with site.rows():
        tim = site.newcomer("tim@example.org", name="Tim Minor", birth_date=years_ago(9))
        site.let_in(make.UserFactory(email="mia@example.org", name="Mia Minor"))
        site.let_in(
            make.staff("front-desk", name="Flo Desk", email="flo@example.org", facility=site.clinic.facility)
        )
        born = tim.birth_date.isoformat()
    flo = visitor("flo@example.org")
    page = flo.page
    flo.go(f"/work/callers/{tim.pk}/")
    flo.follow(page.get_by_role("link", name="Change who acts for them"))
    look(flo, "desk-ask")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_label("Their name").fill("Mia Minor")
    page.get_by_label("Their mail address").fill("mia@example.org")
    page.get_by_text("parent", exact=True).click()
    page.get_by_text("Everything but what is confidential").click()
    page.get_by_label("Reason, and what you saw").fill("Mother; birth certificate and passport seen")
    flo.follow(page.get_by_role("button", name="Ask them"))
    expect(page.get_by_role("heading", name="Asked, no answer yet")).to_be_visible()
    look(flo, "desk-asked")

    mia = visitor("mia@example.org", phone=True, javascript=False)
    mia.go("/access/")
    mia.page.get_by_label("Birthday of the person").fill(born)
    mia.follow(mia.page.get_by_role("button", name="Yes, I will"))
    expect(mia.page.locator(".who")).to_contain_text("Tim Minor")
    mia.go("/access/")
    expect(mia.page.get_by_text("Ends on the 18th birthday.")).to_be_visible()

    page.set_viewport_size({"width": 1440, "height": 900})
    page.reload()
    page.get_by_text("End this").click()
    page.get_by_label("Why it ends").fill("Custody changed, court order seen")
    look(flo, "desk-end")
    flo.follow(page.get_by_role("button", name="End it now"))
    expect(page.get_by_text("ended: Custody changed, court order seen")).to_be_visible()
    with site.rows():
        assert Proxy.objects.get(patient=tim).ended_at
    mia.go("/")
    expect(mia.page.get_by_text("Your log-in is not linked to a record yet")).to_be_visible()
