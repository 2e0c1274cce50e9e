"""Time as a queue counts it: pure functions over opening hours, without a database and without a now.

All moments that come in and go out are aware; spans are half-open. Business time runs only while the hours are
open, on the wall clock of their time zone: a night on which the clocks change is an hour shorter or longer, and
so is a span that covers it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

HORIZON = timedelta(days=731)  # hours that don't open for two years are taken never to open again
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class NeverOpens(ValueError):
    """These hours have not enough open time within two years of the moment asked about."""


@dataclass(frozen=True)
class Hours:
    """Weekly openings in a time zone. `week` has seven days from Monday, each a tuple of (opens, closes) minutes; days
    in `closed` have none, and those in `early` end at that minute."""

    zone: ZoneInfo
    week: tuple[tuple[tuple[int, int], ...], ...]
    closed: frozenset[date] = frozenset()
    early: Mapping[date, int] = field(default_factory=dict, hash=False)

    @classmethod
    def parse(
        cls,
        zone: str,
        hours: Mapping[str, Sequence[Sequence[str]]],
        closed: Iterable[date] = (),
        early: Mapping[date, time] | None = None,
    ) -> Hours:
        """Read hours as a calendar stores them: {"mon": [["08:00", "17:00"]], …}."""
        week = tuple(tuple((_minutes(a), _minutes(b)) for a, b in hours.get(day, ())) for day in DAYS)
        cut = {day: at.hour * 60 + at.minute for day, at in (early or {}).items()}
        return cls(ZoneInfo(zone), week, frozenset(closed), cut)

    @property
    def never_close(self) -> bool:
        """Whether somebody works at every minute of every day."""
        return all(_covers(openings) for openings in self.week) and not self.closed and not self.early

    def openings(self, day: date) -> Sequence[tuple[int, int]]:
        """The openings of one day in minutes of its wall clock."""
        if day in self.closed:
            return ()
        openings, end = self.week[day.weekday()], self.early.get(day)
        if end is None:
            return openings
        return [(opens, min(closes, end)) for opens, closes in openings if opens < end]


def _covers(openings: Sequence[tuple[int, int]]) -> bool:
    """Whether these openings, which are in order, leave no gap from midnight to midnight."""
    at = 0
    for opens, closes in openings:
        if opens > at:
            return False
        at = closes
    return at == 24 * 60


def _minutes(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


def _spans_of_day(hours: Hours, day: date) -> Iterator[tuple[datetime, datetime]]:
    """Open spans (UTC) of one local day: the moments whose wall time lies in an opening."""
    zone, openings = hours.zone, hours.openings(day)
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
    """When a target of so many minutes ends. Urgent work runs on the wall clock, day and night. Raises NeverOpens."""
    return start.astimezone(UTC) + timedelta(minutes=minutes) if urgent else add(hours, start, minutes)


def due_anyway(hours: Hours, start: datetime, minutes: int, *, urgent: bool) -> datetime:
    """`due`, or the wall-clock end where the hours have not that much open time within two years: whoever wrote is told
    a time, and the people who must act hear of it at that time."""
    try:
        return due(hours, start, minutes, urgent=urgent)
    except NeverOpens:
        return start.astimezone(UTC) + timedelta(minutes=minutes)


def moment_of(hours: Hours, start: datetime, end: datetime, share: float, *, urgent: bool) -> datetime:
    """When this share (1 is all) of the time from `start` to `end` has passed, as the queue counts it."""
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    if urgent:
        return start + (end - start) * share
    total = between(hours, start, end)
    if not total:
        # A span without open time, as where the hours were changed after it was promised: the wall clock says.
        return start + (end - start) * share
    left = total * share
    moment = start
    for begin, close in spans(hours, start):
        if close - begin >= left:
            return begin + left
        left -= close - begin
        moment = close
    return moment


def later(hours: Hours, moment: datetime, time: timedelta) -> datetime:
    """The moment after so much open time, to the second; where the hours never have it, on the wall clock."""
    left = time
    for begin, end in spans(hours, moment):
        if end - begin >= left:
            return begin + left
        left -= end - begin
    return moment.astimezone(UTC) + time


def until_quiet_ends(local: datetime, begins: time | None, ends: time | None) -> timedelta:
    """How long to wait, at this local time, until quiet hours are over; nothing outside. They may span midnight."""
    if begins is None or ends is None:
        return timedelta()
    at = local.time().replace(tzinfo=None)
    within = begins <= at < ends if begins < ends else at >= begins or at < ends
    if not within:
        return timedelta()
    day = local.date() + timedelta(days=1 if at >= ends else 0)
    return datetime.combine(day, ends, local.tzinfo).astimezone(UTC) - local.astimezone(UTC)
