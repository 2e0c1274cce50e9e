"""A question to a physician and its answer; the asker keeps the task."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext as _

from audit.actions import Kind, record
from audit.now import now
from portal.people.models import User
from portal.people.policies import Refused
from portal.people.prepared import kept_statements
from queues import policies
from queues.actions.path import change, lock, move
from queues.actions.places import again_if_retired, serving
from queues.actions.telling import uncovered
from queues.actions.timing import start_leg
from queues.models import Escalation, Notice, Task
from queues.states import State
from queues.urgency import Urgency


@kept_statements()
@again_if_retired
@transaction.atomic
def escalate(
    *,
    task: Task,
    situation: str,
    question: str,
    by: User,
    background: str = "",
    assessment: str = "",
    options: Iterable[str] = (),
    seen: int | None = None,
) -> Escalation:
    """Ask a physician one question about a task. The asker keeps the task and closes the loop with the patient."""
    task = lock(task)
    policies.check_seen(task, seen, by=by)
    policies.check_transition(task, "escalate")
    policies.check_owner(task, by)
    queue = serving("physician", task.conversation.patient.facility)
    escalation = Escalation.objects.create(
        task=task,
        queue=queue,
        asked_by=by,
        asked_at=now(),
        situation=policies.check_words(situation, limit=2000),
        background=policies.check_words(background, limit=2000, empty=True),
        assessment=policies.check_words(assessment, limit=2000, empty=True),
        question=policies.check_words(question, limit=1000),
        options=[option.strip()[:120] for option in options if option.strip()],
        urgent=task.urgency == Urgency.URGENT,
    )
    # Who stood in for the askers doesn't stand in for the asked.
    move(task, "escalate", by=by, asked_queue=queue, covering_queue=None, covering_person=None)
    return escalation


@kept_statements()
@transaction.atomic
def answer(*, escalation: Escalation, text: str, by: User, minutes_spent: int | None = None) -> Escalation:
    """The physician's answer; the task is back with the one who asked."""
    task, escalation = _open_question(escalation, by)
    escalation.answer = policies.check_words(text, limit=2000)
    escalation.answered_by, escalation.answered_at = by, now()
    escalation.save()
    move(task, "answer", by=by, minutes=minutes_spent, asked_queue=None, **uncovered(task))
    return escalation


@transaction.atomic
def take_over(*, escalation: Escalation, by: User) -> Task:
    """The physician takes the task instead of answering: it is theirs from now on, in their queue, clock and all."""
    task, escalation = _open_question(escalation, by)
    escalation.answer, escalation.taken_over = _("Took it over."), True
    escalation.answered_by, escalation.answered_at = by, now()
    escalation.save()
    start_leg(task, escalation.queue)
    return move(
        task,
        "take over",
        by=by,
        owner=by,
        claimed_at=now(),
        queue=escalation.queue,
        entered_queue_at=now(),
        asked_queue=None,
        covering_queue=None,
        covering_person=None,
    )


def _open_question(escalation: Escalation, by: User) -> tuple[Task, Escalation]:
    """Task and question, locked, if somebody of this queue may answer now."""
    task = lock(escalation.task)
    escalation = Escalation.objects.select_for_update().get(pk=escalation.pk)
    policies.check_answers(task, escalation.queue, by)
    policies.check_not_done(task)
    if escalation.answered_at:
        raise Refused(_("%(who)s has answered this already.") % {"who": escalation.answered_by})
    return task, escalation


@transaction.atomic
def acknowledge(*, task: Task, by: User) -> None:
    """Say that one has it: an urgent task, or an urgent question, is not alerted about any more. Doing so twice changes
    nothing."""
    task = lock(task)
    question = Escalation.objects.filter(task=task, answered_at__isnull=True, urgent=True).first()
    if question is not None and task.state == State.ESCALATED:
        policies.check_answers(task, question.queue, by)
        if question.acknowledged_at is None:
            question.acknowledged_at, question.acknowledged_by = now(), by
            question.save(update_fields=["acknowledged_at", "acknowledged_by"])
            change(task, "acknowledge", by=by)
    else:
        policies.check_works(task, by)
        policies.check_not_done(task)
        if task.urgency == Urgency.URGENT and task.acknowledged_at is None:
            change(task, "acknowledge", by=by, acknowledged_at=now())
    see_notices(by=by, task=task)


@transaction.atomic
def see_notices(*, by: User, task: Task | None = None) -> int:
    """Note that this person has seen their notices, all of them or those of one task."""
    unseen = Notice.objects.unseen_by(by)
    if task is not None:
        unseen = unseen.filter(task=task)
    count = unseen.update(seen_at=now())
    if count:
        record("queues.notice.see", by=by, kind=Kind.UPDATE, entity=task, detail={"count": count})
    return count
