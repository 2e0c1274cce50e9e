"""Every pair of a state and a verb, and the diagram that is drawn from the table."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction

from audit.models import Event
from audit.now import at, now
from portal.people.models import User
from portal.people.policies import Refused
from queues import actions
from queues.actions import looking
from queues.actions.incoming import reopen
from queues.actions.path import lock, move
from queues.management.commands.draw_states import PAGE, drawn
from queues.models import Task
from queues.policies import DID
from queues.states import DONE, LIVE, OWNED, TRANSITIONS, State
from queues.urgency import Urgency
from tests.clinic import Clinic
from tests.queues.test_actions import in_state


def plain(verb: str, **changes: Any) -> Callable[[Clinic, Task], Any]:
    """The guarded path itself, for what only the clock or the patient's words set off."""

    def act(clinic: Clinic, task: Task) -> None:
        with transaction.atomic():
            move(lock(task), verb, by=None, **changes)

    return act


def raise_it(clinic: Clinic, task: Task) -> None:
    with transaction.atomic():
        if task.state in (State.ESCALATED, State.CLAIMED):
            # With a physician, or at its owner's, it stays there; to another queue it goes by the table.
            if task.state == State.ESCALATED:
                move(lock(task), "raise", by=None, owner=None, asked_queue=None)
                return
        elif task.state in DONE:
            move(lock(task), "raise", by=None)
        actions.raise_urgency(
            task=task, urgency=Urgency.URGENT, floor=Urgency.URGENT, queue=clinic.urgent, flags=[], why=[],
            by=clinic.patient.user,
        )  # fmt: skip


def answer(clinic: Clinic, task: Task) -> None:
    question = task.escalations.first()
    if question is None:
        plain("answer", asked_queue=None)(clinic, task)
    else:
        actions.answer(escalation=question, text="Yes.", by=clinic.physician)


def take_over(clinic: Clinic, task: Task) -> None:
    question = task.escalations.first()
    if question is None:
        plain("take over", asked_queue=None)(clinic, task)
    else:
        actions.take_over(escalation=question, by=clinic.physician)


def withdraw(clinic: Clinic, task: Task) -> None:
    if task.state in DONE:
        plain("withdraw")(clinic, task)  # of what is finished there is nothing to take back
    else:
        actions.withdraw(conversation=task.conversation, by=clinic.patient.user)


VERBS: dict[str, Callable[[Clinic, Task], Any]] = {
    "claim": lambda clinic, task: actions.claim(task=task, by=clinic.second_nurse),
    "release": lambda clinic, task: actions.release(task=task, by=clinic.nurse),
    "fall asleep": plain("fall asleep", owner=None),
    "ask back": lambda clinic, task: actions.ask_back(task=task, question="?", by=clinic.nurse),
    "hear from patient": plain("hear from patient", waiting_since=None),
    "reach": plain("reach", waiting_since=None),
    "stop waiting": plain("stop waiting", waiting_since=None, owner=None),
    "escalate": lambda clinic, task: actions.escalate(
        task=task, situation="s", question="q", by=clinic.nurse
    ),
    "answer": answer,
    "take over": take_over,
    "undo": plain(
        "undo", waiting_since=None, resolved_at=None, outcome=None
    ),  # the owner stays with a finished one
    "hand over": lambda clinic, task: actions.hand_over(
        task=task, queue=clinic.triage, reason="theirs", by=clinic.nurse
    ),
    "assign": lambda clinic, task: actions.assign(
        task=task,
        to=clinic.second_nurse,
        reason="She knows them.",
        by=User.objects.get(staff_roles__role="lead"),
    ),
    "transfer": plain("transfer", owner=None, waiting_since=None, asked_queue=None),
    "resolve": lambda clinic, task: actions.resolve(task=task, outcome=clinic.done, by=clinic.nurse),
    "withdraw": withdraw,
    "reopen": lambda clinic, task: reopen(lock(task), by=None) if task.pk else None,
    "raise": raise_it,
}


def test_every_verb_of_the_table_is_tried() -> None:
    assert set(VERBS) == set(TRANSITIONS)
    assert set(LIVE) | set(DONE) == set(State)


def test_every_verb_that_a_step_can_have_is_told_in_words() -> None:
    code = "".join(path.read_text() for path in Path(actions.__file__).parent.glob("*.py"))
    changes = set(re.findall(r'\bchange\(\s*task,\s*"([^"]+)"', code))
    assert {"reply", "call", "acknowledge"} <= changes
    assert set(TRANSITIONS) | changes <= set(DID)


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("verb", list(TRANSITIONS))
def test_each_verb_works_from_its_states_and_from_all_others_says_no_and_changes_nothing(
    clinic: Clinic, verb: str, state: State
) -> None:
    task = in_state(clinic, state)
    before, events = Task.objects.filter(pk=task.pk).values().get(), Event.objects.count()
    steps = task.steps.count()
    if state not in TRANSITIONS[verb].sources:
        with pytest.raises(Refused) as refused:
            in_one(VERBS[verb], clinic, task)
        assert str(refused.value).endswith(".")
        assert Task.objects.filter(pk=task.pk).values().get() == before
        assert (Event.objects.count(), task.steps.count()) == (events, steps)
        return
    in_one(VERBS[verb], clinic, task)
    task.refresh_from_db()
    assert task.state == TRANSITIONS[verb].target
    assert (task.owner is not None) == (task.state in OWNED) or task.state in DONE
    assert (task.steps.last().verb, task.steps.last().before) == (verb, state)
    assert Event.objects.count() > events
    assert (task.next_step_at is not None) == (task.state in LIVE)


@transaction.atomic
def in_one(act: Callable[[Clinic, Task], Any], clinic: Clinic, task: Task) -> None:
    act(clinic, task)


def test_the_clock_passes_a_task_over_that_is_not_due(clinic: Clinic) -> None:
    task = clinic.task()
    with at(now()):
        assert looking.look(task.pk)
        assert not looking.look(task.pk)


def test_the_diagram_in_the_docs_is_drawn_from_the_table() -> None:
    call_command("draw_states", "--check")
    page = PAGE.read_text(encoding="utf-8")
    assert drawn(page) == page
    for verb in TRANSITIONS:
        assert verb in page
