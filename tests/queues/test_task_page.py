"""The page of a task: what each role sees of what lies beside it, and what its forms do."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client

from audit.now import at, now
from portal.records.actions import keep_chart
from portal.records.fhir import entry_of
from queues import actions
from queues.actions import asking
from queues.models import FollowUpForm, Message, Protocol, ProtocolStep, ReplyTemplate, Task
from queues.states import State
from tests import factories as make
from tests.clinic import Clinic
from tests.queues.test_pages import client_of


@pytest.fixture
def full(clinic: Clinic) -> Task:
    """A refill with everything beside it, each holding a word about health."""
    protocol = Protocol.objects.create(code="none-left", title="Tapering plan")
    ProtocolStep.objects.create(protocol=protocol, text="Ask about withdrawal")
    ReplyTemplate.objects.create(
        title="Ready", body="{first_name}, {medicine} is ready. Call {clinic_phone}."
    )
    allergy = {"resourceType": "AllergyIntolerance", "code": {"text": "Penicillin"}}
    entries = [entry for each in [allergy] if (entry := entry_of(each))]
    keep_chart(patient=clinic.patient, source="test", kinds=["allergy"], entries=entries, by=None)
    before = actions.claim(task=clinic.task(medicine="Warfarin 5 mg"), by=clinic.nurse)
    actions.resolve(task=before, outcome=clinic.done, by=clinic.nurse)
    task = actions.claim(task=clinic.task(medicine="Sertraline 50 mg", left="none"), by=clinic.nurse)
    actions.add_note(task=task, body="Sounds depressed, @Kim Osei.", by=clinic.nurse)
    actions.log_call(task=task, result="voicemail", note="Asked about her mood.", by=clinic.nurse)
    question = actions.escalate(
        task=task,
        situation="Low mood.",
        background="Suicide attempt in 2019.",
        assessment="Relapse?",
        question="Raise the dose?",
        by=clinic.nurse,
    )
    actions.answer(escalation=question, text="Yes, to 100 mg.", by=clinic.physician)
    task.refresh_from_db()
    return task


HEALTH = (
    "Sertraline", "Warfarin", "Penicillin", "depressed", "mood", "Suicide", "Relapse", "Raise the dose", "100 mg",
    "Tapering", "withdrawal",
)  # fmt: skip


def test_a_nurse_sees_it_all_with_when_the_chart_was_read(clinic: Clinic, full: Task) -> None:
    html = client_of(clinic.nurse).get(full.get_absolute_url()).content.decode()
    for word in HEALTH:
        assert word in html
    assert "Penicillin" in html
    assert re.search(r"read \d\d:\d\d, test", html)
    assert "not available" in html  # the kinds that the record was not asked for
    assert "Done, " in html  # how the earlier request ended


def test_the_office_sees_no_word_about_health_of_anything_beside_the_task(clinic: Clinic, full: Task) -> None:
    actions.hand_over(task=full, queue=clinic.billing, reason="Wants a receipt.", by=clinic.nurse)
    actions.claim(task=full, by=clinic.biller)
    biller = client_of(clinic.biller)
    html = biller.get(full.get_absolute_url()).content.decode()
    assert "Wants a receipt." in html
    assert "left a voicemail" in html
    for word in HEALTH:
        assert word not in html
    # Nor does a template put in what the role doesn't see.
    template = ReplyTemplate.objects.get()
    biller.post(full.get_absolute_url() + "reply/", {"go": "template", "template": template.pk, "body": ""})
    html = biller.get(full.get_absolute_url()).content.decode()
    assert "Maya, [medicine] is ready." in html


def test_the_office_reads_its_own_notes(clinic: Clinic, full: Task) -> None:
    actions.hand_over(task=full, queue=clinic.billing, reason="Wants a receipt.", by=clinic.nurse)
    actions.add_note(task=full, body="Receipt printed.", by=clinic.biller)
    assert "Receipt printed." in client_of(clinic.biller).get(full.get_absolute_url()).content.decode()


def test_the_patient_sees_nothing_of_what_is_between_colleagues(clinic: Clinic, full: Task) -> None:
    with at(now() + timedelta(minutes=1)):
        page = client_of(clinic.patient.user).get(full.conversation.get_absolute_url())
    html = page.content.decode()
    assert "Sertraline" in html
    for word in ("depressed", "Asked about her mood", "Suicide", "Raise the dose", "100 mg", "Tapering"):
        assert word not in html


def test_what_is_not_in_the_chart_is_said_aloud(clinic: Clinic) -> None:
    html = client_of(clinic.nurse).get(clinic.task().get_absolute_url()).content.decode()
    assert "Not available: this patient's chart has not been read." in html


@pytest.mark.parametrize("rows", [1, 50])
def test_the_page_takes_no_more_queries_with_more_on_it(
    clinic: Clinic, full: Task, rows: int, django_assert_max_num_queries
) -> None:
    for number in range(rows):
        clinic.task(medicine=f"Medicine {number}")
        actions.reply(task=full, body=f"Words {number}", by=clinic.nurse)
        actions.add_note(task=full, body=f"Note {number}", by=clinic.nurse)
        actions.log_call(task=full, result="no-answer", by=clinic.nurse)
    nurse = client_of(clinic.nurse)
    with django_assert_max_num_queries(15):
        html = nurse.get(full.get_absolute_url()).content.decode()
    assert f"Words {rows - 1}" in html
    assert f"Note {rows - 1}" in html


def test_that_another_queue_holds_an_open_request_of_this_patient_is_shown_to_clinical_staff_only(
    clinic: Clinic, full: Task
) -> None:
    other = clinic.task("billing", question="Why two bills?")
    assert other.queue == clinic.billing
    html = client_of(clinic.nurse).get(full.get_absolute_url()).content.decode()
    assert "Also open for this patient" in html
    assert f"{other.title} · {other.queue}" in html
    theirs = client_of(clinic.biller).get(other.get_absolute_url()).content.decode()
    assert "Also open" not in theirs
    assert full.title not in theirs


# ---- templates -------------------------------------------------------------------------------------------------


def test_without_javascript_a_template_comes_into_the_box_and_nothing_is_sent(
    clinic: Clinic, full: Task
) -> None:
    nurse, template = client_of(clinic.nurse), ReplyTemplate.objects.get()
    post = {
        "go": "template",
        "template": template.pk,
        "body": "Good news.",
        "outcome": "done",
        "minutes": "5",
    }
    html = nurse.post(full.get_absolute_url() + "reply/", post, follow=True).content.decode()
    assert "Good news.\n\nMaya, Sertraline 50 mg is ready. Call 555-0100.</textarea>" in html
    assert '<option value="done" selected>' in html
    assert 'value="5" checked' in html
    assert not Message.objects.exists()


def test_a_template_speaks_the_patients_language(clinic: Clinic, full: Task) -> None:
    clinic.patient.language = "es"
    clinic.patient.save()
    ReplyTemplate.objects.update(body_es="{first_name}: {medicine} está listo.")
    html = client_of(clinic.nurse).get(full.get_absolute_url()).content.decode()
    assert "Maya: Sertraline 50 mg está listo." in html


def test_only_templates_of_the_queue_and_role_are_offered(clinic: Clinic, full: Task) -> None:
    ReplyTemplate.objects.create(title="For billing only", body="x", queue="billing")
    ReplyTemplate.objects.create(title="For the desk only", body="x", role="front-desk")
    ReplyTemplate.objects.create(title="For refills", body="x", queue="refills", role="nurse")
    html = client_of(clinic.nurse).get(full.get_absolute_url()).content.decode()
    assert "For refills" in html
    assert "For billing only" not in html
    assert "For the desk only" not in html


# ---- what is sent, and taken back --------------------------------------------------------------------------------


def post(client: Client, task: Task, verb: str, **data: str) -> str:
    response = client.post(f"{task.get_absolute_url()}{verb}/", data, follow=True)
    return response.content.decode()


def test_an_undo_puts_the_words_back_into_the_box(clinic: Clinic, full: Task) -> None:
    nurse = client_of(clinic.nurse)
    html = post(nurse, full, "reply", body="Wrong words.", go="resolve", outcome="done", minutes="2")
    assert "Resolved: Done." in html
    assert 'data-key="u">Undo' in html
    html = post(nurse, full, "undo")
    assert "Wrong words.</textarea>" in html
    assert "Taken back." in html
    full.refresh_from_db()
    assert full.state == State.CLAIMED


def test_a_second_click_does_nothing_twice_and_says_so(clinic: Clinic, full: Task) -> None:
    nurse = client_of(clinic.nurse)
    seen = str(full.version)
    post(nurse, full, "reply", body="It is ready.", go="send", version=seen)
    html = post(nurse, full, "reply", body="It is ready.", go="send", version=seen)
    assert "Done once; the second click changed nothing." in html
    assert Message.objects.filter(from_patient=False).count() == 1


def test_other_words_from_a_page_that_is_no_longer_true_are_no_second_click(
    clinic: Clinic, full: Task
) -> None:
    nurse = client_of(clinic.nurse)
    seen = str(full.version)
    post(nurse, full, "reply", body="It is ready.", go="send", version=seen)
    html = post(nurse, full, "reply", body="It is not ready.", go="send", version=seen)
    assert "You changed this task meanwhile, in another tab or with a second click (replied)" in html
    assert "It is not ready." in html
    assert Message.objects.filter(from_patient=False).count() == 1


def test_the_back_button_after_a_resolution_changes_nothing(clinic: Clinic, full: Task) -> None:
    nurse, seen = client_of(clinic.nurse), str(full.version)
    post(nurse, full, "reply", body="", go="resolve", outcome="done", version=seen)
    html = post(nurse, full, "reply", body="And more.", go="send", version=seen)
    assert "(resolved it): it is now resolved" in html
    assert "Not sent, to be copied:" in html
    assert "And more." in html
    assert not Message.objects.filter(body="And more.").exists()


def test_open_steps_are_said_and_do_not_block(clinic: Clinic, full: Task) -> None:
    nurse = client_of(clinic.nurse)
    html = post(nurse, full, "reply", go="resolve", outcome="done")
    assert "1 step of “Tapering plan” is still open." in html
    full.refresh_from_db()
    assert full.state == State.RESOLVED


def test_a_prepared_question_waits_in_the_box(clinic: Clinic, full: Task) -> None:
    html = client_of(clinic.nurse).get(full.get_absolute_url()).content.decode()
    assert "When did you take the last one?</textarea>" in html
    html = post(client_of(clinic.nurse), full, "ask-back", ask="When did you take it?")
    assert "Asked. The clock waits for the patient." in html


def test_a_tick_and_a_split_by_their_forms(clinic: Clinic, full: Task) -> None:
    nurse = client_of(clinic.nurse)
    step = ProtocolStep.objects.get()
    html = post(nurse, full, "tick", step=str(step.pk), done="yes")
    assert 'aria-pressed="true">Ask about withdrawal' in html
    html = post(
        nurse, full, "split", part_queue=str(clinic.billing.pk), part_title="A receipt", part_urgency="soon"
    )
    assert "A task of its own is in Billing" in html
    part = full.parts.get()
    html = client_of(clinic.biller).get(part.get_absolute_url()).content.decode()
    assert "A receipt" in html
    assert "Ana Ruiz, RN asks" in html
    assert "Sertraline" not in html


@pytest.mark.parametrize(
    "verb", ["tick", "split", "hand-over", "answer", "call", "note", "ask-back", "escalate"]
)
def test_an_empty_form_is_a_sentence_and_stores_nothing(clinic: Clinic, full: Task, verb: str) -> None:
    before = full.version
    response = client_of(clinic.nurse).post(f"{full.get_absolute_url()}{verb}/", {"queue": "9" * 30})
    assert response.status_code == 409
    full.refresh_from_db()
    assert full.version == before


# ---- mentions --------------------------------------------------------------------------------------------------


def test_a_mention_waits_on_a_page_of_its_own_until_the_task_was_opened(clinic: Clinic, full: Task) -> None:
    kim = client_of(clinic.second_nurse)
    html = kim.get("/work/mentions/").content.decode()
    assert "Sounds depressed" in html
    assert '<span class="chip ok">new</span>' in html
    kim.get(full.get_absolute_url())
    assert '<span class="chip ok">new</span>' not in kim.get("/work/mentions/").content.decode()
    assert "Nobody mentioned you" in client_of(clinic.nurse).get("/work/mentions/").content.decode()


def test_a_mention_in_the_office_holds_nothing_about_health(clinic: Clinic, full: Task) -> None:
    other = make.staff("billing", name="Pat Orr", queues_worked=(clinic.billing,))
    lead = make.staff("nurse", name="Lee Nurse", queues_worked=(clinic.refills,))
    task = actions.hand_over(task=full, queue=clinic.billing, reason="Wants a receipt.", by=clinic.nurse)
    clinic.billing.members.user_set.add(lead)
    actions.add_note(task=task, body="@Pat Orr, she is depressed.", by=lead)
    html = client_of(other).get("/work/mentions/").content.decode()
    assert "Refill" in html
    assert "depressed" not in html


# ---- questions back that are small forms -------------------------------------------------------------------------


def test_a_small_form_is_asked_back_and_its_answers_stand_in_the_conversation(
    clinic: Clinic, full: Task
) -> None:
    form = FollowUpForm.objects.create(
        code="mood", title="Your mood", clinical=True, version=clinic.refill.questionnaire.live
    )
    nurse = client_of(clinic.nurse)
    assert "Your mood</option>" in nurse.get(full.get_absolute_url()).content.decode()
    html = post(nurse, full, "ask-back", ask="", follow_up="mood")
    assert "with the form “Your mood”" in html
    assert "not answered yet" in html
    html = post(nurse, full, "undo")
    assert '<option value="mood" selected>' in html
    asked = actions.ask_back(task=full, question="How are you?", follow_up=form, by=clinic.nurse)
    answer = actions.hear_from_patient(
        conversation=full.conversation, body="Answered: Your mood.", by=clinic.patient.user
    )
    line = {"label": "Low?", "value": "Every day", "clinical": True, "odd": True}
    asking.take_in(follow_up=asked.follow_up, answer=answer, summary=[line], told=[], by=clinic.patient.user)
    html = nurse.get(full.get_absolute_url()).content.decode()
    assert '<dt>Low?</dt><dd class="odd">Every day</dd>' in html
    actions.hand_over(task=full, queue=clinic.billing, reason="Wants a receipt.", by=clinic.nurse)
    html = client_of(clinic.biller).get(full.get_absolute_url()).content.decode()
    assert "Every day" not in html


def test_a_form_that_is_not_offered_is_refused_with_a_sentence(clinic: Clinic, full: Task) -> None:
    html = post(client_of(clinic.nurse), full, "ask-back", ask="?", follow_up="nothing")
    assert "This form is not offered any more." in html
