"""Conditions as closures, for speed: the engine asks thousands of them a second.

A closure answers only “is it true?” of the values by slot. Negations are pushed down to the tests while
compiling, where “is it known to be false?” has two answers as well, so no third value is needed while
deciding. `evaluate` in `triage.conditions` stays the definition, and tests hold the closures to it.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from triage.conditions import Always, Condition, Group, Not, Test, holds_of
from triage.fields import MISSING, Missing, Value

Slots = list[Value | Missing]
Holds = Callable[[Slots], bool]


def closure(condition: Condition, slot_of: Mapping[str, int], *, want: bool = True) -> Holds:
    """A function that says whether the condition is known to be `want`."""
    match condition:
        case Always():
            return lambda slots: want
        case Not(part):
            return closure(part, slot_of, want=not want)
        case Group(word, parts):
            holds = tuple(closure(part, slot_of, want=want) for part in parts)
            return _every(holds) if (word == "all") == want else _some(holds)
        case Test():
            return _test(condition, slot_of[condition.field], want)


def _every(parts: tuple[Holds, ...]) -> Holds:
    def every(slots: Slots) -> bool:
        for holds in parts:  # noqa: SIM110  (a loop is faster than `all` over a generator)
            if not holds(slots):
                return False
        return True

    return every


def _some(parts: tuple[Holds, ...]) -> Holds:
    def some(slots: Slots) -> bool:
        for holds in parts:  # noqa: SIM110
            if holds(slots):
                return True
        return False

    return some


_PAIRS: Final = (("is", "is_not"), ("in", "not_in"), ("answered", "missing"))
_OPPOSITE: Final = {op: other for a, b in _PAIRS for op, other in ((a, b), (b, a))}


def _test(test: Test, slot: int, want: bool) -> Holds:
    """The tests that rules use most have their own closures; every other one asks `holds_of`."""
    op: str = test.op if want else _OPPOSITE.get(test.op, "")
    value: Any = test.value
    members = frozenset(test.values)
    if op == "is":
        return lambda slots: slots[slot] == value
    if op == "is_not":
        return lambda slots: slots[slot] is not MISSING and slots[slot] != value
    if op == "in":
        return lambda slots: slots[slot] in members
    if op == "not_in":
        return lambda slots: slots[slot] is not MISSING and slots[slot] not in members
    if op == "answered":
        return lambda slots: slots[slot] is not MISSING
    if op == "missing":
        return lambda slots: slots[slot] is MISSING

    def holds(slots: Slots) -> bool:
        found = slots[slot]
        return not isinstance(found, Missing) and holds_of(test, found) == want

    return holds
