"""FHIRPath's operators over collections (§6): each takes two lists and gives one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import Any

from .values import (
    DURATIONS,
    Fault,
    Quantity,
    Temporal,
    as_temporal,
    compare_temporal,
    number,
    quantity,
    shift,
    text_of,
)

Items = list[Any]
LONGEST_TEXT = 100_000
LARGEST = Decimal(10) ** 28


def one(items: Items, what: str) -> Any:
    """The single value of a collection; None for an empty one (§4.5, singleton evaluation)."""
    if not items:
        return None
    if len(items) > 1:
        raise Fault(f"{what} needs one value and has {len(items)}.")
    return items[0]


def truth(items: Items, what: str = "A condition") -> bool | None:
    """A collection as true, false or unknown: a single value that is no boolean counts as true."""
    value = one(items, what)
    return None if value is None else value if isinstance(value, bool) else True


def same(left: Any, right: Any) -> bool | None:
    """Are two values equal (§6.1)? None where dates are not precise enough to tell."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    mine, theirs = number(left), number(right)
    if mine is not None and theirs is not None:
        return mine == theirs
    if isinstance(left, Temporal) or isinstance(right, Temporal):
        first, second = as_temporal(left), as_temporal(right)
        if first is None or second is None or (first.kind == "time") != (second.kind == "time"):
            return False
        side = compare_temporal(first, second)
        return None if side is None else side == 0
    if isinstance(left, Quantity) or isinstance(right, Quantity):
        amount, other = quantity(left), quantity(right)
        return amount is not None and other is not None and _compare_quantities(amount, other) == 0
    if isinstance(left, dict) and isinstance(right, dict):
        return _bare(left) == _bare(right)
    return bool(left == right)


def _bare(element: Mapping[str, Any]) -> dict[str, Any]:
    """An element without extensions: the scores kept on codings are not part of what a code is."""
    return {key: part for key, part in element.items() if key not in ("extension", "id")}


def equal(left: Items, right: Items) -> Items:
    if not left or not right:
        return []
    if len(left) != len(right):
        return [False]
    answers = [same(mine, theirs) for mine, theirs in zip(left, right, strict=True)]
    if False in answers:
        return [False]
    return [] if None in answers else [True]


def not_equal(left: Items, right: Items) -> Items:
    return [not answer for answer in equal(left, right)]


def alike(left: Any, right: Any) -> bool:
    """Are two values equivalent (§6.2)? Case and spacing don't count; codings are alike by system and code."""
    if isinstance(left, str) and isinstance(right, str):
        return " ".join(left.lower().split()) == " ".join(right.lower().split())
    if isinstance(left, dict) and isinstance(right, dict) and "code" in left and "code" in right:
        return left.get("code") == right.get("code") and left.get("system") == right.get("system")
    mine, theirs = number(left), number(right)
    if mine is not None and theirs is not None:
        places = min(max(0, -int(Decimal(value).normalize().as_tuple().exponent)) for value in (mine, theirs))
        unit = Decimal(1).scaleb(-places)
        rounded = [Decimal(value).quantize(unit, rounding=ROUND_HALF_UP) for value in (mine, theirs)]
        return rounded[0] == rounded[1]
    return same(left, right) is True


def equivalent(left: Items, right: Items) -> Items:
    if len(left) != len(right):
        return [False]
    rest = list(right)
    for mine in left:
        match = next((place for place, theirs in enumerate(rest) if alike(mine, theirs)), None)
        if match is None:
            return [False]
        del rest[match]
    return [True]


def _compare_quantities(left: Quantity, right: Quantity) -> int:
    mine, theirs = DURATIONS.get(left.unit, left.unit), DURATIONS.get(right.unit, right.unit)
    if mine != theirs:
        raise Fault(f"“{left.unit}” and “{right.unit}” can't be compared.")
    return (left.value > right.value) - (left.value < right.value)


def order(left: Items, right: Items) -> int | None:
    """-1, 0 or 1 for two single values; None where one is missing or the precision can't tell (§6.3)."""
    mine, theirs = one(left, "A comparison"), one(right, "A comparison")
    if mine is None or theirs is None:
        return None
    first, second = number(mine), number(theirs)
    if first is not None and second is not None:
        return (first > second) - (first < second)
    if isinstance(mine, Temporal) or isinstance(theirs, Temporal):
        moment, other = as_temporal(mine), as_temporal(theirs)
        if moment is not None and other is not None:
            return compare_temporal(moment, other)
    if isinstance(mine, str) and isinstance(theirs, str):
        return (mine > theirs) - (mine < theirs)
    amount, other_amount = quantity(mine), quantity(theirs)
    if amount is not None and (other_amount is not None or second is not None):
        return _compare_quantities(amount, other_amount or Quantity(Decimal(second or 0), amount.unit))
    if other_amount is not None and first is not None:
        return _compare_quantities(Quantity(Decimal(first), other_amount.unit), other_amount)
    raise Fault("These two can't be compared by size.")


