"""A task that comes back with an answer is its owner's again, and they have the time of a new claim for it."""

from datetime import timedelta

import pytest

from audit.now import at
from intake import actions as intake
from queues import actions, tasks
from queues.models import Task
from queues.states import State
from tests.clinic import Clinic
from tests.queues.looks import MONDAY, sweep_at, told

LATER = MONDAY + timedelta(hours=30)


@pytest.fixture(params=["patient", "physician"])
def answered(clinic: Clinic, request: pytest.FixtureRequest) -> Task:
    """Asked on Monday, answered on Tuesday, and looked at by the clock in that minute."""
    with at(MONDAY):
        task = actions.claim(task=clinic.task(), by=clinic.nurse)
        if request.param == "patient":
            actions.ask_back(task=task, question="Which pharmacy?", by=clinic.nurse)
        else:
            asked = actions.escalate(task=task, situation="Cough.", question="Change it?", by=clinic.nurse)
    with at(LATER):
        if request.param == "patient":
            intake.write(conversation=task.conversation, body="Main Street.", by=clinic.patient.user)
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
