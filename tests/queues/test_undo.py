"""For some seconds what was sent can be taken back: nobody has seen it, nothing was mailed, nothing filed."""

from datetime import timedelta

import pytest

from audit.models import Event
from audit.now import at, now
from portal.people.models import Mail
from portal.people.policies import Refused
from portal.people.tasks import sweep_mail
from queues import actions
from queues.models import Filing, Message, Task
from queues.states import State
from tests.clinic import Clinic


@pytest.fixture
def claimed(clinic: Clinic) -> Task:
    return actions.claim(task=clinic.task(), by=clinic.nurse)


def test_a_resolution_taken_back_leaves_the_task_as_it_was(clinic: Clinic, claimed: Task) -> None:
    before = (claimed.due_at, claimed.responded_at, claimed.resolve_due)
    actions.resolve(task=claimed, outcome=clinic.done, body="At your pharmacy.", by=clinic.nurse)
    actions.undo(task=claimed, by=clinic.nurse)
    claimed.refresh_from_db()
    assert (claimed.state, claimed.owner, claimed.outcome) == (State.CLAIMED, clinic.nurse, None)
    assert (claimed.due_at, claimed.responded_at, claimed.resolve_due) == before
    assert Message.objects.standing().count() == 0
    assert Mail.objects.get().state == Mail.State.WITHDRAWN
    assert Filing.objects.get().state == Filing.State.WITHDRAWN
    assert Event.objects.filter(action="queues.task.undo").count() == 1
    assert [step.verb for step in claimed.steps.all()] == ["open", "claim", "resolve", "undo"]


def test_mail_and_filing_wait_until_the_seconds_have_passed(clinic: Clinic, claimed: Task) -> None:
    actions.resolve(task=claimed, outcome=clinic.done, body="At your pharmacy.", by=clinic.nurse)
    assert sweep_mail() == 0
    assert not Message.objects.shown().exists()
    assert Filing.objects.get().not_before > now()
    with at(now() + timedelta(seconds=11)):
        assert Message.objects.shown().count() == 1
        assert sweep_mail() == 1


def test_what_was_taken_back_is_never_mailed(clinic: Clinic, claimed: Task, mailoutbox: list) -> None:
    actions.reply(task=claimed, body="Wrong patient.", by=clinic.nurse)
    actions.undo(task=claimed, by=clinic.nurse)
    with at(now() + timedelta(minutes=5)):
        assert sweep_mail() == 0
    assert mailoutbox == []


def test_after_the_seconds_it_says_that_it_is_too_late(clinic: Clinic, claimed: Task) -> None:
    actions.reply(task=claimed, body="It is ready.", by=clinic.nurse)
    with at(now() + timedelta(seconds=11)), pytest.raises(Refused, match="too late"):
        actions.undo(task=claimed, by=clinic.nurse)


def test_nobody_takes_back_what_a_colleague_sent_nor_the_same_twice(clinic: Clinic, claimed: Task) -> None:
    actions.reply(task=claimed, body="It is ready.", by=clinic.nurse)
    with pytest.raises(Refused, match="nothing of yours"):
        actions.undo(task=claimed, by=clinic.second_nurse)
    actions.undo(task=claimed, by=clinic.nurse)
    with pytest.raises(Refused, match="nothing of yours"):
        actions.undo(task=claimed, by=clinic.nurse)


def test_what_the_patient_wrote_meanwhile_ends_it(clinic: Clinic, claimed: Task) -> None:
    actions.ask_back(task=claimed, question="Which pharmacy?", by=clinic.nurse)
    patient = clinic.patient.user
    actions.hear_from_patient(conversation=claimed.conversation, body="Never mind.", by=patient)
    with pytest.raises(Refused, match="Maya Ortiz changed this task meanwhile"):
        actions.undo(task=claimed, by=clinic.nurse)


def test_a_question_taken_back_no_longer_waits(clinic: Clinic, claimed: Task) -> None:
    actions.ask_back(task=claimed, question="Which pharmacy?", by=clinic.nurse)
    actions.undo(task=claimed, by=clinic.nurse)
    claimed.refresh_from_db()
    assert (claimed.state, claimed.waiting_since) == (State.CLAIMED, None)


def test_the_patient_sees_neither_words_nor_end_before_it_is_final(
    clinic: Clinic, claimed: Task, client
) -> None:
    client.force_login(clinic.patient.user)
    actions.resolve(task=claimed, outcome=clinic.done, body="At your pharmacy.", by=clinic.nurse)
    path = claimed.conversation.get_absolute_url()
    html = client.get(path).content.decode()
    assert "At your pharmacy." not in html
    assert "Result: done" not in html
    assert Message.objects.get().read_at is None
    with at(now() + timedelta(seconds=11)):
        html = client.get(path).content.decode()
    assert "At your pharmacy." in html
    assert "Result: done" in html
