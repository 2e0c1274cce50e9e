"""What staff do with tasks: one owner, a guarded path, and a trace of each step."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from audit.models import Event
from audit.now import at, now
from portal.people.models import Mail
from portal.people.policies import Refused
from queues import actions, tasks
from queues.models import Filing, Task
from queues.states import LIVE, OWNED, TRANSITIONS, State
from queues.urgency import Urgency
from tests import factories as make
from tests.clinic import Clinic


def in_state(clinic: Clinic, state: State) -> Task:
    """A task that walked the real actions to a state."""
    task = clinic.task()
    if state == State.WITHDRAWN:
        actions.withdraw(conversation=task.conversation, by=clinic.patient.user)
    elif state != State.OPEN:
        actions.claim(task=task, by=clinic.nurse)
    if state == State.WAITING:
        actions.ask_back(task=task, question="Which pharmacy?", by=clinic.nurse)
    elif state == State.ESCALATED:
        actions.escalate(task=task, situation="New cough on it.", question="Change it?", by=clinic.nurse)
    elif state in (State.RESOLVED, State.REOPENED):
        actions.resolve(task=task, outcome=clinic.done, by=clinic.nurse)
    if state == State.REOPENED:
        actions.hear_from_patient(conversation=task.conversation, body="Once more.", by=clinic.patient.user)
    task.refresh_from_db()
    assert task.state == state
    return task


VERBS = {
    "claim": lambda clinic, task: actions.claim(task=task, by=clinic.second_nurse),
    "release": lambda clinic, task: actions.release(task=task, by=clinic.nurse),
    "ask back": lambda clinic, task: actions.ask_back(task=task, question="?", by=clinic.nurse),
    "escalate": lambda clinic, task: actions.escalate(
        task=task, situation="s", question="q", by=clinic.nurse
    ),
    "answer": lambda clinic, task: actions.answer(
        escalation=task.escalations.get(), text="yes", by=clinic.physician
    ),
    "hand over": lambda clinic, task: actions.hand_over(
        task=task, queue=clinic.triage, reason="theirs", by=clinic.nurse
    ),
    "resolve": lambda clinic, task: actions.resolve(task=task, outcome=clinic.done, by=clinic.nurse),
    "withdraw": lambda clinic, task: actions.withdraw(conversation=task.conversation, by=clinic.patient.user),
}


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in ("answer", "withdraw")])
def test_every_verb_works_from_its_states_and_is_refused_with_a_sentence_from_all_others(
    clinic: Clinic, verb: str, state: State
) -> None:
    task = in_state(clinic, state)
    before = Event.objects.count()
    if state in TRANSITIONS[verb].sources:
        VERBS[verb](clinic, task)
        task.refresh_from_db()
        assert task.state == TRANSITIONS[verb].target
        assert task.steps.last().verb == verb
        assert Event.objects.count() > before
    else:
        with pytest.raises(Refused) as refused, transaction.atomic():
            VERBS[verb](clinic, task)
        assert str(refused.value).endswith(".")
        assert Event.objects.count() == before


def test_an_owner_is_there_exactly_in_the_states_that_have_one(clinic: Clinic) -> None:
    for state in LIVE:
        assert (in_state(clinic, state).owner is not None) == (state in OWNED)


def test_a_claim_of_a_claimed_task_says_who_has_it(clinic: Clinic) -> None:
    task = in_state(clinic, State.CLAIMED)
    with pytest.raises(Refused, match="Ana Ruiz, RN has this task"):
        actions.claim(task=task, by=clinic.second_nurse)
    assert actions.claim(task=task, by=clinic.nurse).owner == clinic.nurse


def test_a_stale_page_is_told_what_changed_and_by_whom(clinic: Clinic) -> None:
    task = in_state(clinic, State.CLAIMED)
    seen = task.version
    actions.reply(task=task, body="It is ready.", by=clinic.nurse)
    with pytest.raises(Refused, match=r"You changed this task meanwhile, .* \(replied\): it is now claimed"):
        actions.resolve(task=task, outcome=clinic.done, by=clinic.nurse, seen=seen)


def test_a_page_that_the_clock_made_stale_is_told_what_it_did(clinic: Clinic) -> None:
    task = in_state(clinic, State.CLAIMED)
    seen = task.version
    with at(task.claimed_at + timedelta(minutes=241)):
        tasks.look(task.pk)
    words = r"changed meanwhile by itself \(it went back into the queue\): it is now open\. Nothing of yours was stored"
    with pytest.raises(Refused, match=words):
        actions.reply(task=task, body="It is ready.", by=clinic.nurse, seen=seen)


def test_claim_next_takes_what_is_due_first_and_never_another_queues_task(clinic: Clinic) -> None:
    clinic.task("billing")
    first, second = clinic.task(), clinic.task()
    assert actions.claim_next(by=clinic.nurse) == first
    assert actions.claim_next(by=clinic.second_nurse) == second
    assert actions.claim_next(by=clinic.nurse) is None


def test_resolving_files_the_exchange_once_and_mails_without_patient_data(clinic: Clinic) -> None:
    task = in_state(clinic, State.CLAIMED)
    actions.resolve(task=task, outcome=clinic.done, body="It is at your pharmacy.", by=clinic.nurse)
    filing = Filing.objects.get()
    assert [entry["resource"]["resourceType"] for entry in filing.document["entry"]] == [
        "Task",
        "Communication",
    ]
    mail = Mail.objects.get()
    assert (mail.recipient, mail.path) == (clinic.patient.user, task.conversation.get_absolute_url())


def test_the_clock_waits_with_the_patient_and_goes_on_with_their_answer(clinic: Clinic) -> None:
    task = in_state(clinic, State.WAITING)
    due = task.resolve_due
    with at(task.waiting_since + timedelta(hours=5)):
        actions.hear_from_patient(conversation=task.conversation, body="Main Street.", by=clinic.patient.user)
    task.refresh_from_db()
    assert (task.state, task.owner) == (State.CLAIMED, clinic.nurse)
    assert task.resolve_due - due == timedelta(hours=5)


def test_an_urgent_task_never_waits(clinic: Clinic) -> None:
    task = clinic.task(problems="true", which="My chest hurts and I can't breathe")
    actions.claim(task=task, by=clinic.nurse)
    with pytest.raises(Refused, match="urgent"):
        actions.ask_back(task=task, question="Since when?", by=clinic.nurse)
    with pytest.raises(IntegrityError), transaction.atomic():
        Task.objects.filter(pk=task.pk).update(state=State.WAITING, waiting_since=now())


def test_the_database_itself_keeps_an_urgency_that_a_red_flag_set(clinic: Clinic) -> None:
    task = clinic.task(problems="true", which="I can't breathe")
    assert task.floor == Urgency.URGENT
    with pytest.raises(IntegrityError), transaction.atomic():
        Task.objects.filter(pk=task.pk).update(urgency=Urgency.ROUTINE)


def test_a_patient_cannot_withdraw_what_may_be_an_emergency(clinic: Clinic) -> None:
    task = clinic.task(problems="true", which="I can't breathe")
    with pytest.raises(Refused):
        actions.withdraw(conversation=task.conversation, by=clinic.patient.user)


def test_a_queue_with_open_tasks_is_not_retired_by_the_action_or_by_sql(clinic: Clinic) -> None:
    clinic.task()
    with pytest.raises(Refused, match="1 open task"):
        actions.retire_queue(queue=clinic.refills, by=clinic.admin)
    with pytest.raises(IntegrityError), transaction.atomic():
        type(clinic.refills).objects.filter(pk=clinic.refills.pk).update(retired_at=now())


def test_no_task_goes_into_a_retired_queue(clinic: Clinic) -> None:
    task = in_state(clinic, State.CLAIMED)
    second = make.queue("billing", "billing", facility=clinic.facility)
    actions.retire_queue(queue=second, by=clinic.admin)
    with pytest.raises(Refused, match="retired"):
        actions.hand_over(task=task, queue=second, reason="theirs", by=clinic.nurse)
    with pytest.raises(IntegrityError), transaction.atomic():
        Task.objects.filter(pk=task.pk).update(queue=second)


def test_the_last_member_stays_while_tasks_are_open(clinic: Clinic) -> None:
    clinic.task()
    with pytest.raises(Refused, match="Somebody must stay"):
        actions.set_members(queue=clinic.refills, people=[], by=clinic.admin)


def test_an_escalation_asks_answers_and_comes_back_to_the_one_who_asked(clinic: Clinic) -> None:
    task = in_state(clinic, State.ESCALATED)
    assert task in Task.objects.visible_to(clinic.physician)
    question = task.escalations.get()
    actions.answer(escalation=question, text="Yes, the lower dose.", by=clinic.physician)
    task.refresh_from_db()
    assert (task.state, task.owner, task.asked_queue) == (State.CLAIMED, clinic.nurse, None)
    assert task not in Task.objects.visible_to(clinic.physician)
    with pytest.raises(Refused, match="already"):
        actions.answer(escalation=question, text="No.", by=clinic.physician)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [("", "Write something"), ("a\x00b", "can't be stored"), ("x" * 10_001, "10001 characters")],
)
def test_words_that_cannot_be_sent_are_refused_with_a_sentence(
    clinic: Clinic, body: str, sentence: str
) -> None:
    task = in_state(clinic, State.CLAIMED)
    with pytest.raises(Refused, match=sentence):
        actions.reply(task=task, body=body, by=clinic.nurse)
    assert not task.conversation.messages.exists()
