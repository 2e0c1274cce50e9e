"""FHIRPath's functions over a collection and evaluated arguments (§5), with FHIR's and SDC's own.

Those that evaluate an argument once for each item (where, select, all …) are in `engine`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

import re2

from .conversions import CONVERSIONS, conversion, pattern_of
from .operators import Items, bounded, distinct, in_range, key_of, one, order, truth
from .scope import field
from .values import Fault, Quantity, number, quantity, text_of

ORDINAL = frozenset(
    {
        "http://hl7.org/fhir/StructureDefinition/ordinalValue",
        "http://hl7.org/fhir/StructureDefinition/itemWeight",
        "http://hl7.org/fhir/StructureDefinition/questionnaire-ordinalValue",
    }
)
Function = Callable[..., Items]


def _text(items: Items, name: str) -> str | None:
    value = one(items, f"{name}()")
    if value is None:
        return None
    text = text_of(value) if not isinstance(value, dict) else None
    if text is None:
        raise Fault(f"{name}() needs a text.")
    return text


def _on_text(work: Callable[..., Any]) -> Function:
    """A function of one text and plain arguments; empty where the text or an argument is."""
    name = work.__name__.strip("_").replace("_", "")

    def function(items: Items, *args: Items) -> Items:
        text = _text(items, name)
        values = [one(arg, f"{name}()") for arg in args]
        if text is None or any(value is None for value in values):
            return []
        found = work(text, *values)
        return [] if found is None else found if isinstance(found, list) else [found]

    return function


def _whole(value: Any) -> int:
    amount = number(value)
    if amount is None or amount != int(amount):
        raise Fault("A whole number is needed.")
    return int(amount)


def _substring(text: str, start: Any, length: Any = None) -> str | None:
    begin = _whole(start)
    if not 0 <= begin < len(text):
        return None
    return text[begin:] if length is None else text[begin : begin + max(0, _whole(length))]


def _replace_matches(text: str, pattern: str, by: str) -> str:
    replacement = (
        str(by).replace("\\", "\\\\").replace("$", "\\") if "$" in str(by) else str(by).replace("\\", "\\\\")
    )
    try:
        return bounded(pattern_of(pattern).sub(replacement, text))
    except (re2.error, IndexError):
        raise Fault("A replacement speaks of a group the pattern doesn't have.") from None


def _replace(text: str, old: str, new: str) -> str:
    if not old:
        return (
            bounded(new + "".join(char + new for char in text))
            if len(text) * (len(new) + 1) < 100_000
            else text
        )
    return (
        bounded(text.replace(old, new)) if text.count(old) * len(new) < 1_000_000 else bounded("x" * 200_000)
    )


def _join(items: Items, separator: Items | None = None) -> Items:
    between = one(separator, "join()") if separator else ""
    if not items:
        return []
    return [bounded(str(between or "").join(text_of(item) or "" for item in items))]


# ── numbers ──────────────────────────────────────────────────────────────────────────────────────────
def _on_number(work: Callable[..., Any]) -> Function:
    def function(items: Items, *args: Items) -> Items:
        value = one(items, "A calculation")
        values = [one(arg, "A calculation") for arg in args]
        if value is None or any(part is None for part in values):
            return []
        amount = number(value)
        if isinstance(value, (Quantity, Mapping)) and amount is None:
            whole = quantity(value)
            if whole is None:
                raise Fault("A number is needed.")
            return [Quantity(Decimal(work(whole.value, *values)), whole.unit)]
        if amount is None:
            raise Fault("A number is needed.")
        try:
            found = work(amount, *values)
        except Fault:
            raise
        except (ValueError, OverflowError, InvalidOperation, ArithmeticError):
            return []
        return [] if found is None else [in_range(found)]

    return function


def _decimal(value: float) -> Decimal | None:
    return Decimal(repr(value)) if math.isfinite(value) else None


def _round(value: Any, places: Any = 0) -> Decimal | int:
    digits = min(_whole(places), 20)
    if digits < 0:
        raise Fault("round() needs a number of places from 0 up.")
    rounded = Decimal(value).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)
    return rounded if digits else int(rounded)


def _power(base: Any, exponent: Any) -> Any:
    by = number(exponent)
    if by is None or not -1000 <= by <= 1000:
        raise Fault("An exponent is out of range.")
    if isinstance(base, int) and isinstance(by, int) and by >= 0:
        # As a Decimal a large power overflows at once instead of filling the memory.
        return in_range(Decimal(base) ** by)
    return _decimal(float(base) ** float(by)) if base > 0 or by == int(by) else None


def _total(items: Items, start: Any = 0) -> Items:
    if not items:
        return [0]
    values = [number(item) for item in items]
    if None not in values:
        return [in_range(sum(values[1:], values[0]))]  # type: ignore[arg-type]
    amounts = [quantity(item) for item in items]
    if all(amount is not None and amount.unit == amounts[0].unit for amount in amounts):  # type: ignore[union-attr]
        return [Quantity(sum((a.value for a in amounts), Decimal(0)), amounts[0].unit)]  # type: ignore[union-attr]
    raise Fault("sum() needs numbers.")


def _extreme(side: int) -> Function:
    def function(items: Items) -> Items:
        best: Items = items[:1]
        for item in items[1:]:
            if order([item], best) == side:
                best = [item]
        return best

    return function


def _average(items: Items) -> Items:
    return [Decimal(_total(items)[0]) / len(items)] if items else []


def children(items: Items) -> Items:
    found: Items = []
    for item in items:
        if isinstance(item, dict):
            for key in item:
                if key != "resourceType":
                    found.extend(field([item], key))
    return found


def score(items: Items) -> Items:
    """SDC's weight() and its forerunner ordinal(): the score of each chosen code, as the form gives it."""
    found: Items = []
    for item in items:
        for extension in item.get("extension", ()) if isinstance(item, dict) else ():
            if extension.get("url") in ORDINAL:
                value = next((part for key, part in extension.items() if key.startswith("value")), None)
                amount = number(value)
                if amount is not None:
                    found.append(amount)
    return found


