"""Tasks that staff begin: a part split off from another, and a conversation that the clinic starts."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from audit.actions import Kind, record
from audit.now import now
from portal.people.models import Patient, User
from portal.people.policies import Refused
from portal.people.roles import Field, fields_for
from queues import policies
from queues.actions.incoming import open_task
from queues.actions.path import change, lock, move
from queues.actions.places import hold_still
from queues.actions.saying import readers
from queues.actions.working import ask_back, reply
from queues.models import Conversation, Queue, Task
from queues.urgency import Urgency

FROM_CLINIC = "clinic-message"  # the request type of what the clinic begins


@transaction.atomic
def split(
    *,
    task: Task,
    queue: Queue,
    title: str,
    by: User,
    details: str = "",
    urgency: Urgency = Urgency.ROUTINE,
    seen: int | None = None,
) -> Task:
    """Give a part of the request to another queue as a task of its own, with its own words and its own clock.

    Both tasks share one conversation, so the patient goes on seeing one request. The old task keeps its owner, its
    urgency and what is asked in it. What the new one says is written for the people of its queue: an office reads it.
    """
    task = lock(task)
    policies.check_seen(task, seen, by=by)
    policies.check_not_done(task)
    policies.check_owner(task, by)
    title = policies.check_words(title, limit=140)
    details = policies.check_words(details, limit=2000, empty=True)
    queue = hold_still(queue)
    if queue.retired_at:
        raise Refused(_("%(queue)s is retired. Pick another queue.") % {"queue": queue})
    policies.check_serves(queue, task.conversation.patient)
    clinical = Field.CLINICAL in fields_for([queue.role])
    asked = _("%(who)s asks") % {"who": by.signature}
    part = open_task(
        conversation=task.conversation,
        queue=queue,
        urgency=urgency,
        floor=Urgency.ROUTINE,
        title=title,
        plain_title=task.conversation.subject if clinical else title,
        subtitle="",
        summary=[{"label": asked, "value": details or title, "clinical": clinical, "odd": False}],
        why=[
            _("%(who)s split this off from a task in %(queue)s.") % {"who": by.signature, "queue": task.queue}
        ],
        decision=task.decision,
        split_from=task,
        by=by,
    )
    change(task, "split", by=by, note=str(queue))
    return part


@transaction.atomic
def start_conversation(
    *, patient: Patient, queue: Queue, subject: str, body: str, by: User, wait: bool = False
) -> Task:
    """Write to a patient who has not asked. The task is the writer's, in one of their queues.

    `wait`: an answer is expected, so the task waits for it. Refused where nobody could read it.
    """
    policies.check_cares_for(patient, by)
    policies.check_works_queue(queue, by)
    policies.check_serves(queue, patient)
    if not readers(patient, request_type=FROM_CLINIC):
        raise Refused(
            _("Nobody can read messages for this patient: there is no log-in. Please call instead.")
        )
    subject = policies.check_words(subject, limit=120)
    body = policies.check_words(body)
    conversation = Conversation.objects.create(
        patient=patient,
        author=by,
        request_type=FROM_CLINIC,
        subject=subject,
        clinical=Field.CLINICAL in fields_for([queue.role]),
        channel=Conversation.Channel.STAFF,
        opened_at=now(),
    )
    record(
        "queues.conversation.start",
        by=by,
        kind=Kind.CREATE,
        patients=[patient.pk],
        entity=conversation,
        detail={"queue": queue.pk},
    )
    task = open_task(
        conversation=conversation,
        queue=queue,
        urgency=Urgency.ROUTINE,
        floor=Urgency.ROUTINE,
        title=subject,
        plain_title=_("A message from the clinic"),
        why=[_("%(who)s wrote to the patient.") % {"who": by.signature}],
        by=by,
    )
    task = move(task, "claim", by=by, owner=by, claimed_at=now())
    if wait:
        ask_back(task=task, question=body, by=by)
    else:
        reply(task=task, body=body, by=by)
    task.refresh_from_db()
    return task
