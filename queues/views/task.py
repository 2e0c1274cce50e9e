"""A task on its page, and one view a verb. Refused, the page comes back with what was typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from audit.actions import record_read
from portal.people import kept
from portal.people.policies import Refused
from portal.people.requests import Request
from queues import actions, assessing, policies
from queues.models import Outcome, Queue, Task
from queues.shown import messages_for, shown
from queues.states import State
from queues.urgency import Urgency
from queues.views.frame import bench, staff


@staff
@require_GET
def task(request: Request, pk: int) -> HttpResponse:
    return _task_page(request, _task(request, pk))


def _verb(act: Callable[[Request, Task], str], *, then: str = "task") -> Callable[..., HttpResponse]:
    """A view that does one thing to one task, and says it; refused, it shows the page with what was typed."""

    @staff
    @require_http_methods(["GET", "POST"])
    def view(request: Request, pk: int) -> HttpResponse:
        row = _task(request, pk)
        if request.method == "GET":
            # Back from a log-in that had run out: what was typed is shown again, and not yet done.
            return _task_page(request, row, typed=kept.take(request))
        try:
            done = act(request, row)
        except Refused as refused:
            messages.error(request, str(refused))
            return _task_page(request, _task(request, pk), typed=request.POST, status=409)
        messages.success(request, done)
        if then == "queue":
            return redirect("queue", row.queue_id)
        return redirect(row)

    return view


def _seen(request: Request) -> int | None:
    version = request.POST.get("version", "")
    return int(version) if version.isdecimal() else None


def _claim(request: Request, row: Task) -> str:
    actions.claim(task=row, by=request.user, seen=_seen(request))
    return _("It is yours.")


def _release(request: Request, row: Task) -> str:
    actions.release(task=row, by=request.user)
    return _("It is back in the queue.")


def _reply(request: Request, row: Task) -> str:
    body = request.POST.get("body", "")
    if request.POST.get("go") == "ask":
        actions.ask_back(task=row, question=body, by=request.user, seen=_seen(request))
        return _("Asked. The clock waits for the patient.")
    if request.POST.get("go") == "resolve":
        return _resolve(request, row)
    actions.reply(task=row, body=body, by=request.user, seen=_seen(request))
    return _("Sent.")


def _resolve(request: Request, row: Task) -> str:
    outcome = Outcome.objects.filter(code=request.POST.get("outcome", "")).first()
    if outcome is None:
        raise Refused(_("Pick the outcome first."))
    minutes = request.POST.get("minutes", "")
    actions.resolve(
        task=row,
        outcome=outcome,
        body=request.POST.get("body", ""),
        minutes_spent=int(minutes) if minutes.isdecimal() and len(minutes) < 5 else None,
        assessed=assessing.read(request.POST),
        by=request.user,
        seen=_seen(request),
    )
    return _("Resolved: %(outcome)s.") % {"outcome": outcome.label}


def _hand_over(request: Request, row: Task) -> str:
    choice = request.POST.get("queue", "")
    target = Queue.objects.live().filter(pk=int(choice)).first() if choice.isdecimal() else None
    if target is None:
        raise Refused(_("Pick the queue it should go to."))
    actions.hand_over(
        task=row, queue=target, reason=request.POST.get("reason", ""), by=request.user, seen=_seen(request)
    )
    return _("Handed over to %(queue)s.") % {"queue": target}


def _escalate(request: Request, row: Task) -> str:
    actions.escalate(
        task=row,
        situation=request.POST.get("situation", ""),
        question=request.POST.get("question", ""),
        options=request.POST.get("options", "").split("\n"),
        by=request.user,
        seen=_seen(request),
    )
    return _("Your question is with the physicians. The task stays yours.")


def _answer(request: Request, row: Task) -> str:
    question = row.escalations.filter(answered_at__isnull=True).first()
    if question is None:
        raise Refused(_("There is no open question here any more."))
    text = request.POST.get("option") or request.POST.get("answer", "")
    actions.answer(escalation=question, text=text, by=request.user)
    return _("Answered. It is back with the one who asked.")


claim = _verb(_claim)
release = _verb(_release, then="queue")
reply = _verb(_reply)
hand_over = _verb(_hand_over, then="queue")
escalate = _verb(_escalate)
answer = _verb(_answer)


def _task(request: Request, pk: int) -> Task:
    return get_object_or_404(
        Task.objects.visible_to(request.user).select_related(
            "queue__facility",
            "queue__calendar",
            "owner",
            "outcome",
            "asked_queue",
            "conversation__patient__facility__calendar",
            "conversation__author",
        ),
        pk=pk,
    )


def _task_page(request: Request, row: Task, *, typed: Any = None, status: int = 200) -> HttpResponse:
    user = request.user
    conversation = row.conversation
    view = shown(row, user)
    questions = list(row.escalations.select_related("asked_by", "answered_by")) if view.clinical else []
    open_question = next((each for each in questions if each.answered_at is None), None)
    works = set(Queue.objects.worked_by(user).order_by().values_list("pk", flat=True))
    context = {
        "shown": view,
        "task": row,
        "home_queue": row.asked_queue if row.asked_queue_id in works else row.queue,
        "patient": conversation.patient,
        "conversation": conversation,
        "said": messages_for(row, user),
        "steps": row.steps.select_related("by", "queue"),
        "questions": questions,
        "open_question": open_question,
        "can_claim": row.state == State.OPEN and row.queue_id in works,
        "can_work": policies.can_work(row, user),
        "can_answer": open_question is not None and row.asked_queue_id in works,
        "can_ask_back": row.urgency < Urgency.URGENT,
        "outcomes": Outcome.objects.filter(retired=False, roles__overlap=user.roles),
        **_assessing(row),
        "queues": Queue.objects.live().exclude(pk=row.queue_id).select_related("facility"),
        "filing": row.filings.order_by("-pk").first(),
        "elsewhere": _elsewhere(row) if view.clinical else [],
        "typed": typed or {},
    }
    record_read("queues.task.read", by=user, patients=[conversation.patient_id], entity=row)
    return render(
        request,
        "queues/task.html",
        context | bench(request, ("queue", context["home_queue"].pk)),
        status=status,
    )


def _elsewhere(row: Task) -> Any:
    """Other open requests of the same patient, so that two people don't answer past each other."""
    return (
        Task.objects.live()
        .filter(conversation__patient=row.conversation.patient_id)
        .exclude(pk=row.pk)
        .select_related("queue__facility", "conversation")
    )


def _assessing(row: Task) -> dict[str, Any]:
    """How it was sorted, and how it may have been, for the one tap at the end."""
    subjects, decided = assessing.categories(), assessing.decided_category(row)
    return {
        "subjects": [pair for pair in subjects if pair[0] != decided],
        "decided_subject": dict(subjects).get(decided, decided),
        "urgencies": [(level.word, level.label) for level in Urgency if level != row.urgency],
    }
