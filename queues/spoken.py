"""A time as people say it, on the wall clock of the patient's facility and in the language that is active."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from audit.now import now
from portal.people.models import Patient


def spoken(moment: datetime, patient: Patient) -> str:
    """A time as people say it: "today, 2 p.m.", "Tuesday, 9:30 a.m.", "Monday, December 7, 2 p.m."; in Spanish
    "mañana, 14:00", "el martes, 09:30", "el lunes 7 de diciembre, 14:00"."""
    english = (get_language() or "en") == "en"
    local, today = patient.local(moment), patient.local(now()).date()
    clock_time = date_format(local, "P" if english else "H:i")
    if local.date() == today:
        day = _("today")
    elif local.date() == today + timedelta(days=1):
        day = _("tomorrow")
    elif today < local.date() <= today + timedelta(days=6):
        day = date_format(local, "l" if english else r"\e\l l")
    else:
        day = date_format(local, "l, F j" if english else r"\e\l l j \d\e F")
    return f"{day}, {clock_time}"
