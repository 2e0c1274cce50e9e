"""From JSON to a condition, with a place and a sentence for everything that is wrong."""

from collections.abc import Mapping
from math import isfinite
from typing import Final, Literal, NoReturn, cast

from triage.conditions.tree import (
    COMPARED,
    DEFINITE,
    EQUAL,
    INCLUDED,
    LISTED,
    OPS,
    Always,
    Condition,
    Group,
    Not,
    Test,
)
from triage.fields import NUMERIC, URGENCIES, WHOLE, Field, Json

MAX_DEPTH: Final = 12
MAX_SIZE: Final = 500  # tests and groups in one condition
MAX_VALUES: Final = 500  # values in one list
MAX_LENGTH: Final = 200  # characters in a code or a key
MAX_NUMBER: Final = 10**12


class ConditionError(ValueError):
    """A condition that can't be understood: where in it (`path`), and why (`sentence`)."""

    def __init__(self, path: str, sentence: str) -> None:
        super().__init__(f"{path}: {sentence}" if path else sentence)
        self.path = path
        self.sentence = sentence


def parse(told: Json, catalogue: Mapping[str, Field] | None = None) -> Condition:
    """The condition that this JSON tells, checked against the catalogue if there is one.

    Raises ConditionError for anything that is not a condition: an unknown word or operator, an empty group, a
    value of the wrong type, a field or choice that the catalogue does not have, or a tree that is too deep or
    too large.
    """
    return _Parser(catalogue).condition(told, "", 1)


