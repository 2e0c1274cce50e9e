"""What comes from the patient's side: a new task, later words, a raise, a withdrawal."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from audit.actions import Kind, record
from audit.now import now
from portal.people.models import User
from portal.people.policies import Refused
from queues import clock, policies
from queues.actions.escalations import close_question
from queues.actions.path import change, lock, move
from queues.actions.timing import end_wait
from queues.models import Conversation, Message, Queue, Step, Task
from queues.states import DONE, State
from queues.urgency import Urgency


def open_task(
    *,
    conversation: Conversation,
    queue: Queue,
    urgency: Urgency,
    floor: Urgency,
    title: str,
    plain_title: str,
    by: User,
    respond_within: int | None = None,
    **shown: Any,
) -> Task:
    """Put a new task into a queue with its clock running. Part of the caller's transaction.

    `respond_within` (minutes, from a rule) shortens the queue's own target. `shown` are the task's frozen words:
    subtitle, summary, flags, why, tags, screened, decision.
    """
    moment = now()
    respond_due, resolve_due = queue.due(urgency, moment)
    if respond_within is not None:
        urgent = urgency == Urgency.URGENT
        respond_due = min(respond_due, clock.due(queue.hours(), moment, respond_within, urgent=urgent))
    task = Task.objects.create(
        conversation=conversation,
        queue=queue,
        urgency=urgency,
        floor=floor,
        title=title,
        plain_title=plain_title,
        opened_at=moment,
        entered_queue_at=moment,
        respond_due=respond_due,
        resolve_due=resolve_due,
        due_at=respond_due,
        **shown,
    )
    Step.objects.create(task=task, verb="open", before="", after=State.OPEN, queue=queue, by=by, at=moment)
    record(
        "queues.task.open",
        by=by,
        kind=Kind.CREATE,
        patients=[conversation.patient_id],
        entity=task,
        detail={"queue": queue.pk, "urgency": urgency.word},
    )
    return task


@transaction.atomic
def hear_from_patient(*, conversation: Conversation, body: str, by: User, screened: bool = True) -> Message:
    """Store what the patient's side wrote, end a wait, and open a finished request again. Not `screened`, something
    came with it that no machine has read.

    Part of the caller's transaction, which reads the words for red flags and decides anew.
    """
    body = policies.check_words(body)
    # What waits for the patient goes on, or what is open, or the newest. The lock keeps a resolve
    # from slipping between.
    task = conversation.tasks.select_for_update().front_first().first()
    if task is None:
        raise Refused(_("This request has no open task. Please send a new one."))
    message = Message.objects.create(
        conversation=conversation, task=task, author=by, from_patient=True, body=body, sent_at=now()
    )
    unread: dict[str, Any] = {} if screened else {"screened": False}
    if task.state == State.WAITING:
        end_wait(task)
        move(task, "hear from patient", by=by, waiting_since=None, **unread)
    elif task.state in DONE:
        respond_due, resolve_due = task.queue.due(Urgency(task.urgency), now())
        move(
            task,
            "reopen",
            by=by,
            owner=None,
            resolved_at=None,
            held_until=None,
            outcome=None,
            responded_at=None,
            opened_at=now(),
            respond_due=respond_due,
            resolve_due=resolve_due,
            due_at=respond_due,
            **unread,
        )
    else:
        change(task, "message", by=by, **unread)
    return message


def raise_urgency(
    *,
    task: Task,
    urgency: Urgency,
    floor: Urgency,
    queue: Queue,
    by: User,
    flags: list[dict[str, Any]],
    why: list[str],
) -> None:
    """Apply a new decision to an open task: it can only raise. Part of the transaction that stored the words.

    A raised task goes to the decided queue and to the front of it; one that a physician has stays with them.
    """
    task = lock(task)
    urgency, floor = max(urgency, Urgency(task.urgency)), max(floor, Urgency(task.floor))
    if (urgency, floor) == (task.urgency, task.floor) and not flags:
        return
    respond_due, resolve_due = queue.due(urgency, now())
    changes: dict[str, Any] = {
        "urgency": urgency,
        "floor": floor,
        "flags": [*task.flags, *flags],
        "why": [*why, *task.why],
        "responded_at": None,
        "respond_due": min(task.respond_due, respond_due) if task.responded_at is None else respond_due,
        "resolve_due": max(resolve_due, respond_due),
        "due_at": min(task.due_at, respond_due) if task.responded_at is None else respond_due,
    }
    if task.state == State.ESCALATED or (task.state == State.CLAIMED and task.queue_id == queue.pk):
        change(task, "raise", by=by, **changes)
    else:
        move(
            task,
            "raise",
            by=by,
            owner=None,
            waiting_since=None,
            queue=queue,
            entered_queue_at=now(),
            **changes,
        )


@transaction.atomic
def withdraw(*, conversation: Conversation, by: User) -> None:
    """The patient's side takes the request back. What a red flag made urgent stays: somebody still calls."""
    for task in conversation.tasks.live():
        task = lock(task)
        if task.floor == Urgency.URGENT:
            raise Refused(
                _("This request may be an emergency, so our team keeps it and will reach out to you.")
            )
        close_question(task, _("The patient took the request back."), by=by)
        move(task, "withdraw", by=by, owner=task.owner, waiting_since=None, asked_queue=None)


@transaction.atomic
def mark_read(*, conversation: Conversation, by: User) -> None:
    """Note that the patient's side opened the messages sent to them."""
    conversation.messages.shown().filter(from_patient=False, read_at__isnull=True).update(read_at=now())
