"""The cells of a field: every allowed value is in one, and no test can tell two values of one cell apart."""

from math import inf, nextafter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.triage import rule_cases as cases
from triage.conditions import Test as Asked  # pytest would collect a class of this name
from triage.conditions import holds_of
from triage.fields import Choice, Field
from triage.proofs.cells import cells_of

numbers = st.integers(-20, 20) | st.floats(-20, 20) | st.sampled_from([0.1, 0.1 + 2**-56, 1 / 3])
OPS = ("is", "is_not", "lt", "le", "gt", "ge")


@cases.calm
@given(
    thresholds=st.lists(numbers, max_size=5),
    bounds=st.tuples(st.none() | numbers, st.none() | numbers),
    value=numbers,
    kind=st.sampled_from(["integer", "date", "number", "quantity"]),
    ops=st.lists(st.sampled_from(OPS), min_size=5, max_size=5),
)
def test_every_number_is_like_the_one_that_stands_for_its_cell(
    thresholds: Any, bounds: Any, value: Any, kind: Any, ops: Any
) -> None:
    low, high = bounds
    if low is not None and high is not None and low > high:
        low, high = high, low
    field = Field("x", "x", kind, minimum=low, maximum=high)
    whole = kind in ("integer", "date")
    tests = [Asked("x", op, int(t) if whole else t) for op, t in zip(ops, thresholds, strict=False)]
    cells = cells_of(field, tests)
    read = field.reader()
    assert all(read(cell.value).sound for cell in cells)
    candidates = [value, *thresholds, *(nextafter(t, inf) for t in thresholds)]
    for candidate in candidates:
        candidate = int(candidate) if whole else candidate
        if not read(candidate).sound:
            continue
        alike = [
            cell
            for cell in cells
            if all(holds_of(test, cell.value) == holds_of(test, candidate) for test in tests)
            and (not whole or cell.low <= candidate <= cell.high)
        ]
        assert len(alike) >= 1
        assert not whole or len(alike) == 1


def test_no_cell_is_empty() -> None:
    """Between 3 and 4 there is no whole number, and between two neighbouring floats there is none at all."""
    whole = cells_of(Field("x", "x", "integer"), [Asked("x", "gt", 3), Asked("x", "lt", 4)])
    assert [cell.value for cell in whole] == [2, 4]
    near = nextafter(0.5, 1)
    real = cells_of(Field("x", "x", "number"), [Asked("x", "gt", 0.5), Asked("x", "lt", near)])
    assert [cell.value for cell in real] == [-1, near]


def test_a_plain_value_stands_for_a_cell() -> None:
    temperature = Field("x", "x", "quantity", minimum=30, maximum=45)
    found = cells_of(temperature, [Asked("x", "ge", 38.5), Asked("x", "gt", 39.5)])
    assert [cell.value for cell in found] == [30, 38.5, 40]


@pytest.mark.parametrize(
    ("choices", "codes"), [(("a", "b", "c", "d"), ["a", "b", "c"]), ((), ["a", "b", "other"])]
)
def test_choices_that_no_test_names_are_one_cell(choices: Any, codes: Any) -> None:
    field = Field("x", "x", "choice", tuple(Choice(code) for code in choices))
    cells = cells_of(field, [Asked("x", "is", "a"), Asked("x", "in", ("a", "b"))])
    assert [cell.value for cell in cells] == codes


def test_of_a_text_only_its_being_there_can_be_seen() -> None:
    assert [cell.value for cell in cells_of(Field("x", "x", "text"), [])] == [True]
    assert [cell.value for cell in cells_of(Field("x", "x", "number", many=True), [])] == [True]