def _extension(items: Items, url: Items) -> Items:
    wanted = one(url, "extension()")
    return [
        e
        for item in items
        if isinstance(item, dict)
        for e in item.get("extension", ())
        if e.get("url") == wanted
    ]


def _all(wanted: bool) -> Function:
    return lambda items: [all(truth([item]) is wanted for item in items)]


def _any(wanted: bool) -> Function:
    return lambda items: [any(truth([item]) is wanted for item in items)]


def _subset(items: Items, other: Items) -> Items:
    keys = {key_of(item) for item in other}
    return [all(key_of(item) in keys for item in items)]


def _single(items: Items) -> Items:
    one(items, "single()")
    return items


def _intersect(items: Items, other: Items) -> Items:
    keys = {key_of(item) for item in other}
    return distinct([item for item in items if key_of(item) in keys])


def _exclude(items: Items, other: Items) -> Items:
    keys = {key_of(item) for item in other}
    return [item for item in items if key_of(item) not in keys]


def _index_of(items: Items, wanted: Items) -> Items:
    return _on_text(lambda text, part: text.find(str(part)))(items, wanted)


def _not(items: Items) -> Items:
    value = truth(items, "not()")
    return [] if value is None else [not value]


FUNCTIONS: dict[str, tuple[Function, int, int]] = {
    # name: the function, the fewest and the most arguments
    "empty": (lambda items: [not items], 0, 0),
    "not": (_not, 0, 0),
    "allTrue": (_all(True), 0, 0),
    "allFalse": (_all(False), 0, 0),
    "anyTrue": (_any(True), 0, 0),
    "anyFalse": (_any(False), 0, 0),
    "subsetOf": (_subset, 1, 1),
    "supersetOf": (lambda items, other: _subset(other, items), 1, 1),
    "count": (lambda items: [len(items)], 0, 0),
    "distinct": (distinct, 0, 0),
    "isDistinct": (lambda items: [len(distinct(items)) == len(items)], 0, 0),
    "single": (_single, 0, 0),
    "first": (lambda items: items[:1], 0, 0),
    "last": (lambda items: items[-1:], 0, 0),
    "tail": (lambda items: items[1:], 0, 0),
    "skip": (lambda items, n: items[max(0, _whole(one(n, "skip()") or 0)) :], 1, 1),
    "take": (lambda items, n: items[: max(0, _whole(one(n, "take()") or 0))], 1, 1),
    "intersect": (_intersect, 1, 1),
    "exclude": (_exclude, 1, 1),
    "union": (lambda items, other: distinct([*items, *other]), 1, 1),
    "combine": (lambda items, other: [*items, *other], 1, 1),
    "children": (children, 0, 0),
    "extension": (_extension, 1, 1),
    "hasValue": (lambda items: [len(items) == 1 and not isinstance(items[0], Mapping)], 0, 0),
    "getValue": (lambda items: items if len(items) == 1 and not isinstance(items[0], Mapping) else [], 0, 0),
    "ordinal": (score, 0, 0),
    "weight": (score, 0, 0),
    "indexOf": (_index_of, 1, 1),
    "substring": (_on_text(_substring), 1, 2),
    "startsWith": (_on_text(lambda text, part: text.startswith(str(part))), 1, 1),
    "endsWith": (_on_text(lambda text, part: text.endswith(str(part))), 1, 1),
    "contains": (_on_text(lambda text, part: str(part) in text), 1, 1),
    "upper": (_on_text(str.upper), 0, 0),
    "lower": (_on_text(str.lower), 0, 0),
    "trim": (_on_text(str.strip), 0, 0),
    "length": (_on_text(len), 0, 0),
    "toChars": (_on_text(list), 0, 0),
    "replace": (_on_text(_replace), 2, 2),
    "matches": (_on_text(lambda text, pattern: pattern_of(pattern).search(text) is not None), 1, 1),
    "matchesFull": (
        _on_text(lambda text, pattern: pattern_of(pattern).fullmatch(text) is not None),
        1,
        1,
    ),
    "replaceMatches": (_on_text(_replace_matches), 2, 2),
    "split": (_on_text(lambda text, by: text.split(str(by)) if by else [text]), 1, 1),
    "join": (_join, 0, 1),
    "abs": (_on_number(abs), 0, 0),
    "ceiling": (_on_number(math.ceil), 0, 0),
    "floor": (_on_number(math.floor), 0, 0),
    "truncate": (_on_number(int), 0, 0),
    "exp": (_on_number(lambda value: _decimal(math.exp(value))), 0, 0),
    "ln": (_on_number(lambda value: _decimal(math.log(value))), 0, 0),
    "log": (_on_number(lambda value, base: _decimal(math.log(value, base))), 1, 1),
    "power": (_on_number(_power), 1, 1),
    "round": (_on_number(_round), 0, 1),
    "sqrt": (_on_number(lambda value: _decimal(math.sqrt(value))), 0, 0),
    "sum": (_total, 0, 0),
    "min": (_extreme(-1), 0, 0),
    "max": (_extreme(1), 0, 0),
    "avg": (_average, 0, 0),
    **{f"to{name}": (conversion(convert, False), 0, 1) for name, convert in CONVERSIONS.items()},
    **{f"convertsTo{name}": (conversion(convert, True), 0, 1) for name, convert in CONVERSIONS.items()},
}
