"""Questions that every page asks, put together once and planned once.

Django writes the SQL of a query anew each time it is asked, and PostgreSQL plans it anew. For the large questions of a
working day (a task with all that lies beside it) each of these takes ten times as long as the answer. Here a question
is written once a process, and each connection has the server keep its plan.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import update_wrapper
from itertools import count
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import connection
from django.db.models import Model, QuerySet, prefetch_related_objects
from django.db.models.query import ModelIterable, ValuesIterable, get_related_populators

from audit.now import at, now
from audit.statements import Question, kept_statements, rows

__all__ = ["Prepared", "kept_statements", "rows"]

M = TypeVar("M", bound=Model)

# Stands for the present while a question is written. What lies near it is a time that goes by the clock.
EPOCH = datetime(7000, 1, 1, tzinfo=UTC)
NEAR = timedelta(days=300 * 365)
_numbers = count(2**62)

# What stands for a value of this type while a question is written: one that nobody would ask for.
BLANKS: dict[str, Callable[[], Any]] = {
    "int": lambda: next(_numbers),
    "str": lambda: f"blank {next(_numbers)}",
    "UUID": lambda: UUID(int=next(_numbers)),
}
# By these a question may decide how it is written: there are few of each.
KINDS = ("bool", "tuple[str, ...]")


class Prepared(Generic[M]):
    """A question as a function that gives a queryset. Called, it gives the rows.

    The function gets values of the types that its parameters name, and may only hand them on to the query: it runs
    once, and what it would decide by them is decided for good. Only by a bool or a tuple it may decide: each of their
    values is a question of its own. `now()` may be asked in it; the clock goes on.
    """

    def __init__(self, write: Callable[..., QuerySet[M]]) -> None:
        update_wrapper(self, write)
        self._write = write
        types = {name: each.annotation for name, each in inspect.signature(write).parameters.items()}
        self._flags = [name for name, kind in types.items() if kind in KINDS]
        self._blanks = {name: BLANKS[kind]() for name, kind in types.items() if kind not in KINDS}
        self._written: dict[tuple[Any, ...], tuple[str, list[Any], Callable[[list[Any]], list[M]]]] = {}

    def __call__(self, **given: Any) -> list[M]:
        question, read = self.asking(**given)
        return read(rows(*question))

    def asking(self, **given: Any) -> tuple[Question, Callable[[list[Any]], list[M]]]:
        """The question as a statement, for who asks several at once, and what makes objects of what it finds."""
        flags = tuple(given[name] for name in self._flags)
        sql, places, read = self._written.get(flags) or self._compile(flags)
        moment = now()
        return (sql, [place(given, moment) if callable(place) else place for place in places]), read

    def _compile(self, flags: tuple[Any, ...]) -> tuple[str, list[Any], Callable[[list[Any]], list[M]]]:
        blanks = self._blanks
        with at(EPOCH), connection.execute_wrapper(_not_now):
            queryset: Any = self._write(**blanks, **dict(zip(self._flags, flags, strict=True)))
            compiler = queryset.query.get_compiler(connection=connection)
            sql, params = compiler.as_sql()
        places = [_place(param, blanks) for param in params]
        if any(
            str(blank) in str(place) for blank in blanks.values() for place in places if not callable(place)
        ):
            raise TypeError(
                "What is given has to stand in the question as it is, and not inside of another value."
            )
        self._written[flags] = sql, places, _reader(queryset, compiler)
        return self._written[flags]


def _reader(queryset: Any, compiler: Any) -> Callable[[list[Any]], list[Any]]:
    """How rows become objects, as the queryset itself makes them of its own. Which column is what is the same each
    time, and was worked out anew for each of a hundred."""
    select, told, db = compiler.select, compiler.klass_info, queryset.db
    converters = compiler.get_converters([column for column, *_told in select[: compiler.col_count]])

    def converted(found: list[Any]) -> Iterable[Any]:
        return compiler.apply_converters(found, converters) if converters else found

    if queryset._iterable_class is ValuesIterable:
        keys = list(queryset.query.selected)
        return lambda found: [dict(zip(keys, row, strict=True)) for row in converted(found)]
    if queryset._iterable_class is not ModelIterable:
        raise TypeError("A question that is written once gives objects, or their values by name.")
    model, columns = told["model"], told["select_fields"]
    own = slice(columns[0], columns[-1] + 1)
    names = [column.target.attname for column, *_told in select[own]]
    # As in 5.2; the stubs know what came after it.
    beside = get_related_populators(told, select, db)  # type: ignore[call-arg]
    annotated = list(compiler.annotation_col_map.items())

    def read(found: list[Any]) -> list[Any]:
        made = []
        for row in converted(found):
            each = model.from_db(db, names, row[own])
            for populator in beside:
                populator.populate(row, each)
            for name, place in annotated:
                setattr(each, name, row[place])
            made.append(each)
        if queryset._prefetch_related_lookups:
            prefetch_related_objects(made, *queryset._prefetch_related_lookups)
        return made

    return read


def _not_now(*_asked: Any) -> Any:
    raise RuntimeError("A question that is written once can't ask the database for its own words.")


def _place(param: Any, blanks: Mapping[str, Any]) -> Any:
    """What is put where this value stands: itself, or a function of what is given and of the time."""
    for name, blank in blanks.items():
        if type(blank) in type(param).__mro__ and param == blank:
            kind = type(param)
            return lambda given, _moment: (
                given[name] if kind is UUID or given[name] is None else kind(given[name])
            )
    if isinstance(param, datetime) and abs(param - EPOCH) < NEAR:
        return lambda _given, moment: moment + (param - EPOCH)
    if isinstance(param, date) and not isinstance(param, datetime) and abs(param - EPOCH.date()) < NEAR:
        return lambda _given, moment: moment.date() + (param - EPOCH.date())
    return param
