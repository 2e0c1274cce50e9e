"""What comes from the patient's side: a new task, later words, a raise, a withdrawal."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from audit.actions import Kind, append, record
from audit.now import is_set, now
from portal.people.models import User
from portal.people.policies import Refused
from portal.people.prepared import kept_statements, rows
from portal.people.tasks import nudge
from queues import clock, policies
from queues.actions.path import LET_GO, change, lock, move
from queues.actions.places import after_overflow, queue_of, taking_over
from queues.actions.saying import take_back_our_lines
from queues.actions.timing import Reason, end_wait, move_promise, new_queue, start_leg
from queues.models import Conversation, Escalation, Leg, Message, Queue, Step, Task
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
    by: User | None,
    respond_within: int | None = None,
    **shown: Any,
) -> Task:
    """Put a new task into a queue with its clock running. Part of the caller's transaction.

    `respond_within` (minutes, from a rule) shortens the queue's own target. `shown` are the task's frozen words:
    subtitle, summary, flags, why, tags, screened, decision.
    """
    moment, urgent = now(), urgency == Urgency.URGENT
    queue, overflow = after_overflow(queue, urgency)
    if overflow:
        shown["why"] = [overflow, *shown.get("why", [])]
    respond_due, resolve_due = queue.due(urgency, moment)
    if respond_within is not None:
        within = clock.due_anyway(queue.hours(), moment, respond_within, urgent=urgent)
        respond_due = min(respond_due, within)
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
        promised_at=moment,
        active_at=moment,
        next_step_at=moment,
        **shown,
    )
    Leg.objects.create(
        task=task, queue=queue, entered_at=moment, respond_due=respond_due, resolve_due=resolve_due
    )
    append(Step(task=task, verb="open", before="", after=State.OPEN, queue=queue, by=by, at=moment))
    record(
        "queues.task.open",
        by=by,
        kind=Kind.CREATE,
        patients=[conversation.patient_id],
        entity=task,
        detail={"queue": queue.pk, "urgency": urgency.word},
    )
    if urgent and not is_set():
        nudge("queues.tasks.look", task.pk)
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
    task = next(iter(policies.front_task(conversation=conversation.pk, locked=True)), None)
    if task is None:
        raise Refused(_("This request has no open task. Please send a new one."))
    task.conversation, task.queue = conversation, queue_of(task.queue_id)
    message = Message.objects.create(
        conversation=conversation, task=task, author=by, from_patient=True, body=body, sent_at=now()
    )
    unread: dict[str, Any] = {} if screened else {"screened": False}
    if task.state == State.WAITING:
        move(task, "hear from patient", by=by, **end_wait(task), **unread)
    elif task.state in DONE:
        reopen(task, by=by, **unread)
    else:
        change(task, "message", by=by, **unread)
    return message


def reopen(task: Task, *, by: User | None, note: str = "", **changes: Any) -> Task:
    """Put a finished task back, in its queue or in the one that took over, with a new promise that is told."""
    queue = task.queue = taking_over(task)
    leg = start_leg(task, queue)
    return move(
        task,
        "reopen",
        by=by,
        note=note,
        queue=queue,
        entered_queue_at=leg.entered_at,
        resolved_at=None,
        held_until=None,
        outcome=None,
        responded_at=None,
        opened_at=now(),
        promised_at=now(),
        respond_due=leg.respond_due,
        resolve_due=leg.resolve_due,
        **LET_GO,
        **move_promise(task, Reason.REOPEN, leg.respond_due),
        **changes,
    )


def raise_urgency(
    *,
    task: Task,
    urgency: Urgency,
    floor: Urgency,
    queue: Queue,
    by: User,
    flags: list[dict[str, Any]],
    why: list[str],
    heard: Message | None = None,
) -> None:
    """Apply a new decision to an open task: it can only raise. Part of the transaction that stored the words, which
    are `heard`: what Porter said to them already (open again, by when) gives way to the one line that holds now.

    A raised task goes to the decided queue and to the front of it; one that a physician has stays with them.
    """
    task = lock(task)
    urgency, floor = max(urgency, Urgency(task.urgency)), max(floor, Urgency(task.floor))
    if (urgency, floor) == (task.urgency, task.floor) and not flags:
        return
    respond_due, resolve_due = queue.due(urgency, now())
    first = task.responded_at is None
    due_at = min(task.due_at, respond_due) if first else respond_due
    stays = task.state == State.ESCALATED or (task.state == State.CLAIMED and task.queue_id == queue.pk)
    changes: dict[str, Any] = {
        "urgency": urgency,
        "floor": floor,
        "flags": [*task.flags, *flags],
        "why": [*why, *task.why],
        "responded_at": None,
        "promised_at": now(),
        "respond_due": min(task.respond_due, respond_due) if first else respond_due,
        "resolve_due": max(resolve_due, respond_due),
    }
    task.urgency = urgency
    if not stays:
        if queue.pk != task.queue_id:
            changes = new_queue(task, queue) | changes
        task.queue = queue
        changes |= {
            "queue": queue,
            "waiting_since": None,
            "reminded_at": None,
            **LET_GO,
        }
    if heard is not None and due_at != task.due_at:
        take_back_our_lines(task, since=heard)
    changes |= move_promise(task, Reason.RAISE, due_at)
    if stays:
        change(task, "raise", by=by, **changes)
    else:
        move(task, "raise", by=by, **changes)


@transaction.atomic
def withdraw(*, conversation: Conversation, by: User) -> None:
    """The patient's side takes the request back. What a red flag made urgent stays: somebody still calls."""
    for task in conversation.tasks.live():
        task = lock(task)
        if task.floor == Urgency.URGENT:
            raise Refused(
                _("This request may be an emergency, so our team keeps it and will reach out to you.")
            )
        Escalation.objects.close(task, _("The patient took the request back."), by=by)
        move(task, "withdraw", by=by, owner=task.owner, waiting_since=None, asked_queue=None)


@transaction.atomic
def keep_after_all(*, conversation: Conversation, by: User) -> None:
    """The patient's side takes the withdrawal back, within a day: what it ended is open again with a new promise."""
    ended = [task for task in conversation.tasks.all() if policies.can_keep(task)]
    if not ended or conversation.tasks.live().exists():
        raise Refused(_("This can't be taken back any more. Please send a new request."))
    for task in ended:
        reopen(lock(task), by=by)


@kept_statements()
@transaction.atomic
def mark_read(*, conversation: Conversation, by: User) -> None:
    """Note that the patient's side opened the messages sent to them."""
    moment = now()
    if not rows(OPENED, [moment, conversation.pk, moment, conversation.pk]):
        return
    # An urgent answer that can still be undone is not on the page yet: somebody calls if nobody reads it later.
    unread = conversation.messages.standing().filter(from_patient=False, read_at__isnull=True)
    hidden = unread.filter(task=OuterRef("pk"), author__isnull=False)
    waits = conversation.tasks.filter(Q(unread_since__isnull=False) | Q(call_since__isnull=False))
    waits.exclude(Exists(hidden)).update(unread_since=None, call_since=None)


# What the patient's side can see of a conversation is read now; the tasks that waited for it.
OPENED = """
WITH opened AS (
    UPDATE queues_message SET read_at = %s
    WHERE conversation_id = %s AND NOT from_patient AND read_at IS NULL AND withdrawn_at IS NULL AND shown_at <= %s
)
SELECT id FROM queues_task
WHERE conversation_id = %s AND (unread_since IS NOT NULL OR call_since IS NOT NULL) LIMIT 1
"""
