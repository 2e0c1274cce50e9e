"""A call-back that was opened for a form which was not sent, and is then sent after all."""

from __future__ import annotations

from typing import Any

from django.db.models import Model

from portal.people.models import User
from queues.actions.path import change, lock
from queues.models import Conversation, Task


def join_callback(
    *, task: Task, submission: Model, subject: str, clinical: bool, channel: str, by: User, **shown: Any
) -> Conversation | None:
    """Put what was sent into the call-back's task, so that nobody does the same twice. Part of the caller's
    transaction. None where that task is done already or another form joined it: then a task of its own is needed."""
    task = lock(task)
    conversation = Conversation.objects.select_for_update(of=("self",)).get(pk=task.conversation_id)
    if not task.is_live or conversation.submission_id is not None:
        return None
    conversation.submission_id = submission.pk
    conversation.subject, conversation.clinical = subject, clinical or conversation.clinical
    conversation.channel = channel
    conversation.save(update_fields=["submission", "subject", "clinical", "channel"])
    shown["flags"] = [
        *shown["flags"],
        *(f for f in task.flags if f["code"] not in {g["code"] for g in shown["flags"]}),
    ]
    shown["why"] = [*shown["why"], *task.why[:1]]
    change(task, "send", by=by, **shown)
    return conversation
