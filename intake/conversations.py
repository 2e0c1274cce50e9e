"""The page of one request after it was sent: where it stands, what was said, and every way to say more."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from audit.actions import record_read
from intake import actions
from intake.attachments import form as files
from intake.views import find_conversation, front_task, promise_of, subjects_of
from portal.people import kept
from portal.people.policies import Refused
from portal.people.requests import Request
from queues import actions as queue_actions
from queues import policies
from queues.models import Conversation
from queues.states import State
from queues.urgency import Urgency


@require_http_methods(["GET", "POST"])
def conversation(request: Request, pk: int) -> HttpResponse:
    """One request: where it stands, what was said, and a box to say more."""
    row = find_conversation(request, pk)
    again = kept.take(request)
    if request.method == "GET":
        worse = "worse" in (again or request.GET)
        return _page(request, row, body=again.get("body", "") if again else "", worse=worse)
    body, worse = request.POST.get("body", ""), "worse" in request.POST
    try:
        added = files.of_message(request, row.patient)
        actions.write(conversation=row, body=body, added=added, worse=worse, by=request.user)
    except Refused as refused:
        messages.error(request, str(refused))
        return _page(request, row, body=body, worse=worse, status=422)
    messages.success(request, _("Your message is sent."))
    return redirect("conversation", row.pk)


@require_POST
def withdraw(request: Request, pk: int) -> HttpResponse:
    said = _("The request is withdrawn. Nobody will work on it any more.")
    return _change(request, pk, queue_actions.withdraw, said)


@require_POST
def keep(request: Request, pk: int) -> HttpResponse:
    """Take a withdrawal back."""
    return _change(request, pk, queue_actions.keep_after_all, _("Your request is open again."))


def _change(request: Request, pk: int, act: Callable[..., None], said: str) -> HttpResponse:
    row = find_conversation(request, pk)
    try:
        act(conversation=row, by=request.user)
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, said)
    return redirect("conversation", row.pk)


@require_POST
def follow_up(request: Request, pk: int, number: int) -> HttpResponse:
    """Begin to answer a small form that staff asked with, or go on with it."""
    row = find_conversation(request, pk)
    asked = get_object_or_404(row.follow_ups.open(), pk=number)
    try:
        draft = actions.start_answer(follow_up=asked, by=request.user)
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("conversation", row.pk)
    return redirect("draft", draft.pk)


def _page(
    request: Request, row: Conversation, *, body: str, worse: bool = False, status: int = 200
) -> HttpResponse:
    said = list(row.messages.shown().select_related("author", "follow_up").prefetch_related("attachments"))
    answered = {each.answer_id: each for each in row.follow_ups.exclude(answer=None)}
    queue_actions.mark_read(conversation=row, by=request.user)
    record_read("intake.conversation.read", by=request.user, patients=[row.patient_id], entity=row)
    task = front_task(row)
    beside = list(Conversation.objects.reachable_by(request.user).filter(pk__in=row.beside().values("pk")))
    closed = policies.why_closed(row)
    return render(
        request,
        "intake/conversation.html",
        {
            "patient": row.patient,
            "conversation": row,
            "subject": subjects_of([row])[row.pk],
            "task": task,
            "said": [(message, answered.get(message.pk)) for message in said],
            "asked": row.follow_ups.open().select_related("asked_by"),
            "body": body,
            "worse": worse,
            "upload": files.limits(),
            "promise": promise_of(task, row.patient),
            "who": task.queue.team_in(request.LANGUAGE_CODE) if task.is_live else "",
            "beside": [(each, subjects_of([each])[each.pk]) for each in beside],
            "answers": row.submission.summary if row.submission else [],
            "outcome": task.outcome.text_in(request.LANGUAGE_CODE) if task.outcome else "",
            "closed": closed,
            "can_keep": policies.can_keep(task),
            "can_worsen": row.clinical and (task.is_live or task.state == State.RESOLVED and not closed),
            "can_withdraw": task.is_live and task.floor < Urgency.URGENT,
            "emergency": task.is_live and task.floor == Urgency.URGENT,
        },
        status=status,
    )
