"""The one clock that gives the time to every action.

Actions ask `now()` and never the system clock, so that a whole story can be told at another moment. Only the
demo clinic sets it, to let its past ninety days happen; audit events keep the database's own time beside it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime

from django.utils import timezone

_moment: ContextVar[datetime | None] = ContextVar("porter_moment", default=None)


def now() -> datetime:
    """The present moment, aware and in UTC, or the moment set by `at`."""
    return _moment.get() or timezone.now()


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Let everything inside the block happen at `moment` (aware). For the demo clinic and tests only."""
    token = _moment.set(moment)
    try:
        yield
    finally:
        _moment.reset(token)


def is_set() -> bool:
    """Whether the time is being told by `at` and not by the system."""
    return _moment.get() is not None
