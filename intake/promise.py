"""What the patient is told about time: who answers, by when, and when nobody is reading."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from audit.now import now
from portal.people.models import Patient
from queues.attendance import Attendance, attendance, when_promised
from queues.models import Queue, Task
from queues.spoken import spoken
from queues.states import LIVE, State
from queues.urgency import Urgency


@dataclass(frozen=True)
class Promise:
    """`team` answers by `due` (aware); where `told` is False nobody was told that time, since nobody reads until then.
    `late`: what was told has passed. `reading` says whether somebody works now, `opens` when they do next, or did since
    it was sent (None: nobody knows)."""

    team: str
    due: datetime
    told: bool
    late: bool
    reading: bool
    opens: datetime | None
    urgent: bool
    patient: Patient

    @property
    def headline(self) -> str:
        """What to count on, and no more: a time that has passed, or before which nobody is there, is no promise."""
        if self.late:
            return _("We are late with our answer, and we are sorry")
        team = upper_first(self.team)
        if self.told and not (self.opens and self.due < self.opens):
            return _("%(team)s answers by %(time)s") % {"team": team, "time": self.when}
        if self.opens is None:
            return _("Nobody reads messages right now.")
        return _("%(team)s starts to read again %(time)s") % {"team": team, "time": self.opens_at}

    @property
    def when(self) -> str:
        return spoken(self.due, self.patient)

    @property
    def was(self) -> str:
        """What became of a promise that was not kept."""
        if not self.told:
            return _(
                "%(team)s is here again, and your request is not answered yet. It is not lost, and they go on with it."
            ) % {"team": upper_first(self.team)}
        return _(
            "%(team)s had promised it by %(time)s; your request is not lost, and they go on with it."
        ) % {
            "team": upper_first(self.team),
            "time": self.when,
        }

    @property
    def phone(self) -> str:
        """Whom to call now."""
        facility = self.patient.facility
        return facility.phone if self.reading else facility.after_hours_phone

    @property
    def opens_at(self) -> str:
        return spoken(self.opens, self.patient) if self.opens else ""


def upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]


def promise(queue: Queue, patient: Patient, *, urgency: Urgency) -> Promise:
    """What this queue promises for a request of this urgency that is sent now."""
    there, moment = attendance(queue, urgency), now()
    return _promise(queue, patient, there, since=moment, due=queue.due(urgency, moment)[0])


def promise_kept(task: Task, patient: Patient) -> Promise:
    """What was promised for this task, and how that stands now."""
    there = when_promised(task)
    return _promise(task.queue, patient, there, since=task.promised_at, due=task.respond_due)


def _promise(queue: Queue, patient: Patient, there: Attendance, *, since: datetime, due: datetime) -> Promise:
    moment = now()
    told = there.tells(due, since)
    # Where no time was told, they were told when somebody reads again, and it is late from then on.
    by = due if told else there.opens(since)
    reading = there.reads(moment)
    return Promise(
        team=queue.team_in(get_language() or "en"),
        due=due,
        told=told,
        late=by is not None and max(by, due) < moment,
        reading=reading,
        opens=None if reading else there.opens(moment),
        urgent=there.urgent,
        patient=patient,
    )


def promise_of(task: Task, patient: Patient) -> Promise | None:
    """What was promised about the next answer; None where none is due."""
    if task.state not in LIVE or task.state == State.WAITING or task.responded_at is not None:
        return None
    return promise_kept(task, patient)
