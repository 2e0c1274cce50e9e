"""Which cells of a table are not shown, so that a few people can't be picked out of it.

A cell with fewer than the least count is hidden, a total like any other. Then more are hidden until no hidden cell can
be worked out by subtraction: neither from its row, nor its column, nor from several of them together. A cell that is
nought is always shown, for there is nobody in it. Bounds can still be told (a hidden cell is at most its row's total).

Rows and columns with their totals are the two sides of a graph, and a hidden cell is an edge between its row and its
column. The sums leave a cell open exactly when its edge lies on a circle of hidden cells, so every hidden cell that is
a bridge is one that could be worked out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

TOTAL = ""  # the row and the column of totals

Cell = tuple[str, str]


def with_totals(counts: Mapping[Cell, int]) -> dict[Cell, int]:
    """The table with a total for each row, each column and all."""
    found: dict[Cell, int] = {}
    for (row, column), count in counts.items():
        if TOTAL in (row, column):
            raise ValueError("Totals are added here and not given.")
        for place in ((row, column), (row, TOTAL), (TOTAL, column), (TOTAL, TOTAL)):
            found[place] = found.get(place, 0) + count
    return found


def hidden(counts: Mapping[Cell, int], least: int) -> frozenset[Cell]:
    """The cells of `with_totals(counts)` that must not be shown when `least` is the smallest count that may be."""
    table = with_totals(counts)
    found = {cell for cell, count in table.items() if 0 < count < least}
    while exposed := list(_exposed(table, found, least)):
        found.add(_next_to_hide(table, found, exposed))
    return frozenset(found)


def _exposed(table: Mapping[Cell, int], found: set[Cell], least: int) -> Iterator[Cell]:
    for cell in sorted(found):
        if _is_bridge(cell, found) or any(
            0 < sum_of_hidden < least for sum_of_hidden in _sums_that_show(table, found, cell)
        ):
            yield cell


def _is_bridge(cell: Cell, found: set[Cell]) -> bool:
    """Whether its row and its column hang together by this hidden cell only."""
    rest = found - {cell}
    rows, columns, fresh = {cell[0]}, set[str](), True
    while fresh:
        fresh = False
        for row, column in rest:
            if (row in rows) != (column in columns):
                rows.add(row)
                columns.add(column)
                fresh = True
    return cell[1] not in columns


def _sums_that_show(table: Mapping[Cell, int], found: set[Cell], cell: Cell) -> Iterator[int]:
    """What the hidden cells of its row, and of its column, come to together where the total tells it."""
    row, column = cell
    if column != TOTAL and (row, TOTAL) not in found:
        yield sum(table[each] for each in found if each[0] == row)
    if row != TOTAL and (TOTAL, column) not in found:
        yield sum(table[each] for each in found if each[1] == column)


def _next_to_hide(table: Mapping[Cell, int], found: set[Cell], exposed: list[Cell]) -> Cell:
    """The smallest cell still shown in a row or column of what is exposed, a total only where there is nothing else;
    or the smallest anywhere."""
    rows, columns = {row for row, _column in exposed}, {column for _row, column in exposed}
    shown = [each for each, count in table.items() if count and each not in found]
    beside = [each for each in shown if each[0] in rows or each[1] in columns]
    return min(beside or shown, key=lambda each: (TOTAL in each, table[each], each))
