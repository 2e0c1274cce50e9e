"""Every write of intake: questionnaires and their versions, drafts, and the one transaction of a submit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.actions import Kind, record, store
from audit.now import now
from intake import forms
from intake.attachments import actions as attachments
from intake.attachments import form as files
from intake.attachments.cleaning import Clean
from intake.models import Draft, Questionnaire, RequestType, Submission, Version
from intake.questionnaires import State
from portal.people.models import Patient, User
from portal.people.policies import Refused, may_keep_confidential
from queues import actions as queues
from queues import policies
from queues.models import Conversation, Message, Task
from queues.urgency import Urgency
from triage import actions as triage
from triage import engine, explain, facts, publishing
from triage.signals import Reading


class Incomplete(Refused):
    """Some answers are missing or can't be read; `state` holds the errors, field by field."""

    def __init__(self, state: State) -> None:
        super().__init__(_("Some answers need another look."))
        self.state = state


class Changed(Refused):
    """The form was replaced while it was being filled in; the draft was moved to the new one."""


# ---- questionnaires --------------------------------------------------------------------------------------------


@transaction.atomic
def publish_version(*, questionnaire: Questionnaire, resource: dict[str, Any], by: User | None) -> Version:
    """Check a FHIR Questionnaire and make it the live version. Raises QuestionnaireError with every problem."""
    forms.check(resource)
    Questionnaire.objects.select_for_update().get(pk=questionnaire.pk)
    last = questionnaire.versions.order_by("-number").first()
    # The old one steps down first: the database allows one live version.
    questionnaire.versions.filter(status=Version.Status.LIVE).update(status=Version.Status.RETIRED)
    version = Version(
        questionnaire=questionnaire,
        number=last.number + 1 if last else 1,
        status=Version.Status.LIVE,
        resource=resource,
        created_at=now(),
    )
    store(version, by=by, action="intake.questionnaire.publish")
    _check_rules(publishing.check_catalogue(instead=forms.source_of(questionnaire, version)))
    forms.leave_catalogue(questionnaire)
    return version


@transaction.atomic
def retire_version(*, version: Version, by: User | None) -> None:
    """Take a questionnaire out of use; what was answered on it stays as it is."""
    version.status = Version.Status.RETIRED
    _check_rules(publishing.check_catalogue(without=version.questionnaire.code))
    store(version, by=by, action="intake.questionnaire.retire")
    forms.leave_catalogue(version.questionnaire)


@transaction.atomic
def save_request_type(request_type: RequestType, *, by: User | None) -> None:
    """Store what patients can ask for, and tell the rules which questionnaire asks it."""
    store(request_type, by=by)
    for questionnaire in Questionnaire.objects.all():
        live = questionnaire.live
        if live is not None:
            _check_rules(publishing.check_catalogue(instead=forms.source_of(questionnaire, live)))
        forms.leave_catalogue(questionnaire)


def _check_rules(said: list[str]) -> None:
    """A change of what is asked takes the same gate as a change of the rules: nothing proven may stop being so."""
    if said:
        raise Refused(" ".join(said))


# ---- drafts ----------------------------------------------------------------------------------------------------


@transaction.atomic
def start_draft(
    *, request_type: RequestType, patient: Patient, by: User, channel: str = Draft.Channel.PORTAL
) -> Draft:
    """Begin a request, or go on with the one of this kind that was begun and not sent. Over the phone, `by` is of the
    staff and writes it down."""
    if channel == Draft.Channel.PHONE:
        policies.check_cares_for(patient, by)
    version = request_type.questionnaire.live
    if version is None or request_type.retired_at:
        raise Refused(_("This kind of request is not offered any more. Please pick another one, or call us."))
    begun = Draft.objects.filter(
        author=by, patient=patient, request_type=request_type, channel=channel
    ).first()
    if begun:
        return begun
    draft = Draft.objects.create(
        author=by,
        patient=patient,
        request_type=request_type,
        channel=channel,
        version=version,
        confidential=request_type.confidential and patient.user_id == by.pk,
        created_at=now(),
        updated_at=now(),
    )
    record("intake.draft.start", by=by, kind=Kind.CREATE, patients=[patient.pk], entity=draft)
    return draft


