"""What an expression can see while it is evaluated, how much work it may do, and how it steps into elements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .operators import Items
from .values import Fault, Quantity, number, temporal

STEPS = 100_000
MOST_ITEMS = 100_000
Run = Callable[["Scope", Items], Items]
# Elements that hold dates in the resources an expression may see; value[x] tells by its name.
DATES = frozenset(
    {
        "birthDate",
        "authored",
        "authoredOn",
        "start",
        "end",
        "date",
        "issued",
        "recordedDate",
        "assertedDate",
        "dateAsserted",
        "lastUpdated",
        "sent",
        "received",
        "created",
        "occurrence",
        "effective",
        "onset",
        "abatement",
        "deceased",
    }
)
_MOMENTS = ("Date", "DateTime", "Time", "Instant")


class Budget:
    """How much work is left; one for everything evaluated together."""

    __slots__ = ("left",)

    def __init__(self, steps: int = STEPS) -> None:
        self.left = steps

    def spend(self, steps: int) -> None:
        self.left -= steps
        if self.left < 0:
            raise Fault("It takes too long to work out.")


class Scope:
    """What an expression can see: the response, variables by name, today, and the item a function is looking at."""

    __slots__ = (
        "budget",
        "cache",
        "context",
        "index",
        "now",
        "resource",
        "this",
        "today",
        "total",
        "variable",
    )

    def __init__(
        self,
        resource: Any,
        context: Items,
        variable: Callable[[str], Items],
        *,
        today: str,
        now: str,
        budget: Budget,
        cache: dict[Any, Any],
    ) -> None:
        self.resource, self.context, self.variable = resource, context, variable
        self.today, self.now, self.budget, self.cache = today, now, budget, cache
        self.this: Items = context
        self.index, self.total = 0, []  # type: tuple[int, Items]


def field(items: Items, name: str) -> Items:
    """Children by name; `value` also finds valueInteger and its like (§4.1.1, choice types)."""
    found: Items = []
    for item in items:
        if isinstance(item, dict):
            value, key = item.get(name), name
            if value is None:
                for key in item:
                    if key.startswith(name) and len(key) > len(name) and key[len(name)].isupper():
                        value = item[key]
                        break
                else:
                    continue
            if isinstance(value, list):
                found.extend(_read(part, key, name) for part in value if part is not None)
            elif value is not None:
                found.append(_read(value, key, name))
        elif isinstance(item, Quantity) and name in ("value", "unit", "code"):
            found.append(item.value if name == "value" else item.unit)
    return found


def _read(value: Any, key: str, name: str) -> Any:
    if isinstance(value, str):
        if key.endswith(_MOMENTS) or name in DATES:
            return temporal(value) or value
        return value
    if isinstance(value, float):
        return number(value)
    return value
