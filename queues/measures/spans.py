"""Lengths of time as counts that add up: days merge into months, and a median can still be told from them.

Below `EXACT` minutes every minute has a count of its own. Above, a count covers a span whose width is at most one part
in `PARTS` of where it begins, so a quantile is told as the span it lies in and never as a number that looks exact.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil

EXACT = 64  # minutes
PARTS = 32

Counts = Mapping[int, int]  # from the first minute of a span to how many lie in it


@dataclass(frozen=True)
class Span:
    """From `low` to `high` whole minutes, both included."""

    low: int
    high: int


def span_of(minutes: int) -> Span:
    """The span that these whole minutes fall into. Raises ValueError for less than none."""
    if minutes < 0:
        raise ValueError("No time is shorter than none.")
    if minutes < EXACT:
        return Span(minutes, minutes)
    width = 1 << (minutes.bit_length() - PARTS.bit_length())
    low = minutes - minutes % width
    return Span(low, low + width - 1)


def counted(minutes: Iterable[int]) -> Counter[int]:
    return Counter(span_of(each).low for each in minutes)


def merged(parts: Iterable[Counts]) -> Counter[int]:
    """The counts of all parts together: the same as if they had been counted at once."""
    whole: Counter[int] = Counter()
    for part in parts:
        whole.update(part)
    return whole


def quantile(counts: Counts, share: float) -> Span | None:
    """Where the shortest time lies that at least this share of all does not exceed; None where nothing was counted.

    `share` is above 0 and at most 1: 0.5 for the median, 0.9 for what nine in ten don't exceed.
    """
    if not 0 < share <= 1:
        raise ValueError("A share is above 0 and at most 1.")
    rank, passed = ceil(share * sum(counts.values())), 0
    for low in sorted(counts):
        passed += counts[low]
        if passed and passed >= rank:
            return span_of(low)
    return None
