"""Every write of intake: questionnaires and their versions, drafts, and the one transaction of a submit."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from audit.actions import Kind, record
from audit.now import now
from audit.statements import as_one, drawing, found, sent, together
from intake import emergencies, forms, later, offered
from intake.attachments import actions as attachments
from intake.attachments import form as files
from intake.attachments.models import Attachment
from intake.later import answer, start_answer, write
from intake.models import Draft, RequestType, Submission, Version
from intake.notices import Notice
from intake.policies import Changed, Incomplete
from intake.questionnaires import State
from intake.releases import offer_follow_up, publish_version, retire_version, save_request_type
from portal.people import places
from portal.people.models import Patient, User
from portal.people.policies import Refused, may_keep_confidential
from portal.people.prepared import Prepared, kept_statements
from portal.people.reference import NUMBERS, steady
from queues import actions as queues
from queues import policies
from queues.models import Conversation, Task
from queues.urgency import Urgency
from triage import actions as triage
from triage import explain, facts
from triage.models import Decision
from triage.signals import Reading

# What is said after sending, and the questionnaires, are parts of their own.
__all__ = [
    "Changed",
    "Incomplete",
    "answer",
    "discard_draft",
    "facts_of",
    "offer_follow_up",
    "publish_version",
    "retire_version",
    "save_draft",
    "save_request_type",
    "start_answer",
    "start_draft",
    "submit",
    "write",
]

# ---- drafts ----------------------------------------------------------------------------------------------------


@kept_statements()
@transaction.atomic
def start_draft(
    *,
    request_type: RequestType,
    patient: Patient,
    by: User,
    channel: str = Draft.Channel.PORTAL,
    beside: Conversation | None = None,
    raw: Mapping[str, list[str]] | None = None,
) -> Draft:
    """Begin a request, or go on with the one of this kind that was begun and not sent. Over the phone, `by` is of the
    staff and writes it down. `beside` is one that was just sent: each is decided on its own, both are shown as one.
    `raw` are answers that are known beforehand, field name to texts; a draft that was begun keeps its own."""
    if channel == Draft.Channel.PHONE:
        policies.check_cares_for(patient, by)
    version = offered.live_version(request_type.questionnaire_id)
    if version is None or request_type.retired_at:
        raise Refused(_("This kind of request is not offered any more. Please pick another one, or call us."))
    begun = next(
        iter(_begun(author=by.pk, patient=patient.pk, request_type=request_type.pk, channel=channel)), None
    )
    visit = _visit_of(beside) if beside is not None and beside.patient_id == patient.pk else None
    if begun:
        if visit is not None:
            begun.visit = visit
            begun.save(update_fields=["visit"])
        return begun
    draft = Draft.objects.create(
        author=by,
        patient=patient,
        visit=visit,
        request_type=request_type,
        channel=channel,
        version=version,
        raw=dict(raw or {}),
        confidential=request_type.confidential and patient.user_id == by.pk,
        created_at=now(),
        updated_at=now(),
    )
    record("intake.draft.start", by=by, kind=Kind.CREATE, patients=[patient.pk], entity=draft)
    return draft


@Prepared
def _begun(author: int, patient: int, request_type: int, channel: str) -> QuerySet[Draft]:
    return Draft.objects.filter(author=author, patient=patient, request_type=request_type, channel=channel)


def _visit_of(conversation: Conversation) -> UUID:
    row = Conversation.objects.select_for_update().get(pk=conversation.pk)
    if row.visit is None:
        row.visit = uuid4()
        row.save(update_fields=["visit"])
    return row.visit


PAGES_REMEMBERED = 20  # of those that browsers got of one draft; an older one has long sent its last save


@contextmanager
def in_turn(draft: Draft, *, tab: str, turn: int) -> Iterator[bool]:
    """One save of a draft at a time, each on top of what the one before has stored: `draft` is read anew.

    A browser numbers the saves of each page it got (`tab`). One that it gave up on may still be on its way and come
    after a newer one: then this yields False, and nothing of it may be stored. Raises Draft.DoesNotExist where the
    draft was sent or deleted meanwhile.
    """
    with transaction.atomic():
        there = Draft.objects.select_for_update().only("raw", "visited", "notices", "turns").get(pk=draft.pk)
        draft.raw, draft.visited, draft.notices = there.raw, there.visited, there.notices
        newest = not tab or turn > there.turns.get(tab, 0)
        if tab and newest:
            others = [(key, last) for key, last in there.turns.items() if key != tab]
            draft.turns = dict([*others[1 - PAGES_REMEMBERED :], (tab, turn)])
            draft.save(update_fields=["turns"])
        yield newest


@kept_statements()
@transaction.atomic
def save_draft(*, draft: Draft, raw: Mapping[str, list[str]], by: User, page: str | None = None) -> State:
    """Keep the answers as they were typed, right or wrong, and note an emergency that they show."""
    draft.raw, draft.updated_at = dict(raw), now()
    if page is not None and page not in draft.visited:
        draft.visited.append(page)
    state = forms.evaluate(draft)
    draft.fresh_notice = emergencies.note(draft, _emergencies(draft, state), by=by)
    draft.digests = triage.digests_of(forms.texts(state), draft.patient.language)
    draft.save(update_fields=["raw", "updated_at", "visited", "notices", "digests"])
    record("intake.draft.save", by=by, kind=Kind.UPDATE, patients=[draft.patient_id], entity=draft)
    return state


@transaction.atomic
def keep_confidential(*, draft: Draft, by: User) -> None:
    """Keep this request from everybody who acts for the patient. Raises Refused where that is not open to `by`."""
    if draft.confidential:
        return
    if not may_keep_confidential(draft.patient, by):
        raise Refused(_("You can't keep this request to yourself here. Please call us instead."))
    draft.confidential = True
    draft.save(update_fields=["confidential"])
    record("intake.draft.confide", by=by, kind=Kind.UPDATE, patients=[draft.patient_id], entity=draft)


@transaction.atomic
def discard_draft(*, draft: Draft, by: User) -> None:
    """Throw a draft away for good."""
    attachments.discard_of_draft(draft=draft, by=by)
    emergencies.close(draft_key=draft.pk, outcome=Notice.Outcome.DELETED)
    record("intake.draft.discard", by=by, kind=Kind.DELETE, patients=[draft.patient_id], entity=draft)
    draft.delete()


# ---- sending ---------------------------------------------------------------------------------------------------


def facts_of(
    draft: Draft, state: State, readings: list[Reading], *, open_requests: int | None = None
) -> dict[str, Any]:
    """What triage may look at if the draft were sent now. No machine reads a photo, and a fact of its own says so.
    `open_requests` is how many the patient has, where that is known already."""
    if draft.follow_up is not None:
        conversation = draft.follow_up.conversation
        task = conversation.tasks.front_first().select_related("decision").first()
        return (
            later.known_facts(conversation, task)
            | facts.signals(readings)
            | later.facts_of_answers(draft, state)
        )
    return facts.build(
        request_type=draft.asks.code,
        questionnaire=draft.version.questionnaire.code,
        answers=forms.answers(draft, state),
        patient=draft.patient,
        readings=readings,
        open_requests=len(_open_tasks(patient=draft.patient_id)) if open_requests is None else open_requests,
        moment=now(),
        notice_shown=bool(draft.notices),
        unseen_files=bool(files.ids(state)),
    )


@Prepared
def _open_tasks(patient: int) -> QuerySet[Task]:
    return Task.objects.live().filter(conversation__patient=patient).only("pk").order_by()


def _emergencies(draft: Draft, state: State) -> dict[str, str]:
    """What in the draft would be urgent if it were sent now, each with the kind of guidance it calls for."""
    readings = _read(state, draft)
    return emergencies.found(facts_of(draft, state, readings), readings)


# What a submit adds whose keys are asked for.
KEYED = (Submission, Decision, Conversation, Task)


@kept_statements()
@queues.again_if_retired
def submit(*, draft_id: UUID, by: User) -> Conversation:
    """Send a draft: submission, decision, task and audit events in one transaction, exactly once.

    A second call for the same draft, at the same moment or years later, returns the same request. Raises
    Incomplete with the errors, or Refused; then nothing is stored and the draft is as it was.
    """
    with transaction.atomic():
        # The lock makes the second of two submits wait here; it then finds no draft, and the first one's request.
        question, read = _locked.asking(pk=draft_id)
        kept = triage.kept_readings(("SELECT digests FROM intake_draft WHERE id = %s", [draft_id]))
        rows, ((has_files, readings, numbers, drawn),) = found(
            question, as_one(attachments.any_of_draft(draft_id), kept, NUMBERS, drawing(*KEYED))
        )
        draft: Any = next(iter(read(rows)), None)
        if draft is not None and draft.author_id != by.pk:
            draft = None
        with steady(numbers):
            if draft is not None and draft.request_type_id is not None:
                draft.request_type = offered.request_type(draft.request_type_id)
            if draft is None or not draft.is_open_to(by):
                return _sent_before(draft_id, by)
            if draft.follow_up_id is not None:
                return answer(draft_id=draft_id, by=by)
            draft.author = by
            draft.patient.facility = places.facility(draft.patient.facility_id)
            live = _check_still_offered(draft)
            if draft.version_id == live.pk:
                draft.version = live
                return _send(draft, by, drawn, kept=json.loads(readings or "{}"), has_files=has_files)
        # Committed before it is refused: the next page is the new form's.
        draft.version, draft.visited = live, []
        draft.save(update_fields=["version", "visited"])
        record("intake.draft.move", by=by, kind=Kind.UPDATE, patients=[draft.patient_id], entity=draft)
    raise Changed(
        _("This form was changed while you filled it in. Your answers are kept: look them over and send.")
    )


@Prepared
def _locked(pk: UUID) -> QuerySet[Draft]:
    """The draft with what a submit wants to know beside it: the patient, and how many requests they have open."""
    # By its key alone: drafts come and go, and by any other column the server reads over all that were.
    drafts = Draft.objects.select_for_update(of=("self",)).filter(pk=pk).select_related("patient").order_by()
    mine = Task.objects.live().filter(conversation__patient=OuterRef("patient")).order_by()
    return drafts.annotate(
        open_requests=Coalesce(Subquery(mine.values("conversation__patient").values(n=Count("pk"))), 0)
    )


def _sent_before(draft_key: UUID, by: User) -> Conversation:
    """The request that this draft became. Raises Refused where it never was one of theirs."""
    sent = Submission.objects.filter(draft_key=draft_key, author=by).select_related("conversation").first()
    if sent is None:
        raise Refused(_("This request is not here any more."))
    return sent.follow_up.conversation if sent.follow_up else sent.conversation


def _check_still_offered(draft: Draft) -> Version:
    """The version of its form that is in use now."""
    live = offered.live_version(draft.asks.questionnaire_id)
    if draft.asks.retired_at or live is None:
        raise Refused(
            _(
                "This kind of request is not offered any more. What you wrote is kept. Please call us, or pick another."
            )
        )
    return live


def _send(
    draft: Any, by: User, drawn: Sequence[int], *, kept: dict[str, Any], has_files: bool
) -> Conversation:
    state = forms.evaluate(draft)
    if state.errors:
        raise Incomplete(state)
    readings = _read(state, draft, kept)
    told = facts_of(draft, state, readings, open_requests=draft.open_requests)
    there = attachments.of_draft(draft) if has_files else []
    # Everything is read by now: what is written goes to the server in one journey.
    with together(*KEYED, drawn=drawn):
        return _write(draft, state, readings, told, there, by)


def _write(
    draft: Draft,
    state: State,
    readings: list[Reading],
    told: dict[str, Any],
    there: list[Attachment],
    by: User,
) -> Conversation:
    request_type, patient = draft.asks, draft.patient
    submission = Submission.objects.create(
        draft_key=draft.pk,
        author=by,
        patient=patient,
        request_type=request_type,
        version=draft.version,
        response=state.response(),
        summary=forms.told(state),
        received_at=now(),
    )
    record("intake.submission.send", by=by, kind=Kind.CREATE, patients=[patient.pk], entity=submission)
    decision = triage.decide(told, submission=submission)
    shown: dict[str, Any] = {
        "decision": decision,
        "tags": decision.result.get("tags", []),
        "why": explain.sentences(decision),
        "screened": all(reading.screened for reading in readings) and not files.ids(state),
    } | forms.for_staff(draft, state, readings, decision)
    # Once a notice was shown somebody looks at once, whatever the answers and the rules say now.
    least = Urgency.URGENT if draft.notices else Urgency.ROUTINE
    conversation = None
    called = emergencies.callback_of(draft) if draft.notices else None
    if called is not None:
        conversation = queues.join_callback(
            task=called,
            submission=submission,
            subject=request_type.name,
            clinical=request_type.clinical,
            channel=draft.channel,
            by=by,
            **shown,
        )
    if conversation is None:
        conversation = Conversation.objects.create(
            patient=patient,
            author=by,
            submission=submission,
            request_type=request_type.code,
            subject=request_type.name,
            clinical=request_type.clinical,
            channel=draft.channel,
            confidential=draft.confidential,
            visit=draft.visit,
            opened_at=now(),
        )
        conversation.opened = queues.open_task(
            conversation=conversation,
            queue=queues.serving(decision.queue, patient.facility),
            urgency=max(Urgency(decision.urgency), least),
            floor=max(Urgency(decision.floor), least),
            respond_within=decision.result.get("respond_within"),
            by=by,
            **shown,
        )
    if draft.notices:
        emergencies.close(draft_key=draft.pk, outcome=Notice.Outcome.SENT, submission=submission)
    attachments.hand_in(there, submission=submission, kept=files.ids(state), by=by)
    # Nothing points at it any more: its files were handed in or deleted.
    sent("DELETE FROM intake_draft WHERE id = %s", [draft.pk])
    return conversation


def _read(state: State, draft: Draft, kept: Mapping[str, Any] | None = None) -> list[Reading]:
    return triage.read_texts(forms.texts(state), draft.patient.language, kept)
