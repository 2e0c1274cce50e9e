"""What measures are made of: spans of time that add up, and cells that are not shown."""

from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queues.measures import spans, suppression
from queues.measures.suppression import TOTAL, hidden, with_totals

LEAST = 10
minutes = st.lists(st.integers(0, 200_000), min_size=1, max_size=60)
tables = st.dictionaries(
    st.tuples(st.sampled_from("abcd"), st.sampled_from("uvwx")), st.integers(0, 40), min_size=1, max_size=16
)


@given(minutes, st.floats(0.01, 1))
def test_a_quantile_lies_in_the_span_that_is_told(times, share):
    told = spans.quantile(spans.counted(times), share)
    assert told.low <= sorted(times)[ceil(share * len(times)) - 1] <= told.high


@given(st.integers(0, 2_000_000))
def test_a_span_is_exact_for_an_hour_and_never_wider_than_one_part_in_thirty_two(time):
    span = spans.span_of(time)
    assert span.low <= time <= span.high
    assert (span.high - span.low + 1) * spans.PARTS <= max(span.low, spans.PARTS)
    assert spans.span_of(span.low) == spans.span_of(span.high) == span


@given(st.lists(minutes, max_size=5))
def test_days_that_are_added_up_are_what_would_be_counted_at_once(days):
    assert spans.merged(spans.counted(day) for day in days) == spans.counted(
        time for day in days for time in day
    )


def test_nothing_counted_has_no_median():
    assert spans.quantile({}, 0.5) is None


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="shorter than none"):
        spans.span_of(-1)
    with pytest.raises(ValueError, match="above 0"):
        spans.quantile({1: 1}, 0)
    with pytest.raises(ValueError, match="Totals are added"):
        suppression.with_totals({("a", TOTAL): 3})


def test_a_table_of_large_cells_is_shown_whole():
    assert hidden({("a", "u"): 30, ("a", "v"): 12, ("b", "u"): 0}, LEAST) == frozenset()


def test_one_small_cell_takes_others_with_it():
    found = hidden({("a", "u"): 3, ("a", "v"): 50, ("b", "u"): 20, ("b", "v"): 60}, LEAST)
    assert found == {("a", "u"), ("a", "v"), ("b", "u"), ("b", "v")}


@given(tables)
def test_every_small_cell_is_hidden_and_none_that_is_nought(counts):
    table, found = with_totals(counts), hidden(counts, LEAST)
    assert {cell for cell, count in table.items() if 0 < count < LEAST} <= found
    assert all(table[cell] for cell in found)


@given(tables)
def test_no_hidden_cell_can_be_worked_out_from_all_that_is_shown(counts):
    table, found = with_totals(counts), sorted(hidden(counts, LEAST))
    rows = {row for row, _column in table}
    columns = {column for _row, column in table}
    sums = [[_sign(cell, 1) if cell[0] == row else 0 for cell in found] for row in rows]
    sums += [[_sign(cell, 0) if cell[1] == column else 0 for cell in found] for column in columns]
    known = _rank(sums)
    for place in range(len(found)):
        alone = [1 if n == place else 0 for n in range(len(found))]
        assert _rank([*sums, alone]) == known + 1


@given(tables)
def test_hidden_cells_of_a_line_are_not_few_together_where_its_total_is_shown(counts):
    table, found = with_totals(counts), hidden(counts, LEAST)
    for side in (0, 1):
        for line in {cell[side] for cell in found}:
            total = (line, TOTAL) if side == 0 else (TOTAL, line)
            inside = [cell for cell in found if cell[side] == line and cell[1 - side] != TOTAL]
            if inside and total not in found:
                assert sum(table[cell] for cell in inside) >= LEAST


@given(
    st.integers(2, 4).flatmap(
        lambda size: st.fixed_dictionaries(
            {(row, column): st.integers(0, 40) for row in "abcd"[:size] for column in "uvw"}
        )
    )
)
def test_where_all_together_is_known_no_hidden_cell_can_be_worked_out_either(counts):
    told = frozenset((TOTAL, column) for column in ("u", "v", "w", TOTAL))
    table, found = with_totals(counts), hidden(counts, LEAST, told=told)
    assert {cell for cell, count in table.items() if 0 < count < LEAST} - told <= found
    assert not found & told
    found = sorted(found)
    lines = [(0, each) for each in {row for row, _column in table} - {TOTAL}]
    lines += [(1, each) for each in {column for _row, column in table}]
    sums = [[_sign(cell, 1 - side) if cell[side] == each else 0 for cell in found] for side, each in lines]
    known = _rank(sums)
    for place in range(len(found)):
        alone = [1 if n == place else 0 for n in range(len(found))]
        assert _rank([*sums, alone]) == known + 1


def test_what_is_nought_is_hidden_where_it_would_give_a_small_cell_away():
    counts = {("a", "u"): 3, ("a", "v"): 0, ("b", "u"): 0, ("b", "v"): 0}
    told = frozenset({(TOTAL, "u"), (TOTAL, "v"), (TOTAL, TOTAL)})
    assert {("a", "u"), ("b", "u")} <= hidden(counts, LEAST, told=told)


def _sign(cell, side):
    """A line's cells less its total are nought."""
    return -1 if cell[side] == TOTAL else 1


def _rank(lines):
    """How many of these lines tell something of their own, by elimination in exact fractions."""
    lines, rank = [[Fraction(value) for value in line] for line in lines], 0
    for column in range(len(lines[0]) if lines else 0):
        pivot = next((n for n in range(rank, len(lines)) if lines[n][column]), None)
        if pivot is None:
            continue
        lines[rank], lines[pivot] = lines[pivot], lines[rank]
        for n in range(rank + 1, len(lines)):
            factor = lines[n][column] / lines[rank][column]
            lines[n] = [a - factor * b for a, b in zip(lines[n], lines[rank], strict=True)]
        rank += 1
    return rank
