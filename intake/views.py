"""The patient's pages: pick a request, fill in its form, look it over, send it, read the answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit.actions import record_read
from intake import actions, emergencies, forms, phone, portions
from intake.attachments import form as files
from intake.models import Draft, RequestType
from intake.promise import Promise, promise, promise_of
from intake.questionnaires import FieldError, State, UnknownField, place_of, render_page, still_known
from intake.reached import (
    draft_of,
    find_conversation,
    front_task,
    listed,
    offered_to,
    patient_of,
    sent_beside,
    suggested,
)
from portal.people import kept, persons
from portal.people.models import Invitation, Patient, Proxy
from portal.people.policies import Refused, may_keep_confidential
from portal.people.requests import Request, key_of
from queues import actions as queue_actions
from queues.models import Conversation
from queues.urgency import Urgency
from triage import actions as triage

A_PAGE = 60  # requests on a page of their list

# ---- start -----------------------------------------------------------------------------------------------------


@require_GET
def home(request: Request) -> HttpResponse:
    """Where everybody lands: patients on what they can ask, staff on their queues."""
    patient = persons.current(request)
    if patient is None:
        if request.people:
            return redirect("person")
        if request.user.works_here:
            return redirect("work")
        if Invitation.objects.open().filter(user=request.user).exists():
            return redirect("access")
        return redirect("admin:index") if request.user.is_staff else render(request, "intake/nobody.html")
    conversations = listed(request, patient, 5, waiting_first=True)
    drafts = Draft.objects.reachable_by(request.user).filter(patient=patient)
    record_read("intake.home.read", by=request.user, patients=[patient.pk])
    return render(
        request,
        "intake/home.html",
        {
            "patient": patient,
            "request_types": offered_to(request, patient),
            "can_confide": may_keep_confidential(patient, request.user),
            "drafts": drafts.select_related("request_type", "follow_up"),
            "conversations": conversations,
        },
    )


@require_http_methods(["GET", "POST"])
def person(request: Request) -> HttpResponse:
    """Whom this is about, where somebody acts for more than one person."""
    people = persons.reachable(request.user)
    if request.method == "POST":
        chosen = next((each for each in people if str(each.pk) == request.POST.get("patient")), None)
        if chosen is None:
            raise Http404
        persons.choose(request, chosen)
        return redirect("home")
    _tell_scopes(request, people)
    record_read("intake.person.read", by=request.user, patients=[each.pk for each in people])
    return render(request, "intake/person.html", {"people": people})


def _tell_scopes(request: Request, people: list[Patient]) -> None:
    """Beside each person, what of theirs a narrow grant names."""
    labels = {each.code: each.label for each in RequestType.objects.all()}
    for grant in Proxy.objects.open_to(request.user).exclude(scope=None):
        for each in people:
            if each.pk == grant.patient_id:
                each.only = [labels.get(code, code) for code in grant.scope or []]  # type: ignore[attr-defined]


@require_POST
def start(request: Request, code: str) -> HttpResponse:
    patient = patient_of(request)
    request_type = get_object_or_404(offered_to(request, patient), code=code)
    draft = actions.start_draft(
        request_type=request_type, patient=patient, by=request.user, beside=sent_beside(request, patient)
    )
    if request.POST.get("confidential") and may_keep_confidential(patient, request.user):
        actions.keep_confidential(draft=draft, by=request.user)
    return redirect("draft", draft.pk)


# ---- the form --------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def draft(request: Request, pk: UUID, page: str = "") -> HttpResponse:
    """One page of a request that is being written. Every post is kept, whatever it holds."""
    row = draft_of(request, pk)
    if row is None:
        return _already_sent(request, pk)
    form = forms.form(row.version)
    again = kept.take(request)
    typing = request.htmx and request.method == "POST" and again is None
    named = next((each for each in form.pages if each.id == page), None)
    if typing and named is not None:
        # Only what follows from the new answers is of interest: nothing is worked out from the old ones.
        here, before = named, frozenset[str]()
    else:
        state = forms.evaluate(row)
        here = next((each for each in state.pages if each.id == page), state.pages[0])
        before = state.shown(here)
    wrong: list[files.Problem] = []
    if request.method == "GET" and again is None:
        _read_event(request, row)
        return _form_page(request, row, state, here, errors="check" in request.GET)
    post = again if again is not None else request.POST
    try:
        with actions.in_turn(row, tab=post.get("tab", "")[:36], turn=_turn(post)) as newest:
            if newest:
                raw, wrong = files.receive(
                    draft=row,
                    form=form,
                    post=post,
                    files=request.FILES,
                    page=here,
                    by=request.user,
                )
                state = actions.save_draft(draft=row, raw=raw, by=request.user, page=here.id)
            else:
                state = forms.evaluate(row)
    except UnknownField as unknown:
        messages.error(request, str(unknown))
        # Shown once more and not stored: nobody knows what the rest of the page meant.
        row.raw = still_known(form, post, row.raw, here)
        state = forms.evaluate(row)
        here = next((each for each in state.pages if each.id == here.id), state.pages[0])
        return _form_page(request, row, state, here, errors=True, status=400)
    except Draft.DoesNotExist:
        return _already_sent(request, pk)
    here = next((each for each in state.pages if each.id == here.id), state.pages[0])
    if again is not None:
        return _form_page(request, row, state, here)
    wrong += files.stopped(request)
    if request.htmx:
        wrong = files.still_wrong(request, row, wrong)
        return _form_page(request, row, state, here, template="intake/_page.html", wrong=wrong)
    request.session.pop(files.NOT_TAKEN, None)
    if wrong:
        return _form_page(request, row, state, here, status=422, wrong=wrong)
    go = request.POST.get("go", "")
    if go == "next":
        # Without JavaScript the follow-up questions come up only now: nobody has left them out yet.
        new, missing = state.shown(here) - before, state.errors_for(here)
        if new and all(error.name in new for error in missing):
            messages.info(request, _("Your answer brings up one more question."))
            return _form_page(request, row, state, here)
        if missing:
            return _form_page(request, row, state, here, errors=True, status=422)
    where = [each.id for each in state.pages]
    at = where.index(here.id)
    if "review" in request.GET and go in ("next", "back"):
        return _on_to_review(row, [each for each in where if go == "next" and each not in row.visited])
    if go == "next":
        return redirect("draft", row.pk, where[at + 1]) if at + 1 < len(where) else redirect("review", row.pk)
    if go == "back":
        return redirect("draft", row.pk, where[at - 1]) if at else _away_from(row)
    if go == "later":
        messages.success(request, _("Saved. You can go on with it whenever you like."))
        return _away_from(row)
    place = place_of(request.POST, row.raw)
    return redirect(reverse("draft", args=[row.pk, here.id]) + (f"#{place}" if place else ""))


def _on_to_review(row: Draft, unseen: list[str]) -> HttpResponse:
    """After a change, straight back to looking it over; before it, pages that the change has brought up."""
    if unseen:
        return redirect(reverse("draft", args=[row.pk, unseen[0]]) + "?review")
    return redirect("review", row.pk)


def _turn(post: Any) -> int:
    text = post.get("turn", "")
    return int(text) if text.isdecimal() and len(text) < 16 else 0


@require_http_methods(["GET", "POST"])
def review(request: Request, pk: UUID) -> HttpResponse:
    """Everything once more, who will answer and by when; and the button that sends it."""
    if request.method == "POST":
        return _send(request, pk)
    row = draft_of(request, pk)
    if row is None:
        return _already_sent(request, pk)
    _read_event(request, row)
    return _review_page(request, row, forms.evaluate(row))


def _send(request: Request, pk: UUID) -> HttpResponse:
    # The action looks whether this person may send it; the draft is read again only where it stays.
    try:
        conversation = actions.submit(draft_id=pk, by=request.user)
    except Refused as refused:
        row = draft_of(request, pk)
        if row is None:
            return _already_sent(request, pk)
        return _not_sent(request, row, refused)
    if conversation.submission is None or conversation.submission.draft_key != pk:
        messages.success(request, _("Your answers are sent."))
        return redirect("conversation", conversation.pk)
    return redirect("filed" if conversation.channel == Draft.Channel.PHONE else "sent", conversation.pk)


def _not_sent(request: Request, row: Draft, refused: Refused) -> HttpResponse:
    """The overview again, with what is to be done."""
    if isinstance(refused, actions.Incomplete):
        return _review_page(request, row, refused.state, status=422)
    if isinstance(refused, actions.Changed):
        messages.warning(request, str(refused))
        return redirect("review", row.pk)
    messages.error(request, str(refused))
    return _review_page(request, row, forms.evaluate(row), status=409)


@require_http_methods(["GET", "POST"])
def discard(request: Request, pk: UUID) -> HttpResponse:
    """Asks once, where no script does, then deletes it."""
    row = draft_of(request, pk)
    if row is None:
        return redirect("home")
    if request.method == "GET":
        _read_event(request, row)
        return render(request, "intake/discard.html", {"draft": row, "patient": row.patient})
    actions.discard_draft(draft=row, by=request.user)
    messages.success(request, _("The draft is deleted."))
    return _away_from(row)


def _away_from(row: Draft) -> HttpResponse:
    """Where somebody goes who leaves a draft: home, or to the caller whose words they write down."""
    return redirect("caller", row.patient_id) if row.channel == Draft.Channel.PHONE else redirect("home")


# ---- after sending ---------------------------------------------------------------------------------------------


@require_GET
def requests(request: Request) -> HttpResponse:
    patient = patient_of(request)
    page = min(key_of(request.GET.get("page", "")) or 1, 1_000)
    rows = listed(request, patient, A_PAGE + 1, skipped=(page - 1) * A_PAGE)
    record_read("intake.requests.read", by=request.user, patients=[patient.pk])
    found = {"patient": patient, "conversations": rows[:A_PAGE], "page": page}
    earlier = page + 1 if len(rows) > A_PAGE else None
    return render(request, "intake/requests.html", found | {"earlier": earlier})


@require_GET
def sent(request: Request, pk: int) -> HttpResponse:
    """The confirmation: a reference, who answers and by when, and what to do if it gets worse."""
    conversation = find_conversation(request, pk)
    task = front_task(conversation)
    others = suggested(request, conversation, task)
    record_read("intake.sent.read", by=request.user, patients=[conversation.patient_id], entity=conversation)
    return render(
        request,
        "intake/sent.html",
        {
            "patient": conversation.patient,
            "conversation": conversation,
            "task": task,
            "promise": promise_of(task, conversation.patient),
            "advice": task.decision.result.get("advice", []) if task.decision else [],
            "others": others,
            "about_other": bool(others)
            and task.decision is not None
            and others[0].code == task.decision.facts.get("signal.category"),
        },
    )


# ---- pages -----------------------------------------------------------------------------------------------------


def _already_sent(request: Request, pk: UUID) -> HttpResponse:
    """A draft that is gone was sent, in another tab or by an earlier click: show that request."""
    call = phone.filed_from(request, pk)
    if call is not None:
        return redirect("filed", call.pk)
    answered = Conversation.objects.reachable_by(request.user).filter(
        follow_ups__submission__draft_key=pk, follow_ups__submission__author=request.user
    )
    if answered.exists():
        return redirect("conversation", answered[0].pk)
    conversation = get_object_or_404(
        Conversation.objects.reachable_by(request.user),
        submission__draft_key=pk,
        submission__author=request.user,
    )
    return redirect("sent", conversation.pk)


def _form_page(
    request: Request,
    row: Draft,
    state: State,
    here: Any,
    *,
    errors: bool = False,
    status: int = 200,
    template: str = "intake/page.html",
    wrong: Sequence[files.Problem] = (),
) -> HttpResponse:
    pages = list(state.pages)
    number = [page.id for page in pages].index(here.id) + 1
    return render(
        request,
        template,
        {
            "patient": row.patient,
            "draft": row,
            "page": here,
            "number": number,
            "pages": pages,
            "tab": uuid4() if template == "intake/page.html" else "",
            "fields": render_page(state, here, bound_errors=errors),
            "errors": [
                *({"name": each.field or "page", "message": each.sentence} for each in wrong),
                *(_told(row, state.errors_for(here)) if errors else []),
            ],
            "notice": emergencies.shown(row, request.user, fresh=row.fresh_notice or not request.htmx),
            "promise": _promise_before(row, state),
            "upload": files.limits(),
            "reviewing": "review" in request.GET,
        },
        status=status,
    )


def _review_page(request: Request, row: Draft, state: State, *, status: int = 200) -> HttpResponse:
    page_of = forms.form(row.version).page_of
    told: dict[str, portions.Lines] = {page.id: [] for page in state.pages}
    for line in portions.beginnings(files.lines(state)):
        page = page_of[line["link_id"]]
        told.get(page.id, []).append(line | {"page": page})
    lines = [
        line
        for page in state.pages
        for line in told[page.id] or [{"page": page, "label": "", "value": "", "none": True}]
    ]
    portion = Paginator(portions.slices(lines), 1).get_page(request.GET.get("page"))
    parts = portions.in_parts(portion.object_list[0])
    return render(
        request,
        "intake/review.html",
        {
            "patient": row.patient,
            "draft": row,
            "portion": portion,
            "parts": [(page, state.title(page), lines) for page, lines in parts],
            "errors": _told(row, state.errors),
            "notice": emergencies.shown(row, request.user, fresh=True),
            "promise": _promise_before(row, state),
        },
        status=status,
    )


def _told(row: Draft, errors: list[FieldError]) -> list[dict[str, str]]:
    """Errors with the question they belong to, for the summary that links to the fields."""
    form = forms.form(row.version)
    language = get_language() or "en"
    return [
        {
            "name": error.name,
            "page": error.page_id,
            "question": form.item(error.link_id).wording.in_language(language) if error.link_id else "",
            "message": error.message,
        }
        for error in errors
    ]


def _promise_before(row: Draft, state: State) -> Promise | None:
    """Who would answer, and by when, if it were sent now; None where nobody can say yet."""
    try:
        decision = triage.preview(
            actions.facts_of(row, state, []) | ({"notice.shown": True} if row.notices else {})
        )
        queue = queue_actions.serving(decision.queue, row.patient.facility)
        return promise(queue, row.patient, urgency=Urgency.from_word(decision.urgency))
    except Refused:
        return None


def _read_event(request: Request, row: Draft) -> None:
    record_read("intake.draft.read", by=request.user, patients=[row.patient_id], entity=row)
