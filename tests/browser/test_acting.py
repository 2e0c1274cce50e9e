"""Acting for somebody: what a parent does not see, what a carer with a narrow grant sees, and how it ends."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from audit.now import now
from portal.people import actions as people
from portal.people.models import Mail, Patient, User
from queues.models import Conversation
from tests import factories as make
from tests.browser.conftest import DESKTOP, Site, Visitor
from tests.browser.test_look import look

JAVASCRIPT = pytest.mark.parametrize(
    "javascript", [True, False], ids=["with JavaScript", "without JavaScript"]
)


def years_ago(years: int) -> date:
    today = now().date()
    return today.replace(year=today.year - years, day=min(today.day, 28))


def acts_for(site: Site, mail: str, name: str, patient: Patient, **grant: Any) -> User:
    user = site.let_in(make.UserFactory(name=name, email=mail))
    people.grant_proxy(user=user, patient=patient, by=site.clinic.admin, **grant)
    return user


def is_not_here(visitor: Visitor, path: str) -> None:
    response = visitor.page.goto(visitor.site.url + path)
    assert response is not None
    assert response.status == 404
    visitor.problems.clear()  # the browser notes the answer 404


def fill_refill(visitor: Visitor, medicine: str) -> int:
    """From the first page of the form to the confirmation; the key of the request."""
    page = visitor.page
    page.get_by_label("Which medicine?").fill(medicine)
    page.get_by_text("A few days").click()
    visitor.follow(page.get_by_role("button", name="Continue"))
    visitor.follow(page.get_by_role("button", name="Continue"))
    visitor.follow(page.get_by_role("button", name="Send", exact=True))
    expect(page.get_by_role("heading", name="We have your request")).to_be_visible()
    found = re.search(r"/requests/(\d+)/", page.url)
    assert found
    return int(found[1])


def links(page: Page, number: int) -> Any:
    return page.locator(f'main a[href*="/requests/{number}/"]')


@JAVASCRIPT
def test_what_a_teenager_keeps_confidential_reaches_no_parent(site: Site, visitor, javascript: bool) -> None:
    end = "quick" if javascript else "plain"
    medicine = f"Levonorgestrel {end}"
    with site.rows():
        tess = site.newcomer(f"tess-{end}@example.org", name="Tess Young", birth_date=years_ago(15))
        acts_for(site, f"pat-{end}@example.org", "Pat Young", tess, relationship="parent")

    # Tess keeps one request between her and the clinic, and sends another as always.
    visit = visitor(f"tess-{end}@example.org", phone=True, javascript=javascript)
    page = visit.page
    page.get_by_text("Keep this between me and the clinic").click()
    visit.follow(page.get_by_role("button", name="Refill"))
    expect(page.get_by_text("Only you and the clinic see this request.")).to_be_visible()
    hidden = fill_refill(visit, medicine)
    visit.go("/")
    visit.follow(page.get_by_role("button", name="Refill"))
    told = fill_refill(visit, "Cetirizine")
    visit.go("/requests/")
    expect(links(page, hidden)).to_contain_text("confidential")
    expect(links(page, told)).not_to_contain_text("confidential")

    # Ana is told that it is not for the parent, in the list and on the page, and answers.
    with site.rows():
        task = Conversation.objects.get(pk=hidden).tasks.get()
    ana = visitor("nurse@example.org", javascript=javascript)
    ana.go(f"/work/queues/{task.queue_id}/")
    expect(
        ana.page.locator("tr", has_text=medicine).get_by_text("confidential: only with the patient")
    ).to_be_visible()
    if javascript:
        look(ana, "list-confidential")
        ana.page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    ana.go(f"/work/tasks/{task.pk}/")
    expect(ana.page.get_by_text("Confidential: not for the parent")).to_be_visible()
    ana.page.get_by_role("button", name=re.compile("^Claim( C)?$")).click()
    ana.page.get_by_label("Reply to the patient").fill("It is at the pharmacy, only for you.")
    ana.follow(ana.page.get_by_role("button", name="Send", exact=True))

    # The mail goes to Tess alone and says nothing.
    mail = site.mail(f"tess-{end}@example.org", about=f"/requests/{hidden}/")
    said = str(mail["Subject"]) + mail.get_content()
    for word in ("Levonorgestrel", "pharmacy", "confidential", "Tess", "Refill"):
        assert word not in said
    with site.rows():
        assert Mail.objects.filter(path=f"/requests/{hidden}/").values_list(
            "recipient__email"
        ).distinct().get() == (f"tess-{end}@example.org",)
    assert all(
        f"/requests/{hidden}/" not in each.get_content() for each in site.mails(f"pat-{end}@example.org")
    )

    # Pat sees the one that is no secret, and nothing that would tell of the other.
    pat = visitor(f"pat-{end}@example.org", phone=True, javascript=javascript)
    page = pat.page
    expect(page.get_by_text("Keep this between me and the clinic")).to_have_count(0)
    for path in ("/", "/requests/"):
        pat.go(path)
        expect(links(page, told)).to_be_visible()
        expect(links(page, hidden)).to_have_count(0)
        expect(page.get_by_text("confidential")).to_have_count(0)
    pat.go("/access/log/")
    expect(page.get_by_text("Ana Ruiz")).to_have_count(0)
    for path in (f"/requests/{hidden}/", f"/requests/{hidden}/sent/"):
        is_not_here(pat, path)

    # Tess reads the answer.
    visit.go(f"/requests/{hidden}/")
    expect(visit.page.get_by_text("It is at the pharmacy, only for you.")).to_be_visible()


@JAVASCRIPT
def test_a_carer_chooses_the_person_sees_what_the_grant_names_and_nothing_after_its_end(
    site: Site, visitor, javascript: bool
) -> None:
    end = "quick" if javascript else "plain"
    with site.rows():
        clinic = site.clinic
        mrs, mr = (
            site.newcomer(f"{name.lower()}-{end}@example.org", name=f"{name} Grant")
            for name in ("Greta", "Gus")
        )
        carer = acts_for(
            site, f"cary-{end}@example.org", "Cary Carer", mrs, relationship="carer", scope=["billing"]
        )
        people.grant_proxy(user=carer, patient=mr, relationship="carer", by=clinic.admin)

    # Greta sends a refill herself.
    greta = visitor(f"greta-{end}@example.org", phone=True, javascript=javascript)
    greta.follow(greta.page.get_by_role("button", name="Refill"))
    refill = fill_refill(greta, "Warfarin 5 mg")

    # Cary acts for two people: the person comes first, with what the grant names.
    cary = visitor(f"cary-{end}@example.org", phone=True, javascript=javascript)
    page = cary.page
    expect(page.get_by_role("heading", name="Who is this for?")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("Greta Grant.*only: Billing question"))).to_be_visible()
    if javascript:
        look(cary, "person")
    cary.follow(page.get_by_role("button", name=re.compile("Greta Grant")))
    expect(page.locator(".who")).to_contain_text("Greta Grant")
    expect(page.get_by_role("button", name="Billing question")).to_be_visible()
    expect(page.get_by_role("button", name="Refill")).to_have_count(0)
    expect(links(page, refill)).to_have_count(0)
    is_not_here(cary, f"/requests/{refill}/")

    # Of Gus, whose grant is for all, Cary may ask for a refill too; and comes back to Greta.
    cary.go("/")
    cary.follow(page.get_by_role("link", name="change"))
    cary.follow(page.get_by_role("button", name=re.compile("Gus Grant")))
    expect(page.get_by_role("button", name="Refill")).to_be_visible()
    cary.follow(page.get_by_role("link", name="change"))
    cary.follow(page.get_by_role("button", name=re.compile("Greta Grant")))
    cary.follow(page.get_by_role("button", name="Billing question"))
    page.get_by_role("textbox").first.fill("Was the visit in May billed twice?")
    cary.follow(page.get_by_role("button", name="Continue"))
    cary.follow(page.get_by_role("button", name="Send", exact=True))
    bill = int(re.search(r"/requests/(\d+)/", page.url)[1])  # type: ignore[index]

    # Greta sees who acts for her and what for, reads what Cary sent, and ends it.
    page = greta.page
    greta.go(f"/requests/{bill}/")
    expect(page.get_by_text("Was the visit in May billed twice?")).to_be_visible()
    greta.follow(page.get_by_role("link", name="Privacy"))
    expect(page.locator(".grant", has_text="Cary Carer")).to_contain_text("Only: Billing question.")
    if javascript:
        look(greta, "access")
    greta.follow(page.get_by_role("link", name="End this Cary Carer"))
    expect(page.get_by_role("heading", name="Stop Cary Carer from acting for you?")).to_be_visible()
    greta.follow(page.get_by_role("button", name="End it now"))
    expect(page.get_by_text("It is ended.")).to_be_visible()
    expect(page.locator(".grant", has_text="Cary Carer")).to_contain_text("Ended on")
    for mail in (f"cary-{end}@example.org", f"greta-{end}@example.org"):
        said = site.mail(mail, about="Somebody who acted for somebody else").get_content()
        assert "Cary" not in said
        assert "Greta" not in said

    # Cary's open page leads nowhere any more; of Gus everything is as before.
    is_not_here(cary, f"/requests/{bill}/")
    cary.go("/")
    expect(cary.page.locator(".who")).to_contain_text("Gus Grant")
    expect(cary.page.get_by_text("Greta")).to_have_count(0)


def test_a_draft_of_a_carer_whose_grant_ends_meanwhile_is_not_sent(site: Site, visitor) -> None:
    with site.rows():
        ivy = site.newcomer("ivy@example.org", name="Ivy Late")
        acts_for(site, "carl@example.org", "Carl Late", ivy, relationship="partner")
    carl = visitor("carl@example.org", phone=True)
    page = carl.page
    carl.follow(page.get_by_role("button", name="Billing question"))
    page.get_by_role("textbox").first.fill("What is this bill?")
    carl.follow(page.get_by_role("button", name="Continue"))
    with site.rows():
        people.end_proxy(proxy=ivy.proxies.get(), by=ivy.user)
    carl.follow(page.get_by_role("button", name="Send", exact=True))
    expect(page.get_by_role("heading", name=re.compile("not here|not find|nothing", re.I))).to_be_visible()
    carl.problems.clear()  # the browser notes the answer 404
    with site.rows():
        assert not Conversation.objects.filter(patient=ivy).exists()