class _Parser:
    def __init__(self, catalogue: Mapping[str, Field] | None) -> None:
        self.catalogue = catalogue
        self.size = 0

    def condition(self, told: Json, path: str, depth: int) -> Condition:
        self.size += 1
        if depth > MAX_DEPTH:
            raise ConditionError(path, f"This is nested more than {MAX_DEPTH} levels deep.")
        if self.size > MAX_SIZE:
            raise ConditionError(path, f"The condition has more than {MAX_SIZE} parts.")
        if not isinstance(told, Mapping):
            raise ConditionError(path, "A condition is an object such as {“field”: …, “op”: …, “value”: …}.")
        if "field" in told or "op" in told:
            return self.test(told, path)
        if len(told) != 1:
            raise ConditionError(
                path, "A condition has exactly one of “all”, “any”, “not”, “always”, or a “field”."
            )
        [(word, inner)] = told.items()
        here = f"{path}.{word}" if path else str(word)
        if word == "always":
            if inner is not True:
                raise ConditionError(here, "“always” can only be true.")
            return Always()
        if word == "not":
            return Not(self.condition(inner, here, depth + 1))
        if word not in ("all", "any"):
            raise ConditionError(path, f"“{_short(word)}” is not a condition.")
        if not isinstance(inner, list | tuple) or not inner:
            raise ConditionError(here, f"“{word}” needs a list with at least one condition.")
        parts = tuple(self.condition(part, f"{here}[{i}]", depth + 1) for i, part in enumerate(inner))
        return Group(cast(Literal["all", "any"], word), parts)

    def test(self, told: Mapping[str, Json], path: str) -> Test:
        def at(name: str) -> str:
            return f"{path}.{name}" if path else name

        for word in told:
            if word not in ("field", "op", "value"):
                raise ConditionError(path, f"“{_short(word)}” is not part of a test.")
        key, op = told.get("field"), told.get("op")
        if not isinstance(key, str) or not 0 < len(key) <= MAX_LENGTH:
            raise ConditionError(at("field"), "A test names the field it looks at.")
        if not isinstance(op, str) or op not in OPS:
            raise ConditionError(at("op"), f"“{_short(op)}” is not an operator; there are {', '.join(OPS)}.")
        one = self.catalogue.get(key) if self.catalogue is not None else None
        if one is None and self.catalogue is not None:
            raise ConditionError(at("field"), f"There is no field “{_short(key)}”.")
        if one is not None and op not in allowed_ops(one):
            raise ConditionError(
                at("op"), f"“{op}” can't be asked of “{key}”; use {', '.join(allowed_ops(one))}."
            )
        if op in DEFINITE:
            if "value" in told:
                raise ConditionError(at("value"), f"“{op}” takes no value.")
            return Test(key, op)
        if "value" not in told:
            raise ConditionError(at("value"), f"“{op}” needs a value.")
        return self.checked(key, op, told["value"], one, at("value"))

    def checked(self, key: str, op: str, value: Json, one: Field | None, path: str) -> Test:
        scale = one.codes if one is not None and one.ordered else ()
        if one is None and op in (*COMPARED, "between"):
            # Without a catalogue, the only words that have an order are the urgencies.
            first = value[0] if isinstance(value, list | tuple) and value else value
            scale = URGENCIES if isinstance(first, str) else ()
        if op == "excludes" and isinstance(value, str):
            listed = False
        else:
            listed = op in (*LISTED, "between", "includes_any", "excludes")
        if not listed:
            return Test(key, op, self.scalar(op, value, one, path, scale), scale)
        if not isinstance(value, list | tuple) or not 0 < len(value) <= MAX_VALUES:
            raise ConditionError(path, f"“{op}” needs a list of 1 to {MAX_VALUES} values.")
        values = tuple(self.scalar(op, item, one, f"{path}[{i}]", scale) for i, item in enumerate(value))
        if op == "between":
            if len(values) != 2:
                raise ConditionError(path, "“between” needs two values: the lowest and the highest.")
            low, high = (scale.index(cast(str, v)) if scale else v for v in values)
            if low > high:  # type: ignore[operator]
                raise ConditionError(path, "“between” needs the lower value first.")
        elif len(set(values)) != len(values):
            raise ConditionError(path, "A value is listed twice.")
        elif len({type(v) is str for v in values}) > 1:
            raise ConditionError(path, "The list mixes words and numbers.")
        return Test(key, op, values, scale)

    def scalar(
        self, op: str, value: Json, one: Field | None, path: str, scale: tuple[str, ...]
    ) -> str | bool | int | float:
        def refuse(needed: str) -> NoReturn:
            raise ConditionError(path, f"This needs {needed}, not {_short(value)}.")

        if isinstance(value, float) and not isfinite(value):
            refuse("a finite number")
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) > MAX_NUMBER:
            refuse(f"a number of at most {MAX_NUMBER}")
        if isinstance(value, str) and not 0 < len(value) <= MAX_LENGTH:
            raise ConditionError(path, f"A code has 1 to {MAX_LENGTH} characters.")
        word, flag = isinstance(value, str), isinstance(value, bool)
        number = isinstance(value, int | float) and not flag
        if one is None:  # no catalogue: the operator alone says what fits
            if op in (*COMPARED, "between") and not (value in URGENCIES if scale else number):
                refuse(f"a number or one of {', '.join(URGENCIES)}" if scale else "a number")
            if op in INCLUDED and not word:
                refuse("a code")
            if (op in LISTED and flag) or not (word or flag or number):
                refuse("a code or a number" if op in LISTED else "a code, a number, true or false")
        elif one.kind == "boolean" and not flag:
            refuse("true or false")
        elif one.kind in NUMERIC and not number:
            refuse("a number")
        elif one.kind in WHOLE and int(cast(float, value)) != value:
            refuse("a whole number")
        elif one.kind == "choice" and not word:
            refuse("a code")
        elif one.kind == "choice" and one.choices and value not in one.codes:
            raise ConditionError(path, f"“{_short(value)}” is not a choice of “{one.key}”.")
        return cast(str | bool | int | float, value)


def allowed_ops(one: Field) -> tuple[str, ...]:
    """The operators that can be asked of this field, for checking and for forms."""
    if one.shape == "number" or one.ordered:
        return (*EQUAL, *LISTED, *COMPARED, "between", *DEFINITE)
    match one.shape:
        case "choice":
            return (*EQUAL, *LISTED, *DEFINITE)
        case "several":
            return (*INCLUDED, *DEFINITE)
        case "boolean":
            return (*EQUAL, *DEFINITE)
        case _:
            return DEFINITE


def _short(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
