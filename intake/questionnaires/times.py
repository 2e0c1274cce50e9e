"""Dates and times as people type them, as FHIR writes them, and compared with the precision they have."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from functools import lru_cache

from django.utils.formats import date_format, time_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _


class Refused(ValueError):
    """What was typed can't be the answer. The text is the sentence shown beside the question."""


def digits(text: str) -> str:
    """The same text with every digit of any script as 0–9, spaces trimmed, and one kind of minus sign."""
    if text.isascii():
        return text.strip()
    return "".join(
        str(unicodedata.digit(char)) if char.isdigit() and unicodedata.digit(char, None) is not None else char
        for char in text.strip().replace("\u2212", "-").replace("\u00a0", " ")
    )


_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{1,2})(?:-([0-9]{1,2}))?)?\Z")
_SLASHED = re.compile(r"([0-9]{1,2})[/.]([0-9]{1,2})[/.]([0-9]{4})\Z")


def read_date(text: str, *, partial: bool = True) -> str:
    """A date as FHIR writes it: 2024-05-31, or 2024-05 or 2024 where the day isn't known."""
    typed = digits(text)
    slashed = _SLASHED.match(typed)
    if slashed:
        raise Refused(
            _("Write the date as year-month-day, like %(example)s.") % {"example": f"{slashed[3]}-05-31"}
        )
    hit = _DATE.match(typed)
    if not hit or (not partial and not hit[3]):
        raise Refused(_("Write the date as year-month-day, like 2024-05-31."))
    year, month, day = int(hit[1]), int(hit[2] or 1), int(hit[3] or 1)
    try:
        dt.date(year, month, day)
    except ValueError:
        raise Refused(_("This day isn't in the calendar. Please check the date.")) from None
    return hit[1] + (f"-{month:02}" if hit[2] else "") + (f"-{day:02}" if hit[3] else "")


_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]+)?)?\s*([AaPp])?\.?[Mm]?\.?\Z")


def read_time(text: str) -> str:
    """A time of day as FHIR writes it, 14:05:00; "2:05 pm" is understood too."""
    hit = _TIME.match(digits(text))
    hour = int(hit[1]) if hit else 99
    if hit and hit[4]:
        hour = hour % 12 + (12 if hit[4] in "pP" else 0) if 1 <= hour <= 12 else 99
    if not hit or hour > 23 or int(hit[2]) > 59 or int(hit[3] or 0) > 59:
        raise Refused(_("Write the time as hours and minutes, like 14:30."))
    return f"{hour:02}:{hit[2]}:{hit[3] or '00'}"


def read_date_time(text: str, time: str, zone: dt.tzinfo | None) -> str:
    """A FHIR dateTime: a date alone, or with a time and the offset its zone had then (R4, datatypes: dateTime)."""
    typed = text.strip()
    whole, mark, rest = typed.partition("T")
    if mark and not time:
        bare = re.sub(r"(Z|[+-][0-9]{2}:[0-9]{2})\Z", "", rest)
        if bare != rest:
            return f"{read_date(whole, partial=False)}T{read_time(bare)}{rest[len(bare) :]}"
        typed, time = whole, bare
    if not typed and time:
        raise Refused(_("Give the date as well as the time."))
    date = read_date(typed, partial=not time)
    if not time:
        return date
    clock = read_time(time)
    moment = dt.datetime.fromisoformat(f"{date}T{clock}").replace(tzinfo=zone or dt.UTC)
    offset = moment.strftime("%z")[:5]
    return f"{date}T{clock}{offset[:3]}:{offset[3:]}" if offset else f"{date}T{clock}Z"


def told(value: str) -> str:
    """A FHIR date, dateTime or time as people read it, in the language switched on; any other text as it is."""
    return _told(value, get_language() or "")


@lru_cache(maxsize=4096)
def _told(value: str, _language: str) -> str:
    """Kept, since each save of a form reads all of its dates anew."""
    date, mark, clock = value.partition("T")
    try:
        if ":" in date:
            return time_format(dt.time.fromisoformat(date[:8]), "TIME_FORMAT")
        parts = [int(part) for part in date.split("-")]
        form = ("", "YEAR_MONTH_FORMAT", "DATE_FORMAT")[len(parts) - 1]
        day = date_format(dt.date(*[*parts, 1, 1][:3]), form) if form else date
    except (ValueError, IndexError):
        return value
    return f"{day}, {told(clock[:5])}" if mark and clock else day


def moment_of(value: str) -> dt.datetime | None:
    """A full dateTime with its offset as a moment; None for what has no time or no offset."""
    try:
        moment = dt.datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None and "T" in value else None


def compare_times(one: str, other: str) -> int | None:
    """-1, 0 or 1 for two dates, dateTimes or times; None where their precision can't tell (R4, date semantics)."""
    first, second = moment_of(one), moment_of(other)
    if first is not None and second is not None:
        return (first > second) - (first < second)
    left, right = (re.sub(r"(Z|(?<=:[0-9]{2})[+-][0-9]{2}:[0-9]{2})\Z", "", value) for value in (one, other))
    both = min(len(left), len(right))
    if left[:both] != right[:both]:
        return 1 if left[:both] > right[:both] else -1
    return 0 if len(left) == len(right) else None
