"""A large practice in a database of its own, loaded as for measuring, for tests that look at many rows."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections
from pytest_django.plugin import DjangoDbBlocker

from portal.shell.demo.base import load_base
from portal.shell.demo.history import load_history
from portal.shell.loading import Loaded, Size, load
from tests import databases
from tests.conftest import forget, point_at


@contextmanager
def practice(blocker: DjangoDbBlocker, *, tasks: int, size: Size) -> Iterator[tuple[str, str, Loaded]]:
    """The owner's address, the app's, and what was loaded. Commits are real."""
    before = dict(connections.settings["default"])
    with blocker.unblock(), databases.fresh_database() as (owner, app):
        point_at(app)
        load_base(planned=60)
        load_history()
        connections["default"].close()
        try:
            yield owner, app, load(owner, tasks=tasks, size=size, seed=3, say=lambda words: None)
        finally:
            connections["default"].close()
            connections.settings["default"].update(before)
            forget()
