"""One view a verb. Each does one thing to one task and says it; refused, the page comes back with what was typed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from portal.people import kept
from portal.people.policies import Refused
from portal.people.requests import Request, key_of
from queues import actions, assessing, desk, policies
from queues.models import FollowUp, FollowUpForm, Outcome, ProtocolStep, Queue, Task
from queues.shown import shown
from queues.urgency import Urgency
from queues.views.frame import staff
from queues.views.task import task_of, task_page

SENT = ("reply", "ask back", "resolve")
SOON = timedelta(seconds=2)  # a message and its step are written in one go


def _verb(act: Callable[[Request, Task], str], *, then: str = "task") -> Callable[..., HttpResponse]:
    @staff
    @require_http_methods(["GET", "POST"])
    def view(request: Request, pk: int) -> HttpResponse:
        row = task_of(request, pk)
        if request.method == "GET":
            # Back from a log-in that had run out: what was typed is shown again, and not yet done.
            return task_page(request, row, typed=kept.take(request))
        try:
            done = act(request, row)
        except Refused as refused:
            if _was_sent_just_now(request, row):
                messages.info(request, _("Done once; the second click changed nothing."))
                return redirect(row)
            messages.error(request, str(refused))
            return task_page(request, task_of(request, pk), typed=request.POST, status=409)
        if done:
            messages.success(request, done)
        if then == "queue":
            return redirect("queue", row.queue_id)
        if not Task.objects.visible_to(request.user).filter(pk=pk).exists():
            # A physician who answered is back among the other questions.
            return redirect("queue", row.asked_queue_id or row.queue_id)
        return redirect(row)

    return view


def _seen(request: Request) -> int | None:
    version = request.POST.get("version", "")
    return int(version) if version.isdecimal() else None


def _was_sent_just_now(request: Request, row: Task) -> bool:
    """Whether this is the second click on one page: the step after it was this person's own, with the same words."""
    seen = _seen(request)
    last = row.steps.last()
    if seen is None or last is None or last.by_id != request.user.pk or last.verb not in SENT:
        return False
    if not Task.objects.filter(pk=row.pk, version=seen + 1).exists():
        return False
    words = (request.POST.get("body") or request.POST.get("ask") or "").replace("\r\n", "\n").strip()
    said = row.conversation.messages.filter(task=row, author=request.user, sent_at__gte=last.at - SOON).last()
    return words == (said.body if said else "")


def _claim(request: Request, row: Task) -> str:
    actions.claim(task=row, by=request.user, seen=_seen(request))
    return _("It is yours.")


def _acknowledge(request: Request, row: Task) -> str:
    actions.acknowledge(task=row, by=request.user)
    return _("Noted: you have it. Nobody is alerted about it any more.")


def _release(request: Request, row: Task) -> str:
    actions.release(task=row, by=request.user)
    return _("It is back in the queue.")


# ---- words to the patient ----------------------------------------------------------------------------------------


def _reply(request: Request, row: Task) -> str:
    go, body = request.POST.get("go"), request.POST.get("body", "")
    if go == "template":
        # Without JavaScript the template is put into the box here, and nothing is sent.
        _insert_template(request, row, body)
        return ""
    if go == "ask":
        actions.ask_back(task=row, question=body, by=request.user, seen=_seen(request))
        return _("Asked. The clock waits for the patient.")
    if go == "resolve":
        return _resolve(request, row)
    actions.reply(task=row, body=body, by=request.user, seen=_seen(request))
    return _("Sent.")


def _insert_template(request: Request, row: Task, body: str) -> None:
    wanted = request.POST.get("template", "")
    offered = desk.choices(row, shown(row, request.user), request.user).templates
    text = next((each["text"] for each in offered if each["code"] == wanted), None)
    if text is None:
        raise Refused(_("Pick a template first."))
    data = {key: request.POST.get(key, "") for key in ("outcome", "minutes")}
    kept.put(request, row.get_absolute_url(), data | {"body": f"{body.rstrip()}\n\n{text}".strip()})


def _minutes(request: Request) -> int | None:
    """How long it took, where they tapped it."""
    minutes = request.POST.get("minutes", "")
    return int(minutes) if minutes.isdecimal() and len(minutes) < 5 else None


def _resolve(request: Request, row: Task) -> str:
    outcome = Outcome.objects.filter(code=request.POST.get("outcome", "")).first()
    if outcome is None:
        raise Refused(_("Pick the outcome first."))
    actions.resolve(
        task=row,
        outcome=outcome,
        body=request.POST.get("body", ""),
        minutes_spent=_minutes(request),
        assessed=assessing.read(request.POST),
        by=request.user,
        seen=_seen(request),
    )
    protocol = policies.protocol_of(row)
    left = len(policies.open_steps(row, protocol)) if protocol else 0
    if left:
        messages.warning(
            request,
            ngettext(
                "%(count)d step of “%(protocol)s” is still open.",
                "%(count)d steps of “%(protocol)s” are still open.",
                left,
            )
            % {"count": left, "protocol": protocol},
        )
    return _("Resolved: %(outcome)s.") % {"outcome": outcome.label}


