"""The page of one request after it was sent: where it stands, what was said, and every way to say more."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit.actions import record_read
from intake import actions
from intake.attachments import form as files
from intake.portions import slices
from intake.promise import promise_of
from intake.reached import find_conversation, front_task, subjects_of
from portal.people import kept
from portal.people.policies import Refused
from portal.people.requests import Request, key_of
from queues import actions as queue_actions
from queues import policies
from queues.models import Conversation, FollowUp, Message
from queues.states import State
from queues.urgency import Urgency

# What a page shows of the messages at most, in number and in characters: it stays as light as every other.
MOST, LENGTH = 40, 12_000
# Beside the messages only the first few answers stand, and the rest has pages of its own.
BESIDE = 3_000


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


@require_GET
def answers(request: Request, pk: int, number: int | None = None) -> HttpResponse:
    """All that was sent with a form of many questions, in portions: the request's own, or that of a question back."""
    row = find_conversation(request, pk)
    asked = get_object_or_404(row.follow_ups.exclude(answer=None), pk=number) if number else None
    lines = asked.told if asked else row.submission.summary if row.submission else []
    parts = Paginator(slices(lines), 1)
    part = parts.get_page(request.GET.get("page"))
    record_read("intake.answers.read", by=request.user, patients=[row.patient_id], entity=row)
    found = {"patient": row.patient, "conversation": row, "part": part, "subject": subjects_of([row])[row.pk]}
    return render(request, "intake/answers.html", found | {"title": asked.title if asked else ""})


def _said(
    row: Conversation, answered: Mapping[int | None, FollowUp], *, before: int | None
) -> tuple[list[Message], int | None]:
    """The newest messages, or those before the one of this key, in the order they were written; and the key to ask for
    the ones before them with."""
    rows = row.messages.shown().order_by("-sent_at", "-pk")
    first = row.messages.shown().filter(pk=before).first() if before is not None else None
    if first is not None:
        rows = rows.filter(Q(sent_at__lt=first.sent_at) | Q(sent_at=first.sent_at, pk__lt=first.pk))
    found: list[Message] = []
    length = 0
    for message in rows.select_related("author").prefetch_related("attachments")[: MOST + 1]:
        form = answered.get(message.pk)
        length += len(message.body) + (min(len(str(form.told)), BESIDE) if form else 0)
        if len(found) == MOST or (found and length > LENGTH):
            return found[::-1], found[-1].pk
        found.append(message)
    return found[::-1], None


def _page(
    request: Request, row: Conversation, *, body: str, worse: bool = False, status: int = 200
) -> HttpResponse:
    answered = {each.answer_id: each for each in row.follow_ups.exclude(answer=None)}
    before = key_of(request.GET.get("before", ""))
    said, earlier = _said(row, answered, before=before)
    queue_actions.mark_read(conversation=row, by=request.user)
    record_read("intake.conversation.read", by=request.user, patients=[row.patient_id], entity=row)
    task = front_task(row)
    beside = list(Conversation.objects.reachable_by(request.user).filter(pk__in=row.beside().values("pk")))
    closed = policies.why_closed(row)
    forms = [(message, answered.get(message.pk)) for message in said]
    return render(
        request,
        "intake/conversation.html",
        {
            "patient": row.patient,
            "conversation": row,
            "subject": subjects_of([row])[row.pk],
            "task": task,
            "said": [
                (message, form, slices(form.told if form else [], length=BESIDE)) for message, form in forms
            ],
            "earlier": earlier,
            "later": before is not None,
            "asked": row.follow_ups.open().select_related("asked_by"),
            "body": body,
            "worse": worse,
            "upload": files.limits(),
            "promise": promise_of(task, row.patient),
            "who": task.queue.team_in(request.LANGUAGE_CODE) if task.is_live else "",
            "beside": [(each, subjects_of([each])[each.pk]) for each in beside],
            "answers": slices(row.submission.summary if row.submission else [], length=BESIDE),
            "number": len(row.submission.summary) if row.submission else 0,
            "outcome": task.outcome.text_in(request.LANGUAGE_CODE) if task.outcome else "",
            "closed": closed,
            "can_keep": policies.can_keep(task),
            "can_worsen": row.clinical and (task.is_live or task.state == State.RESOLVED and not closed),
            "can_withdraw": task.is_live and task.floor < Urgency.URGENT,
            "emergency": task.is_live and task.floor == Urgency.URGENT,
        },
        status=status,
    )
