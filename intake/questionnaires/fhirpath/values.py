"""The values FHIRPath computes with: JSON's own, dates and times with their precision, and quantities."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any


class Fault(ValueError):
    """An expression that can't be evaluated on these answers; the text says why."""


@dataclass(frozen=True, slots=True)
class Temporal:
    """A date, dateTime or time as written: its precision is how much of it was written (FHIRPath §5.6)."""

    kind: str
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Quantity:
    value: Decimal
    unit: str

    def __str__(self) -> str:
        return f"{self.value:f} {self.unit if self.unit in DURATIONS else repr(self.unit)}"


DURATIONS = {
    "year": "year",
    "years": "year",
    "a": "year",
    "month": "month",
    "months": "month",
    "mo": "month",
    "week": "week",
    "weeks": "week",
    "wk": "week",
    "day": "day",
    "days": "day",
    "d": "day",
    "hour": "hour",
    "hours": "hour",
    "h": "hour",
    "minute": "minute",
    "minutes": "minute",
    "min": "minute",
    "second": "second",
    "seconds": "second",
    "s": "second",
    "millisecond": "millisecond",
    "milliseconds": "millisecond",
    "ms": "millisecond",
}

_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?\Z")
_DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T([0-9]{2}(:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?)?)?(Z|[+-][0-9]{2}:[0-9]{2})?\Z"
)
_TIME = re.compile(r"[0-9]{2}(:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?)?\Z")
_ZONE = re.compile(r"(Z|[+-][0-9]{2}:[0-9]{2})\Z")


def temporal(text: str) -> Temporal | None:
    """A date, dateTime or time from its text, None for any other text."""
    if _DATE.match(text):
        return Temporal("date", text)
    if _DATE_TIME.match(text):
        return Temporal("dateTime", text)
    if _TIME.match(text) and ":" in text:
        return Temporal("time", text)
    return None


def parts_of(value: Temporal) -> tuple[list[Decimal], str]:
    """Its components from the largest on, and its offset ("" without one)."""
    text, zone = value.text, ""
    if value.kind == "time":
        return [Decimal(part) for part in text.split(":")], ""
    date, _mark, clock = text.partition("T")
    hit = _ZONE.search(clock)
    if hit:
        zone, clock = hit[0], clock[: hit.start()]
    pieces = date.split("-") + (clock.split(":") if clock else [])
    return [Decimal(piece) for piece in pieces], zone


def compare_temporal(one: Temporal, other: Temporal) -> int | None:
    """-1, 0 or 1; None where the precision of the two can't tell (FHIRPath: the result is empty)."""
    if (one.kind == "time") != (other.kind == "time"):
        raise Fault("A time of day can't be compared with a date.")
    (left, zone), (right, other_zone) = parts_of(one), parts_of(other)
    if zone and other_zone and zone != other_zone and len(left) > 3 and len(right) > 3:
        left, right = parts_of(_in_utc(one))[0], parts_of(_in_utc(other))[0]
    for mine, theirs in zip(left, right, strict=False):
        if mine != theirs:
            return 1 if mine > theirs else -1
    if len(left) == len(right) or min(len(left), len(right)) >= 6:
        return 0
    return None


def _in_utc(value: Temporal) -> Temporal:
    text = value.text
    hit = _ZONE.search(text)
    clock = text[text.index("T") + 1 : hit.start() if hit else None]
    filled = clock + ":00" * (2 - clock.count(":"))
    try:
        moment = dt.datetime.fromisoformat(f"{text[:10]}T{filled}{hit[0] if hit else ''}").astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise Fault("This date is out of range.") from None
    return Temporal("dateTime", moment.strftime("%Y-%m-%dT%H:%M:%S") + "Z")


def shift(value: Temporal, amount: Quantity, sign: int) -> Temporal:
    """A date or time moved by a calendar duration; the 31st becomes the last day of a shorter month (§6.6.7)."""
    unit = DURATIONS.get(amount.unit)
    if unit is None:
        raise Fault(f"A date can't be moved by “{amount.unit}”.")
    number = int(amount.value) * sign
    try:
        if value.kind == "time":
            return _shift_time(value, unit, number)
        return _shift_date(value, unit, number)
    except (ValueError, OverflowError):
        raise Fault("This date is out of range.") from None


def _shift_time(value: Temporal, unit: str, number: int) -> Temporal:
    seconds = {"hour": 3600, "minute": 60, "second": 1}.get(unit)
    if seconds is None:
        raise Fault(f"A time of day can't be moved by a {unit}.")
    moment = dt.datetime.fromisoformat(f"2000-01-01T{value.text + ':00' * (2 - value.text.count(':'))}")
    moved = moment + dt.timedelta(seconds=seconds * number)
    return Temporal("time", moved.strftime("%H:%M:%S")[: max(5, len(value.text.partition(".")[0]))])


def _shift_date(value: Temporal, unit: str, number: int) -> Temporal:
    date, mark, clock = value.text.partition("T")
    fields = [int(piece) for piece in date.split("-")]
    precision = len(fields)
    year, month, day = (*fields, 1, 1)[:3]
    if unit in ("year", "month"):
        months = year * 12 + month - 1 + number * (12 if unit == "year" else 1)
        year, month = divmod(months, 12)
        month += 1
        day = min(day, calendar.monthrange(year, month)[1])
        moved = dt.date(year, month, day).isoformat()
    elif unit in ("week", "day"):
        moved = (
            dt.date(year, month, day) + dt.timedelta(days=number * (7 if unit == "week" else 1))
        ).isoformat()
    else:
        seconds = number * {"hour": 3600, "minute": 60, "second": 1, "millisecond": 0}[unit]
        if not mark:
            midnight = dt.datetime(year, month, day, tzinfo=dt.UTC)
            moved = (midnight + dt.timedelta(seconds=seconds)).date().isoformat()
        else:
            hit = _ZONE.search(clock)
            zone = hit[0] if hit else ""
            bare = clock[: hit.start()] if hit else clock
            moment = dt.datetime.fromisoformat(f"{date}T{bare + ':00' * (2 - bare.count(':'))}")
            moment += dt.timedelta(seconds=seconds)
            return Temporal("dateTime", moment.isoformat(timespec="seconds") + zone)
    moved = "-".join(moved.split("-")[:precision])
    return Temporal(value.kind, moved + mark + clock)


def number(value: Any) -> int | Decimal | None:
    """The value as a number, None if it is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, Decimal)):
        return value
    return Decimal(repr(value)) if isinstance(value, float) else None


def quantity(value: Any) -> Quantity | None:
    """A quantity, also from FHIR's own element; None if it is none."""
    if isinstance(value, Quantity):
        return value
    if isinstance(value, dict) and "value" in value:
        amount = number(value["value"])
        if amount is not None:
            return Quantity(Decimal(amount), str(value.get("code") or value.get("unit") or "1"))
    return None


def as_temporal(value: Any) -> Temporal | None:
    if isinstance(value, Temporal):
        return value
    return temporal(value) if isinstance(value, str) else None


def text_of(value: Any) -> str | None:
    """The value as toString() gives it, None for what has no text (§5.5)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, (float, Decimal)):
        return f"{Decimal(repr(value)) if isinstance(value, float) else value:f}"
    if isinstance(value, (Temporal, Quantity)):
        return str(value)
    amount = quantity(value)
    return str(amount) if amount is not None else None
