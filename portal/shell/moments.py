"""Moments as they come from the database, read by Python's own parser: a list has some two hundred of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from psycopg.types.datetime import TimestamptzLoader


class Moment(TimestamptzLoader):
    """A moment of a session whose zone is UTC, as Django's are. psycopg's own pattern takes eight times as long, and
    tells what is wrong with one that Python can't hold."""

    timezone = UTC  # Django looks here whether its own is needed

    def load(self, data: Any) -> datetime:
        try:
            found = datetime.fromisoformat(str(data, "ascii"))
        except ValueError:
            found = super().load(data)
        return found if found.tzinfo is UTC else found.astimezone(UTC)


def read_quickly(*, connection: Any, **_told: Any) -> None:
    """For each new connection. Another zone than UTC stays with Django."""
    if connection.timezone == UTC:
        connection.connection.adapters.register_loader("timestamptz", Moment)
