"""What a lead does with other people's work: give it to somebody who can do it in time."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from audit.now import now
from portal.people.models import User
from portal.people.policies import Refused
from queues import policies
from queues.actions.path import lock, move
from queues.models import Queue, Task


@transaction.atomic
def assign(*, task: Task, to: User, reason: str, by: User, seen: int | None = None) -> Task:
    """Give a task to a member of its queue, who reads the reason. By a lead of the queue only."""
    task = lock(task)
    policies.check_seen(task, seen, by=by)
    policies.check_transition(task, "assign")
    policies.check_leads(task.queue, by)
    if not Queue.objects.worked_by(to).filter(pk=task.queue_id).exists() or not to.is_active:
        raise Refused(
            _("%(who)s doesn't work %(queue)s. Move the task to a queue of theirs.")
            % {"who": to.signature, "queue": task.queue}
        )
    if task.owner_id == to.pk:
        raise Refused(_("%(who)s has it already.") % {"who": to.signature})
    policies.check_room_of(to, task)
    return move(
        task,
        "assign",
        by=by,
        note=policies.check_words(reason, limit=2000),
        owner=to,
        claimed_at=now(),
        # The clock of an idle claim begins with the one who got it.
        active_at=now(),
    )
