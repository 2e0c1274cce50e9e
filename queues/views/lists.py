"""Lists of tasks: a queue, what is mine, what waits, a search; and the next one to claim."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from audit.actions import record_read
from audit.now import now
from portal.people.policies import Refused
from portal.people.requests import Request
from queues import actions
from queues.models import Queue, Task
from queues.shown import shown
from queues.states import State
from queues.urgency import Urgency
from queues.views.frame import bench, staff

PAGE = 50


@staff
@require_GET
def work(request: Request) -> HttpResponse:
    """The first page of the day: the person's own tasks, or else their first queue."""
    if Task.objects.visible_to(request.user).filter(owner=request.user, state=State.CLAIMED).exists():
        return redirect("mine")
    first = Queue.objects.worked_by(request.user).order_by("facility__name", "name").first()
    return redirect("queue", first.pk) if first else render(request, "queues/none.html", bench(request))


@staff
@require_GET
def queue(request: Request, pk: int) -> HttpResponse:
    """One queue, what is due first on top."""
    row = get_object_or_404(Queue.objects.worked_by(request.user).select_related("facility"), pk=pk)
    tasks = Task.objects.in_queue(row)
    figures = tasks.aggregate(
        open=Count("pk"),
        late=Count("pk", filter=Q(due_at__lt=now()) & ~Q(state=State.WAITING)),
        urgent=Count("pk", filter=Q(urgency=Urgency.URGENT)),
    )
    return _list(request, tasks, heading=str(row), figures=figures, here=("queue", row.pk), queue=row)


@staff
@require_GET
def mine(request: Request) -> HttpResponse:
    """Everything this person has claimed."""
    tasks = Task.objects.visible_to(request.user).filter(
        owner=request.user, state__in=[State.CLAIMED, State.ESCALATED]
    )
    return _list(request, tasks, heading=_("Claimed by me"), figures=None, here=("mine", 0))


@staff
@require_GET
def waiting(request: Request) -> HttpResponse:
    """What this person asked patients about and waits for."""
    tasks = Task.objects.visible_to(request.user).filter(owner=request.user, state=State.WAITING)
    return _list(request, tasks, heading=_("Waiting for patient"), figures=None, here=("waiting", 0))


@staff
@require_GET
def search(request: Request) -> HttpResponse:
    """Find a task by patient name, record number or reference, in the person's own queues, finished ones too."""
    words = " ".join(request.GET.get("q", "").replace("\x00", "").split())[:100]
    tasks = Task.objects.visible_to(request.user)
    number = words.upper().removeprefix("R-")
    if not words:
        tasks = tasks.none()
    elif number.isdecimal() and len(number) < 10:
        tasks = tasks.filter(
            Q(conversation=int(number) - 10000) | Q(conversation__patient__record_number=words)
        )
    else:
        for word in words.split():
            tasks = tasks.filter(
                Q(conversation__patient__given_name__istartswith=word)
                | Q(conversation__patient__family_name__istartswith=word)
                | Q(conversation__patient__record_number__iexact=word)
            )
    return _list(
        request, tasks, heading=_("Search"), figures=None, here=("search", 0), words=words, newest=True
    )


@staff
@require_POST
def claim_next(request: Request) -> HttpResponse:
    """Take the task that is due first, from the queue on the page or from all of the person's queues."""
    row = None
    if request.POST.get("queue", "").isdecimal():
        row = Queue.objects.worked_by(request.user).filter(pk=int(request.POST["queue"])).first()
    try:
        claimed = actions.claim_next(by=request.user, queue=row)
        said = _("Nothing is waiting to be claimed.")
    except Refused as refused:
        claimed, said = None, str(refused)
    if claimed is None:
        messages.info(request, said)
        return redirect("queue", row.pk) if row else redirect("work")
    return redirect(claimed)


def _list(
    request: Request,
    tasks: Any,
    *,
    heading: str,
    figures: dict[str, int] | None,
    here: tuple[str, int],
    queue: Queue | None = None,
    words: str = "",
    newest: bool = False,
) -> HttpResponse:
    tasks = tasks.select_related(
        "queue__facility",
        "queue__calendar",
        "owner",
        "conversation__patient__facility__calendar",
        "conversation__author",
    )
    tasks = tasks.order_by("-pk") if newest else tasks.due_first()
    rows = [shown(row, request.user) for row in tasks[: PAGE + 1]]
    if rows:
        record_read(
            "queues.list.read",
            by=request.user,
            patients=[row.patient.pk for row in rows[:PAGE]],
            entity=queue,
            detail={"tasks": [row.task.pk for row in rows[:PAGE]]},
        )
    context = {
        "rows": rows[:PAGE],
        "more": len(rows) > PAGE,
        "heading": heading,
        "figures": figures,
        "queue": queue,
    }
    return render(request, "queues/list.html", context | {"words": words} | bench(request, here))
