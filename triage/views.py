"""Why a task is where it is: the whole trace of its decision. And what clinicians approve of a draft of the rules."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from audit.actions import record_read
from portal.people.policies import Refused
from portal.people.requests import Request
from queues.models import Task
from queues.views.frame import staff
from triage import actions, comparing, engine, explain, policies, proving, publishing, replay
from triage.models import Decision, LostFlag, Promise, Ruleset

PAGE = 50


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


def _draft(request: Request) -> Ruleset:
    """The draft, for those who may approve one; to everybody else it doesn't exist."""
    if not policies.may_approve(request.user):
        raise Http404
    return get_object_or_404(Ruleset, status=Ruleset.Status.DRAFT)


@staff
@require_GET
def approval(request: Request) -> HttpResponse:
    """What a clinician is asked to approve: the safety stage and the promises, beside the published ones."""
    draft = _draft(request)
    published = Ruleset.objects.published().first()
    replay.find_lost_flags(draft)
    lost = draft.lost_flags.select_related("decision__submission", "accepted_by")
    page = Paginator(lost, PAGE).get_page(request.GET.get("page"))
    if page.object_list:
        patients = [row.decision.submission.patient_id for row in page if row.decision.submission]
        record_read("triage.lostflag.list", by=request.user, patients=patients, entity=draft)
    context = {
        "draft": draft,
        "published": published,
        "digest": proving.safety_digest(draft),
        "changes": comparing.safety_changes(published, draft),
        "promises": [
            (promise, explain.condition(promise.whenever), explain.condition(promise.never))
            for promise in (*Promise.objects.filter(built_in=True), *draft.promises.all())
        ],
        "report": publishing.report(draft),
        "needed": publishing.safety_changed(draft),
        "approval": publishing.approval_of(draft),
        "is_author": draft.authors.filter(pk=request.user.pk).exists(),
        "lost": page,
    }
    return render(request, "triage/approval.html", context)


@staff
@require_POST
def approve(request: Request) -> HttpResponse:
    draft = _draft(request)
    try:
        actions.approve(
            ruleset=draft,
            by=request.user,
            seen=request.POST.get("digest", ""),
            note=request.POST.get("note", ""),
        )
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("You approved the safety rules and promises as they are now."))
    return redirect("rules-approval")


@staff
@require_POST
def accept(request: Request, pk: int) -> HttpResponse:
    """Accept that one past red flag would be lost or lowered."""
    lost = get_object_or_404(LostFlag, pk=pk, ruleset=_draft(request))
    try:
        actions.accept_lost_flag(lost=lost, by=request.user, reason=request.POST.get("reason", ""))
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("Accepted, with your reason on record."))
    return redirect("rules-approval")


@staff
@require_GET
def both(request: Request, ruleset: int, decision: int) -> HttpResponse:
    """One past request under the rules that decided it and under another version, side by side."""
    if not request.user.is_clinical or not (policies.may_approve(request.user) or request.user.is_staff):
        raise Http404
    row = get_object_or_404(Decision.objects.select_related("ruleset", "submission"), pk=decision)
    other = get_object_or_404(Ruleset, pk=ruleset)
    try:
        then = explain.under(other, row.facts)
    except engine.RulesetError as error:
        raise Http404 from error
    patients = [row.submission.patient_id] if row.submission else []
    record_read("triage.replay.read", by=request.user, patients=patients, entity=row)
    context = {"decision": row, "facts": explain.facts(row.facts), "both": [explain.kept(row), then]}
    return render(request, "triage/both.html", context)
