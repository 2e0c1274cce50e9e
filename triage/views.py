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
from queues.measures.suppression import FEWEST
from queues.models import Task
from queues.views.frame import bench, staff
from triage import (
    actions,
    comparing,
    engine,
    explain,
    policies,
    proving,
    publishing,
    replay,
    rereading,
    sorting,
)
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
    return render(
        request,
        "triage/trace.html",
        {
            "task": task,
            "decision": task.decision,
            "because": explain.because(task.decision),
            "told": explain.kept(task.decision),
        }
        | bench(request),
    )


@require_GET
def sorted_right(request: Request) -> HttpResponse:
    """How often the rules sorted right, by rule, language and facility, and which rule to mend."""
    if not policies.may_see_sorting(request.user):
        raise Http404
    days = request.GET.get("days", "")
    chosen = int(days) if days in ("30", "90", "365") else sorting.DAYS
    published = Ruleset.objects.published().first()
    context = {
        "told": sorting.sorting(chosen),
        "fewest": FEWEST,
        "choices": [30, 90, 365],
        "may_change": policies.may_change(request.user),
        "names": set(published.rules.values_list("name", flat=True)) if published else set(),
    }
    return render(request, "triage/sorting.html", context | bench(request, ("sorting", 0)))


@require_POST
def mend(request: Request) -> HttpResponse:
    """Open the rule in the draft, which is started where there is none."""
    if not policies.may_change(request.user):
        raise Http404
    name = request.POST.get("rule", "")
    draft = Ruleset.objects.filter(status=Ruleset.Status.DRAFT).first()
    try:
        draft = draft or actions.start_draft(by=request.user)
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("rules-sorting")
    rule = draft.rules.filter(name=name).first()
    if rule is None:
        messages.warning(request, _("The draft has no rule “%(name)s”.") % {"name": name})
        return redirect("admin:triage_ruleset_change", draft.pk)
    return redirect("admin:triage_rule_build", rule.pk)


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
    return render(request, "triage/approval.html", context | bench(request, ("approval", 0)))


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
    facts = row.facts
    if other.status == Ruleset.Status.DRAFT and rereading.are_new():
        facts = next(rereading.as_known([(row.pk, facts)]))
    try:
        then = explain.under(other, facts)
    except engine.RulesetError as error:
        raise Http404 from error
    patients = [row.submission.patient_id] if row.submission else []
    record_read("triage.replay.read", by=request.user, patients=patients, entity=row)
    context = {"decision": row, "facts": explain.facts(row.facts), "both": [explain.kept(row), then]}
    return render(request, "triage/both.html", context | bench(request))
