"""What the patient's side says after sending: messages, files, and answers to questions back. Each is read and decided
in the transaction that stores it; it can only raise the urgency, and it ends a wait."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.actions import Kind, record
from audit.now import now
from intake import forms
from intake.attachments import actions as attachments
from intake.attachments import form as files
from intake.attachments.cleaning import Clean
from intake.models import Draft, Submission
from intake.notices import Notice
from intake.policies import Incomplete
from intake.questionnaires import State
from portal.people.models import User
from portal.people.policies import Refused
from portal.people.prepared import kept_statements
from portal.people.reference import steady
from queues import actions as queues
from queues import policies
from queues.models import Conversation, FollowUp, Message, Task
from queues.urgency import Urgency
from triage import actions as triage
from triage import explain, facts
from triage.models import Decision
from triage.signals import Reading


@kept_statements()
@queues.again_if_retired
@transaction.atomic
@steady()
def write(
    *, conversation: Conversation, body: str, by: User, added: Sequence[Clean] = (), worse: bool = False
) -> Message:
    """A later message. `added` are photos and PDFs that come with it; the words are then their caption, and may be
    empty. `worse` says that it got worse: the request is then read soon at least, whatever the words say.

    A finished request opens again within the facility's time. After it, and once withdrawn, the message is refused
    with what to do instead; but one that shows a red flag is never lost: it becomes a new task.
    """
    if added and not body.strip():
        body = ngettext("(a file, without words)", "(files, without words)", len(added))
    if worse and not body.strip():
        body = _("It got worse.")
    body = policies.check_words(body)
    readings = triage.read_texts([body], conversation.patient.language)
    fresh: dict[str, Any] = {"file.unscreened": True} if added else {}
    closed = policies.why_closed(conversation)
    if closed and not (worse or any(reading.signals for reading in readings)):
        raise Refused(closed)
    if closed:
        message = _begin_anew(conversation, body, readings, fresh, worse=worse, by=by)
    else:
        message = queues.hear_from_patient(conversation=conversation, body=body, by=by, screened=not added)
        _decide_again(message, readings, fresh, worse=worse, by=by)
    attachments.add_to_message(message=message, files=added, by=by)
    return message


@transaction.atomic
def start_answer(*, follow_up: FollowUp, by: User) -> Draft:
    """Begin to answer a question back that is a small form, or go on with it."""
    if follow_up.answered_at is not None:
        raise Refused(_("These questions are answered already. You can still add a message."))
    begun = Draft.objects.filter(author=by, follow_up=follow_up).first()
    if begun:
        return begun
    draft = Draft.objects.create(
        author=by,
        patient=follow_up.conversation.patient,
        follow_up=follow_up,
        confidential=follow_up.conversation.confidential,
        version_id=follow_up.version_id,
        created_at=now(),
        updated_at=now(),
    )
    record("intake.draft.start", by=by, kind=Kind.CREATE, patients=[draft.patient_id], entity=draft)
    return draft


@kept_statements()
@queues.again_if_retired
@transaction.atomic
def answer(*, draft_id: UUID, by: User) -> Conversation:
    """Send the answers to a question back: stored, read, decided, and the wait ended, in one transaction and once.

    A second call returns the same conversation. Raises Incomplete with the errors, or Refused; then nothing is stored.
    """
    draft = Draft.objects.select_for_update().filter(pk=draft_id, author=by).first()
    if draft is None or draft.follow_up is None or not draft.is_open_to(by):
        sent = Submission.objects.filter(draft_key=draft_id, author=by).first()
        if sent is None or sent.follow_up is None:
            raise Refused(_("These questions are not here any more."))
        return sent.follow_up.conversation
    # The lock makes two people who answer the same questions one after the other: the second is told.
    follow_up = FollowUp.objects.select_for_update(of=("self",)).get(pk=draft.follow_up.pk)
    if follow_up.answered_at is not None:
        raise Refused(_("These questions are answered already. You can still add a message."))
    state = forms.evaluate(draft)
    if state.errors:
        raise Incomplete(state)
    conversation = follow_up.conversation
    submission = Submission.objects.create(
        draft_key=draft.pk,
        author=by,
        patient=draft.patient,
        follow_up=follow_up,
        version=draft.version,
        response=state.response(),
        summary=forms.told(state),
        received_at=now(),
    )
    record("intake.submission.send", by=by, kind=Kind.CREATE, patients=[draft.patient_id], entity=submission)
    readings = triage.read_texts(forms.texts(state), draft.patient.language)
    unseen = bool(files.ids(state))
    body = _("Answered: %(title)s.") % {"title": follow_up.title}
    fresh = facts_of_answers(draft, state) | ({"file.unscreened": True} if unseen else {})
    if draft.notices:
        fresh["notice.shown"] = True
    if policies.why_closed(conversation):
        message = _begin_anew(conversation, body, readings, fresh, by=by)
    else:
        message = queues.hear_from_patient(conversation=conversation, body=body, by=by, screened=not unseen)
        _decide_again(message, readings, fresh, by=by)
    queues.take_in(
        follow_up=follow_up,
        answer=message,
        summary=forms.lines_for_staff(draft, state, readings, clinical=follow_up.clinical),
        told=forms.told(state),
        by=by,
    )
    attachments.hand_in(attachments.of_draft(draft), submission=submission, kept=files.ids(state), by=by)
    Notice.objects.filter(draft_key=draft.pk).update(
        outcome=Notice.Outcome.SENT, outcome_at=now(), submission=submission
    )
    draft.delete()
    return conversation


def facts_of_answers(draft: Draft, state: State) -> dict[str, Any]:
    """What the answers to a question back add to what was known."""
    code = draft.version.questionnaire.code
    added = {
        f"answer.{code}.{link_id}": value
        for link_id, value in forms.answers(draft, state).items()
        if value not in (None, "", [])
    }
    return added | ({"notice.shown": True} if draft.notices else {})


def known_facts(conversation: Conversation, task: Task | None) -> dict[str, Any]:
    """The facts of the last decision; of a conversation that the clinic began, no more than who it is about."""
    if task is not None and task.decision is not None:
        return task.decision.facts
    return facts.build(
        request_type=conversation.request_type,
        questionnaire="",
        answers={},
        patient=conversation.patient,
        readings=[],
        open_requests=Task.objects.live().filter(conversation__patient=conversation.patient_id).count(),
        moment=now(),
    )


def _decide_again(
    message: Message, readings: list[Reading], fresh: dict[str, Any], *, by: User, worse: bool = False
) -> None:
    task, conversation = message.task, message.conversation
    if task is None:
        return
    decision, urgency, floor, flags = _decided(message, task, readings, fresh, worse=worse)
    if urgency > task.urgency or floor > task.floor or flags:
        queue = queues.serving(decision.queue, conversation.patient.facility)
        queues.raise_urgency(
            task=task,
            urgency=urgency,
            floor=floor,
            queue=queue if decision.urgency > task.urgency else task.queue,
            flags=flags,
            why=explain.sentences(decision),
            heard=message,
            by=by,
        )


def _begin_anew(
    conversation: Conversation,
    body: str,
    readings: list[Reading],
    fresh: dict[str, Any],
    *,
    by: User,
    worse: bool = False,
) -> Message:
    """A new task on a request that is over: what may be an emergency is not refused for having come late."""
    last = conversation.tasks.front_first().first()
    message = Message.objects.create(
        conversation=conversation, author=by, from_patient=True, body=body, sent_at=now()
    )
    decision, urgency, floor, flags = _decided(message, last, readings, fresh, worse=worse)
    clinical = conversation.clinical or bool(flags)
    task = queues.open_task(
        conversation=conversation,
        queue=queues.serving(decision.queue, conversation.patient.facility),
        urgency=urgency,
        floor=floor,
        title=_("Wrote again: %(subject)s") % {"subject": conversation.subject},
        plain_title=conversation.subject,
        summary=[{"label": _("New message"), "value": body, "clinical": clinical, "odd": bool(flags)}],
        flags=flags,
        why=explain.sentences(decision),
        screened=all(reading.screened for reading in readings) and "file.unscreened" not in fresh,
        decision=decision,
        by=by,
    )
    message.task = task
    message.save(update_fields=["task"])
    return message


def _decided(
    message: Message,
    task: Task | None,
    readings: list[Reading],
    fresh: dict[str, Any],
    *,
    worse: bool,
) -> tuple[Decision, Urgency, Urgency, list[dict[str, Any]]]:
    conversation, later = message.conversation, facts.signals(readings) | fresh
    decision = triage.decide(
        known_facts(conversation, task) | later, submission=conversation.submission, message=message
    )
    urgency, floor = Urgency(decision.urgency), Urgency(decision.floor)
    flags = forms.flags(readings)
    if worse:
        urgency, floor = max(urgency, Urgency.SOON), max(floor, Urgency.SOON)
        flags.append(
            {
                "code": "worse",
                "label": _("It got worse"),
                "reason": _("the patient says so on the request's page"),
                "urgency": "soon",
            }
        )
    return decision, urgency, floor, flags
