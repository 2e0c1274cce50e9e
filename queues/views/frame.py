"""What every staff page has: the door, and the frame with the person's queues."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db.models import Count, Q
from django.http import Http404, HttpResponse

from audit.now import now
from portal.people.requests import Request
from queues.models import Queue, Task
from queues.states import LIVE, OWNED, UNCLAIMED, State


def staff(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Pages of the workbench; to everybody else they don't exist."""

    @wraps(view)
    def guarded(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.works_here:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


def bench(request: Request, here: tuple[str, int] = ("", 0)) -> dict[str, Any]:
    """What the frame of every staff page shows: the person's queues and how much waits in each."""
    user = request.user
    queues = list(
        Queue.objects.worked_by(user)
        .select_related("facility")
        .annotate(
            waiting_now=Count("tasks", filter=Q(tasks__state__in=LIVE), distinct=True)
            + Count("asked_tasks", distinct=True),
            late_now=Count(
                "tasks",
                filter=Q(tasks__state__in=[*UNCLAIMED, State.CLAIMED], tasks__due_at__lt=now()),
                distinct=True,
            ),
        )
        .order_by("facility__name", "name")
    )
    own = Task.objects.filter(owner=user, state__in=OWNED).aggregate(
        claimed=Count("pk", filter=Q(state__in=[State.CLAIMED, State.ESCALATED])),
        waiting=Count("pk", filter=Q(state=State.WAITING)),
    )
    return {"bench_queues": queues, "own": own, "here": here}
