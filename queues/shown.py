"""A task as one person may see it. Pages take tasks from here, so a field that a role has not is never in a page."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext_noop
from django.utils.translation import gettext as _

from audit.now import now
from portal.people.models import LANGUAGES, Patient, User, initials, signature
from portal.people.prepared import Prepared
from portal.people.roles import Field
from queues.models import Message, Task
from queues.states import DONE, State
from queues.urgency import Urgency

SOON = timedelta(hours=2)
NEAR = timedelta(days=6)  # for so long a weekday says which day it is
MINUTE = timedelta(minutes=1)
NOTHING = timedelta()
DUE_AT, TIME_ZONE = 6, 23  # where they stand in a row of a list
LANGUAGE_NAMES = dict(LANGUAGES)


class Stands(NamedTuple):
    """How a task that is due at some time stands to the present, as far as words tell it: how late it is, or else how
    near. Of a row whose words stay the same it stays the same."""

    how: str
    units: int = 0  # of which it is late

    @classmethod
    def at(cls, due_at: datetime, moment: datetime) -> Stands:
        left = due_at - moment
        if left < NOTHING:
            return cls(*_in_units(-left))
        return cls("soon" if left <= SOON else "near" if left < NEAR else "far")


class Due(NamedTuple):
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


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One task as a row of a list, for one viewer. Fifty of them are a page that is asked for all day."""

    pk: int
    version: int
    late: bool
    lookers: str
    state: str
    urgent: bool
    due_at: datetime
    due: Due
    title: str
    sub: str
    flags: tuple[str, ...]
    unscreened: bool
    question: str  # the open one to a physician
    patient_pk: int
    patient: str
    age: int
    language: str
    writer: str
    by_phone: bool
    confidential: bool
    facility: str
    queue_pk: int
    queue: str
    owner_pk: int | None
    owner: str
    initials: str

    @property
    def url(self) -> str:
        return f"/work/tasks/{self.pk}/"


def lines(rows: Iterable[tuple[Any, ...]], viewer: User) -> list[Line]:
    """Rows as `queues.lists.reading.LINE` reads them, without what the viewer's role has no part in.

    Of the same row it is the same `Line` until the clock changes its words.
    """
    clinical, moment, language = viewer.is_clinical, now(), get_language()
    today: dict[str, date] = {}
    found = []
    for row in rows:
        zone = row[TIME_ZONE]
        day = today.get(zone) or today.setdefault(zone, moment.astimezone(ZoneInfo(zone)).date())
        found.append(_line(row, clinical, Stands.at(row[DUE_AT], moment), day, language))
    return found


@lru_cache(maxsize=5_000)
def _line(row: tuple[Any, ...], clinical: bool, stands: Stands, today: date, language: str | None) -> Line:
    (pk, version, late, lookers, state, urgency, due_at, title, plain_title, subtitle, flags, screened) = row[
        :12
    ]
    (about_health, subject, patient_pk, patient, born, speaks, writer, channel, facility) = row[12:21]
    (queue_pk, queue, time_zone, owner_pk, owner, owner_title, confidential, question) = row[21:29]
    whole = clinical or not about_health
    return Line(
        pk=pk,
        version=version,
        late=late,
        lookers=lookers,
        state=state,
        urgent=urgency == Urgency.URGENT,
        due_at=due_at,
        due=_due(state, due_at, ZoneInfo(time_zone), stands, today, language),
        title=title if whole else plain_title,
        sub=(subtitle if whole else "") or subject,
        flags=tuple(flag["label"] for flag in json.loads(flags)[:2]) if clinical and flags != "[]" else (),
        unscreened=clinical and not screened,
        question=(question or "") if clinical else "",
        patient_pk=patient_pk,
        patient=patient,
        age=today.year - born.year - ((today.month, today.day) < (born.month, born.day)),
        language=LANGUAGE_NAMES.get(speaks, speaks) if speaks != "en" else "",
        writer=writer,
        by_phone=channel == "phone",
        confidential=confidential,
        facility=facility,
        queue_pk=queue_pk,
        queue=queue,
        owner_pk=owner_pk,
        owner=signature(owner, owner_title) if owner else "",
        initials=initials(owner) if owner else "",
    )


def shown(task: Task, viewer: User) -> Shown:
    """`task` comes with queue, owner, conversation and its patient and facility selected."""
    patient = task.conversation.patient
    clinical = viewer.is_clinical
    whole = clinical or not (task.conversation.clinical or _has_clinical_line(task))
    return Shown(
        task=task,
        patient=patient,
        title=task.title if whole else task.plain_title,
        subtitle=task.subtitle if whole else "",
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
    if Field.CLINICAL not in viewer.fields and (
        task.conversation.clinical or task.conversation.tasks.exclude(flags=[]).exists()
    ):
        return None
    found = _messages(conversation=task.conversation_id)
    for message in found:
        message.conversation = task.conversation
    return found


@Prepared
def _messages(conversation: int) -> QuerySet[Message]:
    # Files are a room above this one; their rows point here, and the page shows what it needs of them.
    said = Message.objects.filter(conversation=conversation).standing()
    return said.select_related("author").prefetch_related("attachments")


def due(task: Task) -> Due:
    """Due as a queue shows it, on the wall clock of the queue."""
    moment, zone = now(), task.queue.calendar.zone
    stands = Stands.at(task.due_at, moment)
    return _due(task.state, task.due_at, zone, stands, moment.astimezone(zone).date(), get_language())


def _due(
    state: str, due_at: datetime, zone: ZoneInfo, stands: Stands, today: date, language: str | None
) -> Due:
    if state in DONE or state == State.WAITING:
        return Due(_stands(state, language), "quiet", due_at)
    if stands.how in UNITS:
        return Due(_late(stands, language), "urgent", due_at)
    local = due_at.astimezone(zone)
    clock = f"{local.hour:02}:{local.minute:02}"
    if local.date() == today:
        word = clock
    elif stands.how == "far":
        word = date_format(local, "j M")
    else:
        word = f"{_weekday(local.weekday(), language)} {clock}"
    tone = "soon" if stands.how == "soon" else "plain"
    return Due(word, tone, due_at)


# Few words, said fifty times a page: each is translated once.


@cache
def _stands(state: str, _language: str | None) -> str:
    return _("waiting") if state == State.WAITING else str(State(state).label)


@lru_cache(maxsize=1_000)
def _late(stands: Stands, _language: str | None) -> str:
    return _("late %(time)s") % {"time": _in_words(stands.how, stands.units)}


@cache
def _weekday(number: int, _language: str | None) -> str:
    return str(WEEKDAYS_ABBR[number])


def span(time: timedelta) -> str:
    """A length of time in its largest fitting unit: "20 min", "3 h", "2 d"."""
    return _in_words(*_in_units(time))


def _in_units(time: timedelta) -> tuple[str, int]:
    minutes = time // MINUTE
    if minutes < 90:
        return "minutes", max(minutes, 1)
    if minutes < 48 * 60:
        return "hours", minutes // 60
    return "days", minutes // (24 * 60)


UNITS = {
    "minutes": gettext_noop("%(count)d min"),
    "hours": gettext_noop("%(count)d h"),
    "days": gettext_noop("%(count)d d"),
}


def _in_words(unit: str, count: int) -> str:
    return _(UNITS[unit]) % {"count": count}
