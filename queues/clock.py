"""Time as a queue counts it: pure functions over opening hours, without a database and without a now.

All moments that come in and go out are aware; spans are half-open. Business time runs only while the hours are
open, on the wall clock of their time zone: a night on which the clocks change is an hour shorter or longer, and
so is a span that covers it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

HORIZON = timedelta(days=731)  # hours that don't open for two years are taken never to open again
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class NeverOpens(ValueError):
    """These hours have not enough open time within two years of the moment asked about."""


@dataclass(frozen=True)
class Hours:
    """Weekly openings in a time zone. `week` has seven days from Monday, each a tuple of (opens, closes) minutes."""

    zone: ZoneInfo
    week: tuple[tuple[tuple[int, int], ...], ...]
    closed: frozenset[date] = frozenset()

    @classmethod
    def parse(
        cls, zone: str, hours: Mapping[str, Sequence[Sequence[str]]], closed: Sequence[date] = ()
    ) -> Hours:
        """Read hours as a calendar stores them: {"mon": [["08:00", "17:00"]], …}."""
        week = tuple(tuple((_minutes(a), _minutes(b)) for a, b in hours.get(day, ())) for day in DAYS)
        return cls(ZoneInfo(zone), week, frozenset(closed))


def _minutes(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


def _spans_of_day(hours: Hours, day: date) -> Iterator[tuple[datetime, datetime]]:
    """Open spans (UTC) of one local day: the moments whose wall time lies in an opening."""
    zone, openings = hours.zone, hours.week[day.weekday()]
    if not openings:
        return
    midnight = datetime.combine(day, time(), zone).astimezone(UTC)
    tomorrow = datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
    if tomorrow - midnight == timedelta(days=1):
        for opens, closes in openings:
            yield midnight + timedelta(minutes=opens), midnight + timedelta(minutes=closes)
        return
    # Twice a year the clocks change: wall times are skipped or happen twice, so every minute is asked.
    begin, moment = None, midnight
    while moment <= tomorrow:
        wall = moment.astimezone(zone)
        minute = wall.hour * 60 + wall.minute
        working = moment < tomorrow and any(opens <= minute < closes for opens, closes in openings)
        if working and begin is None:
            begin = moment
        elif not working and begin is not None:
            yield begin, moment
            begin = None
        moment += timedelta(minutes=1)


def spans(hours: Hours, start: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Open spans from `start` on, in UTC and in order, the first one cut at `start`; ends two years later."""
    start = start.astimezone(UTC)
    day = start.astimezone(hours.zone).date()
    last = day + HORIZON
    while day <= last:
        if day not in hours.closed:
            for begin, end in _spans_of_day(hours, day):
                if end > start:
                    yield max(begin, start), end
        day += timedelta(days=1)


def is_open(hours: Hours, moment: datetime) -> bool:
    """Whether somebody works at this moment."""
    first = next(spans(hours, moment), None)
    return first is not None and first[0] <= moment.astimezone(UTC)


def next_opening(hours: Hours, moment: datetime) -> datetime:
    """The moment itself when open, or else the next time that the hours open (UTC). Raises NeverOpens."""
    for begin, _end in spans(hours, moment):
        return begin
    raise NeverOpens("These hours never open.")


def add(hours: Hours, start: datetime, minutes: int) -> datetime:
    """The moment (UTC) at which `minutes` of open time have passed since `start`. Raises NeverOpens."""
    left = timedelta(minutes=minutes)
    for begin, end in spans(hours, start):
        if end - begin >= left:
            return begin + left
        left -= end - begin
    raise NeverOpens("These hours have not that much open time within two years.")


def between(hours: Hours, start: datetime, end: datetime) -> timedelta:
    """Open time from `start` to `end`; zero when `end` is not later."""
    end = end.astimezone(UTC)
    total = timedelta()
    for begin, close in spans(hours, start):
        if begin >= end:
            break
        total += min(close, end) - begin
    return total


def due(hours: Hours, start: datetime, minutes: int, *, urgent: bool) -> datetime:
    """When a target of so many minutes ends. Urgent work runs on the wall clock, day and night."""
    return start.astimezone(UTC) + timedelta(minutes=minutes) if urgent else add(hours, start, minutes)