def _ask_back(request: Request, row: Task) -> str:
    actions.ask_back(
        task=row,
        question=request.POST.get("ask", ""),
        follow_up=_follow_up(request),
        by=request.user,
        seen=_seen(request),
    )
    return _("Asked. The clock waits for the patient.")


def _follow_up(request: Request) -> FollowUpForm | None:
    code = request.POST.get("follow_up", "")
    if not code:
        return None
    form = FollowUpForm.objects.offered_to(request.user).filter(code=code).first()
    if form is None:
        raise Refused(_("This form is not offered any more. Pick another one."))
    return form


def _undo(request: Request, row: Task) -> str:
    held = actions.undo(task=row, by=request.user)
    if held.message:
        box = "ask" if held.verb == "ask back" else "body"
        asked = FollowUp.objects.filter(message=held.message).first()
        with_form = {"follow_up": asked.code} if asked else {}
        kept.put(request, row.get_absolute_url(), {box: held.message.body} | with_form)
    return _("Taken back. The patient has not seen it, and your words are in the box again.")


# ---- to colleagues -----------------------------------------------------------------------------------------------


def _queue(request: Request, name: str) -> Queue:
    found = Queue.objects.live().filter(pk=key_of(request.POST.get(name, "")) or 0).first()
    if found is None:
        raise Refused(_("Pick the queue it should go to."))
    return found


def _hand_over(request: Request, row: Task) -> str:
    target = _queue(request, "queue")
    actions.hand_over(
        task=row, queue=target, reason=request.POST.get("reason", ""), by=request.user, seen=_seen(request)
    )
    return _("Handed over to %(queue)s.") % {"queue": target}


def _split(request: Request, row: Task) -> str:
    urgency = request.POST.get("part_urgency", "")
    part = actions.split(
        task=row,
        queue=_queue(request, "part_queue"),
        title=request.POST.get("part_title", ""),
        details=request.POST.get("part_details", ""),
        urgency=Urgency.from_word(urgency) if urgency in [each.word for each in Urgency] else Urgency.ROUTINE,
        by=request.user,
        seen=_seen(request),
    )
    return _("A task of its own is in %(queue)s. This one stays yours.") % {"queue": part.queue}


def _escalate(request: Request, row: Task) -> str:
    actions.escalate(
        task=row,
        situation=request.POST.get("situation", ""),
        background=request.POST.get("background", ""),
        assessment=request.POST.get("assessment", ""),
        question=request.POST.get("question", ""),
        options=[*request.POST.getlist("offer"), *request.POST.get("options", "").split("\n")],
        by=request.user,
        seen=_seen(request),
    )
    return _("Your question is with the physicians. The task stays yours.")


def _answer(request: Request, row: Task) -> str:
    question = row.escalations.filter(answered_at__isnull=True).first() or row.escalations.last()
    if question is None:
        raise Refused(_("There is no open question here any more."))
    if request.POST.get("go") == "take-over":
        actions.take_over(escalation=question, by=request.user)
        return _("It is yours now.")
    text = request.POST.get("option") or request.POST.get("answer", "")
    actions.answer(escalation=question, text=text, by=request.user, minutes_spent=_minutes(request))
    return _("Answered. It is back with the one who asked.")


def _note(request: Request, row: Task) -> str:
    actions.add_note(task=row, body=request.POST.get("note", ""), by=request.user)
    return _("Noted. Only colleagues see it.")


def _call(request: Request, row: Task) -> str:
    call = actions.log_call(
        task=row,
        result=request.POST.get("result", ""),
        note=request.POST.get("call_note", ""),
        by=request.user,
    )
    return _("Call logged: %(result)s.") % {"result": call.get_result_display()}


def _tick(request: Request, row: Task) -> str:
    choice = request.POST.get("step", "")
    step = (
        ProtocolStep.objects.filter(pk=int(choice)).first()
        if choice.isdecimal() and len(choice) < 10
        else None
    )
    if step is None:
        raise Refused(_("This step is not part of the task's protocol any more. Look again."))
    actions.tick(task=row, step=step, done=request.POST.get("done") == "yes", by=request.user)
    return ""


acknowledge = _verb(_acknowledge)
claim = _verb(_claim)
release = _verb(_release, then="queue")
reply = _verb(_reply)
ask_back = _verb(_ask_back)
undo = _verb(_undo)
hand_over = _verb(_hand_over, then="queue")
split = _verb(_split)
escalate = _verb(_escalate)
answer = _verb(_answer)
note = _verb(_note)
call = _verb(_call)
tick = _verb(_tick)
