"""The one path by which a task changes: lock, check the table of states, write, leave a step and an audit event."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from audit.actions import Kind, append, record
from audit.now import is_set, now
from audit.statements import sent, together
from portal.people.models import User
from portal.people.prepared import Prepared
from portal.people.tasks import nudge
from queues import policies
from queues.models import Leg, Step, Task
from queues.states import DONE, LIVE, TRANSITIONS, State
from queues.urgency import Urgency

# What a task loses when its owner lets go of it. Who had taken it up has it no longer: what is urgent is alerted anew.
LET_GO: dict[str, Any] = {
    "owner": None,
    "claimed_at": None,
    "acknowledged_at": None,
    "alerts": 0,
    "alerted_at": None,
}


def lock(task: Task) -> Task:
    """The task as it is once nobody else changes it. What was read with it before and is still so is kept.

    The row is locked without a join: PostgreSQL would join the new row with the old queue and find nothing when the
    task was handed over meanwhile.
    """
    (locked,) = _locked(pk=task.pk)
    known = task._state.fields_cache
    if "conversation" in known:
        locked.conversation = task.conversation
    if "queue" in known and locked.queue_id == task.queue_id:
        locked.queue = task.queue
    if "decision" in known and locked.decision_id == task.decision_id:
        locked.decision = task.decision
    return locked


@Prepared
def _locked(pk: int) -> QuerySet[Task]:
    return Task.objects.select_for_update().filter(pk=pk)


def end_leg(task: Task, moment: datetime) -> None:
    """Stop the clock of the queue that had the task until now."""
    sent("UPDATE queues_leg SET left_at = %s WHERE task_id = %s AND left_at IS NULL", [moment, task.pk])


def move(
    task: Task,
    verb: str,
    *,
    by: User | None,
    note: str = "",
    minutes: int | None = None,
    **changes: Any,
) -> Task:
    policies.check_transition(task, verb)
    return write(task, verb, TRANSITIONS[verb].target, by=by, note=note, minutes=minutes, **changes)


def change(task: Task, verb: str, *, by: User | None, note: str = "", **changes: Any) -> Task:
    return write(task, verb, State(task.state), by=by, note=note, **changes)


def write(
    task: Task,
    verb: str,
    after: State,
    *,
    by: User | None,
    note: str = "",
    minutes: int | None = None,
    **changes: Any,
) -> Task:
    """Store the change with its step and its event, and ask the clock to look at the task. `by` None is the clock;
    `minutes` is how long it took, where who did it said so."""
    before, task.state = task.state, after
    # What was promised until now: a figure of whether it was kept must not rest on what a later change makes of it.
    told: dict[str, Any] = {"minutes": minutes}
    if task.responded_at is None and changes.get("responded_at") is not None and verb != "undo":
        told["respond_due"] = task.due_at
    if after == State.RESOLVED and before != after:
        told["resolve_due"] = task.resolve_due
    for name, value in changes.items():
        setattr(task, name, value)
    task.version += 1
    fields = {"state", "version", "next_step_at", *changes}
    came_back = after == State.CLAIMED and before in (State.WAITING, State.ESCALATED)
    if by is not None and by.pk == task.owner_id or came_back:
        # Whose task comes back with an answer has as long for it as with a new one.
        task.active_at = now()
        fields.add("active_at")
    # What comes next is worked out by the clock's next look; nothing that is done is looked at, but a reply unread.
    task.next_step_at = now() if after in LIVE or task.unread_since else None
    patient = task.conversation.patient_id
    with together():
        task.save(update_fields=fields)
        append(
            Step(
                task=task,
                verb=verb,
                before=before,
                after=after,
                queue_id=task.queue_id,
                by=by,
                at=now(),
                note=note,
                **told,
            )
        )
        if after in DONE and before not in DONE:
            end_leg(task, now())
        if verb == "undo" and before in DONE:
            # The end never was: the queue's clock goes on.
            last = Leg.objects.filter(task=task).order_by("-pk").values("pk")[:1]
            Leg.objects.filter(pk__in=last).update(left_at=None)
        record(
            f"queues.task.{verb.replace(' ', '-')}",
            by=by,
            kind=Kind.UPDATE,
            patients=[patient],
            entity=task,
            detail={"before": before, "after": after, "queue": task.queue_id},
        )
    if task.urgency == Urgency.URGENT and task.next_step_at and not is_set():
        nudge("queues.tasks.look", task.pk)
    return task
