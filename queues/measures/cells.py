"""Where what a task counts for is added up: the cells it belongs to, and moving them by a difference."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from queues.models import MeasureCell, TaskMeasure

Cut, Grain = MeasureCell.Cut, MeasureCell.Grain
EVERYWHERE = 0


class Place(NamedTuple):
    """Which cell: a period, a place, and what of it."""

    grain: str
    start: str  # the first day, as 2026-11-01
    place: int
    cut: str
    key: str = ""

    @property
    def code(self) -> str:
        return f"{self.grain}|{self.start}|{self.place}|{self.cut}|{self.key}"


Sums = Mapping[Place, Counter[str]]


def cells_of(measure: TaskMeasure) -> Iterator[tuple[Place, Mapping[str, int]]]:
    """Every cell that this task is part of, with what it adds there."""
    month, week = _month(measure.day), measure.day - timedelta(days=measure.day.weekday())
    for place in (EVERYWHERE, measure.facility_id):
        yield Place(Grain.WEEK, week.isoformat(), place, Cut.ALL), measure.counts
        yield Place(Grain.MONTH, month, place, Cut.ALL), measure.counts
        yield Place(Grain.MONTH, month, place, Cut.ROLE, measure.role), measure.counts
        yield Place(Grain.MONTH, month, place, Cut.QUEUE, str(measure.queue_id)), measure.counts
        yield Place(Grain.MONTH, month, place, Cut.TYPE, measure.request_type), measure.counts
        yield Place(Grain.MONTH, month, place, Cut.LANGUAGE, measure.language), measure.counts
        for when, counts in measure.work.items():
            worked, person = when.split()
            yield Place(Grain.MONTH, worked, place, Cut.PERSON, person), counts


def differences(old: Iterable[TaskMeasure], new: Iterable[TaskMeasure]) -> dict[Place, Counter[str]]:
    """By how much each cell moves when these counts take the place of those."""
    found: dict[Place, Counter[str]] = defaultdict(Counter)
    for measures, sign in ((new, 1), (old, -1)):
        for measure in measures:
            for place, counts in cells_of(measure):
                cell = found[place]
                for name, number in counts.items():
                    cell[name] += sign * number
    moved = ((place, _nonzero(counts)) for place, counts in found.items())
    return {place: counts for place, counts in moved if counts}


def move(by: Sums) -> None:
    """Add these differences to the cells. Whoever calls this holds the lock of those who count."""
    places = {place.code: place for place in by}
    there = {
        cell.code: cell.counts for cell in MeasureCell.objects.filter(pk__in=list(places)).iterator(2000)
    }
    rows, gone = [], []
    for code, place in places.items():
        counts = Counter(there.get(code, {}))
        for name, number in by[place].items():
            counts[name] += number
        counts = _nonzero(counts)
        if counts:
            rows.append(
                MeasureCell(
                    code=code,
                    grain=place.grain,
                    start=date.fromisoformat(place.start),
                    place=place.place,
                    cut=place.cut,
                    key=place.key,
                    counts=counts,
                )
            )
        else:
            gone.append(code)
    MeasureCell.objects.bulk_create(
        rows, batch_size=1000, update_conflicts=True, unique_fields=["code"], update_fields=["counts"]
    )
    if gone:
        MeasureCell.objects.filter(pk__in=gone).delete()


def _nonzero(counts: Counter[str]) -> Counter[str]:
    return Counter({name: number for name, number in counts.items() if number})


def _month(day: date) -> str:
    return day.replace(day=1).isoformat()
