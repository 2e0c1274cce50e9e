"""The lead's board, and moving work before it is late."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from audit.actions import record_read
from audit.now import now
from portal.people.models import Facility, User
from portal.people.policies import Refused
from portal.people.requests import Request, key_of
from queues import actions
from queues.lists import board as boards
from queues.lists import targets
from queues.lists.week import week
from queues.models import Queue, Task
from queues.views.frame import bench, staff
from queues.views.together import picked

MOST_WORDS = 160


@staff
@require_GET
def board(request: Request) -> HttpResponse:
    """What stands before each queue and person, and what will be late today, with the means to move it."""
    facility = _facility(request)
    read = boards.board(request.user, facility=facility)
    if read.rows:
        record_read(
            "queues.board.read",
            by=request.user,
            patients=[row.patient_pk for row in read.rows],
            detail={"tasks": [row.pk for row in read.rows]},
        )
    first = now().date()
    context: dict[str, Any] = {
        "board": read,
        "facility": facility,
        "facilities": boards.facilities(request.user),
        "targets": targets.offered(read),
        "week": week([load.queue for load in read.loads], first),
        "days": [date_format(first + timedelta(days=number), "D j M") for number in range(7)],
        "address": request.get_full_path(),
    }
    return render(request, "queues/lead.html", context | bench(request, ("lead", 0)))


@staff
@require_GET
def targets_fitting(request: Request) -> HttpResponse:
    """Queues that fit what is being typed, as suggestions for the field."""
    if not boards.leads(request.user):
        raise Http404
    found = targets.fitting(request.GET.get("find", "")[:MOST_WORDS])[: targets.FITTING]
    return render(request, "queues/_targets.html", {"labels": [targets.label(queue) for queue in found]})


@staff
@require_POST
def move(request: Request) -> HttpResponse:
    """Move what was picked to a queue or to a person; one transaction each."""
    if not boards.leads(request.user):
        raise Http404
    seen = picked(request)
    kind, _colon, key = request.POST.get("to", "").partition(":")
    words = request.POST.get("find", "").strip()[:MOST_WORDS]
    target = _target(kind, key)
    if words and seen:  # typed after all that was offered
        fitting = targets.fitting(words)
        if len(fitting) != 1:
            return _which(request, words, fitting)
        target = fitting[0]
    back = redirect(f"/work/lead/?facility={facility.pk}" if (facility := _facility(request)) else "lead")
    if target is None or not seen:
        messages.info(request, _("Tick the tasks to move, and pick where they should go."))
        return back
    tasks = Task.objects.visible_to(request.user).filter(pk__in=seen, queue__in=_led(request))
    moved = 0
    for task in tasks.select_related("queue", "conversation").due_first():
        try:
            _move(request, task, target, seen[task.pk])
        except Refused as refused:
            messages.warning(request, f"{task.conversation.reference}: {refused}")
        else:
            moved += 1
    if moved:
        name = target.signature if isinstance(target, User) else str(target)
        said = ngettext("%(count)d task moved to %(to)s.", "%(count)d tasks moved to %(to)s.", moved)
        messages.success(request, said % {"count": moved, "to": name})
    return back


def _which(request: Request, words: str, fitting: list[Queue]) -> HttpResponse:
    """Nothing is moved where the words fit several queues, or none: the lead says which."""
    context = {
        "asked": words,
        "fitting": fitting[: targets.FITTING],
        "more": len(fitting) - targets.FITTING,
        "picked": [f"{pk}:{version}" for pk, version in picked(request).items()],
        "reason": request.POST.get("reason", ""),
        "facility": _facility(request),
    }
    return render(request, "queues/which.html", context | bench(request, ("lead", 0)))


def _move(request: Request, task: Task, target: Queue | User, seen: int) -> None:
    reason = request.POST.get("reason", "").strip() or _("So that it is done in time.")
    if isinstance(target, User):
        actions.assign(task=task, to=target, reason=reason, by=request.user, seen=seen)
    else:
        actions.hand_over(task=task, queue=target, reason=reason, by=request.user, seen=seen)


def _target(kind: str, key: str) -> Queue | User | None:
    pk = key_of(key) or 0
    if kind == "queue":
        return Queue.objects.live().filter(pk=pk).first()
    if kind == "person":
        return User.objects.filter(pk=pk, is_active=True, staff_roles__isnull=False).distinct().first()
    return None


def _led(request: Request) -> Any:
    return Queue.objects.led_by(request.user).order_by().values("pk")


def _facility(request: Request) -> Facility | None:
    """The one place that was chosen; 404 for who leads nothing at all."""
    if not boards.leads(request.user):
        raise Http404
    key = request.GET.get("facility", "") or request.POST.get("facility", "")
    places = boards.facilities(request.user)
    return next((place for place in places if str(place.pk) == key), None)
