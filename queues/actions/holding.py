"""The seconds after sending: what was sent waits, and can be taken back as if it had never been."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from audit.now import now
from portal.people.actions import withdraw_mails
from portal.people.models import Mail, User
from portal.people.policies import Refused
from queues import policies
from queues.actions.path import lock, move
from queues.models import Filing, Hold, Message, Task
from queues.states import State

# What a step may change of a task's clock, as it was before.
TIMES = ("responded_at", "respond_due", "resolve_due", "due_at")
COUNTS = ("told", "promises")


def window() -> timedelta:
    return timedelta(seconds=settings.UNDO_SECONDS)


def before(task: Task) -> dict[str, Any]:
    """The times of a task, to go back to."""
    times = {name: moment.isoformat() if (moment := getattr(task, name)) else None for name in TIMES}
    return times | {name: getattr(task, name) for name in COUNTS}


def hold(
    task: Task,
    verb: str,
    *,
    by: User,
    was: dict[str, Any],
    message: Message | None = None,
    mails: Iterable[Mail] = (),
    filing: Filing | None = None,
) -> None:
    """Remember how to take this step back. Part of the step's transaction."""
    if not window():
        return
    Hold.objects.create(
        task=task,
        verb=verb,
        by=by,
        at=now(),
        until=now() + window(),
        version=task.version,
        before=was,
        message=message,
        mails=[mail.pk for mail in mails],
        filing=filing,
    )


@transaction.atomic
def undo(*, task: Task, by: User) -> Hold:
    """Take back the last reply, question or resolution of one's own, within its seconds.

    The message is withdrawn before the patient's side could see it, its mail and filing are never sent, and the task
    is as it was: claimed, with its clock. Both the step and the undo stay in the task's history. Returns what was
    undone, so that the page can put the words back into the box.
    """
    task = lock(task)
    held = task.holds.filter(undone_at__isnull=True).select_related("message", "filing").last()
    if held is None or held.by_id != by.pk:
        raise Refused(_("There is nothing of yours to take back here."))
    if now() >= held.until:
        raise Refused(_("It is too late to take this back: it is sent. Write again to put it right."))
    if task.version != held.version:
        raise Refused(policies.what_changed(task, by=by))
    withdraw_mails(held.mails)
    if held.message:
        held.message.withdrawn_at = now()
        held.message.save(update_fields=["withdrawn_at"])
    if held.filing:
        held.filing.state = Filing.State.WITHDRAWN
        held.filing.save(update_fields=["state"])
    held.undone_at = now()
    held.save(update_fields=["undone_at"])
    times: dict[str, Any] = {
        name: datetime.fromisoformat(text) if (text := held.before[name]) else None for name in TIMES
    }
    counts = {name: held.before[name] for name in COUNTS}
    move(
        task,
        "undo",
        by=by,
        note=held.verb,
        waiting_since=None,
        resolved_at=None,
        outcome=None,
        minutes_spent=None,
        held_until=None,
        **times,
        **counts,
    )
    return held


def settle(task: Task) -> Task:
    """The task as the patient's side may see it: an end that can still be taken back has not come yet. In memory."""
    if task.state == State.RESOLVED and task.held_until and task.held_until > now():
        task.state, task.outcome, task.resolved_at = State.CLAIMED, None, None
    return task
