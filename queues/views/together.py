"""The same thing for all rows that were picked in a list: looked over first, then done one by one."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from audit.actions import record_read
from portal.people.policies import Refused
from portal.people.requests import Request, key_of
from queues import actions, policies
from queues.actions.together import Result, Seen
from queues.models import Outcome, Queue, Task
from queues.shown import shown
from queues.states import UNCLAIMED
from queues.views.frame import bench, staff

MOST = 100


@staff
@require_POST
def bulk(request: Request) -> HttpResponse:
    """Claiming is done at once, since it is as easily undone. The others are looked over on a page of their own."""
    seen, back = picked(request), _back(request)
    tasks = list(
        Task.objects.visible_to(request.user)
        .filter(pk__in=seen)
        .select_related(
            "queue__calendar", "owner", "conversation__patient__facility__calendar", "conversation__author"
        )
        .due_first()
    )
    if not tasks:
        messages.info(request, _("Select something first: tick rows, or press X on them."))
        return redirect(back)
    verb = request.POST.get("do")
    if verb == "claim":
        return _told(request, _claim(request, tasks, seen), _("Claimed"), back)
    if verb not in ("hand-over", "resolve"):
        return redirect(back)
    if request.POST.get("sure"):
        try:
            return _told(request, *_done(request, verb, tasks, seen), back)
        except Refused as refused:
            messages.error(request, str(refused))
            return _look_over(request, verb, tasks, seen, back, status=409)
    return _look_over(request, verb, tasks, seen, back)


def _claim(request: Request, tasks: list[Task], seen: Seen) -> Result:
    if len(tasks) > 1:
        return actions.claim_all(tasks=tasks, by=request.user, seen=seen)
    # One row is no bulk: it is claimed as from its page, whatever flags it has.
    try:
        claimed = actions.claim(task=tasks[0], by=request.user, seen=seen.get(tasks[0].pk))
    except Refused as refused:
        return Result(left=[(tasks[0], str(refused))])
    return Result(done=[claimed])


def _done(request: Request, verb: str, tasks: list[Task], seen: Seen) -> tuple[Result, str]:
    if verb == "hand-over":
        queue = Queue.objects.live().filter(pk=key_of(request.POST.get("queue", "")) or 0).first()
        if queue is None:
            raise Refused(_("Pick the queue they should go to."))
        reason = policies.check_words(request.POST.get("reason", ""), limit=2000)
        result = actions.hand_over_all(tasks=tasks, queue=queue, reason=reason, by=request.user, seen=seen)
        return result, _("Handed over to %(queue)s") % {"queue": queue}
    outcome = Outcome.objects.filter(code=request.POST.get("outcome", "")).first()
    if outcome is None:
        raise Refused(_("Pick the outcome first."))
    policies.check_outcome(outcome, request.user)
    body = request.POST.get("body", "")
    if body.strip():
        body = policies.check_words(body)
    result = actions.resolve_all(tasks=tasks, outcome=outcome, body=body, by=request.user, seen=seen)
    return result, _("Resolved as “%(outcome)s”") % {"outcome": outcome.label}


def _look_over(
    request: Request, verb: str, tasks: list[Task], seen: Seen, back: str, *, status: int = 200
) -> HttpResponse:
    sorted_out = actions.sort_out(tasks=tasks, by=request.user, seen=seen)
    record_read(
        "queues.list.read",
        by=request.user,
        patients=[task.conversation.patient_id for task in tasks],
        detail={"tasks": [task.pk for task in tasks]},
    )
    languages = {task.conversation.patient.get_language_display() for task in sorted_out.done}
    context = {
        "verb": verb,
        "back": back,
        "fit": [(shown(task, request.user), seen[task.pk]) for task in sorted_out.done],
        "left": [(shown(task, request.user), why) for task, why in sorted_out.left],
        "languages": sorted(languages) if len(languages) > 1 else [],
        "unclaimed": sum(task.state in UNCLAIMED for task in sorted_out.done),
        "typed": request.POST,
        "outcomes": Outcome.objects.filter(retired=False, roles__overlap=request.user.roles)
        if verb == "resolve"
        else [],
        "queues": _near(tasks) if verb == "hand-over" else [],
    }
    return render(request, "queues/together.html", context | bench(request), status=status)


def _near(tasks: list[Task]) -> QuerySet[Queue]:
    """Where these may go: queues at their patients' places, and the central ones."""
    places = {task.conversation.patient.facility_id for task in tasks}
    queues = Queue.objects.live().filter(Q(facility__isnull=True) | Q(facility__in=places))
    return queues.select_related("facility")


def _told(request: Request, result: Result, done: str, back: str) -> HttpResponse:
    """Back to the list, with what became of each. References and no names: a message waits in a cookie."""
    if result.done:
        count = ngettext("%(count)d task", "%(count)d tasks", len(result.done)) % {"count": len(result.done)}
        messages.success(request, f"{done}: {count}.")
    for task, why in result.left:
        messages.warning(request, f"{task.conversation.reference}: {why}")
    return redirect(back)


def picked(request: Request) -> Seen:
    """The rows as the list names them, "task:version"."""
    picked: Seen = {}
    for text in request.POST.getlist("task")[:MOST]:
        pk, _colon, version = text.partition(":")
        if pk.isdecimal() and version.isdecimal() and len(pk) < 19 and len(version) < 10:
            picked[int(pk)] = int(version)
    return picked


def _back(request: Request) -> str:
    back = request.POST.get("back", "")
    own = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return back if own and back.startswith("/work/") else reverse("work")
