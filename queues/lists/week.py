"""Who covers this week: of each queue that a lead answers for, its hours and who stands in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Prefetch, prefetch_related_objects

from queues import clock
from queues.models import Coverage, Queue


@dataclass
class Covered:
    """A queue's week: for each day the hours it is open, and who stands in otherwise."""

    queue: Queue
    days: list[tuple[str, list[str]]]


def week(queues: list[Queue], first: date) -> list[Covered]:
    """Seven days from `first` on, of these queues, whose calendars and closures are read."""
    rows = Coverage.objects.select_related("covering_queue__facility", "person", "instead_of")
    prefetch_related_objects(queues, Prefetch("coverage", rows))
    found = []
    for queue in queues:
        closed = {closure.day: closure.name for closure in queue.calendar.closures.all()}
        days = []
        for number in range(7):
            day = first + timedelta(days=number)
            spans = queue.calendar.hours.get(clock.DAYS[day.weekday()], [])
            hours = closed.get(day) or ", ".join(f"{a}–{b}" for a, b in spans)
            days.append((hours, [_stands_in(row) for row in queue.coverage.all() if _covers(row, day)]))
        found.append(Covered(queue, days))
    return found


def _covers(row: Coverage, day: date) -> bool:
    return (row.since is None or row.since <= day) and (row.until is None or row.until >= day)


def _stands_in(row: Coverage) -> str:
    who = str(row.covering_queue or (row.person.signature if row.person else ""))
    return f"{who} ({row.instead_of.signature})" if row.instead_of else who
