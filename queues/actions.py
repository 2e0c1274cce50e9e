"""Every write to queues and tasks. Each verb locks the task, checks the table of states, changes it and leaves a
step and an audit event in the same transaction; what follows later (mail, filing) is a row written here too."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from audit.actions import Kind, record, store
from audit.now import now
from portal.people.actions import post_mail
from portal.people.models import Facility, Mail, User
from portal.people.policies import Refused
from queues import clock, fhir, policies
from queues.models import (
    Conversation,
    Escalation,
    Filing,
    Message,
    Outcome,
    Queue,
    QueueGroupPermission,
    Step,
    Task,
)
from queues.states import DONE, TRANSITIONS, State
from queues.urgency import Urgency

# ---- queues ----------------------------------------------------------------------------------------------------


@transaction.atomic
def save_queue(queue: Queue, *, by: User | None) -> Queue:
    """Store a queue and, for a new one, the group of people who work it. Raises Refused where rules don't allow it."""
    policies.check_change(queue)
    if queue._state.adding:
        place = queue.facility.code if queue.facility else "central"
        queue.members = Group.objects.create(
            name=f"queue {queue.code} at {place} ({now():%Y-%m-%d %H:%M:%S.%f})"
        )
    store(queue, by=by)
    QueueGroupPermission.objects.assign_perm("work_queue", queue.members, queue)
    return queue


@transaction.atomic
def set_members(*, queue: Queue, people: Iterable[User], by: User | None) -> None:
    """Let exactly these people work the queue. The last one can't leave while tasks are open in it."""
    people = list(people)
    Queue.objects.select_for_update().get(pk=queue.pk)
    before = set(queue.members.user_set.values_list("pk", flat=True))
    after = {person.pk for person in people}
    if not after and queue.tasks.live().exists():
        raise Refused(_("Somebody must stay: this queue holds open tasks. Hand them over first."))
    strangers = [person.signature for person in people if queue.role not in person.roles]
    if strangers:
        raise Refused(
            _("%(names)s: this queue is worked by the role “%(role)s”.")
            % {"names": ", ".join(strangers), "role": queue.get_role_display()}
        )
    queue.members.user_set.set(people)
    record(
        "queues.queue.members",
        by=by,
        kind=Kind.UPDATE,
        entity=queue,
        detail={"added": sorted(after - before), "removed": sorted(before - after)},
    )


@transaction.atomic
def retire_queue(*, queue: Queue, by: User | None) -> None:
    """Close a queue for good. Raises Refused while open tasks wait in it; the database refuses too."""
    _check_empty(queue)
    # Before the lock: it takes a moment, and requests go on coming in.
    policies.check_retirement(queue)
    queue = Queue.objects.select_for_update().get(pk=queue.pk)
    _check_empty(queue)
    queue.retired_at = now()
    queue.save(update_fields=["retired_at"])
    record("queues.queue.retire", by=by, kind=Kind.UPDATE, entity=queue)


def _check_empty(queue: Queue) -> None:
    waiting = queue.tasks.live().count() + queue.asked_tasks.live().count()
    if waiting:
        raise Refused(
            _("%(count)d open tasks wait in this queue. Hand them over first.") % {"count": waiting}
        )


def serving(code: str, facility: Facility) -> Queue:
    """The live queue of this kind for patients of a facility: its own, else the central team's.

    Raises Refused where there is neither: nothing may be acknowledged that nobody will read.
    """
    rows = Queue.objects.live().filter(Q(facility=facility) | Q(facility__isnull=True), code=code)
    queue = min(
        rows.select_related("calendar").order_by(), key=lambda row: row.facility_id is None, default=None
    )
    if queue is None:
        raise Refused(
            _("Nobody works requests of this kind at %(place)s yet. Please call us.") % {"place": facility}
        )
    return queue


