"""The nightly check: what the database can't hold by itself, since it comes with a day and not with a changed row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q
from django.utils.translation import gettext as _

from audit.now import now
from portal.people.models import StaffRole
from queues.actions.covering import look_again_at_covered
from queues.actions.path import LET_GO, lock, move
from queues.actions.telling import leads_of
from queues.models import Notice, Queue, QueueGroupPermission, Task
from queues.states import LIVE, State


@dataclass(frozen=True)
class Problem:
    """Something that a lead must put right: a queue, how many open tasks it holds, and what is wrong."""

    kind: Notice.Kind
    queue: Queue
    count: int

    def __str__(self) -> str:
        if self.kind == Notice.Kind.UNSTAFFED:
            return _("Nobody works %(queue)s, which holds %(count)d open tasks.") % {
                "queue": self.queue,
                "count": self.count,
            }
        if self.kind == Notice.Kind.NEVER_OPENS:
            return _("%(queue)s never opens again, and holds %(count)d open tasks.") % {
                "queue": self.queue,
                "count": self.count,
            }
        return _("%(queue)s receives urgent work, and nobody is there for it day and night.") % {
            "queue": self.queue
        }


def problems() -> Iterator[Problem]:
    """Everything that is not as promised. A few queries over all queues: for the night, not for a page."""
    open_tasks = Count("tasks", filter=Q(tasks__state__in=LIVE), distinct=True)
    asked = Count("asked_tasks", distinct=True)
    held = Queue.objects.annotate(held=open_tasks + asked).select_related("facility")
    staffed = Queue.objects.live().staffed().order_by().values("pk")
    for row in held.filter(held__gt=0).exclude(pk__in=staffed):
        yield Problem(Notice.Kind.UNSTAFFED, row, row.held)
    live: Any = held.live().select_related("calendar", "urgent_cover__calendar", "facility")
    for queue in live.prefetch_related("calendar__closures", "urgent_cover__calendar__closures"):
        if queue.receives_urgent and not has_urgent_cover(queue):
            yield Problem(Notice.Kind.UNCOVERED, queue, queue.held)
        if queue.held and not queue.opens_again:
            yield Problem(Notice.Kind.NEVER_OPENS, queue, queue.held)


def has_urgent_cover(queue: Queue) -> bool:
    """Whether somebody of this queue, or of the one that covers it, is there at any hour."""
    for each in (queue, queue.urgent_cover):
        if each is not None and each.retired_at is None and each.is_always_open:
            return Queue.objects.staffed().filter(pk=each.pk).exists()
    return False


def report() -> int:
    """Tell the leads of each problem, once a day; open the tasks whose owner can't work on them any more; look again
    at who stands in for whom."""
    found = list(problems())
    day = now().date().isoformat()
    for problem in found:
        Notice.objects.bulk_create(
            [
                Notice(recipient=lead, kind=problem.kind, queue=problem.queue, round=day, at=now())
                for lead in leads_of(problem.queue)
            ],
            ignore_conflicts=True,
        )
    look_again_at_covered()
    return len(found) + _give_back()


def _give_back() -> int:
    """Claims of people who have left, or whose queue or role was taken from them: back into the queue."""
    places = Q(content_object=OuterRef("queue")) | Q(content_object=OuterRef("covering_queue"))
    grant = QueueGroupPermission.objects.filter(places, group__user=OuterRef("owner"))
    role = StaffRole.objects.current().filter(user=OuterRef("owner"))
    lost = Task.objects.filter(state=State.CLAIMED).filter(
        Q(owner__is_active=False) | ~Exists(role) | ~Exists(grant) & ~Q(covering_person=F("owner"))
    )
    count = 0
    for task in lost.order_by("pk")[:1000]:
        count += _back(task)
    return count


def _back(task: Task) -> bool:
    with transaction.atomic():
        task = lock(task)
        if task.state != State.CLAIMED:
            return False
        move(task, "fall asleep", by=None, note=_("Its owner doesn't work this queue any more."), **LET_GO)
    return True
