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


# Stands for all of the response, and for the element an expression stands on, where `Scope.reads` tells what was read.
WHOLE, OWN = "", 0


class Index:
    """The items of a response by their linkId, all of them and those at the top; found once for all expressions."""

    __slots__ = ("by_link", "everything", "top")

    def __init__(self, resource: Any) -> None:
        self.everything: Items = []
        self.by_link: dict[Any, Items] = {}
        self.top: dict[Any, Items] = {}
        for item in items_of([resource]):
            self.top.setdefault(item.get("linkId"), []).append(item)
        for item in inside([resource]):
            self.everything.append(item)
            self.by_link.setdefault(item.get("linkId"), []).append(item)


def inside(elements: Items) -> Items:
    """What `repeat(item)` gives: the items in these elements, then the items in those, and so on."""
    found: Items = []
    level = items_of(elements)
    while level:
        found += level
        level = items_of(level)
    return found


def items_of(elements: Items) -> Items:
    found: Items = []
    for element in elements:
        if isinstance(element, dict) and isinstance(below := element.get("item"), list):
            found += below
    return found


class Scope:
    """What an expression can see: the response, variables by name, today, and the item a function is looking at.

    `reads` notes which parts of the response it looked at: linkIds found by the index, OWN for the element it stands
    on, (OWN, linkId) for items right below that, WHOLE for any other way of looking. As long as none of them changes,
    it gives the same again.
    """

    __slots__ = (
        "_indexed",
        "budget",
        "context",
        "index",
        "now",
        "reads",
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
        items: Index | None = None,
    ) -> None:
        self.resource, self.context, self.variable = resource, context, variable
        self.today, self.now, self.budget = today, now, budget
        self.reads: set[Any] = set()
        self._indexed = items
        self.this: Items = context
        self.index, self.total = 0, []  # type: tuple[int, Items]

    @property
    def items(self) -> Index:
        if self._indexed is None:
            self._indexed = Index(self.resource)
        return self._indexed

    def look(self, items: Items) -> Items:
        """Note that an expression looks into these, where they are what it was given; everything else came of them."""
        if items and items[0] is self.resource:
            self.reads.add(WHOLE)
        elif items is self.context:
            self.reads.add(OWN)
        return items


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
                for part in value:
                    if isinstance(part, dict):
                        found.append(part)
                    elif part is not None:
                        found.append(_read(part, key, name))
            elif isinstance(value, dict):
                found.append(value)
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
