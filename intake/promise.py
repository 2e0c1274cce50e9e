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
    """`team` answers by `due` (aware). `reading` says whether somebody works now, `opens` when they do next."""

    team: str
    due: datetime
    reading: bool
    opens: datetime | None
    urgent: bool
    patient: Patient

    @property
    def headline(self) -> str:
        return _("%(team)s answers by %(time)s") % {"team": upper_first(self.team), "time": self.when}

    @property
    def when(self) -> str:
        return spoken(self.due, self.patient)

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
    opens = None if reading else clock.next_opening(hours, moment)
    return Promise(
        team=queue.team_in(get_language() or "en"),
        # Where nobody is there at night, nobody answers before the morning, however urgent it is.
        due=max(filter(None, (due or queue.due(urgency, moment)[0], opens))),
        reading=reading,
        opens=opens,
        urgent=urgency == Urgency.URGENT,
        patient=patient,
    )
