"""Every later word of the patient's side is read and decided in the transaction that stores it."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from audit.now import now
from intake import actions
from intake.spoken import words_of
from portal.people.policies import Refused
from queues import actions as queues
from queues.models import FollowUp, FollowUpForm, Message, Task
from queues.states import State
from queues.urgency import Urgency
from tests.clinic import Clinic
from tests.intake.test_pages import client_of
from triage.rereading import Words

ALARM = "I have crushing chest pain right now"


@pytest.fixture
def maya(clinic: Clinic) -> Client:
    return client_of(clinic.patient.user)


def to_state(clinic: Clinic, state: str, kind: str = "billing") -> Task:
    """A task walked to a state by the real actions."""
    task = clinic.task(kind)
    worker = clinic.biller if kind == "billing" else clinic.nurse
    if state == "open":
        return task
    if state == "withdrawn":
        queues.withdraw(conversation=task.conversation, by=clinic.patient.user)
    else:
        task = queues.claim(task=task, by=worker)
    if state == "waiting":
        queues.ask_back(task=task, question="Which bill?", by=worker)
    if state in ("resolved", "long resolved"):
        queues.resolve(task=task, outcome=clinic.done, by=worker)
    task.refresh_from_db()
    if state == "long resolved":
        Task.objects.filter(pk=task.pk).update(resolved_at=now() - timedelta(days=15))
        task.refresh_from_db()
    return task


@pytest.mark.parametrize("state", ["open", "claimed", "waiting", "resolved", "long resolved", "withdrawn"])
def test_a_red_flag_in_a_billing_thread_is_an_urgent_nursing_task_at_once(clinic: Clinic, state: str) -> None:
    task = to_state(clinic, state)
    actions.write(conversation=task.conversation, body=ALARM, by=clinic.patient.user)
    front = task.conversation.tasks.front_first()[0]
    assert (front.queue, front.urgency, front.floor) == (clinic.urgent, Urgency.URGENT, Urgency.URGENT)
    assert front.is_live
    assert front.state != State.WAITING
    assert front.flags
    message = Message.objects.get(body=ALARM)
    assert message.task == front
    assert words_of([message.decision.pk]) == {message.decision.pk: Words(clinic.patient.pk, [ALARM])}


@pytest.mark.parametrize("state", ["long resolved", "withdrawn"])
def test_a_message_after_the_end_is_refused_with_what_to_do_instead(
    clinic: Clinic, maya: Client, state: str
) -> None:
    task = to_state(clinic, state)
    page = maya.post(task.conversation.get_absolute_url(), {"body": "What about the other bill?"})
    assert page.status_code == 422
    html = page.content.decode()
    assert "What about the other bill?" in html
    assert "Please send a new request" in html
    assert not Message.objects.filter(from_patient=True).exists()


def test_a_finished_request_opens_again_within_the_facilitys_days(clinic: Clinic) -> None:
    task = to_state(clinic, "resolved")
    actions.write(conversation=task.conversation, body="One more thing.", by=clinic.patient.user)
    task.refresh_from_db()
    assert task.is_live


def test_it_got_worse_is_soon_at_least_and_stays_so(clinic: Clinic, maya: Client) -> None:
    task = to_state(clinic, "waiting", "refill")
    assert "This got worse" in maya.get(task.conversation.get_absolute_url()).content.decode()
    maya.post(task.conversation.get_absolute_url(), {"body": "", "worse": "1"})
    task.refresh_from_db()
    assert (task.urgency, task.floor) == (Urgency.SOON, Urgency.SOON)
    assert task.flags[-1]["code"] == "worse"
    assert task.state != State.WAITING


def test_a_withdrawal_can_be_taken_back_for_a_day(clinic: Clinic, maya: Client) -> None:
    task = clinic.task()
    maya.post(reverse("withdraw", args=[task.conversation_id]))
    page = maya.get(task.conversation.get_absolute_url()).content.decode()
    assert "I still need this" in page
    maya.post(reverse("keep", args=[task.conversation_id]))
    task.refresh_from_db()
    assert task.is_live
    with pytest.raises(Refused):
        queues.keep_after_all(conversation=task.conversation, by=clinic.patient.user)


class TestAFormAsAQuestionBack:
    def asked(self, clinic: Clinic, form: FollowUpForm) -> FollowUp:
        task = queues.claim(task=clinic.task(), by=clinic.nurse)
        queues.ask_back(task=task, question="", follow_up=form, by=clinic.nurse)
        Message.objects.update(shown_at=now())
        return FollowUp.objects.get()

    def test_the_patient_answers_it_on_the_page_and_the_wait_ends(
        self, clinic: Clinic, maya: Client, breathing: FollowUpForm
    ) -> None:
        asked = self.asked(clinic, breathing)
        page = maya.get(asked.conversation.get_absolute_url()).content.decode()
        assert "Answer the questions" in page
        response = maya.post(reverse("follow-up", args=[asked.conversation_id, asked.pk]), follow=True)
        draft = response.context["draft"]
        maya.post(reverse("draft", args=[draft.pk, "p1"]), {"i.nights": "", "i.words": "", "go": "next"})
        assert maya.post(reverse("review", args=[draft.pk])).status_code == 422
        maya.post(reverse("draft", args=[draft.pk, "p1"]), {"i.nights": "3", "i.words": "", "go": "next"})
        done = maya.post(reverse("review", args=[draft.pk]), follow=True).content.decode()
        assert "How many nights did you wake?" in done
        asked.refresh_from_db()
        task = asked.conversation.tasks.get()
        assert task.state == State.CLAIMED
        assert asked.submission.response["resourceType"] == "QuestionnaireResponse"
        assert [line["value"] for line in asked.lines_for(clinic.nurse)] == ["3"]
        assert asked.lines_for(clinic.biller) == []
        # A second click leads to the same place, and nothing is stored twice.
        assert (
            maya.post(reverse("review", args=[draft.pk]))["Location"] == task.conversation.get_absolute_url()
        )
        assert Message.objects.filter(from_patient=True).count() == 1

    def test_a_red_flag_in_its_answers_is_urgent_at_once(
        self, clinic: Clinic, breathing: FollowUpForm
    ) -> None:
        asked = self.asked(clinic, breathing)
        by = clinic.patient.user
        draft = actions.start_answer(follow_up=asked, by=by)
        actions.save_draft(draft=draft, raw={"i.nights": ["1"], "i.words": [ALARM]}, by=by)
        assert draft.notices
        actions.submit(draft_id=draft.pk, by=by)
        task = asked.conversation.tasks.get()
        assert (task.queue, task.floor) == (clinic.urgent, Urgency.URGENT)
        asked.refresh_from_db()
        assert [line["odd"] for line in asked.summary] == [False, True]
        decision = asked.answer.decision
        assert words_of([decision.pk]) == {decision.pk: Words(clinic.patient.pk, [ALARM])}

    def test_an_office_can_not_ask_about_health(self, clinic: Clinic, breathing: FollowUpForm) -> None:
        task = queues.claim(task=clinic.task("billing"), by=clinic.biller)
        with pytest.raises(Refused):
            queues.ask_back(task=task, question="?", follow_up=breathing, by=clinic.biller)
        assert not FollowUp.objects.exists()

    def test_a_stranger_finds_nothing_of_it(self, clinic: Clinic, breathing: FollowUpForm) -> None:
        asked = self.asked(clinic, breathing)
        stranger = client_of(clinic.stranger.user)
        path = reverse("follow-up", args=[asked.conversation_id, asked.pk])
        assert stranger.post(path).status_code == 404


def test_two_requests_of_one_visit_are_routed_apart_and_shown_together(clinic: Clinic, maya: Client) -> None:
    first = clinic.send()
    assert "Add another request" in maya.get(reverse("sent", args=[first.pk])).content.decode()
    draft = maya.post(reverse("start", args=["billing"]), {"beside": str(first.pk)}, follow=True).context[
        "draft"
    ]
    actions.save_draft(draft=draft, raw={"i.question": ["What is this bill?"]}, by=clinic.patient.user)
    second = actions.submit(draft_id=draft.pk, by=clinic.patient.user)
    assert list(second.beside()) == [first]
    assert {first.tasks.get().queue, second.tasks.get().queue} == {clinic.refills, clinic.billing}
    assert first.get_absolute_url() in maya.get(second.get_absolute_url()).content.decode()
    assert "sent together" in maya.get("/requests/").content.decode()
