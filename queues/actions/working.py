"""What staff do with a task: claim, reply, ask back, hand over, resolve."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from audit.actions import Kind, append, record
from audit.now import is_set, now
from portal.people.models import Mail, User
from portal.people.policies import Refused
from portal.people.prepared import Prepared, kept_statements
from portal.people.roles import Role
from queues import fhir, policies
from queues.actions import asking, telling
from queues.actions.holding import before, hold, window
from queues.actions.path import LET_GO, change, lock, move
from queues.actions.places import check_staffed, hold_still
from queues.actions.saying import tell, write
from queues.actions.timing import answered, new_queue
from queues.assessing import Assessed, decided_category
from queues.models import Assessment, Filing, FollowUpForm, Message, Outcome, Queue, Task
from queues.states import UNCLAIMED, State
from queues.urgency import Urgency

LOST_AFTER = 3  # a task handed over so often belongs to nobody: the lead is told


@kept_statements()
@transaction.atomic
def claim(*, task: Task, by: User, seen: int | None = None) -> Task:
    """Make `by` the one owner. Claiming what is already one's own changes nothing."""
    task = lock(task)
    if task.owner_id == by.pk and task.state == State.CLAIMED:
        return task
    policies.check_works(task, by)
    policies.check_seen(task, seen if task.state in UNCLAIMED else None, by=by)
    policies.check_room(task, by)
    return take(task, by)


def take(task: Task, by: User) -> Task:
    """Taking a task is taking it up: nobody is alerted about it any more."""
    return move(
        task,
        "claim",
        by=by,
        owner=by,
        claimed_at=now(),
        acknowledged_at=task.acknowledged_at or now(),
    )


@transaction.atomic
def release(*, task: Task, by: User) -> Task:
    """Put a claimed task back for the others."""
    task = lock(task)
    policies.check_owner(task, by)
    return move(task, "release", by=by, **LET_GO)


@kept_statements()
@transaction.atomic
def reply(
    *, task: Task, body: str, by: User, follow_up: FollowUpForm | None = None, seen: int | None = None
) -> Message:
    """Send words to the patient's side and a mail that says no more than that there are some. With `follow_up`, a
    small form goes along; the clock runs on, which is how something urgent is asked."""
    task = lock(task)
    policies.check_seen(task, seen, by=by)
    policies.check_not_done(task)
    policies.check_owner(task, by)
    body, was = asking.words(body, follow_up), before(task)
    message, mails = _say(task, body, follow_up, by=by)
    change(task, "reply", by=by, **answered(task))
    hold(task, "reply", by=by, was=was, message=message, mails=mails)
    return message


def _say(task: Task, words: str, follow_up: FollowUpForm | None, *, by: User) -> tuple[Message, list[Mail]]:
    """Words, with the form that goes along and the mail: all of it once the seconds to take it back have passed."""
    message = write(task, words, by=by, after=window())
    asking.send(message, follow_up, by=by)
    return message, tell(task, after=window())


@kept_statements()
@transaction.atomic
def ask_back(
    *, task: Task, question: str, by: User, follow_up: FollowUpForm | None = None, seen: int | None = None
) -> Message:
    """Ask the patient something and stop the clock until the answer. An urgent task's clock never stops.

    `follow_up` is a small form that the patient answers on the request's page; the question may then be empty.
    """
    task = lock(task)
    policies.check_seen(task, seen, by=by)
    policies.check_transition(task, "ask back")
    policies.check_owner(task, by)
    if task.urgency == Urgency.URGENT:
        raise Refused(_("This is urgent, so its clock can't stop. Send the question as a reply, or call."))
    was = before(task)
    message, mails = _say(task, asking.words(question, follow_up), follow_up, by=by)
    move(task, "ask back", by=by, waiting_since=now(), **answered(task))
    hold(task, "ask back", by=by, was=was, message=message, mails=mails)
    return message


@kept_statements()
@transaction.atomic
def resolve(
    *,
    task: Task,
    outcome: Outcome,
    by: User,
    body: str = "",
    minutes_spent: int | None = None,
    assessed: Assessed | None = None,
    seen: int | None = None,
) -> Task:
    """End the task with a coded outcome, and a last message where `body` has one. The exchange goes to the outbox
    to the record in the same transaction. `assessed` says whether the rules had sorted it right."""
    task = lock(task)
    policies.check_seen(task, seen, by=by)
    policies.check_transition(task, "resolve")
    policies.check_owner(task, by)
    policies.check_outcome(outcome, by)
    policies.check_protocol(task)
    changes, was = answered(task), before(task)
    message = write(task, policies.check_words(body), by=by, after=window()) if body.strip() else None
    mails = tell(task, after=window())
    move(
        task,
        "resolve",
        by=by,
        resolved_at=now(),
        outcome=outcome,
        minutes_spent=minutes_spent,
        minutes=minutes_spent,
        held_until=now() + window(),
        **changes,
    )
    if assessed is not None:
        _assess(task, assessed, by=by)
    messages = _said(conversation=task.conversation_id)
    filing = Filing(
        task=task, document=fhir.exchange(task, messages), created_at=now(), not_before=now() + window()
    )
    append(filing)
    hold(task, "resolve", by=by, was=was, message=message, mails=mails, filing=filing)
    return task


@Prepared
def _said(conversation: int) -> QuerySet[Message]:
    return Message.objects.standing().filter(conversation=conversation).select_related("author")


def _assess(task: Task, assessed: Assessed, *, by: User) -> None:
    category = decided_category(task)
    assessment = Assessment(
        task=task,
        decision=task.decision,
        decided_urgency=task.urgency,
        urgency=assessed.urgency or task.urgency,
        decided_category=category,
        category=assessed.category or category,
        by=by,
        at=now(),
    )
    append(assessment)
    record(
        "queues.task.assess",
        by=by,
        kind=Kind.CREATE,
        patients=[task.conversation.patient_id],
        entity=task,
        detail={"decided": assessment.decided_urgency, "right": assessment.urgency},
    )


@kept_statements()
@transaction.atomic
def hand_over(*, task: Task, queue: Queue, reason: str, by: User, seen: int | None = None) -> Task:
    """Move the task to another live queue, with a reason that the next one reads. The patient's clock goes on."""
    task = lock(task)
    policies.check_seen(task, seen, by=by)
    policies.check_transition(task, "hand over")
    # A lead moves what others hold, too, and to any place; everybody else what they work and nobody else holds.
    leads = Role.LEAD in by.roles and policies.can_lead(task.queue, by)
    if not leads:
        policies.check_works(task, by)
        if task.owner_id is not None:
            policies.check_owner(task, by)
    reason = policies.check_words(reason, limit=2000)
    queue = hold_still(queue)
    if queue.retired_at:
        raise Refused(_("%(queue)s is retired. Pick another queue.") % {"queue": queue})
    if queue.pk == task.queue_id:
        raise Refused(_("It is in %(queue)s already.") % {"queue": queue})
    if not leads:
        policies.check_serves(queue, task.conversation.patient)
    policies.check_takes(queue, task)
    check_staffed(queue)
    task = move(
        task, "hand over", by=by, note=reason, hand_overs=task.hand_overs + 1, **new_queue(task, queue)
    )
    if task.hand_overs == LOST_AFTER and not is_set():
        telling.tell(task, telling.Kind.HANDED_AROUND, telling.leads_of(queue), round=task.hand_overs)
    return task
