"""Who is looking at a task, so that two people don't start on the same one. It is a courtesy and locks nothing.

A page that is open says so every `EVERY` seconds; who has not said so for `LASTS` is gone. No word of a patient is
in it, and the read of the page itself has its audit event, so this writes none.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from audit.now import now
from portal.people.models import User
from queues.models import Presence, Task

EVERY = 20  # seconds
LASTS = timedelta(seconds=50)


def arrive(*, task: Task, by: User) -> None:
    """Note that `by` has the task's page open now. What they had open before and closed is forgotten."""
    Presence.objects.filter(user=by, seen_at__lt=now() - LASTS).exclude(task=task).delete()
    Presence.objects.bulk_create(
        [Presence(task=task, user=by, seen_at=now())],
        update_conflicts=True,
        unique_fields=["task", "user"],
        update_fields=["seen_at"],
    )


def others(tasks: Iterable[int], *, than: User) -> dict[int, list[User]]:
    """Who else looks at each of these tasks (by key) at this moment; tasks that nobody looks at are left out."""
    found: dict[int, list[User]] = {}
    rows = Presence.objects.filter(task__in=list(tasks), seen_at__gte=now() - LASTS)
    for row in rows.exclude(user=than).select_related("user").order_by("user__name"):
        found.setdefault(row.task_id, []).append(row.user)
    return found
