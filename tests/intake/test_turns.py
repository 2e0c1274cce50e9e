"""Saves of a draft that come in another order than they were typed in, and at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from intake import actions
from intake.models import Draft
from tests.clinic import Clinic, open_clinic
from tests.intake.test_pages import client_of


@pytest.fixture
def maya(clinic: Clinic) -> Client:
    return client_of(clinic.patient.user)


def save(client: Client, draft: Draft, medicine: str, **turn: str) -> dict[str, list[str]]:
    client.post(reverse("draft", args=[draft.pk, "p1"]), {"i.medicine": medicine, "i.left": "days", **turn})
    draft.refresh_from_db()
    return draft.raw


def test_a_save_that_a_newer_one_has_overtaken_changes_nothing(maya: Client, clinic: Clinic) -> None:
    draft = clinic.draft()
    assert save(maya, draft, "new", tab="a", turn="7")["i.medicine"] == ["new"]
    assert save(maya, draft, "old", tab="a", turn="6")["i.medicine"] == ["new"]
    assert save(maya, draft, "again", tab="a", turn="8")["i.medicine"] == ["again"]


def test_another_page_or_device_counts_for_itself(maya: Client, clinic: Clinic) -> None:
    draft = clinic.draft()
    save(maya, draft, "phone", tab="a", turn="900")
    assert save(maya, draft, "laptop", tab="b", turn="1")["i.medicine"] == ["laptop"]
    # The late one is still late after the other page has saved.
    assert save(maya, draft, "old", tab="a", turn="899")["i.medicine"] == ["laptop"]


def test_without_a_script_every_save_is_kept(maya: Client, clinic: Clinic) -> None:
    draft = clinic.draft()
    save(maya, draft, "one", tab="a", turn="5")
    assert save(maya, draft, "two")["i.medicine"] == ["two"]
    assert save(maya, draft, "three", tab="", turn="nonsense")["i.medicine"] == ["three"]


def test_what_is_remembered_of_pages_has_an_end(maya: Client, clinic: Clinic) -> None:
    draft = clinic.draft()
    for number in range(30):
        save(maya, draft, "x", tab=f"page {number}", turn="1")
    assert list(draft.turns) == [f"page {number}" for number in range(10, 30)]


def test_a_save_after_the_request_was_sent_leads_to_the_request(maya: Client, clinic: Clinic) -> None:
    draft = clinic.draft()
    conversation = actions.submit(draft_id=draft.pk, by=draft.author)
    response = maya.post(
        reverse("draft", args=[draft.pk, "p1"]), {"i.medicine": "late", "tab": "a", "turn": "1"}
    )
    assert response["Location"] == reverse("sent", args=[conversation.pk])
    # The same when it is sent between the look at the draft and the save.
    with pytest.raises(Draft.DoesNotExist), actions.in_turn(draft, tab="a", turn=1):
        pytest.fail("there is nothing to save it in")


def test_two_pages_saved_at_one_moment_are_both_kept(committed_db: str) -> None:
    clinic = open_clinic()
    draft = clinic.draft(medicine="before")
    ready = Barrier(2)

    def go(page: str, answers: dict[str, str]) -> int:
        try:
            client = client_of(clinic.patient.user)
            ready.wait(10)
            return client.post(reverse("draft", args=[draft.pk, page]), answers).status_code
        finally:
            connection.close()

    for _again in range(5):
        Draft.objects.filter(pk=draft.pk).update(raw={"i.medicine": ["before"], "i.left": ["days"]})
        with ThreadPoolExecutor(2) as pool:
            first = pool.submit(go, "p1", {"i.medicine": "after", "i.left": "none"})
            second = pool.submit(go, "p2", {"i.problems": "false"})
            assert {first.result(), second.result()} == {302}
        draft.refresh_from_db()
        assert (draft.raw["i.medicine"], draft.raw["i.problems"]) == (["after"], ["false"])