@transaction.atomic
def save_draft(*, draft: Draft, raw: Mapping[str, list[str]], by: User, page: str | None = None) -> State:
    """Keep the answers as they were typed, right or wrong, and note an emergency that they show."""
    draft.raw, draft.updated_at = dict(raw), now()
    if page is not None and page not in draft.visited:
        draft.visited.append(page)
    state = forms.evaluate(draft)
    shown = {notice["code"] for notice in draft.notices}
    for code in sorted(_emergencies(draft, state) - shown):
        draft.notices.append({"code": code, "at": now().isoformat()})
        record(
            "intake.notice.show",
            by=by,
            kind=Kind.EXECUTE,
            patients=[draft.patient_id],
            entity=draft,
            detail={"code": code},
        )
    draft.save(update_fields=["raw", "updated_at", "visited", "notices"])
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
    record("intake.draft.discard", by=by, kind=Kind.DELETE, patients=[draft.patient_id], entity=draft)
    draft.delete()


# ---- sending ---------------------------------------------------------------------------------------------------


def facts_of(draft: Draft, state: State, readings: list[Reading]) -> dict[str, Any]:
    """What triage may look at if the draft were sent now. No machine reads a photo, and a fact of its own says so."""
    return facts.build(
        request_type=draft.request_type.code,
        questionnaire=draft.version.questionnaire.code,
        answers=forms.answers(draft, state),
        patient=draft.patient,
        readings=readings,
        open_requests=Task.objects.live().filter(conversation__patient=draft.patient_id).count(),
        moment=now(),
        notice_shown=bool(draft.notices),
        unseen_files=bool(files.ids(state)),
    )


def _emergencies(draft: Draft, state: State) -> set[str]:
    """What in the draft would be urgent if it were sent now: red flags in its words, and safety rules that its answers
    meet. So the rules an admin marks as emergencies are the ones that interrupt the form."""
    readings = _read(state, draft)
    found = {signal.code for reading in readings for signal in reading.signals if signal.urgency == "urgent"}
    _pk, ruleset = triage.deciding()
    decision = engine.decide(ruleset, facts_of(draft, state, readings) | {"notice.shown": False})
    if not found and decision.floor == "urgent":
        urgent = {rule.name for rule in ruleset.stage("safety") if rule.then.urgency == "urgent"}
        found = {f"rule: {name}" for name in decision.fired if name in urgent}
    return found


@queues.again_if_retired
def submit(*, draft_id: UUID, by: User) -> Conversation:
    """Send a draft: submission, decision, task and audit events in one transaction, exactly once.

    A second call for the same draft, at the same moment or years later, returns the same request. Raises
    Incomplete with the errors, or Refused; then nothing is stored and the draft is as it was.
    """
    begun = (
        Draft.objects.filter(pk=draft_id, author=by)
        .select_related("patient__facility__calendar", "request_type__questionnaire")
        .first()
    )
    live = _check_still_offered(begun, by) if begun is not None else None
    with transaction.atomic():
        # The lock makes the second of two submits wait here; it then finds no draft, and the first one's request.
        draft = Draft.objects.select_for_update().filter(pk=draft_id, author=by).first()
        if draft is not None and begun is not None and live is not None:
            # What never changes about a draft was read before the lock.
            draft.author, draft.patient, draft.request_type = by, begun.patient, begun.request_type
            if draft.version_id == live.pk:
                draft.version = live
        if draft is None or not draft.is_open_to(by):
            sent = (
                Submission.objects.filter(draft_key=draft_id, author=by)
                .select_related("conversation")
                .first()
            )
            if sent is None:
                raise Refused(_("This request is not here any more."))
            return sent.conversation
        return _send(draft, by)


