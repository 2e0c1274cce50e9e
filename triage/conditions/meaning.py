"""What a condition means: three truth values, and why it was not true."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from triage.conditions.tree import DEFINITE, Always, Condition, Group, Known, Not, Test, Truth, each_test
from triage.fields import MISSING, Json, Missing, Value


def holds_of(test: Test, value: Value) -> bool:
    """Whether a test is true of a value that is there. The one place where operators get their meaning."""
    return _MEANING[test.op](test, value)


def _rank(test: Test, value: Any) -> Any:
    return test.scale.index(value) if test.scale else value


_MEANING: Final[dict[str, Callable[[Test, Any], bool]]] = {
    "is": lambda test, v: v == test.value,
    "is_not": lambda test, v: v != test.value,
    "in": lambda test, v: v in test.values,
    "not_in": lambda test, v: v not in test.values,
    "lt": lambda test, v: _rank(test, v) < _rank(test, test.value),
    "le": lambda test, v: _rank(test, v) <= _rank(test, test.value),
    "gt": lambda test, v: _rank(test, v) > _rank(test, test.value),
    "ge": lambda test, v: _rank(test, v) >= _rank(test, test.value),
    "between": lambda test, v: _rank(test, test.values[0]) <= _rank(test, v) <= _rank(test, test.values[1]),
    "includes": lambda test, v: test.value in v,
    "includes_any": lambda test, v: any(code in v for code in test.values),
    "excludes": lambda test, v: all(code not in v for code in test.values),
    "answered": lambda test, v: True,
    "missing": lambda test, v: False,
}


def evaluate(condition: Condition, known: Known) -> Truth:
    """True, False or None (unknown), by Kleene's strong logic."""
    match condition:
        case Always():
            return True
        case Test():
            value: Value | Missing = known.get(condition.field, MISSING)
            if not isinstance(value, Missing):
                return holds_of(condition, value)
            return condition.op == "missing" if condition.op in DEFINITE else None
        case Not(part):
            truth = evaluate(part, known)
            return None if truth is None else not truth
        case Group(word, parts):
            truths = [evaluate(part, known) for part in parts]
            settling = word == "any"
            if settling in truths:
                return settling
            return None if None in truths else not settling


def first_failure(condition: Condition, known: Known) -> Condition:
    """The first part for which a condition that is not true is not true: a test, a negation, or an `any` as a
    whole."""
    while isinstance(condition, Group) and (condition.word == "all" or len(condition.parts) == 1):
        condition = next(part for part in condition.parts if evaluate(part, known) is not True)
    return condition


def parts_of(condition: Condition) -> Iterator[Condition]:
    """What all has to be true for a condition to be: tests, negations, and `any`s as a whole, in reading order.

    Traces that are kept name a part by its number in this order: another order would make them tell what was not so.
    """
    if isinstance(condition, Group) and (condition.word == "all" or len(condition.parts) == 1):
        for part in condition.parts:
            yield from parts_of(part)
    else:
        yield condition


def seen_by(condition: Condition, known: Known) -> Json:
    """The value a condition looked at, None if missing; by field where it looks at several. Fit for JSON."""
    seen = {test.field: plain(known.get(test.field)) for test in each_test(condition)}
    return next(iter(seen.values())) if len(seen) == 1 else seen


def plain(value: Value | None) -> Json:
    """A value as JSON holds it."""
    return sorted(value) if isinstance(value, frozenset) else value
