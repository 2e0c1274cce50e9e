"""A task that comes back with an answer is its owner's again, and they have the time of a new claim for it."""

from datetime import timedelta

import pytest

from audit.now import at
from intake import actions as intake
from queues import actions, tasks
from queues.models import Task
from queues.states import State
from tests.clinic import Clinic
from tests.queues.looks import CHEST, MONDAY, sweep_at, told

LATER = MONDAY + timedelta(hours=30)


@pytest.fixture(params=["patient", "physician", "phone"])
def answered(clinic: Clinic, request: pytest.FixtureRequest) -> Task:
    """Asked on Monday, answered on Tuesday, and looked at by the clock in that minute."""
    with at(MONDAY):
        task = actions.claim(task=clinic.task(), by=clinic.nurse)
        if request.param in ("patient", "phone"):
            actions.ask_back(task=task, question="Which pharmacy?", by=clinic.nurse)
        else:
            asked = actions.escalate(task=task, situation="Cough.", question="Change it?", by=clinic.nurse)
    with at(LATER):
        if request.param == "patient":
            intake.write(conversation=task.conversation, body="Main Street.", by=clinic.patient.user)
        elif request.param == "phone":
            actions.log_call(task=task, result="reached", note="Main Street.", by=clinic.second_nurse)
        else:
            actions.answer(escalation=asked, text="Yes.", by=clinic.physician)
        tasks.sweep()
    task.refresh_from_db()
    return task


def test_the_answer_wakes_the_claim(clinic: Clinic, answered: Task) -> None:
    sweep_at(LATER + timedelta(minutes=239))
    answered.refresh_from_db()
    assert (answered.state, answered.owner) == (State.CLAIMED, clinic.nurse)
    assert "fell-asleep" not in {kind for kind, _who in told(answered)}


def test_and_it_falls_asleep_like_any_other(clinic: Clinic, answered: Task) -> None:
    sweep_at(LATER + timedelta(minutes=240))
    answered.refresh_from_db()
    assert (answered.state, answered.owner) == (State.OPEN, None)
    assert ("fell-asleep", "Ana") in told(answered)


def test_a_call_that_reaches_nobody_leaves_it_waiting_and_one_that_does_moves_the_promise(
    clinic: Clinic,
) -> None:
    with at(MONDAY):
        task = actions.claim(task=clinic.task(), by=clinic.nurse)
        actions.ask_back(task=task, question="Which pharmacy?", by=clinic.nurse)
    task.refresh_from_db()
    due = task.resolve_due
    with at(MONDAY + timedelta(hours=3)):
        actions.log_call(task=task, result="voicemail", by=clinic.nurse)
        task.refresh_from_db()
        assert task.state == State.WAITING
        actions.log_call(task=task, result="reached", by=clinic.nurse)
    task.refresh_from_db()
    assert (task.state, task.waiting_since) == (State.CLAIMED, None)
    assert task.resolve_due - due == timedelta(hours=3)
    assert [step.verb for step in task.steps.all()][-2:] == ["call", "reach"]


@pytest.mark.parametrize("leaves", [False, True], ids=["put back", "its owner left"])
def test_what_is_urgent_and_let_go_of_is_alerted_anew(clinic: Clinic, lead, leaves: bool) -> None:
    with at(MONDAY):
        task = actions.claim(task=clinic.task(**CHEST), by=clinic.nurse)
        tasks.sweep()
        assert told(task) == []
        if leaves:
            actions.set_members(queue=clinic.urgent, people=[clinic.second_nurse], by=None)
            tasks.check_nightly()
        else:
            actions.release(task=task, by=clinic.nurse)
        tasks.sweep()
    task.refresh_from_db()
    assert (task.state, task.acknowledged_at) == (State.OPEN, None)
    assert ("take-up", "Kim") in told(task)
