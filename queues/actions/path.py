"""The one path by which a task changes: lock, check the table of states, write, leave a step and an audit event."""

from __future__ import annotations

from typing import Any

from audit.actions import Kind, record
from audit.now import now
from portal.people.models import User
from queues import policies
from queues.models import Step, Task
from queues.states import TRANSITIONS, State


def lock(task: Task) -> Task:
    """The task as it is once nobody else changes it. What was read with it before and is still so is kept.

    The row is locked without a join: PostgreSQL would join the new row with the old queue and find nothing when the
    task was handed over meanwhile.
    """
    locked = Task.objects.select_for_update().get(pk=task.pk)
    known = task._state.fields_cache
    if "conversation" in known:
        locked.conversation = task.conversation
    if "queue" in known and locked.queue_id == task.queue_id:
        locked.queue = task.queue
    return locked


def move(task: Task, verb: str, *, by: User, note: str = "", **changes: Any) -> Task:
    policies.check_transition(task, verb)
    return write(task, verb, TRANSITIONS[verb].target, by=by, note=note, **changes)


def change(task: Task, verb: str, *, by: User, note: str = "", **changes: Any) -> Task:
    return write(task, verb, State(task.state), by=by, note=note, **changes)


def write(task: Task, verb: str, after: State, *, by: User, note: str = "", **changes: Any) -> Task:
    before, task.state = task.state, after
    for name, value in changes.items():
        setattr(task, name, value)
    task.version += 1
    task.save(update_fields=["state", "version", *changes])
    Step.objects.create(
        task=task, verb=verb, before=before, after=after, queue_id=task.queue_id, by=by, at=now(), note=note
    )
    record(
        f"queues.task.{verb.replace(' ', '-')}",
        by=by,
        kind=Kind.UPDATE,
        patients=[task.conversation.patient_id],
        entity=task,
        detail={"before": before, "after": after, "queue": task.queue_id},
    )
    return task
