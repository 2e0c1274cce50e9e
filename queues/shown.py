"""A task as one person may see it. Pages take tasks from here, so a field that a role has not is never in a page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from audit.now import now
from portal.people.models import Patient, User
from portal.people.roles import Field
from queues.models import Message, Task
from queues.states import State
from queues.urgency import Urgency

SOON = timedelta(hours=2)


@dataclass(frozen=True)
class Due:
    """What is due next: a short word for the list and its tone (urgent, soon, plain, quiet)."""

    word: str
    tone: str
    at: datetime


@dataclass(frozen=True)
class Shown:
    """One task for one viewer."""

    task: Task
    patient: Patient
    title: str
    subtitle: str
    flags: list[dict[str, Any]]
    lines: list[dict[str, Any]]
    why: list[str]
    due: Due
    clinical: bool
    unscreened: bool

    @property
    def url(self) -> str:
        return self.task.get_absolute_url()

    @property
    def urgent(self) -> bool:
        return self.task.urgency == Urgency.URGENT


def shown(task: Task, viewer: User) -> Shown:
    """`task` comes with queue, owner, conversation and its patient and facility selected."""
    patient = task.conversation.patient
    clinical = Field.CLINICAL in viewer.fields
    open_text = clinical or not task.conversation.clinical
    return Shown(
        task=task,
        patient=patient,
        title=task.title if open_text and not _has_clinical_line(task) or clinical else task.plain_title,
        subtitle=task.subtitle if clinical or open_text and not _has_clinical_line(task) else "",
        flags=task.flags if clinical else [],
        lines=[line for line in task.summary if clinical or not line["clinical"]],
        why=task.why if clinical else [],
        due=due(task),
        clinical=clinical,
        unscreened=clinical and not task.screened,
    )


def _has_clinical_line(task: Task) -> bool:
    return any(line["clinical"] for line in task.summary)


def messages_for(task: Task, viewer: User) -> list[Message] | None:
    """The conversation, or None where it is about health and the viewer's role has no part in that."""
    if Field.CLINICAL not in viewer.fields and (task.conversation.clinical or task.flags):
        return None
    # Files are a room above this one; their rows point here, and the page shows what it needs of them.
    messages = task.conversation.messages.standing()
    return list(messages.select_related("author").prefetch_related("attachments"))


def due(task: Task) -> Due:
    """Due as a queue shows it, on the wall clock of the queue."""
    zone = task.queue.calendar.zone
    moment, local = now(), task.due_at.astimezone(zone)
    if not task.is_live:
        return Due(str(task.get_state_display()), "quiet", task.due_at)
    if task.state == State.WAITING:
        return Due(_("waiting"), "quiet", task.due_at)
    left = task.due_at - moment
    if left < timedelta():
        return Due(_("late %(time)s") % {"time": span(-left)}, "urgent", task.due_at)
    tone = "soon" if left <= SOON else "plain"
    if local.date() == moment.astimezone(zone).date():
        word = date_format(local, "H:i")
    elif left < timedelta(days=6):
        word = date_format(local, "D H:i")
    else:
        word = date_format(local, "j M")
    return Due(word, tone, task.due_at)


def span(time: timedelta) -> str:
    """A length of time in its largest fitting unit: "20 min", "3 h", "2 d"."""
    minutes = int(time / timedelta(minutes=1))
    if minutes < 90:
        return _("%(count)d min") % {"count": max(minutes, 1)}
    if minutes < 48 * 60:
        return _("%(count)d h") % {"count": minutes // 60}
    return _("%(count)d d") % {"count": minutes // (24 * 60)}