def _check_still_offered(draft: Draft, by: User) -> Version:
    """The live version. Moves a draft whose form was replaced to it, committed before anything is refused."""
    live = draft.request_type.questionnaire.live
    if draft.request_type.retired_at or live is None:
        raise Refused(
            _(
                "This kind of request is not offered any more. What you wrote is kept. Please call us, or pick another."
            )
        )
    if draft.version_id != live.pk:
        with transaction.atomic():
            draft.version, draft.visited = live, []
            draft.save(update_fields=["version", "visited"])
            record("intake.draft.move", by=by, kind=Kind.UPDATE, patients=[draft.patient_id], entity=draft)
        raise Changed(
            _("This form was changed while you filled it in. Your answers are kept: look them over and send.")
        )
    return live


def _send(draft: Draft, by: User) -> Conversation:
    state = forms.evaluate(draft)
    if state.errors:
        raise Incomplete(state)
    readings = _read(state, draft)
    request_type, patient = draft.request_type, draft.patient
    submission = Submission.objects.create(
        draft_key=draft.pk,
        author=by,
        patient=patient,
        request_type=request_type,
        version=draft.version,
        response=state.response(),
        summary=[
            {key: line[key] for key in ("label", "value", "attachments") if key in line}
            for line in files.lines(state)
        ],
        received_at=now(),
    )
    record("intake.submission.send", by=by, kind=Kind.CREATE, patients=[patient.pk], entity=submission)
    decision = triage.decide(facts_of(draft, state, readings), submission=submission)
    conversation = Conversation.objects.create(
        patient=patient,
        author=by,
        submission=submission,
        request_type=request_type.code,
        subject=request_type.name,
        clinical=request_type.clinical,
        channel=draft.channel,
        confidential=draft.confidential,
        opened_at=now(),
    )
    shown = forms.for_staff(draft, readings, decision)
    queues.open_task(
        conversation=conversation,
        queue=queues.serving(decision.queue, patient.facility),
        urgency=Urgency(decision.urgency),
        floor=Urgency(decision.floor),
        respond_within=decision.result.get("respond_within"),
        by=by,
        decision=decision,
        tags=decision.result.get("tags", []),
        why=explain.sentences(decision),
        screened=all(reading.screened for reading in readings) and not files.ids(state),
        **shown,
    )
    attachments.hand_in(draft=draft, submission=submission, kept=files.ids(state), by=by)
    draft.delete()
    return conversation


@queues.again_if_retired
@transaction.atomic
def write(*, conversation: Conversation, body: str, by: User, added: Sequence[Clean] = ()) -> Message:
    """A later message of the patient's side. It is read and decided in the transaction that stores it: it can only
    raise the urgency, it ends a wait, and it opens a finished request again. `added` are photos and PDFs that come
    with it; the words are then their caption, and may be empty."""
    if added and not body.strip():
        body = ngettext("(a file, without words)", "(files, without words)", len(added))
    message = queues.hear_from_patient(conversation=conversation, body=body, by=by, screened=not added)
    attachments.add_to_message(message=message, files=added, by=by)
    readings = triage.read_texts([message.body], conversation.patient.language)
    task = message.task
    if task is None:
        return message
    known = task.decision.facts if task.decision else _first_facts(conversation)
    later = facts.signals(readings) | ({"file.unscreened": True} if added else {})
    decision = triage.decide({**known, **later}, submission=conversation.submission)
    if decision.urgency > task.urgency or any(reading.signals for reading in readings):
        queue = queues.serving(decision.queue, conversation.patient.facility)
        queues.raise_urgency(
            task=task,
            urgency=Urgency(decision.urgency),
            floor=Urgency(decision.floor),
            queue=queue if decision.urgency > task.urgency else task.queue,
            flags=forms.flags(readings),
            why=explain.sentences(decision),
            by=by,
        )
    return message


def _first_facts(conversation: Conversation) -> dict[str, Any]:
    """What is known of a conversation that the clinic began: no form was filled in, so its words are all there is."""
    return facts.build(
        request_type=conversation.request_type,
        questionnaire="",
        answers={},
        patient=conversation.patient,
        readings=[],
        open_requests=Task.objects.live().filter(conversation__patient=conversation.patient_id).count(),
        moment=now(),
    )


def _read(state: State, draft: Draft) -> list[Reading]:
    return triage.read_texts([text for _link_id, text in state.texts()], draft.patient.language)
