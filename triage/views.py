"""Why a task is where it is: the whole trace of its decision."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from audit.actions import record_read
from portal.people.requests import Request
from queues.models import Task
from queues.views import staff
from triage import explain


@staff
@require_GET
def trace(request: Request, pk: int) -> HttpResponse:
    """Every rule that was tried for this task, in order, and what each one saw."""
    task = get_object_or_404(
        Task.objects.visible_to(request.user).select_related("decision__ruleset", "conversation__patient"),
        pk=pk,
    )
    if task.decision is None or not request.user.is_clinical:
        raise Http404
    record_read("triage.trace.read", by=request.user, patients=[task.conversation.patient_id], entity=task)
    lines = explain.trace(task.decision)
    return render(
        request,
        "triage/trace.html",
        {
            "task": task,
            "decision": task.decision,
            "fired": [line for line in lines if line.fired],
            "others": [line for line in lines if not line.fired],
        },
    )
