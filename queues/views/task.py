"""A task on its page: its summary, what was said, what lies beside it, and what the viewer can do."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from audit.actions import record_read
from portal.people import kept
from portal.people.models import User
from portal.people.prepared import Prepared, kept_statements
from portal.people.requests import Request
from portal.records.charts import chart_of
from queues import actions, assessing, desk, policies
from queues.lists.counts import counts
from queues.models import Task
from queues.shown import messages_for, shown
from queues.states import UNCLAIMED
from queues.urgency import Urgency
from queues.views.frame import bench, staff

MINUTES = (2, 5, 10, 20)


@staff
@require_GET
def task(request: Request, pk: int) -> HttpResponse:
    # After an undo the words that were taken back are in the box again.
    return task_page(request, task_of(request, pk), typed=kept.take(request))


def task_of(request: Request, pk: int) -> Task:
    """The task with all that its page shows, if it is in a queue of this person."""
    found = _with_all(pk=pk, viewer=request.user.pk)
    if not found:
        raise Http404
    return found[0]


@Prepared
def _with_all(pk: int, viewer: int) -> QuerySet[Task]:
    user = User(pk=viewer)
    tasks = Task.objects.visible_to(user).select_related(
        "queue__facility",
        "queue__calendar",
        "owner",
        "outcome",
        "asked_queue",
        "covering_queue__facility",
        "covering_person",
        "conversation__patient__facility__calendar",
        "conversation__author",
    )
    return desk.with_all(tasks, user).filter(pk=pk)


@kept_statements()
def task_page(request: Request, row: Task, *, typed: Any = None, status: int = 200) -> HttpResponse:
    user, conversation = request.user, row.conversation
    counted = counts(user, here=row.queue_id or 0)
    works = counted.works
    home = row.asked_queue if row.asked_queue_id in works else row.queue
    frame = bench(request, ("queue", home.pk if home else 0), counted=counted)
    view = shown(row, user)
    beside = desk.read(row, view, messages_for(row, user))
    chart = chart_of(conversation.patient_id, user)
    can_work = policies.can_work(row, user)
    covers = row.covering_queue_id in works or row.covering_person_id == user.pk
    can_claim = row.state in UNCLAIMED and (row.queue_id in works or covers)
    context = frame | {
        "shown": view,
        "task": row,
        "home_queue": home,
        "patient": conversation.patient,
        "conversation": conversation,
        "desk": beside,
        "chart": chart,
        "others": desk.others(row) if view.clinical else None,
        "works": works,
        "can_claim": can_claim,
        "can_work": can_work,
        "can_answer": beside.open_question is not None and (row.asked_queue_id in works or covers),
        "can_ask_back": row.urgency < Urgency.URGENT,
        "typed": typed or {},
        "unsent": "" if can_work or not typed else typed.get("body") or typed.get("ask") or "",
        "minutes": MINUTES,
    }
    if can_work or can_claim:
        context["choices"] = desk.choices(row, view, user)
    if can_work:
        context["ask"] = desk.ask_with(beside, context["choices"])
        context |= _assessing(row) | {
            "urgencies_of_part": [(level.word, level.label) for level in Urgency],
            "begins": desk.first_words(row, view, chart.background if chart else ""),
        }
    record_read("queues.task.read", by=user, patients=[conversation.patient_id], entity=row)
    if beside.has_unseen:
        actions.see_mentions(conversation_id=row.conversation_id, by=user)
    return render(request, "queues/task.html", context, status=status)


def _assessing(row: Any) -> dict[str, Any]:
    """How it was sorted, and how it may have been, for the one tap at the end."""
    subjects = assessing.categories()
    decided = row.category or row.conversation.request_type
    return {
        "subjects": [pair for pair in subjects if pair[0] != decided],
        "decided_subject": dict(subjects).get(decided, decided),
        "urgencies": [(level.word, level.label) for level in Urgency if level != row.urgency],
    }
