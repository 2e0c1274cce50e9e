"""The staff's pages: the queues, a task, and one view a verb. Every lookup starts from what this person works."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit.actions import record_read
from audit.now import now
from portal.people import kept
from portal.people.policies import Refused
from portal.people.requests import Request
from queues import actions, policies
from queues.models import Outcome, Queue, Task
from queues.shown import messages_for, shown
from queues.states import LIVE, OWNED, State
from queues.urgency import Urgency

PAGE = 50


def staff(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Pages of the workbench; to everybody else they don't exist."""

    @wraps(view)
    def guarded(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.works_here:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


@staff
@require_GET
def work(request: Request) -> HttpResponse:
    """The first page of the day: the person's own tasks, or else their first queue."""
    if Task.objects.visible_to(request.user).filter(owner=request.user, state=State.CLAIMED).exists():
        return redirect("mine")
    first = Queue.objects.worked_by(request.user).order_by("facility__name", "name").first()
    return redirect("queue", first.pk) if first else render(request, "queues/none.html", _bench(request))


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
    claimed = actions.claim_next(by=request.user, queue=row)
    if claimed is None:
        messages.info(request, _("Nothing is waiting to be claimed."))
        return redirect("queue", row.pk) if row else redirect("work")
    return redirect(claimed)


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


# ---- pages -----------------------------------------------------------------------------------------------------


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
    return render(request, "queues/list.html", context | {"words": words} | _bench(request, here))


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
        "queues": Queue.objects.live().exclude(pk=row.queue_id).select_related("facility"),
        "filing": row.filings.order_by("-pk").first(),
        "elsewhere": _elsewhere(row) if view.clinical else [],
        "typed": typed or {},
    }
    record_read("queues.task.read", by=user, patients=[conversation.patient_id], entity=row)
    return render(
        request,
        "queues/task.html",
        context | _bench(request, ("queue", context["home_queue"].pk)),
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


def _bench(request: Request, here: tuple[str, int] = ("", 0)) -> dict[str, Any]:
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
                filter=Q(tasks__state__in=[State.OPEN, State.CLAIMED], tasks__due_at__lt=now()),
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