def _ordered(test: Callable[[int], bool]) -> Callable[[Items, Items], Items]:
    def operator(left: Items, right: Items) -> Items:
        side = order(left, right)
        return [] if side is None else [test(side)]

    return operator


def _arithmetic(left: Items, right: Items, sign: str) -> Items:
    mine, theirs = one(left, f"“{sign}”"), one(right, f"“{sign}”")
    if mine is None or theirs is None:
        return []
    first, second = number(mine), number(theirs)
    if first is not None and second is not None:
        return _numbers(first, second, sign)
    if sign == "+" and isinstance(mine, str) and isinstance(theirs, str):
        return [bounded(mine + theirs)]
    if sign in "+-":
        moment, amount = as_temporal(mine), quantity(theirs)
        if moment is not None and amount is not None:
            return [shift(moment, amount, 1 if sign == "+" else -1)]
    return _quantities(mine, theirs, first, second, sign)


def _quantities(mine: Any, theirs: Any, first: Any, second: Any, sign: str) -> Items:
    amount, other = quantity(mine), quantity(theirs)
    if (
        amount is not None
        and other is not None
        and sign in "+-"
        and _compare_quantities(amount, other) in (-1, 0, 1)
    ):
        return [Quantity(_numbers(amount.value, other.value, sign)[0], amount.unit)]
    if amount is not None and second is not None and sign in "*/":
        return [Quantity(Decimal(value), amount.unit) for value in _numbers(amount.value, second, sign)]
    if other is not None and first is not None and sign == "*":
        return [Quantity(Decimal(_numbers(first, other.value, sign)[0]), other.unit)]
    if amount is not None and other is not None and sign == "/" and amount.unit == other.unit:
        return _numbers(amount.value, other.value, "/")
    raise Fault(f"“{sign}” can't be used on these two.")


def _numbers(first: Any, second: Any, sign: str) -> Items:
    if sign in ("/", "div", "mod") and second == 0:
        return []
    try:
        if sign == "+":
            found = first + second
        elif sign == "-":
            found = first - second
        elif sign == "*":
            found = first * second
        elif sign == "/":
            found = Decimal(first) / Decimal(second)
        else:
            whole = int(Decimal(first) / Decimal(second))
            found = whole if sign == "div" else first - second * whole
    except (DivisionByZero, InvalidOperation, Overflow):
        raise Fault("A number is out of range.") from None
    return [in_range(found)]


def in_range(found: Any) -> Any:
    if abs(found) > LARGEST:
        raise Fault("A number is out of range.")
    return found


def bounded(text: str) -> str:
    if len(text) > LONGEST_TEXT:
        raise Fault("A text grew too long.")
    return text


def _join(left: Items, right: Items) -> Items:
    parts = [one(left, "“&”"), one(right, "“&”")]
    return [bounded("".join("" if part is None else text_of(part) or "" for part in parts))]


def distinct(items: Items) -> Items:
    """Each value once, in order. Hashed where values can be, so that long lists stay quick."""
    found: Items = []
    seen: set[Any] = set()
    for item in items:
        key = key_of(item)
        if key not in seen:
            seen.add(key)
            found.append(item)
    return found


def key_of(item: Any) -> Any:
    """Something hashable that equal values share."""
    if isinstance(item, bool):
        return ("b", item)
    amount = number(item)
    if amount is not None:
        return ("n", Decimal(amount).normalize())
    if isinstance(item, dict):
        return (
            "m",
            tuple(
                sorted((key, key_of(part)) for key, part in item.items() if key not in ("extension", "id"))
            ),
        )
    if isinstance(item, list):
        return ("l", tuple(key_of(part) for part in item))
    return ("t", str(item))


def _contains(items: Items, value: Items) -> Items:
    wanted = one(value, "“in”")
    return [] if wanted is None else [any(same(item, wanted) for item in items)]


OPERATORS: dict[str, Callable[[Items, Items], Items]] = {
    "=": equal,
    "!=": not_equal,
    "~": equivalent,
    "!~": lambda left, right: [not answer for answer in equivalent(left, right)],
    "<": _ordered(lambda side: side < 0),
    ">": _ordered(lambda side: side > 0),
    "<=": _ordered(lambda side: side <= 0),
    ">=": _ordered(lambda side: side >= 0),
    "+": lambda left, right: _arithmetic(left, right, "+"),
    "-": lambda left, right: _arithmetic(left, right, "-"),
    "*": lambda left, right: _arithmetic(left, right, "*"),
    "/": lambda left, right: _arithmetic(left, right, "/"),
    "div": lambda left, right: _arithmetic(left, right, "div"),
    "mod": lambda left, right: _arithmetic(left, right, "mod"),
    "&": _join,
    "|": lambda left, right: distinct([*left, *right]),
    "in": lambda left, right: _contains(right, left),
    "contains": _contains,
}
