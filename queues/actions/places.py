"""Queues and the people who work them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.contrib.auth.models import Group
from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from audit.actions import Kind, record, store
from audit.now import now
from portal.people.models import Facility, User
from portal.people.policies import Refused
from queues import policies
from queues.models import Queue, QueueGroupPermission


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


P = ParamSpec("P")
R = TypeVar("R")


def again_if_retired(act: Callable[P, R]) -> Callable[P, R]:
    """An action that looks for a queue and puts a task into it. Where that queue is retired in between, everything is
    undone and done once more: it then finds the queue that serves now, or says that there is none."""

    @wraps(act)
    def once_more(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return act(*args, **kwargs)
        except IntegrityError as error:
            if not _was_retired(error) or connection.in_atomic_block:
                raise
        try:
            return act(*args, **kwargs)
        except IntegrityError as error:
            if not _was_retired(error):
                raise
            raise Refused(_("The team that does this was just changed. Please try once more.")) from error

    return once_more


def _was_retired(error: IntegrityError) -> bool:
    """Whether the database said that a task came into a retired queue."""
    told = getattr(error.__cause__, "diag", None)
    return told is not None and told.constraint_name == "task_in_live_queue"


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
