"""What every request reads and hardly anybody changes (facilities, hours, queues, rules), kept in each process.

The database counts every change of those tables: a trigger gives the table's row in `people_reference_stamp` a new
number in the transaction of the change. Whoever needs something that is kept reads the numbers first, one small
statement, and works it out anew when one is different. So no process ever acts on what was changed before it looked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.db import connection

from audit.statements import Question

P = ParamSpec("P")
T = TypeVar("T")
Stamp = tuple[Any, ...]

MOST = 4_000  # things kept in one process; beyond, all are let go of

# One tuple, put in place whole: a thread that reads it never sees the stamp of one state with the things of another.
_memory: tuple[Stamp, dict[Any, Any]] = ((), {})
_steady: ContextVar[Stamp | None] = ContextVar("porter_reference", default=None)


NUMBERS: Question = ("SELECT ARRAY(SELECT value FROM people_reference_stamp ORDER BY name)", [])


def _read() -> Stamp:
    with connection.cursor() as cursor:
        cursor.execute(*NUMBERS)
        ((numbers,),) = cursor.fetchall()
    return _stamp(numbers)


def _stamp(numbers: Sequence[int]) -> Stamp:
    # Rolled back numbers never come again, and another database has another name.
    return (connection.settings_dict["NAME"], *numbers)


@contextmanager
def steady(numbers: Sequence[int] | None = None) -> Iterator[None]:
    """Look at the numbers once for all that is done inside: a request that lives in one state of the world. Whoever
    asked for `NUMBERS` beside something else hands them in."""
    known = _stamp(numbers) if numbers is not None else None
    token = _steady.set(_steady.get() or known or _read())
    try:
        yield
    finally:
        _steady.reset(token)


def remembered(function: Callable[P, T]) -> Callable[P, T]:
    """Keep what the function gives until a reference table changes. Its arguments are keys and codes, and what it
    gives is read and never changed. What it raises is not kept."""

    @wraps(function)
    def ask(*args: P.args, **kwargs: P.kwargs) -> T:
        global _memory
        stamp = _steady.get() or _read()
        known_at, known = _memory
        if known_at != stamp or len(known) > MOST:
            known = {}
            _memory = stamp, known
        key = (function, args, tuple(kwargs.items()))
        if key not in known:
            known[key] = function(*args, **kwargs)
        return known[key]

    return ask


# ---- for migrations -------------------------------------------------------------------------------------------------


ANY_CHANGE = "INSERT OR UPDATE OR DELETE OR TRUNCATE"


def counted(*tables: str, events: str = ANY_CHANGE) -> tuple[str, str]:
    """SQL that counts the changes of these tables from now on, and SQL that ends it. For RunSQL."""
    forward = "".join(
        f"INSERT INTO people_reference_stamp (name) VALUES ('{table}');"  # noqa: S608 - names from our migrations
        f"CREATE TRIGGER reference_changed AFTER {events} ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION people_reference_changed();"
        for table in tables
    )
    backward = "".join(
        f"DROP TRIGGER reference_changed ON {table};"  # noqa: S608 - as above
        f"DELETE FROM people_reference_stamp WHERE name = '{table}';"
        for table in tables
    )
    return forward, backward
