"""Times and marks as every page shows them."""

from datetime import datetime
from typing import Any

from django import template
from django.utils.formats import date_format
from django.utils.translation import get_language

from audit.now import now

register = template.Library()


@register.filter
def wall(moment: datetime, patient: Any) -> str:
    """A moment on the wall clock of the patient's facility: "Nov 3, 2:15 p.m.", "3 nov, 14:15"; with its year where
    that is another than today's."""
    there, english = patient.local(moment), (get_language() or "en") == "en"
    if there.year != patient.local(now()).year:
        return date_format(there, "M j, Y, P" if english else "j b Y, H:i")
    return date_format(there, "M j, P" if english else "j b, H:i")


@register.filter
def hour(moment: datetime, patient: Any) -> str:
    """The time of day alone: "2:15 p.m.", "14:15"."""
    return date_format(patient.local(moment), "P" if (get_language() or "en") == "en" else "H:i")


@register.filter
def one_stop(sentences: str) -> str:
    """The same sentences with one full stop where a time that has its own, as 2 p.m., comes last."""
    return sentences.replace(".m..", ".m.")


def day_of(moment: datetime, patient: Any) -> str:
    """The day with its name: "Tuesday, November 3, 2026", "martes 3 de noviembre de 2026"."""
    english = (get_language() or "en") == "en"
    return date_format(patient.local(moment), "l, F j, Y" if english else r"l j \d\e F \d\e Y")


@register.filter
def stamp(moment: datetime, patient: Any) -> str:
    """The same for staff, short and in 24 hours: "14:54" today, else "Mon 14:54" or "3 Nov 14:54"."""
    local, today = patient.local(moment), patient.local_today
    days = (today - local.date()).days
    return date_format(local, "H:i" if days == 0 else "D H:i" if 0 < days < 7 else "j M H:i")
