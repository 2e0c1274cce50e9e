"""Sending a request: everything or nothing, and exactly once."""

from typing import Any

import pytest
from django.db import connection

from intake import actions
from intake.models import Draft, Submission
from portal.people.policies import Refused
from queues.models import Task
from queues.urgency import Urgency
from tests.clinic import Clinic
from triage.models import Decision, TextReading


def test_a_refill_becomes_one_task_in_the_refill_queue_with_its_reason(clinic: Clinic) -> None:
    conversation = clinic.send()
    task = conversation.tasks.get()
    assert task.queue == clinic.refills
    assert task.title == "Lisinopril 20 mg, A few days"
    assert task.respond_due > task.opened_at
    assert any("Refill" in line for line in task.why)
    assert [line["value"] for line in task.summary] == ["Lisinopril 20 mg", "A few days"]
    assert conversation.submission.response["resourceType"] == "QuestionnaireResponse"
    assert not Draft.objects.exists()


def test_a_billing_question_goes_to_billing(clinic: Clinic) -> None:
    assert clinic.task("billing").queue == clinic.billing


def test_words_of_an_emergency_are_urgent_under_any_request_type(clinic: Clinic) -> None:
    task = clinic.task(
        "billing", question="I have crushing chest pain and my left arm is numb. Also, what is this bill?"
    )
    assert (task.queue, task.urgency, task.floor) == (clinic.urgent, Urgency.URGENT, Urgency.URGENT)
    assert task.flags
    assert task.summary[0]["odd"]


def test_readings_are_looked_up_beside_the_draft_and_made_where_none_is_kept(clinic: Clinic) -> None:
    words = "I have crushing chest pain and my left arm is numb."
    draft = clinic.draft("billing", question=words)
    assert draft.digests == list(TextReading.objects.values_list("digest", flat=True))
    asked: list[str] = []

    def noted(execute: Any, sql: str, *told: Any) -> Any:
        asked.append(sql)
        return execute(sql, *told)

    with connection.execute_wrapper(noted):
        actions.submit(draft_id=draft.pk, by=draft.author)
    assert sum("triage_textreading" in sql for sql in asked) == 1


@pytest.mark.parametrize("kept", ["none", "others", "another language"])
def test_a_reading_that_is_not_beside_the_draft_is_made(clinic: Clinic, kept: str) -> None:
    """Of a draft that was saved before it kept any, or other words; of a person who reads another language now."""
    harmless = clinic.draft("billing", question="What is this bill?").digests
    draft = clinic.draft("billing", question="I have crushing chest pain and my left arm is numb.")
    TextReading.objects.exclude(digest__in=harmless).delete()
    if kept == "another language":
        clinic.patient.language = "es"
        clinic.patient.save()
    else:
        Draft.objects.filter(pk=draft.pk).update(digests=harmless if kept == "others" else [])
    task = actions.submit(draft_id=draft.pk, by=draft.author).tasks.get()
    assert (task.queue, task.floor) == (clinic.urgent, Urgency.URGENT)
    assert task.flags
    assert TextReading.objects.count() == 2


def test_a_notice_that_was_shown_keeps_the_request_urgent_though_the_words_are_gone(clinic: Clinic) -> None:
    draft = clinic.draft("billing", question="I have crushing chest pain right now")
    assert draft.notices
    actions.save_draft(draft=draft, raw={"i.question": ["What is this bill?"]}, by=draft.author)
    task = actions.submit(draft_id=draft.pk, by=draft.author).tasks.get()
    assert task.floor == Urgency.URGENT


def test_sending_twice_files_one_request(clinic: Clinic) -> None:
    draft = clinic.draft()
    first = actions.submit(draft_id=draft.pk, by=draft.author)
    assert actions.submit(draft_id=draft.pk, by=draft.author) == first
    assert Submission.objects.count() == Task.objects.count() == 1


def test_a_blank_required_answer_is_refused_and_nothing_is_stored(clinic: Clinic) -> None:
    draft = clinic.draft(medicine="")
    with pytest.raises(actions.Incomplete) as refused:
        actions.submit(draft_id=draft.pk, by=draft.author)
    assert [error.name for error in refused.value.state.errors] == ["i.medicine"]
    assert not Submission.objects.exists()
    assert not Decision.objects.exists()
    assert Draft.objects.get().raw["i.left"] == ["days"]


def test_another_persons_draft_is_not_there(clinic: Clinic) -> None:
    draft = clinic.draft()
    with pytest.raises(Refused):
        actions.submit(draft_id=draft.pk, by=clinic.stranger.user)
    assert not Submission.objects.exists()


def test_an_answer_that_a_safety_rule_calls_an_emergency_interrupts_the_form_before_anything_is_sent(
    clinic: Clinic,
) -> None:
    draft = clinic.draft(**{"problems": "true", "problem-kind": "chest", "which": "Since Monday."})
    assert [notice["code"] for notice in draft.notices] == ["rule: chest pain on the medicine"]
    calmer = {"i.medicine": ["Lisinopril"], "i.left": ["days"], "i.problems": ["false"]}
    actions.save_draft(draft=draft, raw=calmer, by=draft.author)
    task = actions.submit(draft_id=draft.pk, by=draft.author).tasks.get()
    assert (task.queue, task.floor) == (clinic.urgent, Urgency.URGENT)
