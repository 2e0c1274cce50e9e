"""A condition in plain words, for pages."""

from collections.abc import Mapping
from typing import Final

from triage.conditions.tree import Always, Condition, Group, Not, Test
from triage.fields import Field

Fields = Mapping[str, Field]

_WORDS: Final = {
    "is": "is {}",
    "is_not": "is not {}",
    "in": "is {}",
    "not_in": "is neither {}",
    "lt": "is below {}",
    "le": "is at most {}",
    "gt": "is above {}",
    "ge": "is at least {}",
    "between": "is from {}",
    "outside": "is not from {}",
    "includes": "includes {}",
    "includes_any": "includes {}",
    "excludes": "does not include {}",
    "answered": "was given",
    "missing": "was not given",
}
_PAIRS: Final = (("is", "is_not"), ("in", "not_in"), ("lt", "ge"), ("le", "gt"), ("answered", "missing"))
# A test that is known to be false is the opposite test that is known to be true: both need a value.
_OPPOSITE: Final = {
    **{op: other for a, b in _PAIRS for op, other in ((a, b), (b, a))},
    "between": "outside",
    "includes": "excludes",
    "includes_any": "excludes",
    "excludes": "includes_any",
}


def describe(condition: Condition, catalogue: Fields | None = None) -> str:
    """The condition in plain words, to stand after “when”. Negations are told as their opposites."""
    return _tell(condition, catalogue or {}, want=True)


def _tell(condition: Condition, catalogue: Fields, *, want: bool) -> str:
    match condition:
        case Always():
            return "always" if want else "never"
        case Not(part):
            return _tell(part, catalogue, want=not want)
        case Group(word, parts):
            joint = " and " if (word == "all") == want else " or "
            return joint.join(_inside(part, catalogue, want=want) for part in parts)
        case Test():
            return _tell_test(
                condition, catalogue.get(condition.field), condition.op if want else _OPPOSITE[condition.op]
            )


def _inside(condition: Condition, catalogue: Fields, *, want: bool) -> str:
    """A part of a group: in parentheses if it is a group of more than one itself."""
    inner = condition
    while isinstance(inner, Not) or (isinstance(inner, Group) and len(inner.parts) == 1):
        inner = inner.part if isinstance(inner, Not) else inner.parts[0]
    told = _tell(condition, catalogue, want=want)
    return f"({told})" if isinstance(inner, Group) else told


def _tell_test(test: Test, one: Field | None, op: str) -> str:
    name = str(one.label) if one else test.field
    if isinstance(test.value, bool):
        return f"{name}: {'yes' if test.value == (op == 'is') else 'no'}"
    if op == "not_in" and len(test.values) == 1:
        op = "is_not"
    joint = {"not_in": " nor ", "between": " to ", "outside": " to "}.get(op, " or ")
    told = joint.join(one.name_of(value) if one else str(value) for value in test.values)
    unit = f" {one.unit}" if one and one.unit and test.values else ""
    return f"{name} {_WORDS[op].format(told)}{unit}"
