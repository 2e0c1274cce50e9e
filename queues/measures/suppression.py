"""Which cells of a table are not shown, so that a few people can't be picked out of it.

A cell with fewer than the least count is hidden, a total like any other. Then more are hidden until no hidden cell can
be worked out by subtraction: neither from its row, nor its column, nor from several of them together. A cell that is
nought is shown, for there is nobody in it, but where totals are known anyway and nothing else is left to hide. Bounds
can still be told (a hidden cell is at most its row's total).

Rows and columns with their totals are the two sides of a graph, and a hidden cell is an edge between its row and its
column. The sums leave a cell open exactly when its edge lies on a circle of hidden cells, so every hidden cell that is
a bridge is one that could be worked out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

FEWEST = 11  # the smallest count that pages show: CMS shows none of 1 to 10
TOTAL = ""  # the row and the column of totals

Cell = tuple[str, str]
Side = tuple[int, str]  # 0 and a row, or 1 and a column


def with_totals(counts: Mapping[Cell, int]) -> dict[Cell, int]:
    """The table with a total for each row, each column and all."""
    found: dict[Cell, int] = {}
    for (row, column), count in counts.items():
        if TOTAL in (row, column):
            raise ValueError("Totals are added here and not given.")
        for place in ((row, column), (row, TOTAL), (TOTAL, column), (TOTAL, TOTAL)):
            found[place] = found.get(place, 0) + count
    return found


def hidden(
    counts: Mapping[Cell, int], least: int = FEWEST, *, told: frozenset[Cell] = frozenset()
) -> frozenset[Cell]:
    """The cells of `with_totals(counts)` that must not be shown when `least` is the smallest count that may be.

    `told` are totals that are known from elsewhere, whatever they come to. They give a table of one line away, which
    should not be shown at all then."""
    table = with_totals(counts)
    found = {cell for cell, count in table.items() if 0 < count < least and cell not in told}
    while exposed := list(_exposed(table, found, least, told)):
        more = _next_to_hide(table, found | told, exposed)
        if more is None:
            break
        found.add(more)
    return frozenset(found)


def _exposed(
    table: Mapping[Cell, int], found: set[Cell], least: int, told: frozenset[Cell]
) -> Iterator[Cell]:
    bridges = _bridges(found)
    # What the hidden cells of a row, or of a column, come to together: told wherever the total is shown.
    in_row, in_column = Counter[str](), Counter[str]()
    few = {cell for cell in told if table[cell] < least}  # nothing hides that these are few
    for row, column in found:
        in_row[row] += table[row, column]
        in_column[column] += table[row, column]
    for cell in sorted(found):
        row, column = cell
        by_row = column != TOTAL and (row, TOTAL) not in found | few and 0 < in_row[row] < least
        by_column = row != TOTAL and (TOTAL, column) not in found | few and 0 < in_column[column] < least
        if cell in bridges or by_row or by_column:
            yield cell


def _bridges(found: set[Cell]) -> set[Cell]:
    """The hidden cells by which alone their row and their column hang together: one walk in depth (Tarjan, 1974)."""
    beside: dict[Side, list[tuple[Side, Cell]]] = {}
    for cell in sorted(found):
        row, column = (0, cell[0]), (1, cell[1])
        beside.setdefault(row, []).append((column, cell))
        beside.setdefault(column, []).append((row, cell))
    bridges: set[Cell] = set()
    reached: dict[Side, int] = {}  # in which order the walk came to it
    back: dict[Side, int] = {}  # the earliest that it leads back to by another way
    for start in beside:
        if start in reached:
            continue
        reached[start] = back[start] = len(reached)
        path: list[tuple[Side, Cell | None, Iterator[tuple[Side, Cell]]]] = [
            (start, None, iter(beside[start]))
        ]
        while path:
            side, came, ways = path[-1]
            for other, cell in ways:
                if cell == came:
                    continue
                if other in reached:
                    back[side] = min(back[side], reached[other])
                    continue
                reached[other] = back[other] = len(reached)
                path.append((other, cell, iter(beside[other])))
                break
            else:
                path.pop()
                if came is not None:
                    before = path[-1][0]
                    back[before] = min(back[before], back[side])
                    if back[side] > reached[before]:
                        bridges.add(came)
    return bridges


def _next_to_hide(table: Mapping[Cell, int], closed: set[Cell], exposed: list[Cell]) -> Cell | None:
    """The smallest cell still shown in a row or column of what is exposed, a total only where there is nothing else,
    and one that is nought only then; or the smallest anywhere."""
    rows, columns = {row for row, _column in exposed}, {column for _row, column in exposed}
    shown = [each for each in table if each not in closed]
    shown = [each for each in shown if table[each]] or shown
    beside = [each for each in shown if each[0] in rows or each[1] in columns]
    return min(beside or shown, key=lambda each: (TOTAL in each, table[each], each), default=None)
