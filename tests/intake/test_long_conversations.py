"""A request about which much was said is read page by page, each as light as every other page."""

from __future__ import annotations

import gzip
import json
import random
import re
import string
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from audit.now import now
from intake import actions, forms
from intake.bench import large_form
from intake.conversations import LENGTH, MOST
from intake.models import Draft
from intake.questionnaires.trial import sample_answers
from queues.models import Conversation, Message
from tests import factories as make
from tests.clinic import Clinic
from tests.intake.test_pages import client_of

LIGHT = 13_500  # bytes; 15,000 with the headers


@pytest.fixture
def maya(clinic: Clinic) -> Client:
    return client_of(clinic.patient.user)


def say(clinic: Clinic, row: Conversation, bodies: list[str], *, at_once: bool = False) -> list[int]:
    """Both sides in turn, a minute between two messages, or all in the same moment."""
    begun, rows = now() - timedelta(days=1), []
    for number, body in enumerate(bodies):
        moment = begun if at_once else begun + timedelta(minutes=number)
        mine = number % 2 == 0
        author = clinic.patient.user if mine else clinic.nurse
        rows.append(
            Message(
                conversation=row, author=author, from_patient=mine, body=body, sent_at=moment, shown_at=moment
            )
        )
    return [each.pk for each in Message.objects.bulk_create(rows)]


def told(html: str) -> list[str]:
    return re.findall(r'<p class="prose">(.*?)</p>', html)


def pages(maya: Client, row: Conversation) -> list[str]:
    """Every page, from the newest to the oldest, by its own links."""
    found, query = [], ""
    while True:
        response = maya.get(row.get_absolute_url() + query)
        assert len(gzip.compress(response.content)) < LIGHT
        found.append(response.content.decode())
        link = re.search(r'href="([?]before=\d+)#messages"', found[-1])
        if link is None:
            return found
        query = link[1]


@pytest.mark.parametrize("at_once", [False, True], ids=["one after the other", "in the same moment"])
def test_two_hundred_messages_are_all_there_once_in_their_order(
    clinic: Clinic, maya: Client, at_once: bool
) -> None:
    row = clinic.send()
    say(clinic, row, [f"Message {number}" for number in range(200)], at_once=at_once)
    found = pages(maya, row)
    assert len(found) == 200 / MOST
    assert [words for page in reversed(found) for words in told(page)] == [f"Message {n}" for n in range(200)]
    assert "Newest" in found[1]
    assert "Newest" not in found[0]


def test_long_messages_are_fewer_on_a_page_and_none_is_cut(clinic: Clinic, maya: Client) -> None:
    row = clinic.send()
    noise = random.Random(1)
    letters = string.ascii_letters + "     "
    bodies = ["".join(noise.choices(letters, k=2400)).strip() for _number in range(24)]
    say(clinic, row, bodies)
    found = pages(maya, row)
    assert all(len(told(page)) <= LENGTH / 2000 for page in found)
    assert [words for page in reversed(found) for words in told(page)] == bodies


def test_a_short_one_has_no_way_to_earlier_ones_and_a_wrong_key_shows_the_newest(
    clinic: Clinic, maya: Client
) -> None:
    row, other = clinic.send(), clinic.send()
    say(clinic, row, ["Hello"])
    (elsewhere,) = say(clinic, other, ["Of another request"])
    assert "before=" not in maya.get(row.get_absolute_url()).content.decode()
    for before in ("x", str(elsewhere), "9" * 18):
        html = maya.get(row.get_absolute_url(), {"before": before}).content.decode()
        assert told(html) == ["Hello"]


def sent_with_many_answers(clinic: Clinic) -> Conversation:
    large = make.request_type("large", json.loads(large_form()), name="Large")
    draft = actions.start_draft(request_type=large, patient=clinic.patient, by=clinic.patient.user)
    raw = sample_answers(forms.form(draft.version), 0)
    actions.save_draft(draft=draft, raw=raw, by=clinic.patient.user)
    return actions.submit(draft_id=draft.pk, by=clinic.patient.user)


