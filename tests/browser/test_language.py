"""The patient's pages in longer words, and from right to left: nothing sticks out on a phone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from intake.actions import discard_draft
from portal.people.actions import choose_language
from portal.people.models import User
from queues.actions import withdraw
from tests.browser.conftest import Site, Visitor


def fits(visitor: Visitor, name: str, *, direction: str = "ltr") -> None:
    """The page as it stands, or turned round: it must not scroll sideways, and nothing is cut off at either end."""
    page = visitor.page
    page.evaluate(f"document.documentElement.dir = '{direction}'")
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{name} is {wide} px too wide"
    out = page.evaluate(
        """[...document.querySelectorAll("body *")].filter((each) => {
          const { left, right, width } = each.getBoundingClientRect();
          return width > 1 && !each.matches(".skip, .hide, .hide *") && (left < -1 || right > innerWidth + 1);
        }).map((each) => each.outerHTML.slice(0, 120))"""
    )
    assert not out, f"{name}: {out}"


@pytest.fixture
def sent(site: Site) -> Iterator[str]:
    """A request to look at. The site is everybody's: what is begun here is gone afterwards."""
    with site.rows():
        user = site.clinic.patient.user
        conversation = site.clinic.send(problems="true", which="A rash on both arms since I take it")
    yield conversation.get_absolute_url()
    with site.rows():
        withdraw(conversation=conversation, by=user)
        for draft in user.drafts.all():
            discard_draft(draft=draft, by=user)
        user = User.objects.get(pk=user.pk)
        choose_language(user=user, language="en", by=user)


def fits_turned_round(visitor: Visitor, name: str) -> None:
    """From right to left, on the smallest phone, a usual one and a desk."""
    for width in (320, 390, 1440):
        visitor.page.set_viewport_size({"width": width, "height": 800})
        fits(visitor, f"{name} at {width} px", direction="rtl")


def test_pages_fit_every_screen_from_right_to_left_too(visitor, sent: str) -> None:
    maya = visitor("patient@example.org", phone=True)
    maya.go("/")
    fits_turned_round(maya, "home")
    maya.page.get_by_role("button", name="Refill").click()
    maya.page.get_by_role("button", name="Continue").wait_for()
    fits_turned_round(maya, "form")
    maya.page.get_by_role("button", name="Continue").click()
    maya.page.wait_for_selector("#errors")
    fits_turned_round(maya, "form with errors")
    maya.problems.clear()  # the browser notes the answer 422
    maya.go(sent)
    fits_turned_round(maya, "request")
    maya.go("/requests/")
    fits_turned_round(maya, "requests")
    maya.go(f"{sent}answers/")
    fits_turned_round(maya, "answers")
    maya.go("/access/")
    fits_turned_round(maya, "access")


def test_the_switch_in_the_footer_turns_the_pages_to_spanish_and_they_fit_the_smallest_phone(
    visitor, sent: str
) -> None:
    maya = visitor("patient@example.org", phone=True)
    page = maya.page
    page.set_viewport_size({"width": 320, "height": 700})
    maya.go("/requests/")
    page.get_by_role("button", name="Español").click()
    page.get_by_role("heading", name="Sus solicitudes").wait_for()
    fits(maya, "requests")
    maya.check_accessible()
    maya.go("/")
    fits(maya, "home")
    maya.follow(page.get_by_role("button", name="Refill"))
    fits(maya, "form")
    page.get_by_role("button", name="Continuar").click()
    page.wait_for_selector("#errors")
    fits(maya, "form with errors")
    maya.problems.clear()  # the browser notes the answer 422
    maya.go(sent)
    fits(maya, "request")
