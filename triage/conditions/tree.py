"""The tree of a condition: what it is made of, and its JSON."""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from triage.fields import Json, Value

EQUAL: Final = ("is", "is_not")
LISTED: Final = ("in", "not_in")
COMPARED: Final = ("lt", "le", "gt", "ge")
INCLUDED: Final = ("includes", "includes_any", "excludes")
DEFINITE: Final = ("answered", "missing")
OPS: Final = (*EQUAL, *LISTED, *COMPARED, "between", *INCLUDED, *DEFINITE)

Truth = bool | None
Known = Mapping[str, Value]  # values as read by their fields; absent means missing


@dataclass(frozen=True, slots=True)
class Always:
    """True of all facts."""


@dataclass(frozen=True, slots=True)
class Test:
    """One test of one field. A list in the JSON is a tuple here. `scale` is the rising order of an ordered
    choice."""

    field: str
    op: str
    value: str | bool | int | float | tuple[str | bool | int | float, ...] | None = None
    scale: tuple[str, ...] = dataclasses.field(default=(), compare=False, repr=False)

    @property
    def values(self) -> tuple[str | bool | int | float, ...]:
        """All the values it names."""
        if self.value is None:
            return ()
        return self.value if isinstance(self.value, tuple) else (self.value,)


@dataclass(frozen=True, slots=True)
class Group:
    """`all` or `any` of some conditions."""

    word: Literal["all", "any"]
    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: "Condition"


Condition = Always | Test | Group | Not


def each_test(condition: Condition) -> Iterator[Test]:
    """Every test in the tree, in reading order."""
    match condition:
        case Test():
            yield condition
        case Not(part):
            yield from each_test(part)
        case Group(_, parts):
            for part in parts:
                yield from each_test(part)


def to_json(condition: Condition) -> dict[str, Json]:
    """The JSON that `parse` reads back to the same condition."""
    match condition:
        case Always():
            return {"always": True}
        case Not(part):
            return {"not": to_json(part)}
        case Group(word, parts):
            return {word: [to_json(part) for part in parts]}
        case Test(key, op, None):
            return {"field": key, "op": op}
        case Test(key, op, value):
            return {"field": key, "op": op, "value": list(value) if isinstance(value, tuple) else value}