def test_what_was_sent_with_a_very_long_form_is_read_page_by_page_each_answer_once(
    clinic: Clinic, maya: Client
) -> None:
    row = sent_with_many_answers(clinic)
    summary = row.submission.summary
    assert len(summary) > 600
    response = maya.get(row.get_absolute_url())
    assert len(gzip.compress(response.content)) < LIGHT
    url = reverse("answers", args=[row.pk])
    assert f"See all {len(summary)} answers" in response.content.decode()
    assert f'href="{url}"' in response.content.decode()
    found, query = [], ""
    while query is not None:
        response = maya.get(url + query)
        assert len(gzip.compress(response.content)) < LIGHT
        found += [(line["label"], line["value"]) for line in response.context["part"].object_list[0]]
        link = re.search(r'class="button slim" href="([?]page=\d+)"', response.content.decode())
        query = link[1] if link else None
    assert found == [(line["label"], line["value"]) for line in summary]


def looked_over(maya: Client, draft: Draft) -> list[str]:
    """Every page of the look before sending, by its own links, each as light as any other."""
    found, query = [], ""
    while True:
        response = maya.get(reverse("review", args=[draft.pk]) + query)
        assert len(gzip.compress(response.content)) < LIGHT
        found.append(response.content.decode())
        link = re.search(r'class="button" href="([?]page=\d+)"', found[-1])
        if link is None:
            return found
        query = link[1]


def test_very_many_long_texts_are_looked_over_by_their_beginnings_with_a_way_to_each(
    clinic: Clinic, maya: Client
) -> None:
    asked = [{"linkId": f"t.{n}", "type": "text", "text": f"What of the year {n}?"} for n in range(100)]
    form = {"resourceType": "Questionnaire", "status": "active", "title": "Much", "item": asked}
    much = make.request_type("much", form, name="Much")
    words = [f"{n} began, and {'went on and ' * 150}ended" for n in range(100)]
    raw = {f"i.t~2E{n}": [said] for n, said in enumerate(words)}
    draft = actions.start_draft(request_type=much, patient=clinic.patient, by=clinic.patient.user, raw=raw)
    found = looked_over(maya, draft)
    assert len(found) > 1
    pages = forms.form(draft.version).page_of
    for n in range(100):
        at = reverse("draft", args=[draft.pk, pages[f"t.{n}"].id]) + f"?review#i.t~2E{n}"
        (shown,) = (page for page in found if f'href="{at}"' in page)
        assert f"{n} began, and went on" in shown
        assert "ended" not in shown
        assert words[n] in maya.get(at).content.decode()
    assert "Page 1 of " in found[0]
    assert all("Send" in page for page in found)


def test_a_text_is_looked_over_whole_where_the_page_holds_all(clinic: Clinic, maya: Client) -> None:
    said = "It began on Monday. " * 500 + "That is all."
    draft = actions.start_draft(
        request_type=clinic.billing_question,
        patient=clinic.patient,
        by=clinic.patient.user,
        raw={"i.question": [said]},
    )
    (page,) = looked_over(maya, draft)
    assert said in page
    assert "Show all" not in page
    assert "Page 1" not in page


def test_a_very_long_form_is_looked_over_page_by_page_each_answer_once(clinic: Clinic, maya: Client) -> None:
    large = make.request_type("large", json.loads(large_form()), name="Large")
    draft = actions.start_draft(request_type=large, patient=clinic.patient, by=clinic.patient.user)
    actions.save_draft(draft=draft, raw=sample_answers(forms.form(draft.version), 0), by=clinic.patient.user)
    found = looked_over(maya, draft)
    told = [pair for page in found for pair in re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page, re.DOTALL)]
    sent = actions.submit(draft_id=draft.pk, by=clinic.patient.user)
    assert told == [(line["label"], line["value"]) for line in sent.submission.summary]


def test_a_short_form_is_shown_whole_and_nobody_else_reads_the_answers(clinic: Clinic, maya: Client) -> None:
    row = clinic.send()
    assert reverse("answers", args=[row.pk]) not in maya.get(row.get_absolute_url()).content.decode()
    assert maya.get(reverse("answers", args=[row.pk])).status_code == 200
    assert maya.get(reverse("answers", args=[row.pk, 1])).status_code == 404
    assert client_of(clinic.stranger.user).get(reverse("answers", args=[row.pk])).status_code == 404
