"""How a task's clocks move with what happens: the patient's promise, and the clock of the queue that holds it now."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from audit.now import now
from queues import clock
from queues.actions.path import LET_GO, end_leg
from queues.actions.saying import say_ourselves
from queues.models import Leg, PromiseMove, Queue, Task
from queues.urgency import Urgency

Reason = PromiseMove.Reason


def answered(task: Task) -> dict[str, Any]:
    """The clock after words to the patient: from now on the outcome is due."""
    if task.responded_at is not None:
        return {}
    return {
        "responded_at": now(),
        "due_at": task.resolve_due,
        "told": 0,
        "promises": task.promises + 1,
    }


def start_leg(task: Task, queue: Queue) -> Leg:
    """Begin the clock of this queue, from its own targets, and end the one before."""
    moment = now()
    end_leg(task, moment)
    respond, resolve = queue.due(Urgency(task.urgency), moment)
    return Leg.objects.create(
        task=task, queue=queue, entered_at=moment, respond_due=respond, resolve_due=resolve
    )


def move_promise(task: Task, reason: Reason, due_at: datetime, said: str = "") -> dict[str, Any]:
    """The changes by which another time is promised, told to the patient with the reason (or with the line `said`);
    none where it is the same."""
    if due_at == task.due_at:
        return {}
    PromiseMove.objects.create(task=task, reason=reason, before=task.due_at, after=due_at, at=now())
    say_ourselves(task, said or reason, due_at=due_at)
    return {"due_at": due_at, "told": 0, "promises": task.promises + 1}


def end_wait(task: Task, said: str = "") -> dict[str, Any]:
    """The changes after a wait for the patient: everything due moves by the open time that was waited."""
    queue, moment = task.queue, now()
    hours, since = queue.hours(), task.waiting_since or moment
    waited = clock.between(hours, since, moment)
    changes: dict[str, Any] = {"waiting_since": None, "reminded_at": None}
    if not waited:
        return changes
    for leg in task.legs.filter(left_at__isnull=True):
        leg.respond_due = clock.later(hours, leg.respond_due, waited)
        leg.resolve_due = clock.later(hours, leg.resolve_due, waited)
        leg.save(update_fields=["respond_due", "resolve_due"])
    resolve_due = clock.later(hours, task.resolve_due, waited)
    return changes | {
        "resolve_due": resolve_due,
        "promised_at": clock.later(hours, task.promised_at, waited),
        **move_promise(task, Reason.PAUSE, resolve_due, said),
    }


def new_queue(task: Task, queue: Queue) -> dict[str, Any]:
    """The changes by which a task comes into another queue, whose clock begins anew. The patient's goes on.

    What was promised stands, but where that queue doesn't open before: then its own time is promised, and told.
    """
    leg = start_leg(task, queue)
    changes: dict[str, Any] = {
        "queue": queue,
        "entered_queue_at": leg.entered_at,
        "covering_queue": None,
        "covering_person": None,
        **LET_GO,
    }
    first = task.responded_at is None
    moment, urgent = now(), task.urgency == Urgency.URGENT
    if urgent or task.due_at <= moment or clock.between(queue.hours(), moment, task.due_at):
        return changes
    due_at = leg.respond_due if first else leg.resolve_due
    task.queue = queue  # whose team the patient is told of
    changes |= move_promise(task, Reason.HAND_OVER, due_at) | {"promised_at": moment}
    if first:
        changes["respond_due"] = due_at
    changes["resolve_due"] = max(task.resolve_due, due_at)
    return changes
