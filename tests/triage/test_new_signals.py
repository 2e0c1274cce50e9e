"""New signals take the gate of a rule: what they see in past words is known before rules are published for them."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from audit.models import Event
from intake.models import Submission
from portal.people.policies import Refused
from queues import actions as queues
from tests.clinic import Clinic
from triage import actions, publishing, replay, signals, tasks
from triage.models import Decision, Replay, Ruleset

CALM = {"signal.emergency": False, "signal.urgency": "routine", "signal.codes": []}
ALARMED = {"signal.emergency": True, "signal.urgency": "urgent", "signal.codes": ["cardiac"]}
CRUSHING = "I have crushing chest pain and can't breathe"


def decided(clinic: Clinic, words: str, read_as: dict[str, Any]) -> Decision:
    """A past request with these words, as the signals of its time read them."""
    clinic.send("billing")
    sent = Submission.objects.filter(request_type=clinic.billing_question).latest("pk")
    facts = Decision.objects.filter(submission=sent).order_by("pk")[0].facts | read_as
    sent.pk, sent.draft_key, sent._state.adding = None, uuid4(), True
    sent.response = sent.response | {"item": [{"linkId": "question", "answer": [{"valueString": words}]}]}
    sent.save()
    return actions.decide(facts, submission=sent)


@pytest.fixture
def draft(clinic: Clinic) -> Ruleset:
    """A draft that changes nothing, beside rules that were published for signals that are not installed any more."""
    draft = actions.start_draft(by=clinic.admin)
    Ruleset.objects.published().update(signals_version="older")
    return draft


def replayed(draft: Ruleset, clinic: Clinic, days: int = 90) -> Replay:
    row = actions.start_replay(ruleset=draft, days=days, by=clinic.admin)
    tasks.replay(row.pk)
    row.refresh_from_db()
    assert row.state == Replay.State.DONE
    return row


def test_rules_are_published_for_new_signals_only_after_a_replay_of_what_these_see(
    clinic: Clinic, draft: Ruleset
) -> None:
    with pytest.raises(Refused, match="Replay the past 90 days"):
        actions.publish(ruleset=draft, by=clinic.admin, reason="New signals.")
    replayed(draft, clinic, days=7)
    with pytest.raises(Refused, match="Replay the past 90 days"):
        actions.publish(ruleset=draft, by=clinic.admin, reason="New signals.")
    replayed(draft, clinic)
    published = actions.publish(ruleset=draft, by=clinic.admin, reason="New signals.")
    assert published.signals_version == signals.VERSION
    assert publishing.warnings(published) == []


def test_the_replay_shows_what_the_new_signals_see_and_the_old_ones_did_not(
    clinic: Clinic, draft: Ruleset
) -> None:
    missed = decided(clinic, CRUSHING, CALM)
    row = replayed(draft, clinic)
    assert row.result["moves"] == [["billing", "urgent", 1]]
    assert [one["decision"] for one in row.result["shown"]] == [missed.pk]
    assert (row.result["signals"], row.result["read_anew"]) == (signals.VERSION, 2)
    read = Event.objects.get(action="triage.texts.read")
    assert (read.agent, read.patient_ids, read.kind) == (clinic.admin, [clinic.patient.pk], Event.Kind.READ)
    ada = Client()
    ada.force_login(clinic.admin)
    page = ada.get(reverse("admin:triage_replay_change", args=[row.pk]))
    assert "The words of 2 requests were read anew" in page.content.decode()
    lena = Client()
    lena.force_login(clinic.physician)
    both = lena.get(reverse("rules-both", args=[draft.pk, missed.pk]))
    assert [one.queue for one in both.context["both"]] == ["billing", "urgent"]


def test_a_red_flag_that_the_new_signals_lose_blocks_until_a_clinician_accepts_it(
    clinic: Clinic, draft: Ruleset
) -> None:
    flagged = decided(clinic, "Why was I billed twice in May?", ALARMED)
    assert flagged.queue == "urgent"
    assert replayed(draft, clinic).result["lost"] == 1
    with pytest.raises(Refused, match="1 past red flags would be lost or lowered"):
        actions.publish(ruleset=draft, by=clinic.admin, reason="New signals.")
    (lost,) = draft.lost_flags.all()
    assert lost.decision == flagged
    actions.accept_lost_flag(lost=lost, by=clinic.physician, reason="It was a false alarm.")
    actions.publish(ruleset=draft, by=clinic.admin, reason="New signals.")


def test_words_that_nobody_read_anew_keep_their_reading(clinic: Clinic, draft: Ruleset) -> None:
    """Looking for lost red flags while a person waits reads no words, so nothing is claimed of them."""
    decided(clinic, "Why was I billed twice in May?", ALARMED)
    assert replay.find_lost_flags(draft) == 0


def test_with_the_same_signals_no_words_are_read_again(clinic: Clinic) -> None:
    decided(clinic, CRUSHING, CALM)
    row = replayed(actions.start_draft(by=clinic.admin), clinic)
    assert (row.result["changed"], row.result["signals"], row.result["read_anew"]) == (0, "", 0)
    assert not Event.objects.filter(action="triage.texts.read").exists()


def test_a_later_message_is_read_anew_too(clinic: Clinic, draft: Ruleset) -> None:
    conversation = clinic.send("billing")
    first = conversation.submission.decisions.get()
    message = queues.hear_from_patient(conversation=conversation, body=CRUSHING, by=clinic.patient.user)
    missed = actions.decide(first.facts | CALM, submission=first.submission, message=message)
    row = replayed(draft, clinic)
    assert row.result["moves"] == [["billing", "urgent", 1]]
    assert [one["decision"] for one in row.result["shown"]] == [missed.pk]
    assert row.result["read_anew"] == 2


def test_what_was_decided_without_its_message_keeps_its_reading(clinic: Clinic, draft: Ruleset) -> None:
    """As all were that came later, before decisions named their message."""
    first = decided(clinic, "Why was I billed twice in May?", CALM)
    actions.decide(first.facts | ALARMED, submission=first.submission)
    assert replayed(draft, clinic).result["lost"] == 0


def test_going_back_brings_back_the_signals_that_the_version_was_written_for(clinic: Clinic) -> None:
    Ruleset.objects.published().update(signals_version="older")
    earlier = Ruleset.objects.published().get()
    draft = actions.start_draft(by=clinic.admin)
    replayed(draft, clinic)
    actions.publish(ruleset=draft, by=clinic.admin, reason="New signals.")
    earlier.refresh_from_db()
    again = actions.roll_back(to=earlier, by=clinic.admin, reason="Too many alarms.")
    assert Ruleset.objects.get(pk=again.pk).signals_version == "older"
    (warning,) = publishing.warnings(again)
    assert "written for signals older" in warning
