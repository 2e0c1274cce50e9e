"""What the patient is told about time: who answers, by when, and when nobody is reading."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from audit.now import now
from portal.people.models import Patient
from queues import clock
from queues.models import Queue
from queues.spoken import spoken
from queues.urgency import Urgency


@dataclass(frozen=True)
class Promise:
    """`team` answers by `due` (aware), which was told before and has passed where it is `late`. `reading` says whether
    somebody works now, `opens` when they do next (None: nobody knows)."""

    team: str
    due: datetime
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
        if self.opens is not None and self.due < self.opens:
            return _("%(team)s starts to read again %(time)s") % {"team": team, "time": self.opens_at}
        return _("%(team)s answers by %(time)s") % {"team": team, "time": self.when}

    @property
    def when(self) -> str:
        return spoken(self.due, self.patient)

    @property
    def was(self) -> str:
        """What became of a promise that was not kept."""
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


def promise(queue: Queue, patient: Patient, *, urgency: Urgency, due: datetime | None = None) -> Promise:
    """What this queue promises for a request of this urgency sent now, or for one whose `due` is known."""
    moment, hours = now(), queue.hours()
    reading = clock.is_open(hours, moment)
    if urgency == Urgency.URGENT and not reading and queue.urgent_cover_id is not None:
        reading = True  # somebody is there day and night
    due = due or queue.due(urgency, moment)[0]
    # An urgent time may come at night where nobody is there then. Nobody was told that one: they were told
    # when somebody reads again, and it is late from then on.
    told = reading or urgency != Urgency.URGENT or clock.is_open(hours, due)
    return Promise(
        team=queue.team_in(get_language() or "en"),
        due=due,
        late=due < moment and told,
        reading=reading,
        opens=None if reading else _next_opening(hours, moment),
        urgent=urgency == Urgency.URGENT,
        patient=patient,
    )


def _next_opening(hours: clock.Hours, moment: datetime) -> datetime | None:
    try:
        return clock.next_opening(hours, moment)
    except clock.NeverOpens:
        return None
