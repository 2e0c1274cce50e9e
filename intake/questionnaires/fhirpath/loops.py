"""FHIRPath's functions that evaluate an argument for each item (§5.1, §5.2, §5.7), and those that read the scope."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .functions import children
from .operators import Items, key_of, truth
from .scope import MOST_ITEMS, Run, Scope
from .values import Fault, Temporal


def _each(scope: Scope, focus: Items, run: Run, use: Callable[[Any, Items], bool | None]) -> None:
    """Evaluate `run` for every item as $this; stop when `use` says False."""
    before = scope.this, scope.index
    try:
        for place, item in enumerate(focus):
            scope.budget.spend(1)
            scope.this, scope.index = [item], place
            if use(item, run(scope, scope.this)) is False:
                break
    finally:
        scope.this, scope.index = before


def _where(run: Run) -> Run:
    def where(scope: Scope, focus: Items) -> Items:
        found: Items = []
        _each(scope, focus, run, lambda item, result: found.append(item) if truth(result) else None)
        return found

    return where


def _select(run: Run) -> Run:
    def select(scope: Scope, focus: Items) -> Items:
        found: Items = []

        def use(item: Any, result: Items) -> None:
            found.extend(result)
            if len(found) > MOST_ITEMS:
                raise Fault("A list grew too long.")

        _each(scope, focus, run, use)
        return found

    return select


def _exists(run: Run | None = None) -> Run:
    if run is None:
        return lambda scope, focus: [bool(focus)]
    where = _where(run)
    return lambda scope, focus: [bool(where(scope, focus))]


def _all(run: Run) -> Run:
    def every(scope: Scope, focus: Items) -> Items:
        answer = [True]

        def use(item: Any, result: Items) -> bool:
            answer[0] = truth(result) is True
            return answer[0]

        _each(scope, focus, run, use)
        return list(answer)

    return every


def repeat(scope: Scope, focus: Items, run: Run) -> Items:
    """Everything reached by applying `run` again and again.

    Elements are told apart by what they are, not by what they hold: two equal answers are both reached.
    """
    found: Items = []
    seen: set[Any] = set()
    waiting = list(focus)
    while waiting:
        scope.budget.spend(len(waiting))
        fresh: Items = []
        for item in waiting:
            for part in run(scope, [item]):
                key = id(part) if isinstance(part, dict) else key_of(part)
                if key not in seen:
                    seen.add(key)
                    fresh.append(part)
        found.extend(fresh)
        if len(found) > MOST_ITEMS:
            raise Fault("A list grew too long.")
        waiting = fresh
    return found


def _repeating(run: Run) -> Run:
    def step(scope: Scope, focus: Items) -> Items:
        before = scope.this
        scope.this = focus
        try:
            return run(scope, focus)
        finally:
            scope.this = before

    return lambda scope, focus: repeat(scope, focus, step)


def _iif(test: Run, then: Run, other: Run | None = None) -> Run:
    def iif(scope: Scope, focus: Items) -> Items:
        if truth(test(scope, focus)):
            return then(scope, focus)
        return other(scope, focus) if other is not None else []

    return iif


def _aggregate(run: Run, start: Run | None = None) -> Run:
    def aggregate(scope: Scope, focus: Items) -> Items:
        before = scope.total
        scope.total = start(scope, focus) if start is not None else []

        def use(item: Any, result: Items) -> None:
            scope.total = result

        try:
            _each(scope, focus, run, use)
            return scope.total
        finally:
            scope.total = before

    return aggregate


def _today(scope: Scope, focus: Items) -> Items:
    return [Temporal("date", scope.today)]


SPECIAL: dict[str, tuple[Callable[..., Run], int, int]] = {
    "where": (_where, 1, 1),
    "select": (_select, 1, 1),
    "exists": (_exists, 0, 1),
    "all": (_all, 1, 1),
    "repeat": (_repeating, 1, 1),
    "iif": (_iif, 2, 3),
    "aggregate": (_aggregate, 1, 2),
    "trace": (lambda *args: lambda scope, focus: focus, 1, 2),
    "descendants": (
        lambda: lambda scope, focus: repeat(scope, focus, lambda inner, items: children(items)),
        0,
        0,
    ),
    "today": (lambda: _today, 0, 0),
    "now": (lambda: lambda scope, focus: [Temporal("dateTime", scope.now)], 0, 0),
    "timeOfDay": (lambda: lambda scope, focus: [Temporal("time", scope.now[11:19])], 0, 0),
}