# ---- requests come in ------------------------------------------------------------------------------------------


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
    # The newest task is the one that goes on; the lock keeps a resolve from slipping between.
    task = conversation.tasks.select_for_update().order_by("-pk").first()
    if task is None:
        raise Refused(_("This request has no open task. Please send a new one."))
    message = Message.objects.create(
        conversation=conversation, task=task, author=by, from_patient=True, body=body, sent_at=now()
    )
    unread: dict[str, Any] = {} if screened else {"screened": False}
    if task.state == State.WAITING:
        _end_wait(task)
        _move(task, "hear from patient", by=by, waiting_since=None, **unread)
    elif task.state in DONE:
        respond_due, resolve_due = task.queue.due(Urgency(task.urgency), now())
        _move(
            task,
            "reopen",
            by=by,
            owner=None,
            resolved_at=None,
            outcome=None,
            responded_at=None,
            opened_at=now(),
            respond_due=respond_due,
            resolve_due=resolve_due,
            due_at=respond_due,
            **unread,
        )
    else:
        _change(task, "message", by=by, **unread)
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
    task = _lock(task)
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
        _change(task, "raise", by=by, **changes)
    else:
        _move(
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
        task = _lock(task)
        if task.floor == Urgency.URGENT:
            raise Refused(
                _("This request may be an emergency, so our team keeps it and will reach out to you.")
            )
        _close_question(task, _("The patient took the request back."), by=by)
        _move(task, "withdraw", by=by, owner=task.owner, waiting_since=None, asked_queue=None)


# ---- staff work ------------------------------------------------------------------------------------------------


@transaction.atomic
def claim(*, task: Task, by: User, seen: int | None = None) -> Task:
    """Make `by` the one owner. Claiming what is already one's own changes nothing."""
    task = _lock(task)
    if task.owner_id == by.pk and task.state == State.CLAIMED:
        return task
    policies.check_works_queue(task.queue, by)
    policies.check_seen(task, seen if task.state == State.OPEN else None)
    return _move(task, "claim", by=by, owner=by, claimed_at=now())


@transaction.atomic
def claim_next(*, by: User, queue: Queue | None = None) -> Task | None:
    """Claim the open task that is due first in the person's queues (or in one of them); None when all is done."""
    queues = Queue.objects.worked_by(by).order_by()
    if queue is not None:
        queues = queues.filter(pk=queue.pk)
    # Rows that a colleague is claiming at this moment are skipped, not waited for.
    task = (
        Task.objects.filter(queue__in=queues.values("pk"), state=State.OPEN)
        .order_by("due_at", "pk")
        .select_for_update(skip_locked=True)
        .first()
    )
    return None if task is None else _move(task, "claim", by=by, owner=by, claimed_at=now())


@transaction.atomic
def release(*, task: Task, by: User) -> Task:
    """Put a claimed task back for the others."""
    task = _lock(task)
    policies.check_owner(task, by)
    return _move(task, "release", by=by, owner=None, claimed_at=None)


@transaction.atomic
def reply(*, task: Task, body: str, by: User, seen: int | None = None) -> Message:
    """Send words to the patient's side and a mail that says no more than that there are some."""
    task = _lock(task)
    policies.check_seen(task, seen)
    policies.check_owner(task, by)
    body = policies.check_words(body)
    message = _say(task, body, by=by)
    _change(task, "reply", by=by, **_answered(task))
    return message


@transaction.atomic
def ask_back(*, task: Task, question: str, by: User, seen: int | None = None) -> Message:
    """Ask the patient something and stop the clock until the answer. An urgent task's clock never stops."""
    task = _lock(task)
    policies.check_seen(task, seen)
    policies.check_transition(task, "ask back")
    policies.check_owner(task, by)
    if task.urgency == Urgency.URGENT:
        raise Refused(_("This is urgent, so its clock can't stop. Send the question as a reply, or call."))
    message = _say(task, policies.check_words(question), by=by)
    _move(task, "ask back", by=by, waiting_since=now(), **_answered(task))
    return message


@transaction.atomic
def resolve(
    *,
    task: Task,
    outcome: Outcome,
    by: User,
    body: str = "",
    minutes_spent: int | None = None,
    seen: int | None = None,
) -> Task:
    """End the task with a coded outcome, and a last message where `body` has one. The exchange goes to the outbox
    to the record in the same transaction."""
    task = _lock(task)
    policies.check_seen(task, seen)
    policies.check_transition(task, "resolve")
    policies.check_owner(task, by)
    policies.check_outcome(outcome, by)
    changes = _answered(task)
    if body.strip():
        _say(task, policies.check_words(body), by=by)
    else:
        _tell(task)
    _move(task, "resolve", by=by, resolved_at=now(), outcome=outcome, minutes_spent=minutes_spent, **changes)
    messages = list(task.conversation.messages.select_related("author"))
    Filing.objects.create(
        task=task, document=fhir.exchange(task, messages), created_at=now(), not_before=now()
    )
    return task


@transaction.atomic
def hand_over(*, task: Task, queue: Queue, reason: str, by: User, seen: int | None = None) -> Task:
    """Move the task to another live queue, with a reason that the next one reads. The patient's clock goes on."""
    task = _lock(task)
    policies.check_seen(task, seen)
    policies.check_transition(task, "hand over")
    policies.check_works_queue(task.queue, by)
    if task.owner_id is not None:
        policies.check_owner(task, by)
    reason = policies.check_words(reason, limit=2000)
    queue = Queue.objects.select_for_update().get(pk=queue.pk)
    if queue.retired_at:
        raise Refused(_("%(queue)s is retired. Pick another queue.") % {"queue": queue})
    if queue.pk == task.queue_id:
        raise Refused(_("It is in %(queue)s already.") % {"queue": queue})
    return _move(
        task,
        "hand over",
        by=by,
        note=reason,
        owner=None,
        claimed_at=None,
        queue=queue,
        entered_queue_at=now(),
    )


@transaction.atomic
def escalate(
    *,
    task: Task,
    situation: str,
    question: str,
    by: User,
    options: Iterable[str] = (),
    seen: int | None = None,
) -> Escalation:
    """Ask a physician one question about a task. The asker keeps the task and closes the loop with the patient."""
    task = _lock(task)
    policies.check_seen(task, seen)
    policies.check_transition(task, "escalate")
    policies.check_owner(task, by)
    queue = serving("physician", task.conversation.patient.facility)
    escalation = Escalation.objects.create(
        task=task,
        queue=queue,
        asked_by=by,
        asked_at=now(),
        situation=policies.check_words(situation, limit=2000),
        question=policies.check_words(question, limit=1000),
        options=[option.strip()[:120] for option in options if option.strip()],
    )
    _move(task, "escalate", by=by, asked_queue=queue)
    return escalation


@transaction.atomic
def answer(*, escalation: Escalation, text: str, by: User) -> Escalation:
    """The physician's answer; the task is back with the one who asked."""
    task = _lock(escalation.task)
    escalation = Escalation.objects.select_for_update().get(pk=escalation.pk)
    if escalation.answered_at:
        raise Refused(_("%(who)s has answered this already.") % {"who": escalation.answered_by})
    policies.check_works_queue(escalation.queue, by)
    escalation.answer = policies.check_words(text, limit=2000)
    escalation.answered_by, escalation.answered_at = by, now()
    escalation.save()
    _move(task, "answer", by=by, asked_queue=None)
    return escalation


@transaction.atomic
def mark_read(*, conversation: Conversation, by: User) -> None:
    """Note that the patient's side opened the messages sent to them."""
    conversation.messages.filter(from_patient=False, read_at__isnull=True).update(read_at=now())


# ---- the one path ----------------------------------------------------------------------------------------------


def _lock(task: Task) -> Task:
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


def _move(task: Task, verb: str, *, by: User, note: str = "", **changes: Any) -> Task:
    policies.check_transition(task, verb)
    return _write(task, verb, TRANSITIONS[verb].target, by=by, note=note, **changes)


def _change(task: Task, verb: str, *, by: User, **changes: Any) -> Task:
    return _write(task, verb, State(task.state), by=by, **changes)


def _write(task: Task, verb: str, after: State, *, by: User, note: str = "", **changes: Any) -> Task:
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


def _answered(task: Task) -> dict[str, Any]:
    """The clock after words to the patient: from now on the outcome is due."""
    if task.responded_at is not None:
        return {}
    return {"responded_at": now(), "due_at": task.resolve_due}


def _end_wait(task: Task) -> None:
    """Move what is due by the open time that was waited."""
    hours = task.queue.hours()
    waited = clock.between(hours, task.waiting_since or now(), now())
    minutes = int(waited / timedelta(minutes=1))
    task.resolve_due = clock.add(hours, task.resolve_due, minutes) if minutes else task.resolve_due
    task.due_at = task.resolve_due
    task.save(update_fields=["resolve_due", "due_at"])


def _say(task: Task, body: str, *, by: User) -> Message:
    message = Message.objects.create(
        conversation=task.conversation, task=task, author=by, from_patient=False, body=body, sent_at=now()
    )
    _tell(task)
    return message


def _tell(task: Task) -> None:
    """A notice to the one who wrote, as long as they may still act for the patient."""
    conversation = task.conversation
    author = conversation.author
    if conversation.patient.is_reachable_by(author):
        post_mail(recipient=author, kind=Mail.Kind.NEW_MESSAGE, path=conversation.get_absolute_url())
    elif conversation.patient.user_id is not None:
        post_mail(
            recipient=User.objects.get(pk=conversation.patient.user_id),
            kind=Mail.Kind.NEW_MESSAGE,
            path=conversation.get_absolute_url(),
        )


def _close_question(task: Task, answer: str, *, by: User) -> None:
    Escalation.objects.filter(task=task, answered_at__isnull=True).update(
        answer=answer, answered_by=by, answered_at=now()
    )
