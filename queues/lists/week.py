"""Who covers this week: of each queue that a lead answers for, its hours and who stands in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Prefetch, prefetch_related_objects

from queues.models import Coverage, Queue


@dataclass
class Covered:
    """A queue's week: for each day why it is closed or closes early, the hours it is open, and who stands in
    otherwise."""

    queue: Queue
    days: list[tuple[list[str], list[str]]]


def week(queues: list[Queue], first: date) -> list[Covered]:
    """Seven days from `first` on, of these queues, whose calendars and closures are read."""
    rows = Coverage.objects.select_related("covering_queue__facility", "person", "instead_of")
    prefetch_related_objects(queues, Prefetch("coverage", rows))
    found = []
    for queue in queues:
        hours = queue.hours()
        off = queue.calendar.days_off(range(first.year, first.year + 2))
        days = []
        for number in range(7):
            day = first + timedelta(days=number)
            said = [off[day].name] if day in off else []
            said += [f"{_wall(opens)}–{_wall(closes)}" for opens, closes in hours.openings(day)]
            days.append((said, [_stands_in(row) for row in queue.coverage.all() if _covers(row, day)]))
        found.append(Covered(queue, days))
    return found


def _wall(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _covers(row: Coverage, day: date) -> bool:
    return (row.since is None or row.since <= day) and (row.until is None or row.until >= day)


def _stands_in(row: Coverage) -> str:
    who = str(row.covering_queue or (row.person.signature if row.person else ""))
    return f"{who} ({row.instead_of.signature})" if row.instead_of else who
