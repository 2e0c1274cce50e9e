"""What is kept of a page is nobody's own: whoever gets it sees their token, their words and their messages in it."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse, set_script_prefix
from django.utils.safestring import SafeString

from audit.now import at
from queues.models import Task
from queues.views import pieces
from tests.clinic import Clinic
from tests.pages import said, seal, stamp
from tests.queues.test_pages import client_of

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TOKEN = r'name="csrfmiddlewaretoken" value="([^"]+)"'


TOLD = {"signature": "Ana", "takes_calls": False, "worked": 0}
HOLES = {"csrf": "token", "page_at": "1", "words": ""}


def top(signature: str = "Ana", words: str = "") -> SafeString:
    """A piece with holes in it: the top of a page."""
    told = TOLD | {"signature": signature}
    return pieces.written("queues/top.html", "en", told, **HOLES | {"words": words})


def test_what_fills_a_hole_is_escaped_like_everything_else() -> None:
    html = top('<i>"', '"><script>')
    assert "&lt;i&gt;" in html
    assert "&gt;&lt;script&gt;" in html
    assert "<i>" not in html
    assert '">' + "<script>" not in html


def test_a_piece_is_written_once_for_what_it_is_told_and_a_filling_stays_in_no_piece() -> None:
    pieces._parts.cache_clear()
    first = top()
    assert top() == first
    assert pieces._parts.cache_info().misses == 1
    assert "Okafor" in top(words="Okafor")
    assert pieces._parts.cache_info().misses == 1
    assert top() == first
    assert "Ben" in top("Ben")
    assert pieces._parts.cache_info().misses == 2


def test_what_is_kept_is_what_the_template_writes() -> None:
    assert top() == render_to_string("queues/top.html", TOLD | HOLES, using="compiled")


def test_each_browser_finds_its_own_token_seal_and_time_on_the_same_list(clinic: Clinic) -> None:
    clinic.task()
    browsers = [client_of(clinic.nurse), client_of(clinic.second_nurse), client_of(clinic.nurse)]
    pages = [browser.get(reverse("all")) for browser in browsers]
    for read in (seal, stamp, lambda page: said(page, TOKEN)):
        found = [read(page) for page in pages]
        assert all(found)
        assert len(set(found)) == len(found)
    for page in pages:
        assert len(set(re.findall(TOKEN, page.content.decode()))) == 1


def test_the_tokens_on_a_kept_list_are_taken(clinic: Clinic) -> None:
    clinic.task()
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(clinic.nurse)
    for _time in range(2):  # the second is made of what was kept
        page = careful.get(reverse("all"))
    assert careful.post(reverse("claim-next"), {"page": stamp(page)}).status_code == 403
    data = {"page": stamp(page), "csrfmiddlewaretoken": said(page, TOKEN)}
    assert careful.post(reverse("claim-next"), data).status_code == 302
    assert Task.objects.filter(owner=clinic.nurse).exists()


def test_a_message_is_told_once_on_a_list_and_to_one_person(clinic: Clinic) -> None:
    nurse, second = client_of(clinic.nurse), client_of(clinic.second_nurse)
    sentence = "Nothing is waiting to be claimed."
    nurse.get(reverse("all"))
    assert nurse.post(reverse("claim-next")).url == reverse("work")
    pages = [browser.get(reverse("all")).content.decode() for browser in (second, nurse, nurse, second)]
    assert [sentence in page for page in pages] == [False, True, False, False]


def test_a_list_is_kept_by_language(clinic: Clinic) -> None:
    clinic.task()
    english, spanish = client_of(clinic.nurse), client_of(clinic.second_nurse)
    type(clinic.nurse).objects.filter(pk=clinic.second_nurse.pk).update(language="es")
    for _time in range(2):
        for browser, language, close in ((english, "en", "Close"), (spanish, "es", "Cerrar")):
            page = browser.get(reverse("all")).content.decode()
            assert f'lang="{language}"' in page
            assert f">{close}</button>" in page


@pytest.mark.parametrize(
    ("due", "written"), [(DAY * 2, 0), (HOUR, 0), (-DAY * 3, 0), (-HOUR * 5, 0), (-MINUTE * 20, 1)]
)
def test_a_row_is_written_anew_when_its_words_change_and_not_before(
    clinic: Clinic, due: timedelta, written: int
) -> None:
    moment = datetime(2027, 7, 7, 14, 0, 10, tzinfo=UTC)  # ten in the morning in New York
    task, nurse = clinic.task(), client_of(clinic.nurse)
    Task.objects.filter(pk=task.pk).update(due_at=moment + due)
    with at(moment):
        nurse.get(reverse("all"))
        before = pieces._parts.cache_info().misses
    with at(moment + MINUTE):
        nurse.get(reverse("all"))
    assert pieces._parts.cache_info().misses - before == written


def test_what_is_kept_under_one_address_is_not_shown_under_another() -> None:
    set_script_prefix("/elsewhere/")
    try:
        assert 'href="/elsewhere/work/' in top()
    finally:
        set_script_prefix("/")
    assert "/elsewhere/" not in top()
