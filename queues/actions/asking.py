"""Small forms as questions back: which are offered, sending one, and taking in what came back."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from audit.actions import Kind, record
from audit.now import now
from portal.people.models import User
from portal.people.policies import Refused
from queues import policies
from queues.models import FollowUp, FollowUpForm, Message


def words(body: str, follow_up: FollowUpForm | None) -> str:
    """What is said with a question back; a form may come without words of one's own."""
    if follow_up is not None and not body.strip():
        return _("Please answer a few questions: %(title)s.") % {"title": follow_up.title}
    return policies.check_words(body)


def send(message: Message, form: FollowUpForm | None, *, by: User) -> FollowUp | None:
    """Put the form beside the message that asks for it. Part of the caller's transaction.

    Raises Refused for a form that is not offered any more, or one about health from a role that sees none.
    """
    if form is None:
        return None
    if not FollowUpForm.objects.offered_to(by).filter(pk=form.pk).exists() or form.version_id is None:
        raise Refused(_("“%(title)s” can't be sent from here. Pick another form.") % {"title": form.title})
    row = FollowUp.objects.create(
        conversation=message.conversation,
        message=message,
        code=form.code,
        title=form.title,
        clinical=form.clinical or message.conversation.clinical,
        version_id=form.version_id,
        asked_by=by,
        asked_at=now(),
    )
    record(
        "queues.follow-up.ask",
        by=by,
        kind=Kind.CREATE,
        patients=[message.conversation.patient_id],
        entity=row,
        detail={"form": form.code},
    )
    return row


@transaction.atomic
def take_in(
    *,
    follow_up: FollowUp,
    answer: Message,
    summary: list[dict[str, Any]],
    told: list[dict[str, Any]],
    by: User,
) -> None:
    """Keep what was answered beside the question. Part of the transaction that stores the answers."""
    follow_up.answer, follow_up.answered_at = answer, now()
    follow_up.summary, follow_up.told = summary, told
    follow_up.save(update_fields=["answer", "answered_at", "summary", "told"])
    record(
        "queues.follow-up.answer",
        by=by,
        kind=Kind.UPDATE,
        patients=[follow_up.conversation.patient_id],
        entity=follow_up,
    )
