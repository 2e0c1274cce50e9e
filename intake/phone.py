"""The phone: staff find who calls, write their request down in the same form, or write to a patient first."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit.actions import record_read
from intake import actions
from intake.models import Draft, RequestType
from intake.promise import promise_kept
from portal.people import actions as people
from portal.people import kept
from portal.people.models import Patient, Program
from portal.people.policies import Refused, may_register_proxies
from portal.people.requests import Request
from queues import actions as queue_actions
from queues.models import Conversation, Queue, Task
from queues.urgency import Urgency
from queues.views.frame import bench, staff

MOST = 20
DAYS = ("%Y-%m-%d", "%m/%d/%Y", "%d.%m.%Y")


@staff
@require_http_methods(["GET", "POST"])
def callers(request: Request) -> HttpResponse:
    """Who is calling? Names go in a post, so that none is in an address or a log."""
    words = " ".join(request.POST.get("who", "").replace("\x00", "").split())[:100]
    rows: list[Patient] = []
    if len(words) > 1:
        rows = _found(request, words)
        record_read("intake.callers.search", by=request.user, patients=[row.pk for row in rows[:MOST]])
    context = {"who": words, "patients": rows[:MOST], "more": len(rows) > MOST, "short": len(words) == 1}
    return render(request, "intake/phone/callers.html", context | bench(request, ("callers", 0)))


def _found(request: Request, words: str) -> list[Patient]:
    """Patients of the person's places by parts of the name, record number or birthday, all of which must fit."""
    rows = Patient.objects.cared_for_by(request.user).select_related("facility__calendar")
    for word in words.split():
        born = _day(word)
        rows = rows.filter(
            Q(birth_date=born)
            if born
            else Q(given_name__istartswith=word)
            | Q(family_name__istartswith=word)
            | Q(family_name__icontains=f" {word}")
            | Q(record_number__iexact=word)
        )
    return list(rows.order_by("family_name", "given_name", "pk")[: MOST + 1])


def _day(word: str) -> date | None:
    for pattern in DAYS:
        try:
            return datetime.strptime(word, pattern).date()  # noqa: DTZ007 (a birthday has no time zone)
        except ValueError:
            continue
    return None


@staff
@require_GET
def caller(request: Request, pk: int) -> HttpResponse:
    """One patient on the phone: who they are, what is open, and what can be done for them."""
    return _caller_page(request, _patient(request, pk))


@staff
@require_POST
def caller_file(request: Request, pk: int, code: str) -> HttpResponse:
    """Begin to write a request down, in the form that the patient would fill in."""
    patient = _patient(request, pk)
    request_type = get_object_or_404(RequestType.objects.offered(), code=code)
    try:
        draft = actions.start_draft(
            request_type=request_type, patient=patient, by=request.user, channel=Draft.Channel.PHONE
        )
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("caller", patient.pk)
    return redirect("draft", draft.pk)


@staff
@require_http_methods(["GET", "POST"])
def caller_write(request: Request, pk: int) -> HttpResponse:
    """Write to a patient who has not asked."""
    patient = _patient(request, pk)
    if request.method == "GET":
        return _caller_page(request, patient, typed=kept.take(request))
    choice = request.POST.get("queue", "")
    queue = next((row for row in _queues(request, patient) if str(row.pk) == choice), None)
    try:
        if queue is None:
            raise Refused(_("Pick the queue that the answer comes to."))
        task = queue_actions.start_conversation(
            patient=patient,
            queue=queue,
            subject=request.POST.get("subject", ""),
            body=request.POST.get("body", ""),
            wait=request.POST.get("wait") == "yes",
            by=request.user,
        )
    except Refused as refused:
        messages.error(request, str(refused))
        return _caller_page(request, patient, typed=request.POST, status=409)
    messages.success(request, _("Sent."))
    return redirect(task)


@staff
@require_POST
def caller_programs(request: Request, pk: int) -> HttpResponse:
    """The programs that the patient is in, which rules may test. Clinical staff enter them; to others they say
    something about health, and are not there."""
    patient = _patient(request, pk)
    if not request.user.is_clinical:
        raise Http404
    try:
        if sorted(request.POST.getlist("was")) != sorted(patient.programs):
            raise Refused(
                _("A colleague changed the programs meanwhile. Nothing of yours was stored; look again.")
            )
        people.set_programs(patient=patient, programs=request.POST.getlist("program"), by=request.user)
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("The programs are stored. Rules see them from the next request on."))
    return redirect("caller", patient.pk)


@staff
@require_GET
def filed(request: Request, pk: int) -> HttpResponse:
    """What to tell the caller: the reference, who answers and by when, and what to do if it gets worse."""
    row = get_object_or_404(
        Conversation.objects.filter(author=request.user, channel=Conversation.Channel.PHONE).select_related(
            "patient__facility__calendar"
        ),
        pk=pk,
    )
    task = row.tasks.select_related("queue__calendar", "queue__facility", "decision").front_first()[0]
    record_read("intake.filed.read", by=request.user, patients=[row.patient_id], entity=row)
    context = {
        "patient": row.patient,
        "conversation": row,
        "promise": promise_kept(task, row.patient),
        "emergency": task.floor == Urgency.URGENT,
        "advice": task.decision.result.get("advice", []) if task.decision else [],
        "task": task if Task.objects.visible_to(request.user).filter(pk=task.pk).exists() else None,
    }
    return render(request, "intake/phone/filed.html", context | bench(request, ("callers", 0)))


def filed_from(request: Request, draft_key: UUID) -> Conversation | None:
    """The request that this person wrote down in a draft that is gone."""
    return Conversation.objects.filter(
        submission__draft_key=draft_key, author=request.user, channel=Conversation.Channel.PHONE
    ).first()


def _patient(request: Request, pk: int) -> Patient:
    rows = Patient.objects.cared_for_by(request.user).select_related("facility__calendar", "user")
    return get_object_or_404(rows, pk=pk)


def _queues(request: Request, patient: Patient) -> list[Queue]:
    rows = Queue.objects.worked_by(request.user).select_related("facility")
    return list(rows.filter(Q(facility=patient.facility_id) | Q(facility__isnull=True)))


def _caller_page(request: Request, patient: Patient, *, typed: Any = None, status: int = 200) -> HttpResponse:
    frame = bench(request, ("callers", 0))
    works = frame["works"]
    tasks = (
        Task.objects.live()
        .filter(conversation__patient=patient)
        .select_related("queue__facility", "conversation")
    )
    proxies = list(patient.proxies.open().select_related("user"))
    record_read("intake.caller.read", by=request.user, patients=[patient.pk])
    context = frame | {
        "patient": patient,
        "proxies": proxies,
        "registers": may_register_proxies(patient, request.user),
        "can_read": patient.user_id is not None or bool(proxies),
        "request_types": RequestType.objects.offered(),
        "drafts": Draft.objects.filter(
            author=request.user, patient=patient, channel=Draft.Channel.PHONE
        ).select_related("request_type"),
        # Whoever sees nothing about health reads what kind of request it is, and no more.
        "tasks": [
            {
                "row": row,
                "title": row.title if request.user.is_clinical else row.plain_title,
                "mine": row.queue_id in works,
            }
            for row in tasks.due_first()
        ],
        "queues": _queues(request, patient),
        "programs": Program.objects.all() if request.user.is_clinical else (),
        "typed": typed or {},
    }
    return render(request, "intake/phone/caller.html", context, status=status)
