"""The values of a field, sorted into cells that the conditions can't look into.

Two values for which every test of a field gives the same answer are in the same cell, so a proof about all
cells is a proof about all values, and the values of a number need no arithmetic. Each cell has one value to
stand for it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import floor, inf, nextafter
from typing import cast

from triage.conditions import Test, holds_of
from triage.fields import WHOLE, Field, Value

Number = int | float


@dataclass(frozen=True, slots=True)
class Cell:
    """`value` stands for it. A number's cell is an interval and holds all whole numbers from `low` to
    `high`."""

    value: Value
    low: Number = -inf
    high: Number = inf


def cells_of(one: Field, tests: Sequence[Test]) -> tuple[Cell, ...]:
    """The cells into which these tests part the values that the field allows. Never for a field of
    several."""
    match one.shape:
        case "number" if one.kind in WHOLE:
            return _merged(_whole(one, _thresholds(tests)), tests)
        case "number":
            return _merged(_real(one, _thresholds(tests)), tests)
        case "boolean":
            return Cell(False), Cell(True)
        case "choice":
            return _distinct(one.codes or _open(tests), tests)
        case _:
            return (Cell(True),)  # answered, and that is all that can be seen


def _thresholds(tests: Iterable[Test]) -> list[Number]:
    return sorted({cast(Number, value) for test in tests for value in test.values})


def _open(tests: Iterable[Test]) -> list[str]:
    """The codes that are tested, and one that is not, for all others."""
    codes = sorted({cast(str, value) for test in tests for value in test.values})
    other = "other"
    while other in codes:
        other += "-"
    return [*codes, other]


def _distinct(codes: Iterable[str], tests: Sequence[Test]) -> tuple[Cell, ...]:
    found: dict[tuple[bool, ...], Cell] = {}
    for code in codes:
        found.setdefault(tuple(holds_of(test, code) for test in tests), Cell(code))
    return tuple(found.values())


def _whole(one: Field, thresholds: Iterable[Number]) -> list[Cell]:
    """Each threshold by itself, and the whole numbers between two of them."""
    low, high = (
        (one.minimum if one.minimum is not None else -inf),
        (one.maximum if one.maximum is not None else inf),
    )
    low = low if low == -inf else -floor(-low)
    high = high if high == inf else floor(high)
    found, start = [], low
    for threshold in thresholds:
        if not low <= threshold <= high:
            continue
        found += [_whole_cell(start, threshold - 1), _whole_cell(threshold, threshold)]
        start = threshold + 1
    return [cell for cell in (*found, _whole_cell(start, high)) if cell.low <= cell.high]


def _whole_cell(low: Number, high: Number) -> Cell:
    value = low if low != -inf else high if high != inf else 0
    return Cell(value if value in (inf, -inf) else int(value), low, high)


def _real(one: Field, thresholds: Iterable[Number]) -> list[Cell]:
    """Each threshold by itself, and the open interval between two of them, if any float is in it."""
    low, high = (
        (one.minimum if one.minimum is not None else -inf),
        (one.maximum if one.maximum is not None else inf),
    )
    inside = [threshold for threshold in thresholds if low <= threshold <= high]
    marks = sorted({*inside, *(bound for bound in (low, high) if abs(bound) != inf)})
    found = [Cell(mark) for mark in marks]
    for left, right in zip([-inf, *marks], [*marks, inf], strict=True):
        value = _between(left, right)
        if value is not None and low <= value <= high:
            found.append(Cell(value))
    return sorted(found, key=lambda cell: cast(Number, cell.value))


def _between(left: Number, right: Number) -> Number | None:
    """A value strictly between these two, a plain one if there is one; None if no float is."""
    if left == -inf:
        return 0 if right == inf else floor(right) - 1
    whole = floor(left) + 1
    if whole < right:
        return whole
    middle = (left + right) / 2
    if left < middle < right:
        return round(middle, 3) if left < round(middle, 3) < right else middle
    after = nextafter(left, inf)
    return after if after < right else None


def _merged(cells: Iterable[Cell], tests: Sequence[Test]) -> tuple[Cell, ...]:
    """Neighbours that no test tells apart are one cell."""
    found: list[tuple[tuple[bool, ...], Cell]] = []
    for cell in cells:
        answers = tuple(holds_of(test, cell.value) for test in tests)
        if found and found[-1][0] == answers:
            before = found[-1][1]
            found[-1] = (answers, Cell(before.value, before.low, cell.high))
        else:
            found.append((answers, cell))
    return tuple(cell for _, cell in found)
